/* The directory of a ZIP archive (zip.h). What the directory says of an entry must stand in its local header too:
 * programs that read one and programs that read the other must see the same file. */
#include "format/zip.h"

#include <stdlib.h>
#include <string.h>

#include "base/cursor.h"
#include "base/error.h"
#include "base/limits.h"

#define END_SIZE 22u
#define END64_SIZE 56u
#define LOCATOR_SIZE 20u
#define CENTRAL_SIZE 46u
#define LOCAL_SIZE 30u
#define MAX_COMMENT 65535u
#define MAX_DIRECTORY (64u << 20)
#define DEFLATE_MOST 1032u /* to one, at the best */

typedef struct directory {
  uint64_t at, size, count;
  uint64_t end; /* where the records behind the directory begin */
} directory;

static uint16_t le16(const uint8_t *p) {
  return (uint16_t)(p[0] | p[1] << 8);
}
static uint32_t le32(const uint8_t *p) {
  return (uint32_t)le16(p) | (uint32_t)le16(p + 2) << 16;
}
static uint64_t le64(const uint8_t *p) {
  return (uint64_t)le32(p) | (uint64_t)le32(p + 4) << 32;
}

static bez_status bad(const bez_source *source, uint64_t at, bez_error *err, const char *what) {
  return bez_fail_at(err, BEZ_FORMAT, source->path, -1, (int64_t)at, "zip: %s", what);
}

static bez_status read_exact(const bez_source *source, uint64_t at, void *out, size_t len, bez_error *err) {
  size_t got = 0;
  if (at > source->size || len > source->size - at) return bad(source, at, err, "cut off");
  bez_status st = bez_source_read(source, at, out, len, &got, err);
  if (st == BEZ_OK && got != len) return bad(source, at, err, "cut off");
  return st;
}

/* The 64-bit end record, through its locator just before the end record. */
static bez_status read_end64(const bez_source *source, uint64_t end_at, directory *d, bez_error *err) {
  uint8_t locator[LOCATOR_SIZE], end[END64_SIZE];
  if (end_at < LOCATOR_SIZE) return bad(source, end_at, err, "the 64-bit end record is missing");
  bez_status st = read_exact(source, end_at - LOCATOR_SIZE, locator, sizeof locator, err);
  if (st != BEZ_OK) return st;
  if (le32(locator) != 0x07064b50) return bad(source, end_at, err, "the 64-bit end record is missing");
  uint64_t at = le64(locator + 8);
  st = read_exact(source, at, end, sizeof end, err);
  if (st != BEZ_OK) return st;
  if (le32(end) != 0x06064b50 || le64(end + 24) != le64(end + 32))
    return bad(source, at, err, "the 64-bit end record is malformed");
  *d = (directory){.count = le64(end + 32), .size = le64(end + 40), .at = le64(end + 48), .end = at};
  return BEZ_OK;
}

/* The end record: the last signature whose comment reaches exactly to the end of the file. */
static bez_status find_directory(const bez_source *source, directory *d, uint64_t *comment, bez_error *err) {
  size_t tail = END_SIZE + MAX_COMMENT;
  if (tail > source->size) tail = (size_t)source->size;
  if (tail < END_SIZE) return bad(source, 0, err, "too short");
  uint8_t *bytes = malloc(tail);
  if (!bytes) return bez_fail_memory(err, tail);
  uint64_t base = source->size - tail, at = 0;
  bez_status st = read_exact(source, base, bytes, tail, err);
  const uint8_t *end = NULL;
  for (size_t i = tail - END_SIZE + 1; st == BEZ_OK && !end && i-- > 0;)
    if (le32(bytes + i) == 0x06054b50 && le16(bytes + i + 20) == tail - i - END_SIZE) {
      end = bytes + i;
      at = base + i;
    }
  if (st == BEZ_OK && !end) st = bad(source, source->size, err, "no end record");
  if (st == BEZ_OK) {
    *comment = le16(end + 20);
    *d = (directory){.count = le16(end + 10), .size = le32(end + 12), .at = le32(end + 16), .end = at};
    bool wide = d->count == 0xFFFF || d->size == 0xFFFFFFFF || d->at == 0xFFFFFFFF;
    if (le16(end + 4) != 0 || le16(end + 6) != 0 || le16(end + 8) != le16(end + 10))
      st = bad(source, at, err, "an archive in several parts");
    else if (wide)
      st = read_end64(source, at, d, err);
  }
  free(bytes);
  if (st != BEZ_OK) return st;
  if (d->at > d->end || d->size != d->end - d->at)
    return bad(source, d->end, err, "the directory does not end where the end record begins");
  if (d->count > BEZ_MAX_ZIP_ENTRIES || d->size > MAX_DIRECTORY)
    return bez_fail(err, BEZ_LIMIT, source->path, "more than %u entries", BEZ_MAX_ZIP_ENTRIES);
  return BEZ_OK;
}

