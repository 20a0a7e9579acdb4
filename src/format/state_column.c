/* Saved columns back into lanes: codes are mapped, numbers and text copied, and where columns were planned only
 * afterwards, values are taken in as the reader would have. */
#include "format/state_column.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/limits.h"
#include "format/state_tile.h"

void bez_saved_values_free(bez_saved_values *v) {
  bez_buf_free(&v->bytes);
  bez_buf_free(&v->rows);
  free(v->end);
  free(v->lane1);
  *v = (bez_saved_values){0};
}

static bez_status damaged(const char *path, const char *what, bez_error *err) {
  return bez_fail(err, BEZ_FORMAT, path, "damaged saved state: %s", what);
}

static bez_status make_room(bez_saved_values *v, uint32_t more, bez_error *err) {
  if (more <= v->cap - v->n) return BEZ_OK;
  uint64_t cap = v->cap ? (uint64_t)v->cap * 2 : 64;
  if (cap < (uint64_t)v->n + more) cap = (uint64_t)v->n + more;
  if (cap >= BEZ_DICT_NONE) return bez_fail(err, BEZ_LIMIT, NULL, "too many values");
  uint64_t *end = realloc(v->end, cap * sizeof *end);
  if (end) v->end = end;
  uint32_t *lane1 = realloc(v->lane1, cap * sizeof *lane1);
  if (lane1) v->lane1 = lane1;
  if (!end || !lane1) return bez_fail_memory(err, cap * sizeof *end);
  memset(lane1 + v->cap, 0, (cap - v->cap) * sizeof *lane1);
  v->cap = (uint32_t)cap;
  return BEZ_OK;
}

static uint32_t le32_at(const uint8_t *p, uint32_t i) {
  uint32_t x;
  memcpy(&x, p + (size_t)i * 4, sizeof x);
  return x;
}

static bez_status read_values(bez_cursor *c, bez_saved_values *v, const char *path, bez_error *err) {
  uint32_t n;
  const uint8_t *lens, *bytes;
  uint64_t total = 0;
  if (!bez_cursor_le32(c, &n) || n > bez_cursor_left(c) / 4 || !bez_cursor_take(c, (size_t)n * 4, &lens))
    return damaged(path, "values are missing", err);
  if (n == 0) return BEZ_OK;
  bez_status st = make_room(v, n, err);
  if (st != BEZ_OK) return st;
  for (uint32_t i = 0; i < n; i++) {
    uint32_t len = le32_at(lens, i);
    if (len > BEZ_MAX_RECORD) return damaged(path, "a value is too long", err);
    total += len;
    v->end[v->n + i] = v->bytes.len + total;
  }
  if (total > bez_cursor_left(c) || !bez_cursor_take(c, (size_t)total, &bytes))
    return damaged(path, "values are cut short", err);
  bez_buf_write(&v->bytes, bytes, (size_t)total);
  v->n += n;
  return bez_buf_status(&v->bytes, err);
}

/* Items lie where they fall in a chunk: they are copied to where they can be read as what they are. */
static bool take_items(bez_cursor *c, uint32_t n, unsigned width, bez_buf *rows, const uint8_t **out) {
  const uint8_t *bytes;
  if ((uint64_t)n * width > bez_cursor_left(c) || !bez_cursor_take(c, (size_t)n * width, &bytes)) return false;
  bez_buf_clear(rows);
  bez_buf_write(rows, bytes, (size_t)n * width);
  *out = rows->data ? (const uint8_t *)rows->data : bytes; /* none */
  return rows->failed == BEZ_OK;
}

static bool read_text(bez_cursor *c, uint32_t n, bez_buf *rows, bez_saved_column *out) {
  uint32_t last = 0;
  if (!take_items(c, n, 4, rows, &out->data)) return false;
  for (uint32_t r = 0; r < n; r++) {
    uint32_t end = le32_at(out->data, r);
    if (end < last) return false;
    last = end;
  }
  return bez_cursor_take(c, last, &out->text);
}

static bool read_form(bez_cursor *c, bez_form *form) {
  const uint8_t *sign;
  if (!bez_cursor_take(c, 4, &sign)) return false;
  *form = (bez_form){.kind = (bez_form_kind)sign[0], .decimals = sign[1], .mark = (char)sign[2], .zulu = sign[3] != 0};
  return sign[0] > BEZ_FORM_NONE && sign[0] <= BEZ_FORM_FLOAT && sign[1] <= 15;
}

/* Codes and boxed codes must name values that are there, and numbers be numbers of the form. */
static bool known_codes(const bez_saved_column *col, uint32_t n, uint32_t n_values) {
  int64_t x;
  for (uint32_t r = 0; col->mode == BEZ_LANE_CODES && r < n; r++)
    if (bez_chunk_code(col->data, col->width, r) >= n_values) return false;
  for (uint32_t r = 0; col->mode == BEZ_LANE_FORM && r < n; r++) {
    bool is_number = bez_chunk_number(col->data, col->width, r, &x);
    if (is_number ? !bez_form_holds(col->form, x) : (uint64_t)x >= n_values) return false;
  }
  return true;
}

