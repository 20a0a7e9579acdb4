/* Ridge logistic regression by Newton's method on a sample of rows.
 *
 * A sample is enough for a few dozen coefficients; the weights themselves are counted over all rows. Each class is
 * drawn at its own rate, which shifts the intercept by the log ratio of the rates and nothing else (Prentice and
 * Pyke, Biometrika 66, 1979). */
#include "fit/woe_newton.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/hash.h"
#include "base/threads.h"
#include "math/spd.h"

#define LAMBDA 30.0
#define STEPS 8
#define SAMPLE_PER_CLASS 131072u
#define SAMPLE_CELLS (1u << 23) /* rows × columns of the sample, at most */
#define SAMPLE_ROWS_MIN 4096u
#define BLOCK_ROWS 2048u
#define SKIPPED 15u

typedef struct newton {
  const bez_woe *woe;
  const bez_table *table;
  const uint64_t *row; /* m sampled rows */
  const uint8_t *y;    /* m classes */
  float *x;            /* m × dim, intercept last */
  uint64_t m;
  uint32_t dim;
  const double *b;
  double *partial; /* per block: gradient (dim), then the lower triangle of the Hessian (dim²) */
} newton;

static bez_status gather_block(void *ctx, uint64_t block, unsigned worker, bez_error *err) {
  newton *c = ctx;
  uint64_t first = block * BLOCK_ROWS, end = first + BLOCK_ROWS < c->m ? first + BLOCK_ROWS : c->m;
  for (uint64_t i = first; i < end; i++) {
    float *x = c->x + i * c->dim;
    for (uint32_t f = 0; f + 1 < c->dim; f++) x[f] = bez_woe_term(c->woe, c->table, f, c->row[i]);
    x[c->dim - 1] = 1.0f;
  }
  return BEZ_OK;
}

static bez_status newton_block(void *ctx, uint64_t block, unsigned worker, bez_error *err) {
  newton *c = ctx;
  uint32_t dim = c->dim;
  double *gradient = c->partial + block * (dim + (size_t)dim * dim), *hessian = gradient + dim;
  memset(gradient, 0, (dim + (size_t)dim * dim) * sizeof *gradient);
  uint64_t first = block * BLOCK_ROWS, end = first + BLOCK_ROWS < c->m ? first + BLOCK_ROWS : c->m;
  for (uint64_t i = first; i < end; i++) {
    const float *x = c->x + i * dim;
    double z = 0;
    for (uint32_t j = 0; j < dim; j++) z += c->b[j] * (double)x[j];
    double p = 1.0 / (1.0 + exp(-z)), g = p - (double)c->y[i], w = p * (1.0 - p);
    for (uint32_t j = 0; j < dim; j++) {
      gradient[j] += g * (double)x[j];
      double wx = w * (double)x[j], *row = hessian + (size_t)j * dim;
      for (uint32_t k = 0; k <= j; k++) row[k] += wx * (double)x[k];
    }
  }
  return BEZ_OK;
}

/* Gradient and Hessian of the penalised loss at c->b, blocks added in order. */
static bez_status derivatives(newton *c, unsigned threads, double *gradient, double *hessian, bez_error *err) {
  uint64_t blocks = (c->m + BLOCK_ROWS - 1) / BLOCK_ROWS;
  size_t size = c->dim + (size_t)c->dim * c->dim;
  bez_status st = bez_parallel(blocks, threads, newton_block, c, err);
  if (st != BEZ_OK) return st;
  memset(gradient, 0, c->dim * sizeof *gradient);
  memset(hessian, 0, (size_t)c->dim * c->dim * sizeof *hessian);
  for (uint64_t k = 0; k < blocks; k++) {
    const double *part = c->partial + k * size;
    for (uint32_t j = 0; j < c->dim; j++) gradient[j] += part[j];
    for (size_t j = 0; j < size - c->dim; j++) hessian[j] += part[c->dim + j];
  }
  for (uint32_t j = 0; j + 1 < c->dim; j++) {
    gradient[j] += LAMBDA * c->b[j];
    hessian[(size_t)j * c->dim + j] += LAMBDA;
  }
  hessian[(size_t)c->dim * c->dim - 1] += 1e-6; /* the intercept is not shrunk; this keeps the factor regular */
  return BEZ_OK;
}

