/* Squared Euclidean distances between all pairs of n long rows, tile by tile: the inner loop of Krum and its kin.
 *
 * Differences are taken first and squared then, so rows that lie far from zero and close together keep their digits
 * (|x|² + |y|² − 2xy would not). A tile's differences and sums of squares (multiplied and added with one rounding)
 * are in the rows' own type, in sixteen (f64:
 * eight) lanes that are added in a fixed order in double; where such a sum leaves the range in which it is precise, the
 * tile's pair is done again in double. So every instruction set gives the same bits. Thread safe. */
#ifndef BEZ_MATH_DISTANCE_H
#define BEZ_MATH_DISTANCE_H

#include "bezoar/base.h"

#define BEZ_DISTANCE_TILE 1024u /* coordinates; no call takes more */

/* out[i · n + j] += Σ_c (rows[i][c] − rows[j][c])² for i < j < n, c < len ≤ BEZ_DISTANCE_TILE. Rows with NaN or
 * infinity make their own pairs NaN or infinite, no others. */
typedef void (*bez_distance_f32_fn)(const float *const *rows, uint32_t n, size_t len, double *out);
typedef void (*bez_distance_f64_fn)(const double *const *rows, uint32_t n, size_t len, double *out);

bez_distance_f32_fn bez_distance_f32(uint32_t cpu); /* the fastest of a feature mask (base/cpu.h) */
bez_distance_f64_fn bez_distance_f64(uint32_t cpu);

#define BEZ_DISTANCE_KERNELS(isa)                                                                                      \
  void bez_distance_f32_##isa(const float *const *rows, uint32_t n, size_t len, double *out);                          \
  void bez_distance_f64_##isa(const double *const *rows, uint32_t n, size_t len, double *out);
BEZ_DISTANCE_KERNELS(plain)
BEZ_DISTANCE_KERNELS(avx2)
BEZ_DISTANCE_KERNELS(avx512)

/* The double precision way for one pair, also the reference of the tests. */
double bez_distance_pair_f32(const float *x, const float *y, size_t len);
double bez_distance_pair_f64(const double *x, const double *y, size_t len);

#endif