bez_status bez_saved_column_read(bez_cursor *c, uint32_t n, bez_saved_values *values, const char *path,
                                 bez_saved_column *out, bez_error *err) {
  *out = (bez_saved_column){0};
  bool good = bez_cursor_u8(c, &out->mode) && bez_cursor_u8(c, &out->width) && bez_cursor_le64(c, &out->missing);
  if (good && out->mode == BEZ_LANE_FORM) good = read_form(c, &out->form);
  if (!good) return damaged(path, "a column is cut short", err);
  bez_status st = read_values(c, values, path, err);
  if (st != BEZ_OK) return st;
  switch (out->mode) {
    case BEZ_LANE_CODES:
      good = (out->width == 1 || out->width == 2 || out->width == 4) &&
             take_items(c, n, out->width, &values->rows, &out->data);
      break;
    case BEZ_LANE_FORM:
      good = (out->width == 4 || out->width == 8) && take_items(c, n, out->width, &values->rows, &out->data);
      break;
    case BEZ_LANE_TEXT: good = read_text(c, n, &values->rows, out); break;
    case BEZ_LANE_SKIP: good = out->missing <= n; break;
    default: good = out->mode == BEZ_SAVED_NUMBERED;
  }
  st = bez_buf_status(&values->rows, err);
  if (st != BEZ_OK) return st;
  return good && known_codes(out, n, values->n) ? BEZ_OK : damaged(path, "a column of a tile", err);
}

bool bez_saved_column_fits(const bez_saved_column *col, bez_column_plan plan) {
  if (col->mode == BEZ_LANE_CODES || col->mode == BEZ_SAVED_NUMBERED) return true;
  return col->mode == (uint8_t)plan.mode && (plan.mode != BEZ_LANE_FORM || bez_form_equal(col->form, plan.form));
}

static const char *value(const bez_saved_values *v, uint32_t code, uint32_t *len) {
  uint64_t from = code ? v->end[code - 1] : 0;
  *len = (uint32_t)(v->end[code] - from);
  return v->bytes.data ? v->bytes.data + from : "";
}

static uint32_t lane_code(bez_saved_values *v, bez_lane *lane, uint32_t code) {
  if (v->lane1[code]) return v->lane1[code] - 1;
  uint32_t len;
  const char *bytes = value(v, code, &len);
  uint32_t to = bez_dict_put(&lane->dict, bytes, len);
  if (to != BEZ_DICT_NONE) v->lane1[code] = to + 1;
  return to;
}

static bez_status no_memory(const bez_lane *lane, bez_error *err) {
  return bez_fail_memory(err, (lane->dict.mask + 1) * sizeof *lane->dict.slots);
}

static bez_status take_codes(const bez_saved_column *col, uint32_t n, bez_saved_values *v, bez_lane *lane,
                             bez_error *err) {
  for (uint32_t r = 0; r < n; r++) {
    lane->codes[r] = lane_code(v, lane, bez_chunk_code(col->data, col->width, r));
    if (lane->codes[r] == BEZ_DICT_NONE) return no_memory(lane, err);
  }
  return BEZ_OK;
}

static bez_status take_numbers(const bez_saved_column *col, uint32_t n, bez_saved_values *v, bez_lane *lane,
                               bez_error *err) {
  for (uint32_t r = 0; r < n; r++) {
    int64_t x;
    if (!bez_chunk_number(col->data, col->width, r, &x)) {
      uint32_t code = lane_code(v, lane, (uint32_t)x);
      if (code == BEZ_DICT_NONE) return no_memory(lane, err);
      x = INT64_MIN + code;
    }
    lane->numbers[r] = x;
  }
  return BEZ_OK;
}

static bez_status take_text(const bez_saved_column *col, uint32_t n, bez_lane *lane, bez_error *err) {
  uint32_t last = n ? le32_at(col->data, n - 1) : 0;
  if (n) memcpy(lane->ends, col->data, (size_t)n * 4);
  bez_buf_write(&lane->text, last ? (const char *)col->text : "", last);
  return bez_buf_status(&lane->text, err);
}

/* Cells of a dictionary under a plan that came later. */
static bez_status take_again(const bez_saved_column *col, uint32_t n, const bez_saved_values *v, bez_lane *lane,
                             bez_column_plan plan, bez_error *err) {
  for (uint32_t r = 0; r < n; r++) {
    uint32_t len;
    const char *bytes = value(v, bez_chunk_code(col->data, col->width, r), &len);
    bez_status st = bez_lane_take_one(lane, plan, bytes, len, r, err);
    if (st != BEZ_OK) return st;
  }
  return BEZ_OK;
}

static bez_status number_rows(uint32_t n, uint64_t first, bez_lane *lane, bez_column_plan plan, bez_error *err) {
  for (uint32_t r = 0; r < n; r++) {
    char text[24];
    int len = snprintf(text, sizeof text, "%llu", (unsigned long long)first + r);
    bez_status st = bez_lane_take_one(lane, plan, text, (uint32_t)len, r, err);
    if (st != BEZ_OK) return st;
  }
  return BEZ_OK;
}

bez_status bez_saved_column_take(const bez_saved_column *col, uint32_t n, uint64_t first_row, bez_saved_values *values,
                                 bez_lane *lane, bez_column_plan plan, const char *path, bez_error *err) {
  if (col->mode == BEZ_SAVED_NUMBERED) return number_rows(n, first_row, lane, plan, err);
  if (col->mode == BEZ_LANE_CODES && plan.mode != BEZ_LANE_CODES) return take_again(col, n, values, lane, plan, err);
  switch (col->mode) {
    case BEZ_LANE_CODES: return take_codes(col, n, values, lane, err);
    case BEZ_LANE_FORM: return take_numbers(col, n, values, lane, err);
    case BEZ_LANE_TEXT: return take_text(col, n, lane, err);
    case BEZ_LANE_SKIP: lane->missing = col->missing; return BEZ_OK;
    default: return damaged(path, "a column of an unknown kind", err);
  }
}
