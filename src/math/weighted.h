/* Weighted sums of rows and distances to a point, tile by tile, in double whatever the rows are.
 *
 * Sums over coordinates run in eight lanes that are added in a fixed order; every instruction set gives the same bits.
 * Thread safe. */
#ifndef BEZ_MATH_WEIGHTED_H
#define BEZ_MATH_WEIGHTED_H

#include "bezoar/base.h"

typedef struct bez_weighted {
  /* z[c] += weight · x[c] */
  void (*add_f32)(const float *x, double weight, size_t len, double *z);
  void (*add_f64)(const double *x, double weight, size_t len, double *z);
  /* Σ_c (x[c] − z[c])² */
  double (*distance_f32)(const float *x, const double *z, size_t len);
  double (*distance_f64)(const double *x, const double *z, size_t len);
  /* no NaN, no infinity */
  bool (*finite_f32)(const float *x, size_t len);
  bool (*finite_f64)(const double *x, size_t len);
  /* out[c] = z[c] as float, the largest float where z is beyond */
  void (*narrow)(const double *z, size_t len, float *out);
} bez_weighted;

extern const bez_weighted bez_weighted_plain, bez_weighted_avx2, bez_weighted_avx512;

const bez_weighted *bez_weighted_choose(uint32_t cpu); /* the fastest of a feature mask (base/cpu.h) */

#endif
