/* The one way to write nested JSON: without blanks, keys in ascending order of their bytes (equal ones as they came),
 * numbers in their one form, strings escaped only where JSON demands it, as RFC 8785 does (\b \t \n \f \r \" \\, other
 * controls as \u00xx). */
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "content/canonical.h"
#include "format/jsonscan.h"

typedef struct writer {
  bez_jsonscan scan;
  bez_buf *out, text, keys; /* text: a string being decoded; keys: decoded keys of the objects that are open */
} writer;

typedef struct member {
  size_t key, key_len; /* in keys */
  size_t begin, len;   /* "key":value in out, without a comma */
} member;

static bool write_value(writer *w, unsigned depth);

static void put_string(bez_buf *out, const char *text, size_t len) {
  static const char from[] = "\b\t\n\f\r\"\\", to[] = "btnfr\"\\";
  bez_buf_putc(out, '"');
  size_t done = 0;
  for (size_t i = 0; i < len; i++) {
    unsigned char c = (unsigned char)text[i];
    if (c >= 0x20 && c != '"' && c != '\\') continue;
    bez_buf_write(out, text + done, i - done);
    const char *hit = c ? strchr(from, c) : NULL;
    if (hit)
      bez_buf_printf(out, "\\%c", to[hit - from]);
    else
      bez_buf_printf(out, "\\u%04x", c);
    done = i + 1;
  }
  bez_buf_write(out, text + done, len - done);
  bez_buf_putc(out, '"');
}

static bool write_string(writer *w, bool key) {
  const char *text;
  size_t len;
  bez_buf_clear(&w->text);
  if (!bez_jsonscan_string(&w->scan, &w->text, &text, &len)) return false;
  if (key) bez_buf_write(&w->keys, text, len);
  put_string(w->out, text, len);
  return true;
}

static bool write_scalar(writer *w) {
  const char *text;
  size_t len, n = 0;
  bool number = bez_jsonscan_kind(&w->scan) == BEZ_JSON_NUMBER;
  if (!bez_jsonscan_scalar(&w->scan, &text, &len)) return false;
  if (number && bez_buf_reserve(w->out, len + BEZ_NUMBER_ROOM)) {
    n = bez_canonical_number(text, len, w->out->data + w->out->len);
    w->out->len += n;
  }
  if (!n) bez_buf_write(w->out, text, len);
  return true;
}

static bool write_array(writer *w, unsigned depth) {
  bez_buf_putc(w->out, '[');
  for (bool first = true; !bez_jsonscan_eat(&w->scan, ']'); first = false) {
    if (!first && !bez_jsonscan_eat(&w->scan, ',')) return false;
    if (!first) bez_buf_putc(w->out, ',');
    if (!write_value(w, depth + 1)) return false;
  }
  bez_buf_putc(w->out, ']');
  return true;
}

static int by_key(const char *keys, const member *a, const member *b) {
  size_t n = a->key_len < b->key_len ? a->key_len : b->key_len;
  int d = n ? memcmp(keys + a->key, keys + b->key, n) : 0;
  if (d) return d;
  if (a->key_len != b->key_len) return a->key_len < b->key_len ? -1 : 1;
  return a->begin < b->begin ? -1 : 1;
}

/* Heap sort: in place, no worse for hostile keys. */
static void sift(const char *keys, member *m, size_t at, size_t n) {
  for (size_t child; (child = 2 * at + 1) < n; at = child) {
    if (child + 1 < n && by_key(keys, &m[child], &m[child + 1]) < 0) child++;
    if (by_key(keys, &m[at], &m[child]) >= 0) return;
    member swap = m[at];
    m[at] = m[child];
    m[child] = swap;
  }
}

static void sort_members(const char *keys, member *m, size_t n) {
  for (size_t i = n / 2; i-- > 0;) sift(keys, m, i, n);
  for (size_t i = n; i-- > 1;) {
    member swap = m[0];
    m[0] = m[i];
    m[i] = swap;
    sift(keys, m, 0, i);
  }
}

/* The members stand in out from `begin` on, one behind the other: brings them in order, commas between. */
static bool place_members(writer *w, size_t begin, member *m, size_t n) {
  bool sorted = true;
  const char *keys = w->keys.data ? w->keys.data : "";
  for (size_t i = 1; i < n && sorted; i++) sorted = by_key(keys, &m[i - 1], &m[i]) < 0;
  if (!sorted) sort_members(keys, m, n);
  size_t len = w->out->len - begin;
  char *copy = malloc(len + 1);
  if (!copy) return false;
  memcpy(copy, w->out->data + begin, len);
  w->out->len = begin;
  for (size_t i = 0; i < n; i++) {
    if (i) bez_buf_putc(w->out, ',');
    bez_buf_write(w->out, copy + (m[i].begin - begin), m[i].len);
  }
  free(copy);
  return true;
}

static bool read_member(writer *w, member *m, unsigned depth) {
  *m = (member){.key = w->keys.len, .begin = w->out->len};
  if (bez_jsonscan_kind(&w->scan) != BEZ_JSON_STRING || !write_string(w, true)) return false;
  m->key_len = w->keys.len - m->key;
  if (!bez_jsonscan_eat(&w->scan, ':')) return false;
  bez_buf_putc(w->out, ':');
  if (!write_value(w, depth + 1)) return false;
  m->len = w->out->len - m->begin;
  return true;
}

static bool write_object(writer *w, unsigned depth) {
  size_t n = 0, cap = 0, keys = w->keys.len;
  member *members = NULL;
  bool good = true;
  bez_buf_putc(w->out, '{');
  size_t begin = w->out->len;
  for (; good && !bez_jsonscan_eat(&w->scan, '}'); n++) {
    good = !n || bez_jsonscan_eat(&w->scan, ',');
    if (good && n == cap) {
      cap = cap ? cap * 2 : 16;
      member *grown = realloc(members, cap * sizeof *grown);
      good = grown != NULL;
      if (grown) members = grown;
    }
    good = good && read_member(w, &members[n], depth);
  }
  good = good && w->out->failed == BEZ_OK && w->keys.failed == BEZ_OK;
  if (good && n) good = place_members(w, begin, members, n);
  free(members);
  w->keys.len = keys;
  bez_buf_putc(w->out, '}');
  return good;
}

static bool write_value(writer *w, unsigned depth) {
  if (depth > BEZ_MAX_JSON_DEPTH) return false;
  switch (bez_jsonscan_kind(&w->scan)) {
    case BEZ_JSON_OBJECT: w->scan.at++; return write_object(w, depth);
    case BEZ_JSON_ARRAY: w->scan.at++; return write_array(w, depth);
    case BEZ_JSON_STRING: return write_string(w, false);
    default: return write_scalar(w);
  }
}

bool bez_canonical_json(const char *text, size_t len, bez_buf *out) {
  size_t before = out->len;
  writer w = {.scan = {.begin = text, .at = text, .end = text + len}, .out = out};
  bool good = write_value(&w, 0) && bez_jsonscan_done(&w.scan) && w.text.failed == BEZ_OK;
  bez_buf_free(&w.text);
  bez_buf_free(&w.keys);
  if (!good) out->len = before;
  return good;
}
