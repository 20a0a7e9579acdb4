/* JSON lines: a row is a line. What is no JSON object is a row all the same: nothing is lost, nothing is guessed. */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/error.h"
#include "base/limits.h"
#include "content/canonical.h"
#include "format/jsonscan.h"

#define BOM "\xef\xbb\xbf"
#define BOM_LEN 3u

typedef bez_status (*field_fn)(void *ctx, const char *name, size_t name_len, const char *value, size_t len, int kind,
                               bez_error *err);

static bool ends_in(const char *path, const char *end) {
  size_t n = strlen(path), m = strlen(end);
  return n > m && !strcasecmp(path + n - m, end);
}

/* Whether [p, p + len) is a whole JSON object. */
static bool is_object(const char *p, size_t len) {
  bez_jsonscan s = {.begin = p, .at = p, .end = p + len};
  const char *text;
  return bez_jsonscan_kind(&s) == BEZ_JSON_OBJECT && bez_jsonscan_skip(&s, 0, &text, &len) && bez_jsonscan_done(&s);
}

static int jsonl_sniff(const char *path, const uint8_t *head, size_t len, bool whole) {
  const char *p = (const char *)head, *end = p + len;
  bool named = ends_in(path, ".jsonl") || ends_in(path, ".ndjson") || ends_in(path, ".jsonlines");
  if (len >= BOM_LEN && !memcmp(p, BOM, BOM_LEN)) p += BOM_LEN;
  if (p == end || memchr(p, 0, (size_t)(end - p))) return 0;
  if (named) return 60;
  unsigned lines = 0;
  while (p < end && lines < 2) {
    const char *stop = memchr(p, '\n', (size_t)(end - p));
    if (!stop && !whole) break;
    const char *next = stop ? stop + 1 : end;
    if (!is_object(p, (size_t)(next - p))) return 0;
    lines++;
    p = next;
  }
  return lines >= 2 ? 45 : 0;
}

static bez_status jsonl_open(const char *path, const char *head, size_t len, bool whole, void **state, bez_error *err) {
  (void)path, (void)head, (void)len, (void)whole, (void)err;
  *state = NULL;
  return BEZ_OK;
}

static bez_status jsonl_open_json(const json_t *params, void **state, bez_error *err) {
  (void)params, (void)err;
  *state = NULL;
  return BEZ_OK;
}

static void jsonl_close(void *state) {
  (void)state;
}

static void jsonl_params(const void *state, bez_json *j) {
  (void)state, (void)j;
}

static bool only_blanks(const char *p, size_t len) {
  while (len && bez_is_blank(*p)) p++, len--;
  return !len;
}

static bez_status jsonl_cut(void *state, const char *bytes, size_t len, bool last, uint64_t at, bez_span *spans,
                            size_t cap, size_t *n, size_t *used, bez_error *err) {
  (void)state, (void)err;
  size_t pos = 0;
  *n = *used = 0;
  if (at == 0 && cap && (len >= BOM_LEN || last) && len >= BOM_LEN && !memcmp(bytes, BOM, BOM_LEN)) {
    spans[(*n)++] = (bez_span){.begin = 0, .len = BOM_LEN, .type = BEZ_ITEM_BYTES};
    pos = BOM_LEN;
  }
  while (*n < cap && pos < len) {
    const char *stop = memchr(bytes + pos, '\n', len - pos);
    if (!stop && !last) break;
    size_t next = stop ? (size_t)(stop - bytes) + 1 : len;
    bool blank = bez_is_blank(bytes[pos]) && only_blanks(bytes + pos, next - pos);
    spans[(*n)++] = (bez_span){.begin = pos, .len = next - pos, .type = blank ? BEZ_ITEM_BYTES : BEZ_ITEM_ROW};
    pos = next;
  }
  *used = pos;
  return BEZ_OK;
}

/* The value that comes next: its text and kind. */
static bool take_value(bez_jsonscan *s, bez_buf *scratch, const char **text, size_t *len, bez_field_kind *kind) {
  switch (bez_jsonscan_kind(s)) {
    case BEZ_JSON_OBJECT:
    case BEZ_JSON_ARRAY: *kind = BEZ_FIELD_JSON; return bez_jsonscan_skip(s, 1, text, len);
    case BEZ_JSON_STRING: *kind = BEZ_FIELD_TEXT; return bez_jsonscan_string(s, scratch, text, len);
    case BEZ_JSON_NUMBER: *kind = BEZ_FIELD_NUMBER; return bez_jsonscan_scalar(s, text, len);
    case BEZ_JSON_WORD: *kind = BEZ_FIELD_WORD; return bez_jsonscan_scalar(s, text, len);
    default: *kind = BEZ_FIELD_NONE; return bez_jsonscan_scalar(s, text, len);
  }
}

