/* Weighted sums of rows and distances to them, tile by tile, in double whatever the rows are.
 *
 * A sum takes its rows in order, each product and each sum rounded on its own (mixes: both at once); sums over
 * coordinates run in eight lanes that are added in a fixed order: every instruction set gives the same bits. Thread
 * safe. */
#ifndef BEZ_MATH_WEIGHTED_H
#define BEZ_MATH_WEIGHTED_H

#include "bezoar/base.h"

#define BEZ_WEIGHTED_LANES 8u

/* One weighted sum of `used` rows, and the distances of n rows (none: n = 0) to it. */
typedef struct bez_weighted_sum {
  const void *const *used; /* n_used rows of float or double */
  const double *weight;    /* n_used */
  double scale;            /* of the sum */
  const void *const *row;  /* n */
  uint32_t n_used, n;
  double *lanes; /* n × BEZ_WEIGHTED_LANES, scratch */
} bez_weighted_sum;

typedef struct bez_weighted {
  /* z[c] = scale · Σ_k weight[k] · used[k][c]; square[i] += Σ_c (row[i][c] − z[c])² */
  void (*combine_f32)(const bez_weighted_sum *s, size_t len, double *z, double *square);
  void (*combine_f64)(const bez_weighted_sum *s, size_t len, double *z, double *square);
  /* out[k][c] = scale[k] · Σ_i weight[k · n + i] · row[i][c], k < n_out; f32: the largest float where that is beyond */
  void (*mix_f32)(const void *const *row, uint32_t n, const double *weight, const double *scale, uint32_t n_out,
                  size_t len, float *const *out);
  void (*mix_f64)(const void *const *row, uint32_t n, const double *weight, const double *scale, uint32_t n_out,
                  size_t len, double *const *out);
  /* no NaN, no infinity */
  bool (*finite_f32)(const float *x, size_t len);
  bool (*finite_f64)(const double *x, size_t len);
  /* out[c] = z[c] as float, the largest float where z is beyond */
  void (*narrow)(const double *z, size_t len, float *out);
} bez_weighted;

extern const bez_weighted bez_weighted_plain, bez_weighted_avx2, bez_weighted_avx512;

const bez_weighted *bez_weighted_choose(uint32_t cpu); /* the fastest of a feature mask (base/cpu.h) */

#endif
