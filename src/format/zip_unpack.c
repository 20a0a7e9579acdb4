/* Unpacking one entry of a ZIP archive (zip.h). The store grows with what really comes out, never with what the
 * archive promises. */
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "base/error.h"
#include "format/zip.h"

#define CHUNK (256u << 10)

typedef struct unpack {
  const bez_source *source;
  const bez_zip_entry *entry;
  bez_store *store;
  uint64_t written, taken;
  uint8_t *chunk;
  bez_error *err;
} unpack;

static bez_status bad(unpack *u, const char *what) {
  return bez_fail_at(u->err, BEZ_FORMAT, u->source->path, -1, (int64_t)(u->entry->data_at + u->taken),
                     "zip: entry \"%s\" %s", u->entry->name, what);
}

/* Room for at least one more byte, never beyond the entry's size. */
static bez_status make_room(unpack *u) {
  uint64_t want = u->written ? u->written * 2 : 1u << 20;
  if (want > u->entry->size) want = u->entry->size;
  if (want <= u->store->cap && u->store->data) return BEZ_OK;
  return bez_store_grow(u->store, want ? (size_t)want : 1, u->err);
}

static bez_status next_chunk(unpack *u, size_t *got) {
  uint64_t left = u->entry->packed - u->taken;
  *got = left < CHUNK ? (size_t)left : CHUNK;
  size_t have = 0;
  bez_status st = bez_source_read(u->source, u->entry->data_at + u->taken, u->chunk, *got, &have, u->err);
  if (st == BEZ_OK && have != *got) return bad(u, "is cut off");
  u->taken += *got;
  return st;
}

static bez_status copy_stored(unpack *u) {
  bez_status st = bez_store_grow(u->store, u->entry->size ? (size_t)u->entry->size : 1, u->err);
  while (st == BEZ_OK && u->taken < u->entry->packed) {
    size_t got;
    st = next_chunk(u, &got);
    if (st == BEZ_OK) memcpy((uint8_t *)u->store->data + u->written, u->chunk, got);
    u->written += got;
  }
  return st;
}

/* One call of inflate into what room there is. */
static bez_status step(unpack *u, z_stream *z, bool *ended) {
  uint8_t spare;
  bool full = u->written == u->entry->size;
  bez_status st = full ? BEZ_OK : make_room(u);
  if (st != BEZ_OK) return st;
  uint64_t room = full ? 1 : u->entry->size - u->written;
  uint64_t mapped = full ? 1 : u->store->cap - u->written;
  if (room > mapped) room = mapped;
  if (room > 1u << 30) room = 1u << 30;
  z->next_out = full ? &spare : (uint8_t *)u->store->data + u->written;
  z->avail_out = (uInt)room;
  int r = inflate(z, Z_NO_FLUSH);
  uint64_t made = room - z->avail_out;
  if (full && made > 0) return bad(u, "is longer than announced");
  u->written += full ? 0 : made;
  *ended = r == Z_STREAM_END;
  if (r == Z_MEM_ERROR) return bez_fail_memory(u->err, CHUNK);
  if (r != Z_OK && r != Z_STREAM_END && r != Z_BUF_ERROR) return bad(u, "is not valid deflate data");
  if (r == Z_BUF_ERROR && z->avail_in == 0 && u->taken == u->entry->packed) return bad(u, "is cut off");
  return BEZ_OK;
}

static bez_status inflate_entry(unpack *u) {
  z_stream z = {0};
  bool ended = false;
  if (inflateInit2(&z, -15) != Z_OK) return bez_fail_memory(u->err, sizeof z);
  bez_status st = make_room(u);
  while (st == BEZ_OK && !ended) {
    size_t got = 0;
    if (z.avail_in == 0 && u->taken < u->entry->packed) {
      st = next_chunk(u, &got);
      z.next_in = u->chunk;
      z.avail_in = (uInt)got;
    }
    if (st == BEZ_OK) st = step(u, &z, &ended);
  }
  if (st == BEZ_OK && (z.avail_in != 0 || u->taken != u->entry->packed)) st = bad(u, "goes on behind its end");
  if (st == BEZ_OK && u->written != u->entry->size) st = bad(u, "is shorter than announced");
  inflateEnd(&z);
  return st;
}

bez_status bez_zip_unpack(const bez_source *source, const bez_zip_entry *entry, bez_store *store, bez_error *err) {
  unpack u = {.source = source, .entry = entry, .store = store, .err = err};
  u.chunk = malloc(CHUNK);
  if (!u.chunk) return bez_fail_memory(err, CHUNK);
  bez_status st = entry->method == 0 ? copy_stored(&u) : inflate_entry(&u);
  free(u.chunk);
  if (st != BEZ_OK) return st;
  uLong crc = crc32(0, NULL, 0);
  for (uint64_t at = 0; at < entry->size; at += 1u << 30) {
    uint64_t n = entry->size - at < 1u << 30 ? entry->size - at : 1u << 30;
    crc = crc32(crc, (const uint8_t *)store->data + at, (uInt)n);
  }
  return crc == entry->crc ? BEZ_OK : bad(&u, "does not match its checksum");
}

bez_status bez_zip_peek(const bez_source *source, const bez_zip_entry *entry, uint8_t *out, size_t most, size_t *got,
                        bez_error *err) {
  uint8_t packed[4096];
  const bool stored = entry->method == 0;
  const size_t room = stored ? most : sizeof packed;
  size_t n = entry->packed < room ? (size_t)entry->packed : room;
  *got = 0;
  bez_status st = bez_source_read(source, entry->data_at, stored ? out : packed, n, &n, err);
  if (st != BEZ_OK || stored) return *got = st == BEZ_OK ? n : 0, st;
  z_stream z = {.next_in = packed, .avail_in = (uInt)n, .next_out = out, .avail_out = (uInt)most};
  if (inflateInit2(&z, -15) != Z_OK) return bez_fail_memory(err, sizeof z);
  (void)inflate(&z, Z_SYNC_FLUSH); /* what it gives before it fails is what there is to see */
  *got = most - z.avail_out;
  inflateEnd(&z);
  return BEZ_OK;
}
