/* Final codes: values in ascending order, by number where the column has numbers, else by bytes. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/limits.h"
#include "format/cell.h"
#include "format/finish.h"

#define AHEAD 24u     /* rows: the counters of a wide column are larger than the caches */
#define RARE_BELOW 4u /* rows a value of a truncated column needs to keep a code of its own */

static bool has_numbers(const bez_column *col) {
  return col->type == BEZ_COL_NUMERIC || col->type == BEZ_COL_TIME;
}

/* What is sorted: a key that decides nearly always, then the values themselves. */
typedef struct ranked {
  uint64_t key;
  const bez_value_info *value;
} ranked;

static int by_bytes(const bez_value_info *x, const bez_value_info *y) {
  int d = memcmp(x->bytes, y->bytes, x->len < y->len ? x->len : y->len);
  return d ? d : x->len < y->len ? -1 : x->len > y->len;
}

static int by_rank(const void *a, const void *b) {
  const ranked *x = a, *y = b;
  if (x->key != y->key) return x->key < y->key ? -1 : 1;
  return by_bytes(x->value, y->value);
}

/* The first eight bytes, most significant first. */
static uint64_t bytes_key(const bez_value_info *v) {
  uint64_t key = 0;
  for (uint32_t i = 0; i < 8; i++) key = key << 8 | (i < v->len ? (unsigned char)v->bytes[i] : 0);
  return key;
}

/* Unsigned integers in the order of the numbers; NaN behind all. */
static uint64_t number_key(double number) {
  uint64_t bits;
  if (isnan(number)) return UINT64_MAX;
  if (number == 0) number = 0; /* -0 */
  memcpy(&bits, &number, sizeof bits);
  return bits >> 63 ? ~bits : bits | (uint64_t)1 << 63;
}

/* Cells of another kind in a numeric or time column carry no number. */
static void settle_number(const bez_column *col, bez_value_info *v) {
  double unused;
  if (isnan(v->number)) return;
  bool time = !bez_parse_number(v->bytes, v->len, &unused, NULL);
  if (time != (col->type == BEZ_COL_TIME)) v->number = NAN;
}

/* Numbers of the form: from chunks, and from dictionaries filled before the column's plan was made. */
static void form_range(const bez_finish *f, uint32_t c, int64_t *lo, int64_t *hi, uint64_t *n) {
  *lo = INT64_MAX;
  *hi = INT64_MIN;
  *n = 0;
  int64_t x;
  for (size_t i = 0; i < f->n_tiles; i++) {
    const bez_tile *t = f->tiles[i];
    if (bez_chunk_mode(t, c) != BEZ_LANE_FORM) continue;
    const void *data = bez_chunk_data(t, c);
    for (uint32_t r = 0; r < t->n_rows; r++) {
      if (!bez_chunk_number(data, t->chunks[c].width, r, &x) || !bez_row_kept(f, t, r)) continue;
      if (x < *lo) *lo = x;
      if (x > *hi) *hi = x;
      ++*n;
    }
  }
  for (uint32_t k = 0; k < f->work[c].n_values; k++) {
    const bez_value_info *v = &f->work[c].values[k];
    if (!v->of_form) continue;
    if (v->x < *lo) *lo = v->x;
    if (v->x > *hi) *hi = v->x;
    *n += v->count;
  }
}

static void count_dense(const bez_finish *f, uint32_t c, bez_number_set *set) {
  int64_t x;
  for (size_t i = 0; i < f->n_tiles; i++) {
    const bez_tile *t = f->tiles[i];
    if (bez_chunk_mode(t, c) != BEZ_LANE_FORM) continue;
    const void *data = bez_chunk_data(t, c);
    unsigned width = t->chunks[c].width;
    for (uint32_t r = 0; r < t->n_rows; r++) {
      if (!f->keep && r + AHEAD < t->n_rows && bez_chunk_number(data, width, r + AHEAD, &x))
        __builtin_prefetch(&set->slot[(uint64_t)x - (uint64_t)set->lo], 1);
      if (bez_row_kept(f, t, r) && bez_chunk_number(data, width, r, &x)) set->slot[(uint64_t)x - (uint64_t)set->lo]++;
    }
  }
  for (uint32_t k = 0; k < f->work[c].n_values; k++) {
    const bez_value_info *v = &f->work[c].values[k];
    if (v->of_form) set->slot[(uint64_t)v->x - (uint64_t)set->lo] += v->count;
  }
}

