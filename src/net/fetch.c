/* One object's bytes: by ranges that pick up where they broke off, every answer held against the first one. */
#include <string.h>

#include "base/error.h"
#include "net/object.h"

#define MAX_PIECES 200u /* answers for one range: a server that hands out single bytes is given up */

static bez_status check_encoding(const bez_object *o, const bez_response *r, bez_error *err) {
  static const char *const fine[] = {"", "identity", "gzip", "x-gzip", "zstd", NULL};
  for (size_t i = 0; fine[i]; i++)
    if (!strcmp(r->encoding, fine[i])) return BEZ_OK;
  return bez_fail(err, BEZ_UNSUPPORTED, o->shown, "the server packs the content as \"%s\" without being asked",
                  r->encoding);
}

static bez_status changed(const bez_object *o, const char *what, bez_error *err) {
  return bez_fail(err, BEZ_IO, o->shown, "it was changed while it was read (%s)", what);
}

/* The version of this answer is that of the first one. A generation is part of the request, a commit of the name. */
static bez_status check_version(const bez_object *o, const bez_response *r, bez_error *err) {
  bool pinned = o->place->kind == BEZ_URL_GS || o->place->kind == BEZ_URL_HF;
  if (pinned) return BEZ_OK;
  if (o->entry.etag && r->etag[0] && strcmp(o->entry.etag, r->etag) != 0) return changed(o, "its ETag is another", err);
  if (!o->entry.etag && o->modified && r->modified[0] && strcmp(o->modified, r->modified) != 0)
    return changed(o, "its time of change is another", err);
  return BEZ_OK;
}

static bez_status on_probe(void *ctx, bez_response *r, const char *bytes, size_t len, bez_error *err) {
  (void)ctx, (void)bytes, (void)len, (void)err;
  r->enough = true;
  return BEZ_OK;
}

static bez_status keep_version(bez_object *o, const bez_response *r, bez_arena *arena, bez_error *err) {
  o->redirected = r->redirected;
  if (r->etag[0]) o->entry.etag = bez_arena_strdup(arena, r->etag);
  if (r->modified[0]) o->modified = bez_arena_strdup(arena, r->modified);
  if ((r->etag[0] && !o->entry.etag) || (r->modified[0] && !o->modified)) return bez_fail_memory(err, 256);
  return BEZ_OK;
}

bez_status bez_object_probe(bez_http *http, bez_object *o, bez_arena *arena, bool *there, bez_error *err) {
  bez_buf url = {0};
  bez_request request;
  bez_response r = {0};
  bez_error why = {0};
  bez_status st = BEZ_OK;
  *there = true;
  BEZ_TRY(bez_place_request(o->place, &o->entry, o->shown, &url, &request, err));
  request.ranged = true;
  st = bez_http_get(http, &request, &r, on_probe, NULL, NULL, &why);
  if (st == BEZ_IO && r.status == 416) { /* no first byte: it is empty */
    o->entry.size = 0;
    st = r.has_total && r.total ? bez_fail(err, BEZ_FORMAT, o->shown, "the server contradicts itself about its size")
                                : BEZ_OK;
    goto cleanup;
  }
  if (st == BEZ_IO && r.status == 404) {
    *there = false;
    st = BEZ_OK;
    goto cleanup;
  }
  if (st == BEZ_IO && r.status >= 300 && r.status < 400 && r.region[0])
    st = bez_fail(err, st, o->shown, "the bucket is in the region %s: set AWS_REGION", r.region);
  if (st != BEZ_OK && err && err->code == BEZ_OK) *err = why;
  if (st != BEZ_OK) goto cleanup;
  BEZ_TRY(keep_version(o, &r, arena, err));
  o->streamed = r.status != 206 || !r.has_range || !r.has_total || r.first != 0 || r.last != 0;
  o->entry.size = !o->streamed ? r.total : r.has_length && r.status == 200 ? r.length : BEZ_SIZE_UNKNOWN;
cleanup:
  bez_buf_free(&url);
  return st;
}

/* A range as it comes in. */
typedef struct taking {
  const bez_object *object;
  uint8_t *out;
  uint64_t from, at, to; /* out[0] is byte `from` */
  uint64_t asked;        /* first byte of this request */
  uint64_t skip;         /* bytes in front that nobody asked for */
  bool begun;            /* the answer has been looked at */
} taking;

static bez_status check_range(taking *t, const bez_response *r, bez_error *err) {
  const bez_object *o = t->object;
  bez_status st = check_encoding(o, r, err);
  if (st == BEZ_OK) st = check_version(o, r, err);
  if (st != BEZ_OK) return st;
  if (r->status == 206) {
    if (!r->has_range || r->first != t->asked || r->last >= t->to)
      return bez_fail(err, BEZ_FORMAT, o->shown, "the server sends other bytes than it was asked for");
    if (r->has_total && r->total != o->entry.size) return changed(o, "its size is another", err);
    return BEZ_OK;
  }
  if (r->has_length && r->length != o->entry.size) return changed(o, "its size is another", err);
  if (o->entry.size > BEZ_RANGE)
    return bez_fail(err, BEZ_IO, o->shown, "the server has stopped answering range requests");
  t->skip = t->asked;
  return BEZ_OK;
}

