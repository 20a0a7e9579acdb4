/* The records of a state, chunk by chunk. */
#include <stdlib.h>

#include "base/error.h"
#include "base/file.h"
#include "base/limits.h"
#include "format/state_chunk.h"

struct bez_state_stream {
  const bez_state *state;
  uint64_t at, stop;
  bez_buf packed, raw;
  bez_cursor records; /* what is left of raw */
};

bez_status bez_state_stream_open(const bez_state *state, bez_state_stream **out, bez_error *err) {
  *out = calloc(1, sizeof **out);
  if (!*out) return bez_fail_memory(err, sizeof **out);
  (*out)->state = state;
  bez_state_stream_body(*out, 0);
  return BEZ_OK;
}

void bez_state_stream_close(bez_state_stream *s) {
  if (!s) return;
  bez_buf_free(&s->packed);
  bez_buf_free(&s->raw);
  free(s);
}

void bez_state_stream_body(bez_state_stream *s, uint32_t body) {
  s->at = s->state->bodies[body].content;
  s->stop = s->state->bodies[body].stop;
  s->records = (bez_cursor){0};
}

static bez_status damaged(const bez_state_stream *s, const char *what, bez_error *err) {
  return bez_fail_at(err, BEZ_FORMAT, s->state->path, -1, (int64_t)s->at, "damaged saved state: %s", what);
}

static bez_status next_chunk(bez_state_stream *s, bez_error *err) {
  uint8_t head[BEZ_STATE_CHUNK_HEAD];
  uint32_t raw = 0, packed = 0;
  uint64_t hash = 0;
  bez_cursor c = {.data = head, .len = sizeof head};
  if (s->stop - s->at < sizeof head) return damaged(s, "tiles are missing", err);
  bez_status st = bez_file_pread(s->state->fd, s->state->path, head, sizeof head, s->at, err);
  if (st != BEZ_OK) return st;
  if (!bez_cursor_le32(&c, &raw) || !bez_cursor_le32(&c, &packed) || !bez_cursor_le64(&c, &hash) || !raw)
    return damaged(s, "tiles are missing", err);
  s->at += sizeof head;
  st = bez_state_unpack(s->state, &s->at, raw, packed, hash, BEZ_MAX_CHUNK, &s->packed, &s->raw, err);
  s->records = (bez_cursor){.data = (const uint8_t *)s->raw.data, .len = s->raw.len};
  return st;
}

bez_status bez_state_next(bez_state_stream *s, uint8_t kind, bez_cursor *out, bez_error *err) {
  uint8_t is;
  uint64_t len;
  const uint8_t *bytes;
  if (bez_cursor_left(&s->records) == 0) {
    bez_status st = next_chunk(s, err);
    if (st != BEZ_OK) return st;
  }
  if (!bez_cursor_u8(&s->records, &is) || is != kind) return damaged(s, "another record than the index says", err);
  if (!bez_cursor_count(&s->records, 1, &len) || !bez_cursor_take(&s->records, (size_t)len, &bytes))
    return damaged(s, "a record is cut short", err);
  *out = (bez_cursor){.data = bytes, .len = (size_t)len};
  return BEZ_OK;
}