/* Tells the members of the object in [p, p + len); *good: it is one. scratch has room for len bytes. */
static bez_status walk_object(const char *p, size_t len, bez_buf *scratch, field_fn fn, void *ctx, bool *good,
                              bez_error *err) {
  bez_jsonscan s = {.begin = p, .at = p, .end = p + len};
  *good = false;
  if (!bez_jsonscan_eat(&s, '{')) return BEZ_OK;
  for (bool first = true; !bez_jsonscan_eat(&s, '}'); first = false) {
    const char *name, *value;
    size_t name_len, value_len;
    bez_field_kind kind;
    if (!first && !bez_jsonscan_eat(&s, ',')) return BEZ_OK;
    if (bez_jsonscan_kind(&s) != BEZ_JSON_STRING || !bez_jsonscan_string(&s, scratch, &name, &name_len)) return BEZ_OK;
    if (!bez_jsonscan_eat(&s, ':') || !take_value(&s, scratch, &value, &value_len, &kind)) return BEZ_OK;
    bez_status st = fn(ctx, name, name_len, value, value_len, (int)kind, err);
    if (st != BEZ_OK) return st;
  }
  *good = bez_jsonscan_done(&s);
  return BEZ_OK;
}

static bez_status to_canonical(void *ctx, const char *name, size_t name_len, const char *value, size_t len, int kind,
                               bez_error *err) {
  (void)err;
  bez_canonical_field(ctx, name, name_len, value, len, (bez_field_kind)kind);
  return BEZ_OK;
}

static bez_status jsonl_canonical(const void *state, const bez_item *row, bez_canonical *c, uint8_t out[32],
                                  bez_error *err) {
  (void)state;
  bool good;
  bez_canonical_begin(c);
  bez_buf *scratch = bez_canonical_scratch(c);
  if (!bez_buf_reserve(scratch, row->body_len)) return bez_fail_memory(err, row->body_len);
  bez_status st = walk_object(row->body, row->body_len, scratch, to_canonical, c, &good, err);
  if (st != BEZ_OK) return st;
  if (!good) {
    bez_canonical_begin(c);
    bez_canonical_field(c, "", 0, row->body, row->body_len, BEZ_FIELD_TEXT);
  }
  return bez_canonical_finish(c, out, err);
}

/* Passes fields on; one without a name is told by its place, as it is hashed. */
typedef struct namer {
  field_fn fn;
  void *ctx;
  unsigned place;
} namer;

static bez_status name_field(void *ctx, const char *name, size_t name_len, const char *value, size_t len, int kind,
                             bez_error *err) {
  namer *n = ctx;
  char number[16];
  const char *bare = name;
  size_t bare_len = name_len;
  bez_trim(&bare, &bare_len);
  (void)snprintf(number, sizeof number, "#%u", ++n->place);
  if (!bare_len) return n->fn(n->ctx, number, strlen(number), value, len, kind, err);
  return n->fn(n->ctx, name, name_len, value, len, kind, err);
}

static bez_status count_field(void *ctx, const char *name, size_t name_len, const char *value, size_t len, int kind,
                              bez_error *err) {
  (void)ctx, (void)name, (void)name_len, (void)value, (void)len, (void)kind, (void)err;
  return BEZ_OK;
}

static bez_status jsonl_fields(const void *state, const bez_item *row, bez_buf *scratch, field_fn fn, void *ctx,
                               bez_error *err) {
  (void)state;
  bool good;
  const char *text = row->body;
  size_t len = row->body_len;
  bez_buf_clear(scratch);
  if (!bez_buf_reserve(scratch, len)) return bez_fail_memory(err, len);
  bez_status st = walk_object(text, len, scratch, count_field, NULL, &good, err); /* all or nothing is told */
  bez_buf_clear(scratch);
  namer names = {.fn = fn, .ctx = ctx};
  if (st != BEZ_OK) return st;
  if (good) return walk_object(text, len, scratch, name_field, &names, &good, err);
  bez_trim(&text, &len);
  return fn(ctx, "#1", 2, text, len, BEZ_FIELD_TEXT, err);
}

const bez_form bez_form_jsonl = {
    .name = "jsonl",
    .summary = "A row is a line of JSON; blank lines are none. A line that is no object is a row of one text.",
    .sniff = jsonl_sniff,
    .open = jsonl_open,
    .open_json = jsonl_open_json,
    .close = jsonl_close,
    .params = jsonl_params,
    .cut = jsonl_cut,
    .canonical = jsonl_canonical,
    .fields = jsonl_fields,
};
