/* Eight columns (one cache line of a row) are copied out at a time and sorted side by side: a radix sort on the upper
 * half of each number, in 3 passes of 11 bits, with the rare runs that the lower half must decide put right after.
 * A column's task writes its own terms; they are added in the order of the columns. */
#include "fit/ecdf.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"

#define BATCH 8u
#define TILE 8192u
#define RADIX 2048u
#define LANES 8u

typedef struct pair {
  uint32_t key, row;
} pair;

typedef struct sums {
  const bez_matrix *m;
  bez_ecdf_fn fn;
  double *column; /* BATCH × n_rows: values, then terms */
  double *tail;   /* k = 1 … n_rows: ln(n_rows / k) */
  pair **room;    /* per worker: 2 × n_rows, made on first use */
  double *score;
  uint32_t first, n_cols; /* of the batch */
} sums;

bez_status bez_matrix_check(const bez_matrix *m, bez_error *err) {
  if (!m->n_rows || !m->n_cols || m->n_rows > UINT32_MAX - 1)
    return bez_fail(err, BEZ_USAGE, "outliers", "needs 1 to 4294967294 rows and a column at least");
  if (m->n_rows > ((uint64_t)1 << 40) / m->n_cols) return bez_fail(err, BEZ_LIMIT, "outliers", "more than 2^40 cells");
  return BEZ_OK;
}

/* Ascending unsigned integers for ascending numbers; −0 equals 0. */
static uint64_t sort_key(double x) {
  double positive = x + 0.0;
  uint64_t bits;
  memcpy(&bits, &positive, sizeof bits);
  return bits >> 63 ? ~bits : bits | (uint64_t)1 << 63;
}

static void count_digits(const pair *a, uint64_t n, uint32_t count[3][RADIX]) {
  memset(count, 0, sizeof(uint32_t[3][RADIX]));
  for (uint64_t i = 0; i < n; i++) {
    uint32_t key = a[i].key;
    count[0][key & (RADIX - 1)]++;
    count[1][key >> 11 & (RADIX - 1)]++;
    count[2][key >> 22]++;
  }
}

/* Sorted by key, stable; the result lies in the room returned. A digit that all keys share costs no pass. */
static pair *radix_sort(pair *a, pair *b, uint64_t n) {
  uint32_t count[3][RADIX];
  count_digits(a, n, count);
  for (int pass = 0; pass < 3; pass++) {
    uint32_t *c = count[pass], at = 0;
    int shift = 11 * pass;
    if (c[a[0].key >> shift & (RADIX - 1)] == n) continue;
    for (uint32_t d = 0; d < RADIX; d++) {
      uint32_t here = c[d];
      c[d] = at;
      at += here;
    }
    for (uint64_t i = 0; i < n; i++) b[c[a[i].key >> shift & (RADIX - 1)]++] = a[i];
    pair *other = a;
    a = b;
    b = other;
  }
  return a;
}

static int by_key(const void *x, const void *y) {
  const pair *a = x, *b = y;
  if (a->key != b->key) return a->key < b->key ? -1 : 1;
  return a->row < b->row ? -1 : a->row > b->row;
}

/* One run of equal upper halves: its keys become the lower halves, and it is sorted by them where it is not. */
static void settle_run(const double *x, pair *run, uint64_t n) {
  bool sorted = true;
  for (uint64_t i = 0; i < n; i++) {
    run[i].key = (uint32_t)sort_key(x[run[i].row]);
    sorted &= i == 0 || run[i].key >= run[i - 1].key;
  }
  if (sorted) return;
  if (n > 24) {
    qsort(run, n, sizeof *run, by_key);
    return;
  }
  for (uint64_t i = 1; i < n; i++) {
    pair held = run[i];
    uint64_t k = i;
    for (; k > 0 && run[k - 1].key > held.key; k--) run[k] = run[k - 1];
    run[k] = held;
  }
}

