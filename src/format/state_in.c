/* Opening a state: the bodies' heads and indexes, and what they must have in common. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/limits.h"
#include "format/state_chunk.h"
#include "format/state_index.h"

static bez_status damaged(const bez_state *s, uint64_t at, const char *what, bez_error *err) {
  return bez_fail_at(err, BEZ_FORMAT, s->path, -1, (int64_t)at, "damaged saved state: %s", what);
}

/* n bytes at *at, which moves on. */
static bez_status take(const bez_state *s, uint64_t *at, void *out, size_t n, bez_error *err) {
  if (*at > s->size || n > s->size - *at) return damaged(s, s->size, "it is cut short", err);
  bez_status st = bez_file_pread(s->fd, s->path, out, n, *at, err);
  *at += n;
  return st;
}

bez_status bez_state_unpack(const bez_state *s, uint64_t *at, uint64_t raw, uint64_t packed, uint64_t hash,
                            uint64_t ceiling, bez_buf *in, bez_buf *out, bez_error *err) {
  bez_status st;
  bez_buf_clear(in);
  bez_buf_clear(out);
  if (raw > ceiling || packed > s->size) return damaged(s, *at, "a length beyond all reason", err);
  if (!bez_buf_reserve(in, packed + 1)) return bez_buf_status(in, err);
  st = take(s, at, in->data, packed, err);
  if (st != BEZ_OK) return st;
  if (bez_hash64(in->data, packed, 0) != hash) return damaged(s, *at - packed, "a checksum does not match", err);
  unsigned long long says = ZSTD_getFrameContentSize(in->data, packed);
  if (says != raw) return damaged(s, *at - packed, "a length does not match", err);
  if (!bez_buf_reserve(out, raw + 1)) return bez_buf_status(out, err);
  size_t got = ZSTD_decompress(out->data, raw, in->data, packed);
  if (ZSTD_isError(got) || got != raw) return damaged(s, *at - packed, "it cannot be unpacked", err);
  out->len = raw;
  return BEZ_OK;
}

/* Chunks up to the empty one; bytes are not looked into. */
static bez_status walk_chunks(const bez_state *s, uint64_t *at, bez_error *err) {
  for (;;) {
    uint8_t head[BEZ_STATE_CHUNK_HEAD];
    uint32_t raw = 0, packed = 0;
    uint64_t hash = 0;
    bez_status st = take(s, at, head, sizeof head, err);
    if (st != BEZ_OK) return st;
    bez_cursor c = {.data = head, .len = sizeof head};
    if (!bez_cursor_le32(&c, &raw) || !bez_cursor_le32(&c, &packed) || !bez_cursor_le64(&c, &hash))
      return damaged(s, *at, "no chunk", err);
    if (!raw && !packed && !hash) return BEZ_OK;
    if (packed > s->size - *at) return damaged(s, s->size, "it is cut short", err);
    *at += packed;
  }
}

static bez_status read_body(bez_state *s, bez_state_body *b, uint64_t *at, bez_error *err) {
  uint8_t head[BEZ_STATE_BODY_HEAD];
  bez_cursor c = {.data = head, .len = sizeof head};
  uint64_t raw, packed, hash;
  bez_buf in = {0}, out = {0};
  bez_status st;
  b->at = *at;
  BEZ_TRY(take(s, at, head, sizeof head, err));
  if (!bez_cursor_le32(&c, &b->shard) || !bez_cursor_le32(&c, &b->n_shards) ||
      !bez_cursor_le64(&c, &b->params_digest) || !bez_cursor_le64(&c, &raw) || !bez_cursor_le64(&c, &packed) ||
      !bez_cursor_le64(&c, &hash))
    BEZ_TRY(damaged(s, b->at, "no body", err));
  if (!b->n_shards || b->n_shards > BEZ_MAX_SHARDS || b->shard >= b->n_shards)
    BEZ_TRY(damaged(s, b->at, "a shard beyond the number of shards", err));
  BEZ_TRY(bez_state_unpack(s, at, raw, packed, hash, BEZ_MAX_SAVED, &in, &out, err));
  BEZ_TRY(bez_state_parse_index(s, b, (const uint8_t *)out.data, out.len, err));
  b->content = *at;
  BEZ_TRY(walk_chunks(s, at, err));
  b->stop = *at;
cleanup:
  bez_buf_free(&in);
  bez_buf_free(&out);
  return st;
}