/* rate[class] and the rows drawn at it, ascending. */
static bez_status draw_sample(const bez_woe *woe, const uint8_t *stratum, double rate[2], uint64_t **row, uint8_t **y,
                              uint64_t *m, bez_error *err) {
  uint64_t n[2] = {woe->n_fit - woe->n_target, woe->n_target};
  double cells = (double)SAMPLE_CELLS / (woe->n_cols + 1) / 2, room = cells > SAMPLE_ROWS_MIN ? cells : SAMPLE_ROWS_MIN;
  if (room > SAMPLE_PER_CLASS) room = SAMPLE_PER_CLASS;
  uint64_t cut[2], expect = 0;
  for (int k = 0; k < 2; k++) {
    rate[k] = (double)n[k] > room ? room / (double)n[k] : 1.0;
    cut[k] = rate[k] >= 1.0 ? UINT64_MAX : (uint64_t)(rate[k] * 18446744073709549568.0);
    expect += (uint64_t)((double)n[k] * rate[k] * 1.1) + 4096;
  }
  *row = malloc(expect * sizeof **row);
  *y = malloc(expect);
  if (!*row || !*y) return bez_fail_memory(err, expect * sizeof **row);
  *m = 0;
  for (uint64_t i = 0; i < woe->n_rows && *m < expect; i++) {
    if (stratum[i] == SKIPPED) continue;
    uint32_t k = stratum[i] & 1;
    if (rate[k] < 1.0 && bez_mix64(i ^ (woe->seed * 0x9e3779b97f4a7c15ull + 77)) > cut[k]) continue;
    (*row)[*m] = i;
    (*y)[(*m)++] = (uint8_t)k;
  }
  return BEZ_OK;
}

static bez_status iterate(newton *c, double *b, double *gradient, double *hessian, unsigned threads, bez_error *err) {
  c->b = b;
  for (int step = 0; step < STEPS; step++) {
    bez_status st = derivatives(c, threads, gradient, hessian, err);
    if (st != BEZ_OK) return st;
    if (!bez_spd_factor(hessian, c->dim)) return bez_fail(err, BEZ_INTERNAL, NULL, "the model's Hessian is singular");
    bez_spd_solve(hessian, c->dim, gradient);
    double largest = 0;
    for (uint32_t j = 0; j < c->dim; j++) {
      b[j] -= gradient[j];
      if (fabs(gradient[j]) > largest) largest = fabs(gradient[j]);
    }
    if (largest < 1e-7) break;
  }
  return BEZ_OK;
}

bez_status bez_woe_newton(bez_woe *woe, const bez_table *table, const uint8_t *stratum, unsigned threads,
                          bez_error *err) {
  bez_status st = BEZ_OK;
  newton c = {.woe = woe, .table = table, .dim = woe->n_cols + 1};
  uint64_t *row = NULL;
  uint8_t *y = NULL;
  double rate[2], *work = NULL;
  size_t dim = c.dim, square = dim * dim;
  woe->intercept = woe->prior_logit;
  if (!woe->n_target || woe->n_target == woe->n_fit) return BEZ_OK; /* one class: nothing to learn */
  BEZ_TRY(draw_sample(woe, stratum, rate, &row, &y, &c.m, err));
  uint64_t blocks = (c.m + BLOCK_ROWS - 1) / BLOCK_ROWS;
  work = calloc(2 * dim + square, sizeof *work);
  c.x = malloc(c.m * dim * sizeof *c.x);
  c.partial = malloc(blocks * (dim + square) * sizeof *c.partial);
  if (!work || !c.x || !c.partial) BEZ_TRY(bez_fail_memory(err, c.m * dim * sizeof *c.x));
  c.row = row;
  c.y = y;
  BEZ_TRY(bez_parallel(blocks, threads, gather_block, &c, err));
  double *b = work, *gradient = b + dim, *hessian = gradient + dim;
  b[dim - 1] = woe->prior_logit + log(rate[1] / rate[0]);
  BEZ_TRY(iterate(&c, b, gradient, hessian, threads, err));
  bez_spd_inverse(hessian, c.dim, woe->inverse);
  memcpy(woe->coef, b, woe->n_cols * sizeof *b);
  woe->intercept = b[dim - 1] - log(rate[1] / rate[0]);
cleanup:
  free(row);
  free(y);
  free(work);
  free(c.x);
  free(c.partial);
  return st;
}