/* Sizes and the offset that did not fit 32 bits, from extra field 1. false: missing. */
static bool wide_sizes(const uint8_t *extra, size_t len, bez_zip_entry *e) {
  for (size_t at = 0; at + 4 <= len; at += 4 + (size_t)le16(extra + at + 2)) {
    const uint8_t *p = extra + at + 4;
    size_t have = le16(extra + at + 2);
    if (have > len - at - 4) return false;
    if (le16(extra + at) != 1) continue;
    uint64_t *wanted[] = {&e->size, &e->packed, &e->local_at};
    for (int i = 0; i < 3; i++) {
      if (*wanted[i] != 0xFFFFFFFF) continue;
      if (have < 8) return false;
      *wanted[i] = le64(p);
      p += 8;
      have -= 8;
    }
    return true;
  }
  return e->size != 0xFFFFFFFF && e->packed != 0xFFFFFFFF && e->local_at != 0xFFFFFFFF;
}

static bez_status read_entry(const bez_source *source, bez_cursor *c, uint64_t at, bez_arena *arena, bez_zip_entry *e,
                             bez_error *err) {
  const uint8_t *h, *name, *extra, *comment;
  if (!bez_cursor_take(c, CENTRAL_SIZE, &h) || le32(h) != 0x02014b50)
    return bad(source, at, err, "a directory entry is malformed");
  uint16_t n_name = le16(h + 28), n_extra = le16(h + 30);
  if (!bez_cursor_take(c, n_name, &name) || !bez_cursor_take(c, n_extra, &extra) ||
      !bez_cursor_take(c, le16(h + 32), &comment))
    return bad(source, at, err, "a directory entry is cut off");
  *e = (bez_zip_entry){.method = le16(h + 10),
                       .crc = le32(h + 16),
                       .packed = le32(h + 20),
                       .size = le32(h + 24),
                       .local_at = le32(h + 42)};
  if (n_name == 0 || memchr(name, 0, n_name)) return bad(source, at, err, "an entry's name is empty or holds a NUL");
  char *copy = bez_arena_alloc(arena, (size_t)n_name + 1);
  if (!copy) return bez_fail_memory(err, (size_t)n_name + 1);
  memcpy(copy, name, n_name);
  e->name = copy;
  if (!wide_sizes(extra, n_extra, e)) return bad(source, at, err, "an entry lacks its 64-bit sizes");
  if (le16(h + 8) & 1) return bez_fail(err, BEZ_UNSUPPORTED, source->path, "zip: entry \"%s\" is encrypted", copy);
  if (e->method != 0 && e->method != 8)
    return bez_fail(err, BEZ_UNSUPPORTED, source->path, "zip: entry \"%s\" is packed by method %u", copy, e->method);
  bool possible = e->method == 0 ? e->packed == e->size : e->size / DEFLATE_MOST <= e->packed;
  return possible ? BEZ_OK : bad(source, at, err, "an entry's sizes are impossible");
}

