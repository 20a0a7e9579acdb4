/* Records of CSV: cells, fields, canonical digests. */
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/limits.h"
#include "content/form_csv.h"

size_t bez_csv_row_len(const bez_csv_form *form, const char *row, size_t len) {
  if (len && row[len - 1] == form->newline) len--;
  if (form->newline == '\n' && len && row[len - 1] == '\r') len--;
  return len;
}

/* The closing quote of the cell that opens at row[at]; len: there is none. */
static size_t closing_quote(const char *row, size_t len, size_t at, bool *escaped) {
  *escaped = false;
  for (size_t i = at + 1; i < len;) {
    const char *hit = memchr(row + i, '"', len - i);
    if (!hit) return len;
    i = (size_t)(hit - row);
    if (i + 1 >= len || row[i + 1] != '"') return i;
    *escaped = true;
    i += 2;
  }
  return len;
}

bool bez_csv_next_cell(const bez_csv_form *form, const char *row, size_t len, size_t *at, bez_csv_value *out) {
  size_t begin = *at, from = begin;
  if (begin > len) return false;
  if (form->quotes && begin < len && row[begin] == '"') {
    bool escaped;
    size_t close = closing_quote(row, len, begin, &escaped);
    if (close < len && (close + 1 == len || row[close + 1] == form->separator)) {
      *out = (bez_csv_value){row + begin + 1, close - begin - 1, escaped};
      *at = close + 2;
      return true;
    }
    if (close < len) from = close + 1; /* bytes behind the quote: the cell is taken as it stands */
  }
  const char *hit = from < len ? memchr(row + from, form->separator, len - from) : NULL;
  size_t end = hit ? (size_t)(hit - row) : len;
  *out = (bez_csv_value){row + begin, end - begin, false};
  *at = end + 1;
  return true;
}

/* "" made " behind what is in scratch, which has room. */
static const char *unescape(bez_buf *scratch, const bez_csv_value *cell, size_t *len) {
  char *to = scratch->data + scratch->len;
  size_t n = 0;
  for (size_t i = 0; i < cell->len; i++) {
    to[n++] = cell->text[i];
    if (cell->text[i] == '"') i++; /* always the first of a pair */
  }
  scratch->len += n;
  *len = n;
  return to;
}

/* The cells of a row into an array in scratch, room for decoded text behind it. */
static bool split(const bez_csv_form *form, const bez_item *row, bez_buf *scratch, bez_csv_value **out, uint32_t *n) {
  size_t len = bez_csv_row_len(form, row->body, row->body_len), at = 0, cap = 1;
  bez_csv_value cell;
  uint32_t most = form->n_cols + 1;
  for (;;) { /* once, unless the row is wider than its file's first */
    if (!bez_buf_reserve(scratch, most * sizeof cell + len + sizeof cell)) return false;
    bez_csv_value *cells = (bez_csv_value *)(void *)scratch->data;
    *n = 0;
    at = 0;
    while (*n < most && bez_csv_next_cell(form, row->body, len, &at, &cell)) cells[(*n)++] = cell;
    if (*n < most) break;
    while (bez_csv_next_cell(form, row->body, len, &at, &cell)) cap++;
    most += (uint32_t)cap + 1;
  }
  if (!len) *n = 0;
  scratch->len = most * sizeof cell;
  *out = (bez_csv_value *)(void *)scratch->data;
  return true;
}

static void value_of(bez_buf *scratch, const bez_csv_value *cell, const char **text, size_t *len) {
  *text = cell->text;
  *len = cell->len;
  if (cell->escaped) *text = unescape(scratch, cell, len);
}

/* Ends of the cells of a row without quotes, eight bytes at a time; false: there are more than `most`. */
static bool find_ends(const char *row, size_t len, char separator, uint32_t *ends, uint32_t most, uint32_t *n) {
  const uint64_t low = 0x7f7f7f7f7f7f7f7full, all = 0x0101010101010101ull * (unsigned char)separator;
  uint32_t k = 0;
  size_t at = 0;
  for (; at + 8 <= len; at += 8) {
    uint64_t word;
    memcpy(&word, row + at, 8);
    word ^= all;
    for (uint64_t hits = ~(((word & low) + low) | word | low); hits; hits &= hits - 1) {
      if (k == most) return false;
      ends[k++] = (uint32_t)at + (uint32_t)(__builtin_ctzll(hits) >> 3);
    }
  }
  for (; at < len; at++) {
    if (row[at] != separator) continue;
    if (k == most) return false;
    ends[k++] = (uint32_t)at;
  }
  if (k == most) return false;
  ends[k++] = (uint32_t)len;
  *n = k;
  return true;
}

