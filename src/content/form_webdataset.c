/* tar archives: a row is a sample, that is the members behind each other whose names are the same up to the first dot
 * (https://github.com/webdataset/webdataset), with their headers and padding. Folders, links and devices between
 * samples, the closing blocks and what stands behind them are bytes of no row. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "content/digest_team.h"
#include "crypto/sha256.h"
#include "format/samples.h"

#define PIECE (64u << 10) /* bytes of an item behind the archive's end */

typedef struct archive {
  char *path;
  bool ended; /* the closing blocks have begun */
} archive;

static int tar_sniff(const char *path, const uint8_t *head, size_t len, bool whole) {
  return len >= 512 && bez_tar_is_header(head) ? 95 : 0;
}

static bez_status make(const char *path, void **state, bez_error *err) {
  archive *a = calloc(1, sizeof *a);
  if (a) a->path = strdup(path);
  if (!a || !a->path) {
    free(a);
    return bez_fail_memory(err, sizeof *a + strlen(path));
  }
  *state = a;
  return BEZ_OK;
}

static bez_status tar_open(const char *path, const char *head, size_t len, bool whole, void **state, bez_error *err) {
  return make(path, state, err);
}

static bez_status tar_open_json(const json_t *params, void **state, bez_error *err) {
  return make("tar archive", state, err);
}

static void tar_close(void *state) {
  archive *a = state;
  if (a) free(a->path);
  free(a);
}

static void tar_params(const void *state, bez_json *j) {}

/* What comes next in the archive, measured. */
typedef struct unit {
  size_t len;
  bez_item_type type;
  bool more; /* it does not end within these bytes */
  bool end;  /* nothing: the closing blocks */
} unit;

/* The next member; out->more where it goes on behind the bytes that are at hand. */
static bez_status next_member(bez_tar *t, bool last, bez_tar_entry *e, bool *end, unit *out, bez_error *err) {
  bez_error why = {0};
  bez_status st = bez_tar_next(t, e, end, &why);
  if (st == BEZ_OK && *end && !t->open_end) return BEZ_OK;
  bool padded = st != BEZ_OK || *end || (e->at + e->size) % 512 == 0 || t->pos % 512 == 0;
  if (!last && (st == BEZ_OK ? *end || !padded : t->cut_off)) {
    out->more = true;
    return BEZ_OK;
  }
  if (st != BEZ_OK)
    return bez_fail_at(err, st, why.subject, -1, why.offset, "%s (--form file keeps it whole)", why.message);
  return BEZ_OK;
}

/* Behind the first member of a sample: to where the last one ends. */
static bez_status measure_sample(bez_tar *t, const bez_tar_entry *first, bool last, unit *out, bez_error *err) {
  size_t key = bez_sample_key(first->name);
  out->type = BEZ_ITEM_ROW;
  for (;;) {
    bez_tar_entry e;
    bool end = false;
    out->len = (size_t)t->pos;
    bez_status st = next_member(t, last, &e, &end, out, err);
    if (st != BEZ_OK || end || out->more) return st;
    if (bez_sample_key(e.name) != key || memcmp(e.name, first->name, key) != 0) return BEZ_OK;
  }
}

static bez_status measure(const archive *a, const char *bytes, size_t len, bool last, unit *out, bez_error *err) {
  bez_arena arena = {0};
  bez_source source = {.path = a->path, .size = len, .fd = -1, .bytes = (const uint8_t *)bytes};
  bez_tar t = {.source = &source, .arena = &arena};
  bez_tar_entry first;
  bool end = false;
  bez_status st = next_member(&t, last, &first, &end, out, err);
  if (st == BEZ_OK && !out->more) {
    uint64_t gap = end ? t.pos : first.begin;
    *out = (unit){.len = (size_t)gap, .type = BEZ_ITEM_BYTES, .end = end && gap == 0};
    if (!gap && !end) st = measure_sample(&t, &first, last, out, err);
  }
  bez_arena_free(&arena);
  return st;
}