static bez_status count_sparse(const bez_finish *f, uint32_t c, uint64_t n, bez_number_set *set, bez_error *err) {
  bez_store store[2];
  int64_t x;
  uint64_t at = 0;
  for (int k = 0; k < 2; k++) bez_store_init(&store[k], &f->table->budget);
  bez_status st;
  BEZ_TRY(bez_store_grow(&store[0], n * sizeof x, err));
  BEZ_TRY(bez_store_grow(&store[1], n * sizeof x, err));
  int64_t *all = store[0].data;
  for (size_t i = 0; i < f->n_tiles; i++) {
    const bez_tile *t = f->tiles[i];
    if (bez_chunk_mode(t, c) != BEZ_LANE_FORM) continue;
    const void *data = bez_chunk_data(t, c);
    for (uint32_t r = 0; r < t->n_rows; r++)
      if (bez_row_kept(f, t, r) && bez_chunk_number(data, t->chunks[c].width, r, &x)) all[at++] = x;
  }
  for (uint32_t k = 0; k < f->work[c].n_values; k++) {
    const bez_value_info *v = &f->work[c].values[k];
    for (uint32_t i = 0; v->of_form && i < v->count; i++) all[at++] = v->x;
  }
  BEZ_TRY(bez_number_set_sparse(set, all, store[1].data, at, err));
cleanup:
  bez_store_free(&store[0]);
  bez_store_free(&store[1]);
  return st;
}

/* The distinct numbers of a column read by a form, and their statistics. */
static bez_status gather_numbers(bez_finish *f, uint32_t c, bez_error *err) {
  bez_column_work *work = &f->work[c];
  bez_form form = f->b->plans[c].form;
  bez_column *col = &f->table->cols[c];
  for (uint32_t k = 0; k < work->n_values; k++) {
    bez_value_info *v = &work->values[k];
    v->of_form = !v->missing && bez_form_parse(form, v->bytes, v->len, &v->x);
  }
  int64_t lo, hi;
  uint64_t n;
  form_range(f, c, &lo, &hi, &n);
  bez_status st = BEZ_OK;
  if (n == 0) return BEZ_OK;
  if (bez_number_set_is_dense(lo, hi, f->table->n_rows)) {
    st = bez_number_set_dense(&work->numbers, lo, hi, err);
    if (st == BEZ_OK) count_dense(f, c, &work->numbers);
  } else {
    st = count_sparse(f, c, n, &work->numbers, err);
  }
  if (st != BEZ_OK) return st;
  col->n_distinct = 0;
  for (uint64_t i = 0; i < work->numbers.n; i++) col->n_distinct += work->numbers.slot[i] != 0;
  for (uint32_t k = 0; k < work->n_values; k++) col->n_distinct += !work->values[k].missing && !work->values[k].of_form;
  return BEZ_OK;
}

/* Dictionary values that get a code of their own, sorted; the others get theirs here. */
static bez_status sort_values(bez_column *col, bez_column_work *work, ranked **out, uint32_t *n, bez_error *err) {
  ranked *order = malloc(((size_t)work->n_values + 1) * sizeof *order);
  work->final_of = calloc((size_t)work->n_values + 1, sizeof *work->final_of);
  *out = order;
  *n = 0;
  if (!order || !work->final_of) return bez_fail_memory(err, work->n_values * sizeof *order);
  for (uint32_t i = 0; i < work->n_values; i++) {
    bez_value_info *v = &work->values[i];
    work->final_of[i] = v->missing ? BEZ_CODE_MISSING : BEZ_CODE_RARE;
    if (has_numbers(col)) settle_number(col, v);
    if (v->missing || v->of_form || (col->truncated && v->count < RARE_BELOW)) continue;
    order[(*n)++] = (ranked){.key = has_numbers(col) ? number_key(v->number) : bytes_key(v), .value = v};
  }
  if (*n) qsort(order, *n, sizeof *order, by_rank);
  return BEZ_OK;
}