/* The local header must tell the same story; sizes and CRC may be left to a descriptor behind the data (flag bit 3). */
static bez_status check_local(const bez_source *source, uint64_t limit, bez_zip_entry *e, bez_error *err) {
  uint8_t h[LOCAL_SIZE];
  size_t n_name = strlen(e->name);
  bez_status st = read_exact(source, e->local_at, h, sizeof h, err);
  if (st != BEZ_OK) return st;
  if (le32(h) != 0x04034b50) return bad(source, e->local_at, err, "no local header where the directory says");
  if (le16(h + 26) != n_name || le16(h + 8) != e->method)
    return bad(source, e->local_at, err, "a local header and the directory disagree");
  size_t len = n_name + le16(h + 28);
  uint8_t *rest = malloc(len);
  if (!rest) return bez_fail_memory(err, len);
  st = read_exact(source, e->local_at + LOCAL_SIZE, rest, len, err);
  bez_zip_entry local = {.packed = le32(h + 18), .size = le32(h + 22)};
  bool same = st == BEZ_OK && memcmp(rest, e->name, n_name) == 0;
  if (same && !(le16(h + 6) & 8))
    same = wide_sizes(rest + n_name, len - n_name, &local) && local.packed == e->packed && local.size == e->size &&
           le32(h + 14) == e->crc;
  free(rest);
  if (st != BEZ_OK) return st;
  if (!same) return bad(source, e->local_at, err, "a local header and the directory disagree");
  e->data_at = e->local_at + LOCAL_SIZE + len;
  if (e->data_at > limit || e->packed > limit - e->data_at) return bad(source, e->local_at, err, "an entry is cut off");
  return BEZ_OK;
}

static int by_place(const void *a, const void *b) {
  uint64_t x = (*(const bez_zip_entry *const *)a)->local_at, y = (*(const bez_zip_entry *const *)b)->local_at;
  return (x > y) - (x < y);
}

static int by_name(const void *a, const void *b) {
  return strcmp((*(const bez_zip_entry *const *)a)->name, (*(const bez_zip_entry *const *)b)->name);
}

/* No name twice, no byte in two entries. */
static bez_status check_distinct(const bez_source *source, const bez_zip *zip, bez_error *err) {
  const bez_zip_entry **sorted = calloc((size_t)zip->n + 1, sizeof *sorted);
  bez_status st = BEZ_OK;
  if (!sorted) return bez_fail_memory(err, zip->n * sizeof *sorted);
  for (uint32_t i = 0; i < zip->n; i++) sorted[i] = &zip->entries[i];
  qsort(sorted, zip->n, sizeof *sorted, by_name);
  for (uint32_t i = 1; st == BEZ_OK && i < zip->n; i++)
    if (strcmp(sorted[i - 1]->name, sorted[i]->name) == 0)
      st = bez_fail(err, BEZ_FORMAT, source->path, "zip: two entries are named \"%s\"", sorted[i]->name);
  qsort(sorted, zip->n, sizeof *sorted, by_place);
  for (uint32_t i = 1; st == BEZ_OK && i < zip->n; i++)
    if (sorted[i]->local_at < sorted[i - 1]->data_at + sorted[i - 1]->packed)
      st = bad(source, sorted[i]->local_at, err, "two entries share bytes");
  free(sorted);
  return st;
}

bez_status bez_zip_open(const bez_source *source, bez_arena *arena, bez_zip *out, bez_error *err) {
  directory d = {0};
  bez_status st = BEZ_OK;
  uint8_t *bytes = NULL;
  *out = (bez_zip){0};
  BEZ_TRY(find_directory(source, &d, &out->comment, err));
  if (d.count > d.size / CENTRAL_SIZE) BEZ_TRY(bad(source, d.at, err, "more entries than the directory can hold"));
  bytes = malloc((size_t)d.size + 1);
  out->entries = bez_arena_array(arena, (size_t)d.count + 1, sizeof *out->entries);
  if (!bytes || !out->entries) BEZ_TRY(bez_fail_memory(err, (size_t)d.size));
  BEZ_TRY(read_exact(source, d.at, bytes, (size_t)d.size, err));
  bez_cursor c = {.data = bytes, .len = (size_t)d.size};
  for (uint64_t i = 0; i < d.count; i++, out->n++) {
    BEZ_TRY(read_entry(source, &c, d.at + c.pos, arena, &out->entries[i], err));
    BEZ_TRY(check_local(source, d.at, &out->entries[i], err));
  }
  if (bez_cursor_left(&c) != 0) BEZ_TRY(bad(source, d.at + c.pos, err, "something follows the directory's entries"));
  BEZ_TRY(check_distinct(source, out, err));
cleanup:
  free(bytes);
  return st;
}