bez_status bez_state_alike(const bez_state_body *a, const char *a_path, const bez_state_body *b, const char *b_path,
                           bez_error *err) {
  if (a->n_shards != b->n_shards)
    return bez_fail(err, BEZ_USAGE, b_path, "holds a shard of %u where %s has shards of %u", b->n_shards, a_path,
                    a->n_shards);
  if (a->params_digest != b->params_digest)
    return bez_fail(err, BEZ_USAGE, b_path,
                    "was read with other options (--label, --text, --type, --columns …) than %s", a_path);
  if (a->list_files != b->list_files || a->list_hash != b->list_hash)
    return bez_fail(err, BEZ_USAGE, b_path, "was cut from other files than %s (or their sizes changed in between)",
                    a_path);
  if (a->height && b->height && (a->height != b->height || a->width != b->width || a->channels != b->channels))
    return bez_fail(err, BEZ_USAGE, b_path, "holds pictures of another size than %s", a_path);
  if (a->shard == b->shard)
    return bez_fail(err, BEZ_USAGE, b_path, "shard %u/%u is in %s already", b->shard + 1, b->n_shards, a_path);
  return BEZ_OK;
}

static bez_status read_bodies(bez_state *s, bez_error *err) {
  uint8_t head[BEZ_STATE_HEAD];
  uint64_t at = 0;
  uint32_t version = 0, n = 0;
  bez_status st = take(s, &at, head, sizeof head, err);
  if (st != BEZ_OK || memcmp(head, BEZ_STATE_MAGIC, 8) != 0)
    return st == BEZ_IO ? st : bez_fail_at(err, BEZ_FORMAT, s->path, -1, 0, "is no saved state (.bez)");
  bez_cursor c = {.data = head, .len = sizeof head, .pos = 8};
  if (!bez_cursor_le32(&c, &version) || version != BEZ_STATE_VERSION)
    return bez_fail_at(err, BEZ_UNSUPPORTED, s->path, -1, 8, "saved by another version; save it again");
  if (!bez_cursor_le32(&c, &n) || n == 0 || n > s->size / BEZ_STATE_BODY_HEAD) return damaged(s, 12, "no bodies", err);
  s->bodies = bez_arena_array(&s->arena, n, sizeof *s->bodies);
  if (!s->bodies) return bez_fail_memory(err, n * sizeof *s->bodies);
  for (; s->n_bodies < n; s->n_bodies++) {
    bez_state_body *b = &s->bodies[s->n_bodies], *before = b - 1;
    st = read_body(s, b, &at, err);
    if (st == BEZ_OK && s->n_bodies && b->shard > before->shard) st = bez_state_alike(before, s->path, b, s->path, err);
    if (st == BEZ_OK && s->n_bodies && b->shard <= before->shard) st = damaged(s, b->at, "shards out of order", err);
    if (st != BEZ_OK) return st;
  }
  return at == s->size ? BEZ_OK : damaged(s, at, "bytes behind its end", err);
}

bez_status bez_state_open(const char *path, bez_state **out, bez_error *err) {
  struct stat info;
  *out = NULL;
  bez_state *s = calloc(1, sizeof *s);
  if (!s) return bez_fail_memory(err, sizeof *s);
  bez_status st = BEZ_OK;
  s->path = bez_arena_strdup(&s->arena, path);
  s->fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (!s->path)
    st = bez_fail_memory(err, strlen(path));
  else if (s->fd < 0)
    st = bez_fail_errno(err, path, "cannot open");
  else if (fstat(s->fd, &info) < 0 || !S_ISREG(info.st_mode))
    st = bez_fail(err, BEZ_FORMAT, path, "is no saved state (.bez): no regular file");
  if (st == BEZ_OK) {
    s->size = (uint64_t)info.st_size;
    st = read_bodies(s, err);
  }
  if (st == BEZ_OK)
    *out = s;
  else
    bez_state_close(s);
  return st;
}

void bez_state_close(bez_state *s) {
  if (!s) return;
  if (s->fd >= 0) close(s->fd);
  bez_arena_free(&s->arena);
  free(s);
}

bez_status bez_state_complete(const bez_state *s, bez_error *err) {
  for (uint32_t i = 0; i < s->n_bodies; i++)
    if (s->bodies[i].shard != i)
      return bez_fail(err, BEZ_USAGE, s->path, "shard %u/%u is missing", i + 1, s->bodies[0].n_shards);
  if (s->n_bodies == s->bodies[0].n_shards) return BEZ_OK;
  return bez_fail(err, BEZ_USAGE, s->path, "shard %u/%u is missing", s->n_bodies + 1, s->bodies[0].n_shards);
}
