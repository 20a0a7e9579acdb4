/* JSON as a stream of values (json_walk.h). */
#include "decode/json_walk.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"

typedef struct walker {
  const char *bytes;
  size_t len, at;
  void (*on_event)(void *ctx, const bez_json_event *e);
  void *ctx;
  bez_json_end *end;
  bez_json_step path[BEZ_JSON_DEPTH];
  size_t from[BEZ_JSON_DEPTH];   /* where it was opened */
  size_t n_keys[BEZ_JSON_DEPTH]; /* of hashes, before it was opened */
  unsigned depth;
  bez_buf text;
  uint64_t *keys; /* hashes of the keys of open objects */
  size_t n, room;
} walker;

static bool fail(walker *w, const char *why) {
  if (!w->end->why) w->end->why = why, w->end->where = w->at;
  return false;
}

static void event(walker *w, char what, const char *text, size_t len, size_t from) {
  const bez_json_event e = {
      .what = what, .text = text, .len = len, .at = from, .end = w->at, .path = w->path, .depth = w->depth};
  w->on_event(w->ctx, &e);
}

static void skip_blank(walker *w) {
  while (w->at < w->len && strchr(" \t\r\n", w->bytes[w->at]) && w->bytes[w->at]) w->at++;
}

static bool take(walker *w, char c) {
  if (w->at >= w->len || w->bytes[w->at] != c) return false;
  w->at++;
  return true;
}

static bool hex4(walker *w, uint32_t *code) {
  *code = 0;
  if (w->len - w->at < 4) return false;
  for (unsigned i = 0; i < 4; i++, w->at++) {
    const unsigned char c = (unsigned char)w->bytes[w->at];
    if (!isxdigit(c)) return false;
    *code = *code << 4 | (isdigit(c) ? c - 48u : (c | 0x20u) - 'a' + 10u);
  }
  return true;
}

/* Behind the backslash. */
static bool escape(walker *w, bez_buf *to) {
  static const char plain[] = "\"\"\\\\//b\bf\fn\nr\rt\t";
  char bytes[4];
  uint32_t code, low;
  const char c = w->at < w->len ? w->bytes[w->at++] : 0;
  for (size_t i = 0; plain[i]; i += 2)
    if (c == plain[i]) return bez_buf_putc(to, plain[i + 1]), true;
  if (c != 'u' || !hex4(w, &code)) return fail(w, "an escape in a string is malformed");
  if (code >= 0xd800 && code < 0xdc00 && w->len - w->at >= 6 && w->bytes[w->at] == '\\' && w->bytes[w->at + 1] == 'u') {
    const size_t back = w->at;
    w->at += 2;
    if (hex4(w, &low) && low >= 0xdc00 && low < 0xe000)
      code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
    else
      w->at = back;
  }
  if (code >= 0xd800 && code < 0xe000) code = 0xfffd;
  bez_buf_write(to, bytes, bez_utf8_encode(code, bytes));
  return true;
}

/* Behind the opening quote. */
static bool string(walker *w, bez_buf *to) {
  bez_buf_clear(to);
  while (w->at < w->len) {
    const size_t from = w->at;
    while (w->at < w->len && w->bytes[w->at] != '"' && w->bytes[w->at] != '\\') w->at++;
    bez_buf_write(to, w->bytes + from, w->at - from);
    if (take(w, '"')) return to->failed ? fail(w, "memory is out") : true;
    if (take(w, '\\') && !escape(w, to)) return false;
  }
  return fail(w, "a string has no end");
}

/* ---- keys that stand there twice ----------------------------------------------------------------------------------
 */

static void note_key(walker *w, const bez_buf *key) {
  uint64_t hash = 0xcbf29ce484222325ull;
  for (size_t i = 0; i < key->len; i++) hash = (hash ^ (uint8_t)key->data[i]) * 0x100000001b3ull;
  if (w->n == w->room) {
    const size_t room = w->room ? 2 * w->room : 256;
    uint64_t *more = realloc(w->keys, room * sizeof *more);
    if (!more) return (void)fail(w, "memory is out");
    w->keys = more;
    w->room = room;
  }
  w->keys[w->n++] = hash;
}

static int by_hash(const void *a, const void *b) {
  const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
  return x < y ? -1 : x > y;
}

/* At the end of an object, whose keys are the last ones. */
static void find_twice(walker *w) {
  const size_t from = w->n_keys[w->depth], n = w->n - from;
  if (n > 1) qsort(w->keys + from, n, sizeof *w->keys, by_hash);
  for (size_t i = 1; i < n; i++) w->end->twice += w->keys[from + i] == w->keys[from + i - 1];
  w->n = from;
}