static void cut_end(size_t len, bool last, bez_span *spans, size_t cap, size_t *n, size_t *used) {
  while (*n < cap && *used < len) {
    size_t piece = len - *used < PIECE ? len - *used : PIECE;
    if (piece < PIECE && !last) return;
    spans[(*n)++] = (bez_span){.begin = *used, .len = piece, .type = BEZ_ITEM_BYTES};
    *used += piece;
  }
}

static bez_status tar_cut(void *state, const char *bytes, size_t len, bool last, uint64_t at, bez_span *spans,
                          size_t cap, size_t *n, size_t *used, bez_error *err) {
  archive *a = state;
  *n = *used = 0;
  if (at == 0) a->ended = false;
  while (*n < cap && *used < len && !a->ended) {
    unit u = {0};
    bez_error why = {0};
    bez_status st = measure(a, bytes + *used, len - *used, last, &u, &why);
    if (st != BEZ_OK) {
      int64_t offset = why.offset < 0 ? -1 : why.offset + (int64_t)(at + *used);
      return bez_fail_at(err, st, why.subject, -1, offset, "%s", why.message);
    }
    if (u.more) return BEZ_OK;
    a->ended = u.end;
    if (u.end) break;
    spans[(*n)++] = (bez_span){.begin = *used, .len = u.len, .type = u.type};
    *used += u.len;
  }
  if (a->ended) cut_end(len, last, spans, cap, n, used);
  return BEZ_OK;
}

/* Tells the key, then each member: its extension and the digest of its bytes. Names live in the arena. */
static bez_status each_field(const archive *a, const bez_item *row, bez_arena *arena, bez_field_fn fn, void *ctx,
                             bez_error *err) {
  bez_source source = {.path = a->path, .size = row->body_len, .fd = -1, .bytes = (const uint8_t *)row->body};
  bez_tar t = {.source = &source, .arena = arena};
  bez_tar_entry e;
  bez_status st = BEZ_OK;
  for (bool end = false, first = true; st == BEZ_OK; first = false) {
    uint8_t digest[BEZ_SHA256];
    st = bez_tar_next(&t, &e, &end, err);
    if (st != BEZ_OK || end) break;
    size_t key = bez_sample_key(e.name);
    const char *extension = e.name[key] && e.name[key + 1] ? e.name + key + 1 : "#1";
    bez_sha256(row->body + e.at, (size_t)e.size, digest);
    if (first) st = fn(ctx, "__key__", 7, e.name, key, BEZ_FIELD_TEXT, err);
    if (st == BEZ_OK)
      st = fn(ctx, extension, strlen(extension), (const char *)digest, sizeof digest, BEZ_FIELD_DIGEST, err);
  }
  return st;
}

static bez_status tar_canonical(const void *state, const bez_item *row, bez_canonical *c, uint8_t out[32],
                                bez_error *err) {
  bez_arena arena = {0};
  bez_canonical_begin(c);
  bez_status st = each_field(state, row, &arena, bez_canonical_take, c, err);
  if (st == BEZ_OK) st = bez_canonical_finish(c, out, err);
  bez_arena_free(&arena);
  return st;
}

static bez_status tar_fields(const void *state, const bez_item *row, bez_buf *scratch, bez_field_fn fn, void *ctx,
                             bez_error *err) {
  bez_arena arena = {0};
  bez_status st = each_field(state, row, &arena, fn, ctx, err);
  bez_arena_free(&arena);
  return st;
}

const bez_form bez_form_webdataset = {
    .name = "webdataset",
    .summary = "A tar archive: a row per sample, the members whose names are the same up to the first dot.",
    .sniff = tar_sniff,
    .open = tar_open,
    .open_json = tar_open_json,
    .close = tar_close,
    .params = tar_params,
    .cut = tar_cut,
    .canonical = tar_canonical,
    .fields = tar_fields,
};