/* The value arrays being filled, code by code. */
typedef struct filler {
  bez_column *col;
  uint64_t *at;
  char *text;
  double *number;
  uint32_t *count;
  uint32_t next;
} filler;

static bool kept(const bez_column *col, uint32_t count) {
  return count && (!col->truncated || count >= RARE_BELOW);
}

static bez_status make_arrays(bez_finish *f, bez_column *col, uint32_t c, const ranked *order, uint32_t n, filler *out,
                              bez_error *err) {
  const bez_number_set *set = &f->work[c].numbers;
  bez_form form = f->b->plans[c].form;
  uint64_t bytes = strlen("(rare)"), total = n + (uint64_t)BEZ_CODE_FIRST;
  char cell[40];
  for (uint32_t k = 0; k < n; k++) bytes += order[k].value->len;
  for (uint64_t i = 0; i < set->n; i++)
    if (kept(col, set->slot[i])) {
      bytes += bez_form_print(form, bez_number_at(set, i), cell);
      total++;
    }
  bez_status st;
  if (total > UINT32_MAX - 2) return bez_fail(err, BEZ_LIMIT, col->name, "too many values");
  BEZ_TRY(bez_owned_alloc(f->table, (total + 1) * sizeof *out->at, &out->at, err));
  BEZ_TRY(bez_owned_alloc(f->table, bytes + 1, &out->text, err));
  BEZ_TRY(bez_owned_alloc(f->table, total * sizeof *out->count, &out->count, err));
  if (has_numbers(col)) BEZ_TRY(bez_owned_alloc(f->table, total * sizeof *out->number, &out->number, err));
  memcpy(out->text, "(rare)", 6);
  out->at[BEZ_CODE_FIRST] = 6;
  if (out->number) out->number[BEZ_CODE_MISSING] = out->number[BEZ_CODE_RARE] = NAN;
  out->col = col;
  out->next = BEZ_CODE_FIRST;
  col->n_values = (uint32_t)total;
  col->value_at = out->at;
  col->value_bytes = out->text;
  col->number = out->number;
  col->count = out->count;
cleanup:
  return st;
}

static uint32_t add_code(filler *f, const char *bytes, size_t len, uint32_t count, double number) {
  uint32_t code = f->next++;
  memcpy(f->text + f->at[code], bytes, len);
  f->at[code + 1] = f->at[code] + len;
  f->count[code] = count;
  if (f->number) f->number[code] = number;
  return code;
}

/* Both sorted lists in one order: dictionary values and numbers of the form. Turns counts in the set into codes. */
static void give_codes(bez_column_work *work, bez_form form, const ranked *order, uint32_t n, filler *out) {
  bez_number_set *set = &work->numbers;
  uint32_t k = 0;
  char cell[40];
  for (uint64_t i = 0; i < set->n; i++) {
    uint32_t count = set->slot[i];
    set->slot[i] = BEZ_CODE_RARE;
    if (!kept(out->col, count)) {
      out->count[BEZ_CODE_RARE] += count;
      continue;
    }
    int64_t x = bez_number_at(set, i);
    double number = bez_form_value(form, x);
    bez_value_info here = {.bytes = cell, .len = (uint32_t)bez_form_print(form, x, cell)};
    ranked mine = {.key = number_key(number), .value = &here};
    for (; k < n && by_rank(&order[k], &mine) < 0; k++)
      work->final_of[order[k].value - work->values] =
          add_code(out, order[k].value->bytes, order[k].value->len, order[k].value->count, order[k].value->number);
    set->slot[i] = add_code(out, cell, here.len, count, number);
  }
  for (; k < n; k++)
    work->final_of[order[k].value - work->values] =
        add_code(out, order[k].value->bytes, order[k].value->len, order[k].value->count, order[k].value->number);
  for (uint32_t i = 0; i < work->n_values; i++) {
    const bez_value_info *v = &work->values[i];
    if (v->of_form)
      work->final_of[i] = set->slot[bez_number_slot(set, v->x)];
    else if (work->final_of[i] < BEZ_CODE_FIRST)
      out->count[work->final_of[i]] += v->count;
  }
}

