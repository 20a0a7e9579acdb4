/* The leading principal subspace of rows: orthogonal iteration on their covariance, in fixed order (Golub and Van Loan,
 * Matrix Computations, 8.2). Directions come out in descending order of variance, nearly; what is exact is that they
 * are orthonormal and the same for any number of threads and any instruction set. */
#ifndef BEZ_FIT_SUBSPACE_H
#define BEZ_FIT_SUBSPACE_H

#include "bezoar/base.h"

/* rows: n × dim, row major, dim a multiple of 16; they are centred in place. basis: dim × k, column j is direction j (k
 * a multiple of 16, k ≤ dim). mean: dim. BEZ_USAGE for other shapes. O(n · dim² + iterations · dim² · k). */
BEZ_MUST_USE bez_status bez_subspace_fit(float *rows, uint32_t n, uint32_t dim, uint32_t k, unsigned threads,
                                         uint32_t cpu, float *mean, float *basis, bez_error *err);

/* covariance (dim × dim) = rowsᵀ · rows / n of centred rows: double sums of float sums over 256 rows each. */
BEZ_MUST_USE bez_status bez_covariance(const float *rows, uint32_t n, uint32_t dim, unsigned threads, uint32_t cpu,
                                       double *covariance, bez_error *err);

/* Makes the k columns of v (dim × k) orthonormal, first to last, twice (so that rounding does not add up); a column
 * that vanishes becomes zero. */
void bez_orthonormal(float *v, uint32_t dim, uint32_t k);

#endif
