/* Inner products around a weighted mean, from squared distances: what spectral rules work on. */
#ifndef BEZ_AGGREGATE_GRAM_H
#define BEZ_AGGREGATE_GRAM_H

#include "bezoar/base.h"

/* gram[i · n + j] = ⟨x_i − μ, x_j − μ⟩ with μ = Σ weight x / Σ weight, over the listed rows; distance: side × side
 * squared distances. Rows without weight do not enter μ, however far they lie. Gower, Biometrika 1966. scratch: n
 * doubles. */
void bez_gram_centred(const double *distance, uint32_t side, const uint32_t *list, uint32_t n, const double *weight,
                      double *scratch, double *gram);

/* The largest eigenvalue of the weighted covariance Σ weight (x − μ)(x − μ)ᵀ / Σ weight, and each row's squared
 * projection on its eigenvector. scratch: bez_gram_scratch(n) doubles. False: numbers that are not finite. */
size_t bez_gram_scratch(uint32_t n);
bool bez_gram_top(double *gram, uint32_t n, const double *weight, double *scratch, double *value, double *projection);

#endif
