/* HOG of every picture in the leading directions of a sample. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "fit/hog.h"
#include "fit/picture_labels.h"
#include "fit/subspace.h"
#include "math/dense.h"

#define TILE 64u
#define SQUARE 30.0 /* mean squared length of the features: sets the scale that the ridge's penalty is for */

typedef struct project {
  const bez_hog *hog;
  const uint32_t *rows; /* NULL: all */
  uint32_t n;
  const float *mean, *basis;
  float *out; /* n × BEZ_HOG_DIM or n × BEZ_PICTURE_DIM */
  bez_dense_fn dense;
} project;

uint32_t bez_picture_sample(uint64_t n_rows, uint32_t most, uint32_t *rows) {
  uint32_t n = n_rows < most ? (uint32_t)n_rows : most;
  for (uint32_t i = 0; i < n; i++) rows[i] = (uint32_t)((uint64_t)i * n_rows / n);
  return n;
}

static bez_status hog_tile(void *ctx, uint64_t tile, unsigned worker, bez_error *err) {
  (void)worker;
  (void)err;
  const project *p = ctx;
  uint32_t first = (uint32_t)tile * TILE, end = p->n - first < TILE ? p->n : first + TILE;
  for (uint32_t i = first; i < end; i++) bez_hog_row(p->hog, p->rows[i], p->out + (size_t)i * BEZ_HOG_DIM);
  return BEZ_OK;
}

static bez_status project_tile(void *ctx, uint64_t tile, unsigned worker, bez_error *err) {
  (void)worker;
  const project *p = ctx;
  uint32_t first = (uint32_t)tile * TILE, n = p->n - first < TILE ? p->n - first : TILE;
  float *hog = malloc((size_t)TILE * BEZ_HOG_DIM * sizeof *hog);
  if (!hog) return bez_fail_memory(err, (size_t)TILE * BEZ_HOG_DIM * sizeof *hog);
  for (uint32_t i = 0; i < n; i++) {
    float *row = hog + (size_t)i * BEZ_HOG_DIM;
    bez_hog_row(p->hog, first + i, row);
    for (uint32_t d = 0; d < BEZ_HOG_DIM; d++) row[d] -= p->mean[d];
  }
  float *out = p->out + (size_t)first * BEZ_PICTURE_DIM;
  for (uint32_t c = 0; c < BEZ_PICTURE_DIM; c += BEZ_DENSE_LANES)
    p->dense(&(bez_dense){.rows = n,
                          .depth = BEZ_HOG_DIM,
                          .a = hog,
                          .a_row = BEZ_HOG_DIM,
                          .a_step = 1,
                          .b = p->basis + c,
                          .b_step = BEZ_PICTURE_DIM,
                          .out = out + c,
                          .out_row = BEZ_PICTURE_DIM});
  for (uint32_t i = 0; i < n; i++) out[(size_t)i * BEZ_PICTURE_DIM + BEZ_PICTURE_DIM - 1] = 1.0f;
  free(hog);
  return BEZ_OK;
}

/* Scales the directions so that the rows' mean squared length is SQUARE. rows: centred sample. */
static void scale_basis(const float *rows, uint32_t n, float *basis, bez_dense_fn dense) {
  float part[BEZ_DENSE_LANES];
  double square = 0;
  for (uint32_t i = 0; i < n; i++)
    for (uint32_t c = 0; c < BEZ_PICTURE_DIM; c += BEZ_DENSE_LANES) {
      dense(&(bez_dense){.rows = 1,
                         .depth = BEZ_HOG_DIM,
                         .a = rows + (size_t)i * BEZ_HOG_DIM,
                         .a_step = 1,
                         .b = basis + c,
                         .b_step = BEZ_PICTURE_DIM,
                         .out = part});
      for (uint32_t l = 0; l < BEZ_DENSE_LANES; l++)
        square += c + l + 1 < BEZ_PICTURE_DIM ? (double)part[l] * (double)part[l] : 0;
    }
  float scale = square > 0 ? (float)sqrt(SQUARE * n / square) : 0;
  for (size_t i = 0; i < (size_t)BEZ_HOG_DIM * BEZ_PICTURE_DIM; i++) basis[i] *= scale;
}

bez_status bez_picture_features(const bez_images *images, unsigned threads, uint32_t cpu, bez_watch *watch, float *out,
                                bez_error *err) {
  bez_status st = BEZ_OK;
  bez_hog *hog = NULL;
  uint32_t *rows = malloc(BEZ_PICTURE_SAMPLE * sizeof *rows);
  uint32_t n = rows ? bez_picture_sample(images->n, BEZ_PICTURE_SAMPLE, rows) : 0;
  size_t cells = (size_t)BEZ_HOG_DIM * (n + 1);
  float *sample = malloc(cells * sizeof *sample), *mean = malloc(BEZ_HOG_DIM * sizeof *mean),
        *basis = malloc((size_t)BEZ_HOG_DIM * BEZ_PICTURE_DIM * sizeof *basis);
  if (!rows || !sample || !mean || !basis) {
    st = bez_fail_memory(err, cells * sizeof *sample);
    goto cleanup;
  }
  BEZ_TRY(bez_hog_create(images, &hog, err));
  project p = {.hog = hog, .rows = rows, .n = n, .out = sample, .dense = bez_dense_choose(cpu)};
  BEZ_TRY(bez_parallel_watched((n + TILE - 1) / TILE, threads, watch, hog_tile, &p, err));
  BEZ_TRY(bez_subspace_fit(sample, n, BEZ_HOG_DIM, BEZ_PICTURE_DIM, threads, cpu, mean, basis, err));
  scale_basis(sample, n, basis, p.dense);
  p = (project){.hog = hog, .n = (uint32_t)images->n, .mean = mean, .basis = basis, .out = out, .dense = p.dense};
  BEZ_TRY(bez_parallel_watched((p.n + TILE - 1) / TILE, threads, watch, project_tile, &p, err));
cleanup:
  bez_hog_destroy(hog);
  free(rows);
  free(sample);
  free(mean);
  free(basis);
  return st;
}
