/* Inner products from distances, and the direction of the largest spread. */
#include "aggregate/gram.h"

#include <math.h>
#include <string.h>

#include "math/lanczos.h"
#include "math/symeig.h"

#define DENSE 64u /* up to here all eigenvalues cost no more than the largest alone */

void bez_gram_centred(const double *distance, uint32_t side, const uint32_t *list, uint32_t n, const double *weight,
                      double *scratch, double *gram) {
  double total = 0, mean = 0;
  for (uint32_t i = 0; i < n; i++) total += weight[i];
  for (uint32_t i = 0; i < n; i++) {
    scratch[i] = 0;
    for (uint32_t j = 0; j < n; j++)
      if (weight[j] > 0) scratch[i] += weight[j] / total * distance[(size_t)list[i] * side + list[j]];
  }
  for (uint32_t i = 0; i < n; i++)
    if (weight[i] > 0) mean += weight[i] / total * scratch[i];
  for (uint32_t i = 0; i < n; i++)
    for (uint32_t j = 0; j < n; j++)
      gram[(size_t)i * n + j] = (scratch[i] + scratch[j] - mean - distance[(size_t)list[i] * side + list[j]]) / 2;
}

size_t bez_gram_scratch(uint32_t n) {
  return (size_t)n * n + 3 * (size_t)n + (n > DENSE ? bez_lanczos_scratch(n) : n);
}

/* a may be overwritten. */
static bool top(double *a, uint32_t n, double *values, double *vector, double *spare) {
  if (n > DENSE && bez_lanczos_top(a, n, values, vector, spare)) return true;
  if (!bez_symeig(a, n, values, spare)) return false;
  memcpy(vector, a, n * sizeof *vector);
  return true;
}

/* W^½ G W^½ has the covariance's eigenvalues; its eigenvector u gives projections G W^½ u / √value. */
bool bez_gram_top(double *gram, uint32_t n, const double *weight, double *scratch, double *value, double *projection) {
  double *scaled = scratch, *root = scratch + (size_t)n * n, *values = root + n, *vector = values + n, total = 0;
  for (uint32_t i = 0; i < n; i++) total += weight[i];
  for (uint32_t i = 0; i < n; i++) root[i] = weight[i] > 0 ? sqrt(weight[i] / total) : 0;
  for (uint32_t i = 0; i < n; i++)
    for (uint32_t j = 0; j < n; j++) /* a row without weight may be anything */
      scaled[(size_t)i * n + j] = root[i] > 0 && root[j] > 0 ? root[i] * root[j] * gram[(size_t)i * n + j] : 0;
  if (!top(scaled, n, values, vector, vector + n)) return false;
  *value = values[0];
  for (uint32_t i = 0; i < n; i++) {
    double sum = 0;
    for (uint32_t j = 0; j < n; j++)
      if (root[j] > 0) sum += gram[(size_t)i * n + j] * root[j] * vector[j];
    projection[i] = values[0] > 0 ? sum * sum / values[0] : 0;
  }
  return isfinite(values[0]);
}
