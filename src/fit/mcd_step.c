#include "fit/mcd_step.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "fit/median.h"
#include "math/mahalanobis.h"

#define LANES BEZ_MAHALANOBIS_LANES
#define GATHERED (LANES * BEZ_MAHALANOBIS_BLOCKS)
#define PIVOT_LEAST 1e-12 /* of the column's variance: what is left is rounding */
#define FARTHEST 1e100    /* in deviations: squares stay finite */

static uint64_t n_blocks(uint64_t n) {
  return (n + LANES - 1) / LANES;
}

static bez_status rows_alloc(bez_mcd_rows *rows, uint64_t n, uint32_t n_cols, bez_error *err) {
  *rows = (bez_mcd_rows){.n = n, .n_cols = n_cols};
  rows->block = calloc((size_t)n_blocks(n) * LANES * n_cols, sizeof *rows->block);
  return rows->block ? BEZ_OK : bez_fail_memory(err, (size_t)n_blocks(n) * LANES * n_cols * sizeof *rows->block);
}

static double *lane_of(const bez_mcd_rows *rows, uint64_t row) {
  return rows->block + row / LANES * LANES * rows->n_cols + row % LANES;
}

typedef struct scaling {
  const bez_matrix *m;
  bez_mcd_rows *out;
} scaling;

/* Standard deviation about the centre, 1 where there is none. */
static double spread_of(const double *deviation, uint64_t n) {
  double square = 0.0;
  for (uint64_t i = 0; i < n; i++) square += deviation[i] * deviation[i];
  square = sqrt(square / (double)n);
  return square > 0.0 && isfinite(square) ? square : 1.0;
}

static bez_status scale_column(void *ctx, uint64_t c, unsigned worker, bez_error *err) {
  const scaling *s = ctx;
  uint64_t n = s->m->n_rows, seen = 0;
  double *x = malloc((size_t)n * sizeof *x);
  if (!x) return bez_fail_memory(err, (size_t)n * sizeof *x);
  for (uint64_t row = 0; row < n; row++) {
    double v = s->m->x[row * s->m->n_cols + c];
    if (isfinite(v)) x[seen++] = v;
  }
  double center = seen ? bez_median(x, seen) : 0.0, spread = 1.0;
  for (uint64_t i = 0; i < seen; i++) x[i] = fabs(x[i] - center);
  if (seen) spread = 1.4826 * bez_median(x, seen);
  if (seen && !(spread > 0.0)) spread = spread_of(x, seen);
  for (uint64_t row = 0; row < n; row++) {
    double v = s->m->x[row * s->m->n_cols + c], z = isnan(v) ? 0.0 : (v - center) / spread;
    lane_of(s->out, row)[c * LANES] = z > FARTHEST ? FARTHEST : z < -FARTHEST ? -FARTHEST : z;
  }
  free(x);
  return BEZ_OK;
}

bez_status bez_mcd_rows_scale(const bez_matrix *m, unsigned threads, bez_mcd_rows *out, bez_error *err) {
  bez_status st = rows_alloc(out, m->n_rows, m->n_cols, err);
  scaling s = {m, out};
  return st == BEZ_OK ? bez_parallel(m->n_cols, threads, scale_column, &s, err) : st;
}

bez_status bez_mcd_rows_take(const bez_mcd_rows *from, const uint32_t *row, uint32_t n, bez_mcd_rows *out,
                             bez_error *err) {
  bez_status st = rows_alloc(out, n, from->n_cols, err);
  for (uint32_t i = 0; st == BEZ_OK && i < n; i++) {
    const double *x = lane_of(from, row[i]);
    double *y = lane_of(out, i);
    for (uint32_t c = 0; c < from->n_cols; c++) y[c * LANES] = x[c * LANES];
  }
  return st;
}

double bez_mcd_farthest(const bez_mcd_rows *rows, uint64_t row) {
  const double *x = lane_of(rows, row);
  double most = 0.0;
  for (uint32_t c = 0; c < rows->n_cols; c++) most = fmax(most, fabs(x[c * LANES]));
  return most;
}

void bez_mcd_rows_keep(bez_mcd_rows *rows, const uint8_t *keep) {
  double *to = rows->block;
  uint32_t p = rows->n_cols, kept = 0;
  for (uint32_t c = 0; c < p; c++) kept += keep[c] != 0;
  for (uint64_t b = 0; b < n_blocks(rows->n); b++)
    for (uint32_t c = 0; c < p; c++) {
      if (!keep[c]) continue;
      memmove(to, rows->block + (b * p + c) * LANES, LANES * sizeof *to);
      to += LANES;
    }
  rows->n_cols = kept;
}

