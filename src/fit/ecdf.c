/* ECOD and COPOD: sums over columns of a function of each value's two empirical tails.
 *
 * Eight columns (one cache line of a row) are copied out at a time and ordered side by side. Where no number is missing
 * or equals another, the term of a value depends on its rank and the column's skew alone, and stands in a table. A
 * column's task writes its own terms; they are added in the order of the columns. */
#include <math.h>
#include <stdlib.h>

#include "base/error.h"
#include "fit/order.h"
#include "fit/outliers.h"

#define BATCH 8u
#define TILE 8192u
#define BLOCK 64u /* rows of which eight columns stay in the nearest cache */
#define LANES 8u
#define WORTH 262144u /* numbers of a batch, one to two milliseconds, for which another thread is started */

/* What both tails add to a row beside the tail on the skewed side, whichever is larger. */
typedef enum rule { LARGER_TAIL /* ECOD */, MEAN_TAIL /* COPOD */ } rule;

typedef struct sums {
  const bez_matrix *m;
  rule rule;
  double *column;   /* BATCH × n_rows: values, then terms */
  double *tail;     /* k = 1 … n_rows: ln(n_rows / k) */
  double *by_rank;  /* 2 × n_rows: terms of columns skewed to the left and to the right */
  bez_keyed **room; /* per worker: 2 × n_rows, made on first use */
  double *score;
  uint32_t first, n_cols; /* of the batch */
} sums;

/* low = −ln share of values ≤ x, high = −ln share ≥ x; skew: sign of the column's third central moment. A column
 * without skew counts both tails. */
static inline double term_of(rule r, double low, double high, int skew) {
  double side = skew < 0 ? low : skew > 0 ? high : low + high;
  double other = r == MEAN_TAIL ? 0.5 * (low + high) : low > high ? low : high;
  return side > other ? side : other;
}

/* Sign of the third central moment of a column's numbers. Eight sums side by side; gaps: some are NaN, and left out. */
static int skew_sign(const double *x, uint64_t n, double mean, bool gaps) {
  double square[LANES] = {0}, cube[LANES] = {0};
  uint64_t whole = gaps ? 0 : n - n % LANES;
  for (uint64_t i = 0; i < whole; i += LANES)
    for (uint32_t k = 0; k < LANES; k++) {
      double d = x[i + k] - mean, d2 = d * d;
      square[k] += d2;
      cube[k] += d2 * d;
    }
  for (uint64_t i = whole; i < n; i++) {
    double d = x[i] - mean;
    if (isnan(d)) continue;
    square[i % LANES] += d * d;
    cube[i % LANES] += d * d * d;
  }
  for (uint32_t k = 1; k < LANES; k++) {
    square[0] += square[k];
    cube[0] += cube[k];
  }
  /* what rounding alone leaves of a symmetric or constant column is no skew */
  double least = 1e-13 * square[0] * sqrt(square[0]);
  return cube[0] > least ? 1 : cube[0] < -least ? -1 : 0;
}

/* The terms of equal values sorted[i … j), of `seen` values in all. */
static void write_terms(const sums *s, double *x, const bez_keyed *sorted, uint64_t i, uint64_t j, uint64_t seen,
                        int skew) {
  double shift = s->tail[seen], low = s->tail[j] - shift, high = s->tail[seen - i] - shift;
  double term = term_of(s->rule, low, high, skew);
  for (uint64_t k = i; k < j; k++) x[sorted[k].row] = term;
}

/* Rows [i, j) whose keys are close. Values become terms only once all that equal them are known. */
static void write_run(const sums *s, double *x, bez_keyed *sorted, uint64_t i, uint64_t j, uint64_t seen, int skew) {
  bez_order_settle(x, sorted + i, j - i);
  while (i < j) {
    uint64_t to = i + 1;
    while (to < j && bez_order_equal(x, sorted[to], sorted[i])) to++;
    write_terms(s, x, sorted, i, to, seen, skew);
    i = to;
  }
}

/* The rows from i on whose keys are close to none, as far as they stand side by side; returns the first that is not. */
static inline uint64_t write_singles(double *x, const bez_keyed *sorted, uint64_t i, uint64_t n,
                                     const double *by_rank) {
  uint32_t here = sorted[i].key >> BEZ_ORDER_LOOSE;
  for (; i + 1 < n; i++) {
    uint32_t next = sorted[i + 1].key >> BEZ_ORDER_LOOSE;
    if (next == here) return i;
    x[sorted[i].row] = by_rank[i];
    here = next;
  }
  x[sorted[i].row] = by_rank[i];
  return n;
}

static void terms_of(const sums *s, double *x, bez_keyed *sorted, uint64_t seen, int skew) {
  const double *by_rank = seen == s->m->n_rows && skew ? s->by_rank + (skew > 0 ? seen : 0) : NULL;
  for (uint64_t i = 0, end; i < seen; i = end) {
    if (by_rank) i = write_singles(x, sorted, i, seen, by_rank);
    for (end = i; end < seen && sorted[end].key >> BEZ_ORDER_LOOSE == sorted[i].key >> BEZ_ORDER_LOOSE;) end++;
    if (end > i) write_run(s, x, sorted, i, end, seen, skew);
  }
}

