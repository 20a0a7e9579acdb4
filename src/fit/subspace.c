#include "fit/subspace.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/rng.h"
#include "base/threads.h"
#include "math/dense.h"

#define BLOCK 256u
#define ITERATIONS 16u
#define LANES BEZ_DENSE_LANES
#define STREAM 0x73756273ull

typedef struct job {
  const float *rows;
  uint32_t n, dim, k;
  double *covariance;
  const float *matrix, *from; /* dim × dim, dim × k */
  float *to;                  /* dim × k */
  bez_dense_fn dense;
} job;

/* Sixteen columns of the covariance. */
static bez_status covariance_tile(void *ctx, uint64_t tile, unsigned worker, bez_error *err) {
  (void)worker;
  const job *j = ctx;
  float *part = malloc((size_t)j->dim * LANES * sizeof *part);
  if (!part) return bez_fail_memory(err, (size_t)j->dim * LANES * sizeof *part);
  double *out = j->covariance + tile * LANES;
  for (uint32_t r = 0; r < j->dim; r++) memset(out + (size_t)r * j->dim, 0, LANES * sizeof *out);
  for (uint32_t first = 0; first < j->n; first += BLOCK) {
    const float *block = j->rows + (size_t)first * j->dim;
    j->dense(&(bez_dense){.rows = j->dim,
                          .depth = j->n - first < BLOCK ? j->n - first : BLOCK,
                          .a = block,
                          .a_row = 1,
                          .a_step = j->dim,
                          .b = block + tile * LANES,
                          .b_step = j->dim,
                          .out = part,
                          .out_row = LANES});
    for (uint32_t r = 0; r < j->dim; r++)
      for (unsigned l = 0; l < LANES; l++) out[(size_t)r * j->dim + l] += (double)part[r * LANES + l];
  }
  for (uint32_t r = 0; r < j->dim; r++)
    for (unsigned l = 0; l < LANES; l++) out[(size_t)r * j->dim + l] /= j->n;
  free(part);
  return BEZ_OK;
}

bez_status bez_covariance(const float *rows, uint32_t n, uint32_t dim, unsigned threads, uint32_t cpu,
                          double *covariance, bez_error *err) {
  if (dim % LANES != 0 || n == 0) return bez_fail(err, BEZ_USAGE, "covariance", "shape");
  job j = {.rows = rows, .n = n, .dim = dim, .covariance = covariance, .dense = bez_dense_choose(cpu)};
  return bez_parallel(dim / LANES, threads, covariance_tile, &j, err);
}

static bez_status apply_tile(void *ctx, uint64_t tile, unsigned worker, bez_error *err) {
  (void)worker;
  (void)err;
  const job *j = ctx;
  j->dense(&(bez_dense){.rows = j->dim,
                        .depth = j->dim,
                        .a = j->matrix,
                        .a_row = j->dim,
                        .a_step = 1,
                        .b = j->from + tile * LANES,
                        .b_step = j->k,
                        .out = j->to + tile * LANES,
                        .out_row = j->k});
  return BEZ_OK;
}

static double column_product(const float *v, uint32_t dim, uint32_t k, uint32_t a, uint32_t b) {
  double sum = 0;
  for (uint32_t d = 0; d < dim; d++) sum += (double)v[(size_t)d * k + a] * (double)v[(size_t)d * k + b];
  return sum;
}

/* Products of column `c` with all columns before it, in one pass over the rows. */
static void project_out(float *v, uint32_t dim, uint32_t k, uint32_t c, double *product) {
  memset(product, 0, c * sizeof *product);
  for (uint32_t d = 0; d < dim; d++) {
    const float *row = v + (size_t)d * k;
    for (uint32_t b = 0; b < c; b++) product[b] += (double)row[c] * (double)row[b];
  }
  for (uint32_t d = 0; d < dim; d++) {
    float *row = v + (size_t)d * k;
    double off = 0;
    for (uint32_t b = 0; b < c; b++) off += product[b] * (double)row[b];
    row[c] = (float)((double)row[c] - off);
  }
}

void bez_orthonormal(float *v, uint32_t dim, uint32_t k) {
  double product[512];
  for (uint32_t c = 0; c < k && c < 512; c++) {
    double before = column_product(v, dim, k, c, c);
    project_out(v, dim, k, c, product);
    project_out(v, dim, k, c, product);
    double square = column_product(v, dim, k, c, c);
    double scale = square > 1e-12 * before && square > 0 ? 1 / sqrt(square) : 0;
    for (uint32_t d = 0; d < dim; d++) v[(size_t)d * k + c] = (float)((double)v[(size_t)d * k + c] * scale);
  }
}

static void centre(float *rows, uint32_t n, uint32_t dim, float *mean, double *sum) {
  memset(sum, 0, dim * sizeof *sum);
  for (uint32_t i = 0; i < n; i++)
    for (uint32_t d = 0; d < dim; d++) sum[d] += (double)rows[(size_t)i * dim + d];
  for (uint32_t d = 0; d < dim; d++) mean[d] = (float)(sum[d] / n);
  for (uint32_t i = 0; i < n; i++)
    for (uint32_t d = 0; d < dim; d++) rows[(size_t)i * dim + d] -= mean[d];
}

bez_status bez_subspace_fit(float *rows, uint32_t n, uint32_t dim, uint32_t k, unsigned threads, uint32_t cpu,
                            float *mean, float *basis, bez_error *err) {
  if (n == 0 || dim % LANES != 0 || k % LANES != 0 || k > dim || k > 512)
    return bez_fail(err, BEZ_USAGE, "subspace", "shape");
  bez_status st = BEZ_OK;
  size_t cells = (size_t)dim * dim;
  double *covariance = malloc(cells * sizeof *covariance);
  float *matrix = malloc(cells * sizeof *matrix), *next = malloc((size_t)dim * k * sizeof *next);
  if (!covariance || !matrix || !next) {
    st = bez_fail_memory(err, cells * sizeof *covariance);
    goto cleanup;
  }
  centre(rows, n, dim, mean, covariance);
  BEZ_TRY(bez_covariance(rows, n, dim, threads, cpu, covariance, err));
  for (size_t i = 0; i < cells; i++) matrix[i] = (float)covariance[i];
  bez_rng rng = bez_rng_make(1, STREAM);
  for (size_t i = 0; i < (size_t)dim * k; i++) basis[i] = (float)(bez_rng_unit(&rng) - .5);
  job j = {.dim = dim, .k = k, .matrix = matrix, .from = basis, .to = next, .dense = bez_dense_choose(cpu)};
  for (unsigned i = 0; i < ITERATIONS; i++) {
    BEZ_TRY(bez_parallel(k / LANES, threads, apply_tile, &j, err));
    bez_orthonormal(next, dim, k);
    memcpy(basis, next, (size_t)dim * k * sizeof *basis);
  }
cleanup:
  free(covariance);
  free(matrix);
  free(next);
  return st;
}
