/* Data Shapley values of nearest-neighbour classifiers, exactly. R. Jia et al., "Efficient task-specific data valuation
 * for nearest neighbor algorithms", PVLDB 12 (2019), theorem 1: with the training points in ascending distance to a
 * test point,
 *
 *   s(N) = [label N is right] · min(K, N) / (K · N)
 *   s(i) = s(i + 1) + ([label i is right] − [label i + 1 is right]) / K · min(K, i) / i
 *
 * Equal distances are ordered by index. */
#ifndef BEZ_FIT_KNN_SHAPLEY_H
#define BEZ_FIT_KNN_SHAPLEY_H

#include "bezoar/base.h"

/* Adds one test point's values to value[n]. distance: n, not negative, no NaN; order and scratch: n entries each. */
void bez_knn_shapley_add(const float *distance, const uint32_t *label, uint32_t n, uint32_t right, uint32_t k,
                         uint64_t *order, uint64_t *scratch, double *value);

#endif