static bez_status on_range(void *ctx, bez_response *r, const char *bytes, size_t len, bez_error *err) {
  taking *t = ctx;
  if (!t->begun) {
    bez_status st = check_range(t, r, err);
    if (st != BEZ_OK) return st;
    t->begun = true;
  }
  size_t skip = len < t->skip ? len : (size_t)t->skip;
  t->skip -= skip;
  bytes += skip;
  len -= skip;
  if (len > t->to - t->at)
    return bez_fail(err, BEZ_FORMAT, t->object->shown, "the server sends more bytes than it announced");
  if (len) memcpy(t->out + (t->at - t->from), bytes, len);
  t->at += len;
  return BEZ_OK;
}

bez_status bez_object_range(bez_http *http, const bez_object *o, uint64_t from, uint64_t to, uint8_t *out,
                            bez_error *err) {
  bez_buf url = {0};
  bez_request request;
  taking t = {.object = o, .out = out, .from = from, .at = from, .to = to};
  bez_error why;
  bez_status st = bez_place_request(o->place, &o->entry, o->shown, &url, &request, err);
  if (o->redirected) request.if_match = NULL;
  request.ranged = true;
  for (unsigned failures = 0, pieces = 0; st == BEZ_OK; pieces++) {
    bez_response r = {0};
    why = (bez_error){0};
    request.first = t.asked = t.at;
    request.last = to - 1;
    t.begun = false;
    t.skip = 0;
    st = bez_http_try(http, &request, &r, on_range, &t, &why);
    if (t.at == to && (st == BEZ_OK || r.again)) { /* it broke off behind the last byte */
      st = BEZ_OK;
      break;
    }
    if (st == BEZ_OK) {
      r.again = true;
      st = bez_fail(&why, BEZ_IO, o->shown, "the answer ends at byte %llu of %llu", (unsigned long long)t.at,
                    (unsigned long long)o->entry.size);
    }
    failures = t.at > t.asked ? 1 : failures + 1;
    if (!r.again || failures == BEZ_HTTP_ATTEMPTS || pieces == MAX_PIECES) {
      if (err && err->code == BEZ_OK) *err = why;
      break;
    }
    st = bez_http_wait(http, failures, r.wait, err);
  }
  bez_buf_free(&url);
  return st;
}

/* A whole object of perhaps unknown size. */
typedef struct streaming {
  bez_object *object;
  bez_store *store;
  uint64_t base, at, most;
} streaming;

static void restart_stream(void *ctx) {
  ((streaming *)ctx)->at = 0;
}

static bez_status on_stream(void *ctx, bez_response *r, const char *bytes, size_t len, bez_error *err) {
  streaming *s = ctx;
  const bez_object *o = s->object;
  if (s->at == 0) {
    bez_status st = check_encoding(o, r, err);
    if (st == BEZ_OK) st = check_version(o, r, err);
    if (st != BEZ_OK) return st;
    if (r->status != 200) return bez_fail(err, BEZ_FORMAT, o->shown, "the server sends a part where all was asked for");
    if (!r->framed)
      return bez_fail(err, BEZ_FORMAT, o->shown,
                      "the server says neither how long the content is nor where it ends: it may be cut");
  }
  if (len > s->most - s->at)
    return bez_fail(err, BEZ_LIMIT, o->shown, "more than the %llu bytes that --max-download leaves",
                    (unsigned long long)s->most);
  uint64_t end = s->base + s->at + len;
  if (end > s->store->cap) {
    bez_status st = bez_store_grow(s->store, (size_t)(end + end / 2 + BEZ_RANGE), err);
    if (st != BEZ_OK) return st;
  }
  memcpy((uint8_t *)s->store->data + s->base + s->at, bytes, len);
  s->at += len;
  return BEZ_OK;
}

bez_status bez_object_stream(bez_http *http, bez_object *o, bez_store *store, uint64_t at, uint64_t most,
                             bez_error *err) {
  bez_buf url = {0};
  bez_request request;
  bez_response r = {0};
  streaming s = {.object = o, .store = store, .base = at, .most = most};
  bez_status st = bez_place_request(o->place, &o->entry, o->shown, &url, &request, err);
  if (o->redirected) request.if_match = NULL;
  if (st == BEZ_OK) st = bez_http_get(http, &request, &r, on_stream, restart_stream, &s, err);
  if (st == BEZ_OK && r.has_length && r.length != s.at)
    st = bez_fail(err, BEZ_IO, o->shown, "%llu of %llu bytes came", (unsigned long long)s.at,
                  (unsigned long long)r.length);
  if (st == BEZ_OK) o->entry.size = s.at;
  bez_buf_free(&url);
  return st;
}