/* ---- values -------------------------------------------------------------------------------------------------------
 */

static bool word(walker *w, const char *text, char what) {
  const size_t n = strlen(text), from = w->at;
  if (w->len - w->at < n || memcmp(w->bytes + w->at, text, n) != 0) return false;
  w->at += n;
  event(w, what, w->bytes + from, n, from);
  return true;
}

static bool number(walker *w) {
  const size_t from = w->at;
  while (w->at < w->len && strchr("+-.0123456789eE", w->bytes[w->at]) && w->bytes[w->at]) w->at++;
  if (w->at == from) return false;
  bez_buf_clear(&w->text);
  bez_buf_write(&w->text, w->bytes + from, w->at - from);
  if (w->text.failed) return fail(w, "memory is out");
  event(w, 'n', w->text.data, w->text.len, from);
  return true;
}

static bool open(walker *w) {
  const char c = w->bytes[w->at];
  if (w->depth == BEZ_JSON_DEPTH) return fail(w, "it is nested too deep");
  event(w, c, "", 0, w->at);
  w->from[w->depth] = w->at++;
  w->n_keys[w->depth] = w->n;
  bez_json_step *step = &w->path[w->depth++];
  step->object = c == '{';
  step->index = 0;
  bez_buf_clear(&step->key);
  bez_buf_puts(&step->key, "");
  return true;
}

static void close_one(walker *w) {
  const char c = w->bytes[w->at++];
  w->depth--;
  if (c == '}') find_twice(w);
  event(w, c, "", 0, w->from[w->depth]);
}

static bool scalar(walker *w) {
  const size_t from = w->at;
  if (take(w, '"')) {
    if (!string(w, &w->text)) return false;
    event(w, 's', w->text.data ? w->text.data : "", w->text.len, from);
    return true;
  }
  return word(w, "true", 't') || word(w, "false", 'f') || word(w, "null", '0') || word(w, "NaN", 'n') ||
         word(w, "Infinity", 'n') || word(w, "-Infinity", 'n') || number(w) || fail(w, "a value was expected");
}

/* A key and its colon. */
static bool key(walker *w) {
  bez_json_step *step = &w->path[w->depth - 1];
  skip_blank(w);
  if (!take(w, '"')) return fail(w, "a key was expected");
  if (!string(w, &step->key)) return false;
  note_key(w, &step->key);
  skip_blank(w);
  return take(w, ':') || fail(w, "a colon was expected");
}

static bool ends(const walker *w) {
  return w->depth && w->at < w->len && w->bytes[w->at] == (w->path[w->depth - 1].object ? '}' : ']');
}

/* Behind a value: what is open goes on or ends. False: stopped. */
static bool go_on(walker *w) {
  skip_blank(w);
  while (ends(w)) {
    close_one(w);
    skip_blank(w);
  }
  if (!w->depth) return true;
  if (!take(w, ',')) return fail(w, "a comma was expected");
  w->path[w->depth - 1].index++;
  return !w->path[w->depth - 1].object || key(w);
}

static bool value(walker *w) {
  skip_blank(w);
  if (w->at >= w->len) return fail(w, "it has no end");
  if (w->bytes[w->at] != '{' && w->bytes[w->at] != '[') return scalar(w) && go_on(w);
  if (!open(w)) return false;
  skip_blank(w);
  if (ends(w)) return go_on(w);
  return !w->path[w->depth - 1].object || key(w);
}

void bez_json_walk(const char *bytes, size_t len, void (*on_event)(void *ctx, const bez_json_event *e), void *ctx,
                   bez_json_end *end) {
  walker w = {.bytes = bytes, .len = len, .on_event = on_event, .ctx = ctx, .end = end};
  *end = (bez_json_end){0};
  if (len >= 3 && memcmp(bytes, "\xef\xbb\xbf", 3) == 0) w.at = 3;
  do {
    if (!value(&w)) break;
    if (!w.depth) skip_blank(&w);
  } while (w.depth || w.at < len);
  for (unsigned i = 0; i < BEZ_JSON_DEPTH; i++) bez_buf_free(&w.path[i].key);
  bez_buf_free(&w.text);
  free(w.keys);
}

const char *bez_json_key_at(const bez_json_event *e, unsigned step) {
  return step < e->depth && e->path[step].object && e->path[step].key.data ? e->path[step].key.data : "";
}

bool bez_json_below(const bez_json_event *e, const char *key) {
  for (unsigned i = 0; i < e->depth; i++)
    if (!strcmp(bez_json_key_at(e, i), key)) return true;
  return false;
}