void bez_mcd_rows_destroy(bez_mcd_rows *rows) {
  free(rows->block);
}

bez_status bez_mcd_fit_create(bez_mcd_fit *fit, uint32_t n_cols, bez_error *err) {
  size_t p = n_cols;
  fit->order = malloc(p * sizeof *fit->order);
  fit->mean = malloc(p * sizeof *fit->mean);
  fit->factor = malloc(p * p * sizeof *fit->factor);
  return fit->order && fit->mean && fit->factor ? BEZ_OK : bez_fail_memory(err, p * p * sizeof *fit->factor);
}

void bez_mcd_fit_destroy(bez_mcd_fit *fit) {
  free(fit->order);
  free(fit->mean);
  free(fit->factor);
}

bez_status bez_mcd_work_create(const bez_mcd_rows *rows, bez_mcd_work *out, bez_error *err) {
  size_t p = rows->n_cols, n = (size_t)n_blocks(rows->n) * LANES;
  *out = (bez_mcd_work){
      .distance = malloc(n * sizeof(double)),
      .order = malloc(n * sizeof(double)),
      .chosen = malloc(n * sizeof(uint32_t)),
      .blocks = malloc(p * GATHERED * sizeof(double)),
      .y = malloc(p * LANES * sizeof(double)),
      .sum = malloc(p * LANES * sizeof(double)),
      .product = malloc(p * (p + 1) / 2 * LANES * sizeof(double)),
      .covariance = malloc(p * p * sizeof(double)),
  };
  if (out->distance && out->order && out->chosen && out->blocks && out->y && out->sum && out->product &&
      out->covariance)
    return BEZ_OK;
  bez_mcd_work_destroy(out);
  return bez_fail_memory(err, n * 20 + p * p * 48);
}

void bez_mcd_work_destroy(bez_mcd_work *work) {
  free(work->distance);
  free(work->order);
  free(work->chosen);
  free(work->blocks);
  free(work->y);
  free(work->sum);
  free(work->product);
  free(work->covariance);
}

/* Sums and products of the rows about `origin`. */
static void add_up(const bez_mcd_rows *rows, const uint32_t *row, uint32_t n, const double *origin, uint32_t cpu,
                   bez_mcd_work *work) {
  uint32_t p = rows->n_cols;
  bez_mahalanobis kernel = bez_mahalanobis_choose(cpu);
  memset(work->sum, 0, (size_t)p * LANES * sizeof *work->sum);
  memset(work->product, 0, (size_t)p * (p + 1) / 2 * LANES * sizeof *work->product);
  for (uint32_t first = 0; first < n; first += GATHERED) {
    if (n - first < GATHERED) memset(work->blocks, 0, (size_t)p * GATHERED * sizeof *work->blocks);
    for (uint32_t i = 0; i < GATHERED && first + i < n; i++) {
      const double *x = lane_of(rows, row[first + i]);
      double *y = work->blocks + (size_t)(i / LANES) * LANES * p + i % LANES;
      for (uint32_t c = 0; c < p; c++) y[c * LANES] = x[c * LANES] - origin[c];
    }
    kernel.products(work->blocks, p, work->sum, work->product);
  }
}

static double add_lanes(const double *x) {
  return ((x[0] + x[1]) + (x[2] + x[3])) + ((x[4] + x[5]) + (x[6] + x[7]));
}

/* The next pivot: the column of largest variance left, ties to the first. */
static uint32_t next_pivot(const double *left, const uint32_t *order, uint32_t from, uint32_t p) {
  uint32_t best = from;
  for (uint32_t k = from + 1; k < p; k++)
    if (left[order[k]] > left[order[best]]) best = k;
  return best;
}

/* Column k of the factor below its diagonal, and what it explains of the columns that are left. */
static void eliminate(bez_mcd_fit *fit, const double *a, uint32_t p, uint32_t k, double *left) {
  const double *pivot = fit->factor + (size_t)k * p;
  for (uint32_t i = k + 1; i < p; i++) {
    double *row = fit->factor + (size_t)i * p, v = a[(size_t)fit->order[i] * p + fit->order[k]];
    for (uint32_t j = 0; j < k; j++) v -= row[j] * pivot[j];
    row[k] = v * pivot[k];
    left[fit->order[i]] -= row[k] * row[k];
  }
}

