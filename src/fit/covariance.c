/* Covariance by blocks of columns: a task owns some columns of the result and passes over all rows, so that no partial
 * sums have to be put together. */
#include "fit/covariance.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "math/gram.h"

#define CHUNK 64u     /* rows made double at a time */
#define COLUMNS 32u   /* columns per task */
#define ROW_TILE 256u /* rows per task of a projection */

void bez_rows_mean(const bez_rows *r, double *mean) {
  for (uint32_t d = 0; d < r->dim; d++) mean[d] = 0.0;
  for (uint32_t i = 0; i < r->n; i++) {
    const float *x = bez_rows_at(r, i);
    for (uint32_t d = 0; d < r->dim; d++) mean[d] += (double)x[d];
  }
  for (uint32_t d = 0; d < r->dim && r->n; d++) mean[d] /= r->n;
}

typedef struct product {
  const bez_rows *r;
  const double *mean, *map;
  const uint32_t *mean_of;
  uint32_t width, k;
  bez_gram_fn gram;
  bez_watch *watch;
  double *out;
  float *projected;
} product;

static uint32_t padded(uint32_t n) {
  return (n + BEZ_GRAM_LANES - 1) / BEZ_GRAM_LANES * BEZ_GRAM_LANES;
}

/* Rows [from, from + n), centred, columns [0, last). */
static void load(const product *p, uint32_t from, uint32_t n, uint32_t last, double *to) {
  uint32_t dim = p->r->dim;
  for (uint32_t i = 0; i < n; i++, to += p->width) {
    const float *x = bez_rows_at(p->r, from + i);
    const double *mean = p->mean + (p->mean_of ? (size_t)p->mean_of[from + i] * dim : 0);
    for (uint32_t d = 0; d < last; d++) to[d] = d < dim ? (double)x[d] - mean[d] : 0.0;
  }
}

static bez_status covariance_task(void *ctx, uint64_t task, unsigned worker, bez_error *err) {
  product *p = ctx;
  uint32_t dim = p->r->dim, first = (uint32_t)task * COLUMNS, n = dim - first < COLUMNS ? dim - first : COLUMNS;
  uint32_t last = padded(first + n);
  bez_status st = BEZ_OK;
  double *sum = calloc((size_t)n * p->width, sizeof *sum);
  double *chunk = malloc((size_t)CHUNK * p->width * sizeof *chunk);
  if (!sum || !chunk) BEZ_TRY(bez_fail_memory(err, (size_t)(n + CHUNK) * p->width * sizeof *sum));
  for (uint32_t from = 0; from < p->r->n; from += CHUNK) {
    uint32_t rows = p->r->n - from < CHUNK ? p->r->n - from : CHUNK;
    if (from % (64 * CHUNK) == 0 && !bez_watch_ask(p->watch, worker)) BEZ_TRY(bez_watch_fail(err));
    load(p, from, rows, last, chunk);
    p->gram(chunk, rows, p->width, first, n, last, sum);
  }
  for (uint32_t i = 0; i < n; i++)
    for (uint32_t j = 0; j <= first + i; j++)
      p->out[(size_t)(first + i) * dim + j] = p->r->n ? sum[(size_t)i * p->width + j] / p->r->n : 0.0;
cleanup:
  free(sum);
  free(chunk);
  return st;
}

bez_status bez_rows_covariance(const bez_rows *r, const double *mean, const uint32_t *mean_of, const bez_team *team,
                               double *out, bez_error *err) {
  uint32_t dim = r->dim;
  product p = {.r = r,
               .mean = mean,
               .mean_of = mean_of,
               .width = padded(dim),
               .gram = bez_gram_choose(team->cpu),
               .watch = team->watch,
               .out = out};
  bez_status st =
      bez_parallel_watched((dim + COLUMNS - 1) / COLUMNS, team->threads, team->watch, covariance_task, &p, err);
  for (uint32_t i = 0; st == BEZ_OK && i < dim; i++)
    for (uint32_t j = 0; j < i; j++) out[(size_t)j * dim + i] = out[(size_t)i * dim + j];
  return st;
}

/* The map stands transposed (dim × width), so that the lanes are components. */
static bez_status project_task(void *ctx, uint64_t task, unsigned worker, bez_error *err) {
  const product *p = ctx;
  uint32_t from = (uint32_t)task * ROW_TILE, end = p->r->n - from < ROW_TILE ? p->r->n : from + ROW_TILE;
  double *sum = malloc(p->width * sizeof *sum);
  if (!sum) return bez_fail_memory(err, p->width * sizeof *sum);
  for (uint32_t i = from; i < end; i++) {
    const float *x = bez_rows_at(p->r, i);
    memset(sum, 0, p->width * sizeof *sum);
    for (uint32_t d = 0; d < p->r->dim; d++) {
      double value = (double)x[d] - p->mean[d];
      const double *row = p->map + (size_t)d * p->width;
      for (uint32_t k = 0; k < p->width; k++) sum[k] += value * row[k];
    }
    for (uint32_t k = 0; k < p->k; k++) p->projected[(size_t)i * p->k + k] = (float)sum[k];
  }
  free(sum);
  return BEZ_OK;
}

bez_status bez_rows_project(const bez_rows *r, const double *mean, const double *map, uint32_t k, const bez_team *team,
                            float *out, bez_error *err) {
  uint32_t width = padded(k);
  double *turned = calloc((size_t)r->dim * width + 1, sizeof *turned);
  if (!turned) return bez_fail_memory(err, (size_t)r->dim * width * sizeof *turned);
  for (uint32_t d = 0; d < r->dim; d++)
    for (uint32_t i = 0; i < k; i++) turned[(size_t)d * width + i] = map[(size_t)i * r->dim + d];
  product p = {.r = r, .mean = mean, .map = turned, .width = width, .k = k, .projected = out};
  bez_status st =
      bez_parallel_watched(r->n / ROW_TILE + (r->n % ROW_TILE != 0), team->threads, team->watch, project_task, &p, err);
  free(turned);
  return st;
}
