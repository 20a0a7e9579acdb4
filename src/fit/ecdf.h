/* Sums over columns of a function of each value's two empirical tails: what ECOD and COPOD share. */
#ifndef BEZ_FIT_ECDF_H
#define BEZ_FIT_ECDF_H

#include "fit/outliers.h"

/* What a column adds to a row. low = −ln share of values ≤ x, high = −ln share ≥ x; skew: sign of the column's third
 * central moment, −1, 0, 1. */
typedef double (*bez_ecdf_fn)(double low, double high, int skew);

BEZ_MUST_USE bez_status bez_ecdf_sum(const bez_matrix *m, const bez_outlier_params *params, bez_ecdf_fn fn,
                                     const char *stage, double *score, bez_error *err);

#endif