/* Sign of the third central moment of a column's `seen` numbers; NaN adds nothing. Eight sums side by side. */
static int skew_sign(const double *x, uint64_t n, uint64_t seen) {
  double sum[LANES] = {0}, square[LANES] = {0}, cube[LANES] = {0};
  uint64_t whole = n - n % LANES;
  for (uint64_t i = 0; i < whole; i += LANES)
    for (uint32_t k = 0; k < LANES; k++) sum[k] += x[i + k] == x[i + k] ? x[i + k] : 0.0;
  for (uint64_t i = whole; i < n; i++) sum[0] += isnan(x[i]) ? 0.0 : x[i];
  for (uint32_t k = 1; k < LANES; k++) sum[0] += sum[k];
  double mean = sum[0] / (double)seen;
  for (uint64_t i = 0; i < whole; i += LANES)
    for (uint32_t k = 0; k < LANES; k++) {
      double d = x[i + k] - mean, v = d == d ? d : 0.0, v2 = v * v;
      square[k] += v2;
      cube[k] += v2 * v;
    }
  for (uint64_t i = whole; i < n; i++) {
    double d = isnan(x[i]) ? 0.0 : x[i] - mean;
    square[0] += d * d;
    cube[0] += d * d * d;
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
static void write_terms(const sums *s, double *x, const pair *sorted, uint64_t i, uint64_t j, uint64_t seen, int skew,
                        double shift) {
  double low = s->tail[j] - shift, high = s->tail[seen - i] - shift;
  double term = s->fn(low, high, skew);
  for (uint64_t k = i; k < j; k++) x[sorted[k].row] = term;
}

/* Values become terms. Equal values are found through the lower halves that settle_run left as keys; runs are kept
 * apart because each is settled just before it is read. */
static void terms_of(const sums *s, double *x, pair *sorted, uint64_t seen, int skew) {
  double shift = s->tail[seen];
  for (uint64_t i = 0; i < seen;) {
    uint64_t end = i + 1;
    while (end < seen && sorted[end].key == sorted[i].key) end++;
    if (end == i + 1) {
      write_terms(s, x, sorted, i, end, seen, skew, shift);
      i = end;
      continue;
    }
    settle_run(x, sorted + i, end - i);
    for (uint64_t from = i; from < end;) {
      uint64_t to = from + 1;
      while (to < end && sorted[to].key == sorted[from].key) to++;
      uint64_t here = from;
      from = to;
      write_terms(s, x, sorted, here, to, seen, skew, shift);
    }
    i = end;
  }
}

static bez_status column_task(void *ctx, uint64_t task, unsigned worker, bez_error *err) {
  sums *s = ctx;
  uint64_t n = s->m->n_rows, seen = 0;
  double *x = s->column + task * n;
  if (!s->room[worker]) s->room[worker] = malloc(2 * n * sizeof(pair));
  pair *room = s->room[worker];
  if (!room) return bez_fail_memory(err, 2 * n * sizeof(pair));
  for (uint64_t i = 0; i < n; i++) {
    if (isnan(x[i])) continue;
    room[seen++] = (pair){(uint32_t)(sort_key(x[i]) >> 32), (uint32_t)i};
  }
  int skew = seen ? skew_sign(x, n, seen) : 0;
  if (seen) {
    pair *sorted = radix_sort(room, room + n, seen);
    terms_of(s, x, sorted, seen, skew);
  }
  for (uint64_t i = 0; i < n && seen < n; i++)
    if (isnan(x[i])) x[i] = 0.0;
  return BEZ_OK;
}

static uint64_t tile_end(const sums *s, uint64_t tile) {
  uint64_t end = (tile + 1) * TILE;
  return end < s->m->n_rows ? end : s->m->n_rows;
}

static bez_status copy_tile(void *ctx, uint64_t tile, unsigned worker, bez_error *err) {
  sums *s = ctx;
  uint64_t n = s->m->n_rows, end = tile_end(s, tile);
  for (uint64_t row = tile * TILE; row < end; row++) {
    const double *from = s->m->x + row * s->m->n_cols + s->first;
    for (uint32_t c = 0; c < s->n_cols; c++) s->column[c * n + row] = from[c];
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

bez_status bez_ecdf_sum(const bez_matrix *m, const bez_outlier_params *params, bez_ecdf_fn fn, const char *stage,
                        double *score, bez_error *err) {
  bez_status st = bez_matrix_check(m, err);
  if (st != BEZ_OK) return st;
  unsigned threads = params->threads ? params->threads : bez_cpu_count();
  uint32_t width = m->n_cols < BATCH ? m->n_cols : BATCH;
  uint64_t tiles = (m->n_rows + TILE - 1) / TILE;
  sums s = {.m = m, .fn = fn, .score = score};
  s.column = malloc((size_t)m->n_rows * width * sizeof *s.column);
  s.tail = malloc(((size_t)m->n_rows + 1) * sizeof *s.tail);
  s.room = calloc(threads, sizeof *s.room);
  if (!s.column || !s.tail || !s.room) {
    st = bez_fail_memory(err, (size_t)m->n_rows * (width + 1) * 8);
    goto cleanup;
  }
  BEZ_TRY(bez_parallel(tiles, threads, tail_tile, &s, err));
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
  return st;
}