static bez_status column_task(void *ctx, uint64_t task, unsigned worker, bez_error *err) {
  sums *s = ctx;
  uint64_t n = s->m->n_rows;
  double *x = s->column + task * n;
  if (!s->room[worker]) s->room[worker] = malloc(2 * n * sizeof **s->room);
  if (!s->room[worker]) return bez_fail_memory(err, 2 * n * sizeof **s->room);
  bez_extent extent = bez_column_extent(x, n);
  if (extent.seen) {
    int skew = skew_sign(x, n, extent.sum / (double)extent.seen, extent.seen < n);
    terms_of(s, x, bez_order_rows(x, n, &extent, s->room[worker]), extent.seen, skew);
  }
  for (uint64_t i = 0; i < n && extent.seen < n; i++)
    if (isnan(x[i])) x[i] = 0.0;
  return BEZ_OK;
}

static uint64_t tile_end(const sums *s, uint64_t tile) {
  uint64_t end = (tile + 1) * TILE;
  return end < s->m->n_rows ? end : s->m->n_rows;
}

static bez_status copy_tile(void *ctx, uint64_t tile, unsigned worker, bez_error *err) {
  sums *s = ctx;
  uint64_t n = s->m->n_rows, end = tile_end(s, tile), stride = s->m->n_cols;
  for (uint64_t row = tile * TILE; row < end; row += BLOCK)
    for (uint32_t c = 0; c < s->n_cols; c++) {
      const double *from = s->m->x + row * stride + s->first + c;
      double *to = s->column + c * n + row;
      for (uint64_t k = 0; k < BLOCK && row + k < end; k++) to[k] = from[k * stride];
    }
  return BEZ_OK;
}

static bez_status add_tile(void *ctx, uint64_t tile, unsigned worker, bez_error *err) {
  sums *s = ctx;
  uint64_t n = s->m->n_rows, end = tile_end(s, tile);
  for (uint32_t c = 0; c < s->n_cols; c++)
    for (uint64_t row = tile * TILE; row < end; row++) s->score[row] += s->column[c * n + row];
  return BEZ_OK;
}

static bez_status tail_tile(void *ctx, uint64_t tile, unsigned worker, bez_error *err) {
  sums *s = ctx;
  uint64_t end = tile_end(s, tile);
  for (uint64_t k = tile * TILE; k < end; k++) {
    s->tail[k + 1] = log((double)s->m->n_rows / (double)(k + 1));
    s->score[k] = 0.0;
  }
  return BEZ_OK;
}

static bez_status rank_tile(void *ctx, uint64_t tile, unsigned worker, bez_error *err) {
  sums *s = ctx;
  uint64_t n = s->m->n_rows, end = tile_end(s, tile);
  for (uint64_t k = tile * TILE; k < end; k++) {
    s->by_rank[k] = term_of(s->rule, s->tail[k + 1], s->tail[n - k], -1);
    s->by_rank[n + k] = term_of(s->rule, s->tail[k + 1], s->tail[n - k], 1);
  }
  return BEZ_OK;
}

static bez_status sum_columns(const bez_matrix *m, const bez_outlier_params *params, rule of, double *score,
                              bez_error *err) {
  bez_status st = bez_matrix_check(m, err);
  if (st != BEZ_OK) return st;
  uint32_t width = m->n_cols < BATCH ? m->n_cols : BATCH;
  uint64_t n = m->n_rows, tiles = (n + TILE - 1) / TILE, worth = n * width / WORTH + 1;
  unsigned threads = params->threads ? params->threads : bez_cpu_count();
  if (threads > worth) threads = (unsigned)worth;
  sums s = {.m = m, .rule = of, .score = score};
  s.column = malloc((size_t)n * width * sizeof *s.column);
  s.tail = malloc(((size_t)n + 1) * sizeof *s.tail);
  s.by_rank = malloc(2 * (size_t)n * sizeof *s.by_rank);
  s.room = calloc(threads, sizeof *s.room);
  if (!s.column || !s.tail || !s.by_rank || !s.room) {
    st = bez_fail_memory(err, (size_t)n * (width + 3) * 8);
    goto cleanup;
  }
  BEZ_TRY(bez_parallel(tiles, threads, tail_tile, &s, err));
  BEZ_TRY(bez_parallel(tiles, threads, rank_tile, &s, err));
  for (; s.first < m->n_cols; s.first += width) {
    uint32_t left = m->n_cols - s.first;
    s.n_cols = left < width ? left : width;
    BEZ_TRY(bez_parallel(tiles, threads, copy_tile, &s, err));
    BEZ_TRY(bez_parallel_watched(s.n_cols, threads, params->watch, column_task, &s, err));
    BEZ_TRY(bez_parallel(tiles, threads, add_tile, &s, err));
  }
cleanup:
  for (unsigned t = 0; s.room && t < threads; t++) free(s.room[t]);
  free(s.room);
  free(s.column);
  free(s.tail);
  free(s.by_rank);
  return st;
}

bez_status bez_ecod(const bez_matrix *m, const bez_outlier_params *params, double *score, bez_error *err) {
  return sum_columns(m, params, LARGER_TAIL, score, err);
}

bez_status bez_copod(const bez_matrix *m, const bez_outlier_params *params, double *score, bez_error *err) {
  return sum_columns(m, params, MEAN_TAIL, score, err);
}