static void swap_rows(bez_mcd_fit *fit, uint32_t p, uint32_t i, uint32_t j, uint32_t width) {
  uint32_t held = fit->order[i];
  fit->order[i] = fit->order[j];
  fit->order[j] = held;
  for (uint32_t c = 0; c < width; c++) {
    double *x = fit->factor + (size_t)i * p + c, *y = fit->factor + (size_t)j * p + c, value = *x;
    *x = *y;
    *y = value;
  }
}

/* Pivoted Cholesky factorisation (Golub and Van Loan 4.2.8) of a (p × p); `left` holds p numbers. */
static void factorise(bez_mcd_fit *fit, const double *a, uint32_t p, double *left) {
  uint32_t k = 0;
  fit->log_det = 0.0;
  for (uint32_t c = 0; c < p; c++) {
    fit->order[c] = c;
    left[c] = a[(size_t)c * p + c];
  }
  for (; k < p; k++) {
    swap_rows(fit, p, k, next_pivot(left, fit->order, k, p), k);
    uint32_t c = fit->order[k];
    if (!(left[c] > PIVOT_LEAST * a[(size_t)c * p + c]) || !(left[c] > 1e-300) || !isfinite(left[c])) break;
    fit->log_det += log(left[c]);
    fit->factor[(size_t)k * p + k] = 1.0 / sqrt(left[c]);
    eliminate(fit, a, p, k, left);
  }
  fit->rank = k;
  fit->log_det += (double)(p - k) * log(PIVOT_LEAST);
  for (uint32_t i = 1; i < k && k < p; i++) /* rank × rank, close together */
    memmove(fit->factor + (size_t)i * k, fit->factor + (size_t)i * p, k * sizeof *fit->factor);
}

void bez_mcd_fit_rows(const bez_mcd_rows *rows, const uint32_t *row, uint32_t n, bez_mcd_fit *fit, uint32_t cpu,
                      bez_mcd_work *work) {
  uint32_t p = rows->n_cols;
  for (uint32_t c = 0; c < p; c++) fit->mean[c] = lane_of(rows, row[0])[c * LANES];
  add_up(rows, row, n, fit->mean, cpu, work);
  const double *product = work->product;
  for (uint32_t i = 0; i < p; i++) work->y[i] = add_lanes(work->sum + (size_t)i * LANES) / (double)n;
  for (uint32_t i = 0; i < p; i++)
    for (uint32_t j = 0; j <= i; j++, product += LANES) {
      double v = add_lanes(product) / (double)n - work->y[i] * work->y[j];
      work->covariance[(size_t)i * p + j] = work->covariance[(size_t)j * p + i] = v;
    }
  for (uint32_t c = 0; c < p; c++) fit->mean[c] += work->y[c];
  factorise(fit, work->covariance, p, work->y);
}

void bez_mcd_distances(const bez_mcd_rows *rows, uint32_t cpu, const bez_mcd_fit *fit, double *out,
                       bez_mcd_work *work) {
  bez_mahalanobis kernel = bez_mahalanobis_choose(cpu);
  bez_whitening w = {rows->n_cols, fit->rank, fit->order, fit->mean, fit->factor};
  double last[LANES];
  for (uint64_t b = 0; b < n_blocks(rows->n); b++) {
    bool whole = (b + 1) * LANES <= rows->n;
    kernel.distances(&w, rows->block + b * LANES * rows->n_cols, work->y, whole ? out + b * LANES : last);
    if (!whole) memcpy(out + b * LANES, last, (size_t)(rows->n - b * LANES) * sizeof *out);
  }
}

void bez_mcd_step(const bez_mcd_rows *rows, uint32_t h, uint32_t cpu, bez_mcd_fit *fit, bez_mcd_work *work) {
  bez_mcd_distances(rows, cpu, fit, work->distance, work);
  memcpy(work->order, work->distance, rows->n * sizeof *work->order);
  double limit = bez_select(work->order, rows->n, h - 1);
  uint32_t n = 0, below = 0;
  for (uint64_t i = 0; i < rows->n; i++) below += work->distance[i] < limit;
  for (uint64_t i = 0; i < rows->n && n < h; i++) {
    bool tie = work->distance[i] == limit;
    if (tie && below == h) continue;
    if (tie) below++;
    if (tie || work->distance[i] < limit) work->chosen[n++] = (uint32_t)i;
  }
  bez_mcd_fit_rows(rows, work->chosen, n, fit, cpu, work);
}