/* From each worker's codes straight to final ones. */
static bez_status map_lanes(bez_finish *f, uint32_t c, bez_error *err) {
  for (unsigned w = 0; w < f->b->threads; w++) {
    bez_lane *lane = &f->b->workers[w].lanes[c];
    lane->final_of = malloc(((size_t)lane->dict.n + 1) * sizeof *lane->final_of);
    if (!lane->final_of) return bez_fail_memory(err, lane->dict.n * sizeof *lane->final_of);
    for (uint32_t k = 0; k < lane->dict.n && f->work[c].n_values; k++)
      lane->final_of[k] = f->work[c].final_of[lane->remap[k]];
  }
  return BEZ_OK;
}

static bez_status code_column(bez_finish *f, uint32_t c, bez_error *err) {
  bez_column *col = &f->table->cols[c];
  bez_column_work *work = &f->work[c];
  bez_status st = BEZ_OK;
  ranked *order = NULL;
  uint32_t n = 0;
  filler out = {0};
  void *codes;
  if (f->b->plans[c].mode == BEZ_LANE_FORM) BEZ_TRY(gather_numbers(f, c, err));
  col->truncated = col->n_distinct > BEZ_MAX_DICT;
  BEZ_TRY(sort_values(col, work, &order, &n, err));
  BEZ_TRY(make_arrays(f, col, c, order, n, &out, err));
  give_codes(work, f->b->plans[c].form, order, n, &out);
  out.count[BEZ_CODE_MISSING] += (uint32_t)work->n_absent;
  BEZ_TRY(map_lanes(f, c, err));
  col->width = col->n_values <= 1u << 8 ? 1 : col->n_values <= 1u << 16 ? 2 : 4;
  BEZ_TRY(bez_owned_alloc(f->table, f->table->n_rows * col->width, &codes, err));
  col->codes = codes;
  if (col->truncated && has_numbers(col)) {
    float *raw;
    BEZ_TRY(bez_owned_alloc(f->table, f->table->n_rows * sizeof *raw, &raw, err));
    col->raw = raw;
  }
cleanup:
  free(order);
  return st;
}

static uint32_t cell_length(const bez_finish *f, const bez_tile *t, uint32_t c, uint32_t r) {
  uint32_t len;
  if (bez_chunk_mode(t, c) == BEZ_LANE_ABSENT) return 0;
  const void *data = bez_chunk_data(t, c);
  if (t->chunks[c].mode == BEZ_LANE_TEXT) {
    bez_chunk_text(data, t->n_rows, r, &len);
    return len;
  }
  const uint32_t *remap = f->b->workers[t->worker].lanes[c].remap;
  return f->work[c].values[remap[bez_chunk_code(data, t->chunks[c].width, r)]].len;
}

/* Offsets of a text column, rows in order. */
static bez_status lay_out_text(bez_finish *f, uint32_t c, bez_error *err) {
  bez_column *col = &f->table->cols[c];
  uint64_t *at, bytes = 0, out = 0;
  bez_status st = bez_owned_alloc(f->table, (f->table->n_rows + 1) * sizeof *at, &at, err);
  if (st != BEZ_OK) return st;
  for (size_t i = 0; i < f->n_tiles; i++)
    for (uint32_t r = 0; r < f->tiles[i]->n_rows; r++)
      if (bez_row_kept(f, f->tiles[i], r)) {
        bytes += cell_length(f, f->tiles[i], c, r);
        at[++out] = bytes;
      }
  char *text;
  st = bez_owned_alloc(f->table, bytes + 1, &text, err);
  col->text_at = at;
  col->text_bytes = text;
  return st;
}

bez_status bez_rank_column(void *ctx, uint64_t c, unsigned worker, bez_error *err) {
  bez_finish *f = ctx;
  bez_column *col = &f->table->cols[c];
  col->n_missing = f->stats[c].n_missing;
  col->n_distinct = f->stats[c].n_distinct;
  col->truncated = f->stats[c].lower_bound;
  if (col->type == BEZ_COL_IDENTIFIER) return BEZ_OK;
  if (col->type == BEZ_COL_TEXT) return lay_out_text(f, (uint32_t)c, err);
  return code_column(f, (uint32_t)c, err);
}