/* A row without quotes and not wider than its file: nearly every row. *done: it was one. */
static bez_status plain_row(const bez_csv_form *form, const bez_item *row, bez_canonical *c, bool *done,
                            bez_error *err) {
  bez_buf *scratch = bez_canonical_scratch(c);
  size_t len = bez_csv_row_len(form, row->body, row->body_len);
  uint32_t n;
  *done = false;
  if (len > UINT32_MAX || (form->quotes && memchr(row->body, '"', len))) return BEZ_OK;
  if (!bez_buf_reserve(scratch, form->n_cols * sizeof(uint32_t))) return bez_fail_memory(err, len);
  uint32_t *ends = (uint32_t *)(void *)scratch->data;
  if (!find_ends(row->body, len, form->separator, ends, form->n_cols, &n)) return BEZ_OK;
  char *to = bez_canonical_room(c, len + form->key_bytes + (size_t)form->n_cols * BEZ_FIELD_ROOM);
  if (!to) return bez_fail_memory(err, len);
  for (uint32_t k = 0; k < form->n_cols; k++) {
    uint32_t i = form->order[k], begin = i && i < n ? ends[i - 1] + 1 : 0;
    if (i >= n) continue;
    const bez_csv_column *column = &form->columns[i];
    to = bez_canonical_put(to, column->key, column->key_len, row->body + begin, ends[i] - begin, row->body_len - begin);
  }
  bez_canonical_end(c, to);
  *done = true;
  return BEZ_OK;
}

bez_status bez_csv_form_canonical(const void *state, const bez_item *row, bez_canonical *c, uint8_t out[32],
                                  bez_error *err) {
  const bez_csv_form *form = state;
  bez_csv_value *cells;
  uint32_t n;
  bool done;
  bez_canonical_begin(c);
  bez_status st = plain_row(form, row, c, &done, err);
  if (st != BEZ_OK || done) return st == BEZ_OK ? bez_canonical_finish(c, out, err) : st;
  bez_buf *scratch = bez_canonical_scratch(c);
  if (!split(form, row, scratch, &cells, &n)) return bez_fail_memory(err, row->body_len);
  for (uint32_t i = 0; i < n; i++) {
    const char *text, *name = i < form->n_cols ? form->columns[i].name : "";
    size_t len;
    value_of(scratch, &cells[i], &text, &len);
    bez_canonical_field(c, name, strlen(name), text, len, BEZ_FIELD_TEXT);
  }
  return bez_canonical_finish(c, out, err);
}

/* Empty, a number as JSON has it, or text. */
static bez_field_kind kind_of(const char **text, size_t *len) {
  const char *bare = *text;
  size_t bare_len = *len;
  char plain[BEZ_NUMBER_DIGITS + BEZ_NUMBER_ROOM];
  bez_trim(&bare, &bare_len);
  if (!bare_len) return BEZ_FIELD_NONE;
  if (bare_len > BEZ_NUMBER_DIGITS || *bare == '+' || !bez_canonical_number(bare, bare_len, plain))
    return BEZ_FIELD_TEXT;
  *text = bare;
  *len = bare_len;
  return BEZ_FIELD_NUMBER;
}

bez_status bez_csv_form_fields(const void *state, const bez_item *row, bez_buf *scratch,
                               bez_status (*fn)(void *ctx, const char *name, size_t name_len, const char *value,
                                                size_t len, int kind, bez_error *err),
                               void *ctx, bez_error *err) {
  const bez_csv_form *form = state;
  bez_csv_value *cells;
  uint32_t n;
  bez_status st = BEZ_OK;
  bez_buf_clear(scratch);
  if (!split(form, row, scratch, &cells, &n)) return bez_fail_memory(err, row->body_len);
  for (uint32_t i = 0; i < n && st == BEZ_OK; i++) {
    char number[16];
    const char *text, *name = i < form->n_cols ? form->columns[i].called : number;
    size_t len;
    (void)snprintf(number, sizeof number, "#%u", i + 1);
    value_of(scratch, &cells[i], &text, &len);
    bez_field_kind kind = kind_of(&text, &len);
    st = fn(ctx, name, strlen(name), text, len, (int)kind, err);
  }
  return st;
}
