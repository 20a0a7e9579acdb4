/* Order statistics in place, and what stands for a missing number. */
#ifndef BEZ_FIT_MEDIAN_H
#define BEZ_FIT_MEDIAN_H

#include "fit/outliers.h"

/* The k-th smallest (0-based) of n > k numbers without NaN, which are reordered: those before it are no larger, those
 * behind it no smaller. O(n) expected. */
double bez_select(double *x, uint64_t n, uint64_t k);
/* The mean of the two middle ones where n is even; NaN for n = 0. Reorders. */
double bez_median(double *x, uint64_t n);

/* fill[c]: the median of the column's numbers where any is missing, else 0. */
BEZ_MUST_USE bez_status bez_missing_fill(const bez_matrix *m, float *fill, bez_error *err);

#endif
