/* A few unpacked blocks, shared by the threads that walk a tree: a block holds dozens of leaves that are read one after
 * the other. A block that one thread is unpacking the others wait for. */
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zstd.h>

#include "base/error.h"
#include "base/file.h"
#include "base/limits.h"
#include "content/pack.h"

enum { SLOTS = 64, KEEP = 4 << 20 }; /* larger blocks are not kept once nobody reads them */

typedef enum slot_state { SLOT_EMPTY, SLOT_LOADING, SLOT_READY } slot_state;

typedef struct slot {
  slot_state state;
  unsigned users;
  uint64_t number, used; /* pack; when last asked for */
  uint32_t block;
  uint8_t *raw, *stored;
  size_t raw_cap, stored_cap, len;
  ZSTD_DCtx *unpacker;
} slot;

struct bez_block_cache {
  pthread_mutex_t mutex;
  pthread_cond_t changed;
  uint64_t clock;
  slot slots[SLOTS];
};

bez_status bez_block_cache_create(bez_block_cache **out, bez_error *err) {
  bez_block_cache *cache = calloc(1, sizeof *cache);
  if (!cache) return bez_fail_memory(err, sizeof *cache);
  pthread_mutex_init(&cache->mutex, NULL);
  pthread_cond_init(&cache->changed, NULL);
  *out = cache;
  return BEZ_OK;
}

void bez_block_cache_free(bez_block_cache *cache) {
  if (!cache) return;
  for (unsigned i = 0; i < SLOTS; i++) {
    free(cache->slots[i].raw);
    free(cache->slots[i].stored);
    ZSTD_freeDCtx(cache->slots[i].unpacker);
  }
  pthread_cond_destroy(&cache->changed);
  pthread_mutex_destroy(&cache->mutex);
  free(cache);
}

/* At least len bytes, contents lost. */
static bez_status make_room(uint8_t **bytes, size_t *cap, size_t len, bez_error *err) {
  if (len <= *cap) return BEZ_OK;
  free(*bytes);
  *cap = 0;
  *bytes = malloc(len);
  if (!*bytes) return bez_fail_memory(err, len);
  *cap = len;
  return BEZ_OK;
}

static bez_status read_stored(const bez_block_place *place, void *out, size_t len, uint64_t offset, bez_error *err) {
  int fd = place->fd >= 0 ? place->fd : open(place->path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return bez_fail_errno(err, place->path, "cannot open");
  bez_status st = bez_file_pread(fd, place->path, out, len, offset, err);
  if (place->fd < 0) close(fd);
  return st;
}

static bez_status load(slot *s, const bez_block_place *place, bez_error *err) {
  const bez_block_record *record = &place->record;
  size_t stored = (size_t)record->stored + BEZ_PACK_HEAD;
  if (record->raw > 2 * BEZ_MAX_OBJECT || record->stored > 2 * BEZ_MAX_OBJECT)
    return bez_fail_at(err, BEZ_FORMAT, place->path, -1, (int64_t)record->offset, "damaged: a block of %u bytes",
                       record->raw);
  bez_status st = make_room(&s->raw, &s->raw_cap, (size_t)record->raw + 1, err);
  if (st == BEZ_OK) st = make_room(&s->stored, &s->stored_cap, stored, err);
  if (st == BEZ_OK && !s->unpacker && !(s->unpacker = ZSTD_createDCtx())) st = bez_fail_memory(err, 0);
  if (st == BEZ_OK) st = read_stored(place, s->stored, stored, record->offset, err);
  if (st == BEZ_OK) st = bez_block_unpack(place->path, record, s->stored, s->unpacker, s->raw, err);
  s->len = record->raw;
  if (s->stored_cap > KEEP) {
    free(s->stored);
    s->stored = NULL;
    s->stored_cap = 0;
  }
  return st;
}

/* The slot that holds the block, is loading it, or (fresh) the one to load it into; waits where all are in use. */
static slot *find_slot(bez_block_cache *cache, const bez_block_place *place, bool *fresh) {
  for (;;) {
    slot *oldest = NULL;
    for (unsigned i = 0; i < SLOTS; i++) {
      slot *s = &cache->slots[i];
      if (s->state != SLOT_EMPTY && s->number == place->number && s->block == place->block) {
        *fresh = false;
        return s;
      }
      if (s->users == 0 && (!oldest || s->used < oldest->used)) oldest = s;
    }
    if (oldest) {
      *fresh = true;
      return oldest;
    }
    pthread_cond_wait(&cache->changed, &cache->mutex);
  }
}

static void let_go(bez_block_cache *cache, slot *s, bool keep) {
  pthread_mutex_lock(&cache->mutex);
  s->users--;
  if (s->users == 0 && (!keep || s->raw_cap > KEEP)) {
    s->state = SLOT_EMPTY;
    s->used = 0;
    free(s->raw);
    s->raw = NULL;
    s->raw_cap = 0;
  }
  pthread_cond_broadcast(&cache->changed);
  pthread_mutex_unlock(&cache->mutex);
}

/* Loads into a slot that is ours, or waits for who does. BEZ_OK: the slot is ready and has us as a user. */
static bez_status take(bez_block_cache *cache, const bez_block_place *place, slot **out, bez_error *err) {
  for (;;) {
    bool fresh = false;
    pthread_mutex_lock(&cache->mutex);
    slot *s = find_slot(cache, place, &fresh);
    while (!fresh && s->state == SLOT_LOADING && s->number == place->number && s->block == place->block)
      pthread_cond_wait(&cache->changed, &cache->mutex);
    bool ready = !fresh && s->state == SLOT_READY && s->number == place->number && s->block == place->block;
    if (ready || fresh) {
      s->users++;
      s->used = ++cache->clock;
    }
    if (fresh) {
      s->state = SLOT_LOADING;
      s->number = place->number;
      s->block = place->block;
    }
    pthread_mutex_unlock(&cache->mutex);
    *out = s;
    if (ready) return BEZ_OK;
    if (!fresh) continue; /* the other one failed: try it ourselves, for our own error */
    bez_status st = load(s, place, err);
    pthread_mutex_lock(&cache->mutex);
    s->state = st == BEZ_OK ? SLOT_READY : SLOT_EMPTY;
    pthread_cond_broadcast(&cache->changed);
    pthread_mutex_unlock(&cache->mutex);
    if (st != BEZ_OK) let_go(cache, s, false);
    return st;
  }
}

bez_status bez_block_cache_read(bez_block_cache *cache, const bez_block_place *place, uint32_t offset, uint32_t len,
                                bez_buf *out, bez_error *err) {
  const bez_block_record *record = &place->record;
  if (offset > record->raw || len > record->raw - offset)
    return bez_fail_at(err, BEZ_FORMAT, place->path, -1, (int64_t)record->offset,
                       "damaged: an object that does not lie in its block");
  if (!bez_buf_reserve(out, len)) return bez_buf_status(out, err);
  bez_status st = BEZ_OK;
  if (record->codec == BEZ_CODEC_RAW && record->stored == record->raw) { /* nothing to unpack: just these bytes */
    st = read_stored(place, out->data + out->len, len, record->offset + BEZ_PACK_HEAD + offset, err);
  } else {
    slot *s = NULL;
    st = take(cache, place, &s, err);
    if (st == BEZ_OK) memcpy(out->data + out->len, s->raw + offset, len);
    if (st == BEZ_OK) let_go(cache, s, true);
  }
  if (st != BEZ_OK) return st;
  out->len += len;
  out->data[out->len] = '\0';
  return BEZ_OK;
}
