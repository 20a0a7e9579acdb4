/* Inner products from distances, and the direction of the largest spread. */
#include "aggregate/gram.h"

#include <math.h>
#include <string.h>

#include "math/symeig.h"

double bez_cosine(const double *distance, uint32_t side, uint32_t a, uint32_t b) {
  double x = distance[(size_t)a * side + side - 1], y = distance[(size_t)b * side + side - 1];
  return x > 0 && y > 0 ? (x + y - distance[(size_t)a * side + b]) / 2 / sqrt(x) / sqrt(y) : 0;
}

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

/* W^½ G W^½ has the covariance's eigenvalues; its eigenvector u gives projections G W^½ u / √value. */
bool bez_gram_top(double *gram, uint32_t n, const double *weight, double *scratch, double *value, double *projection) {
  double *scaled = scratch, *values = scratch + (size_t)n * n, *spare = values + n, total = 0;
  for (uint32_t i = 0; i < n; i++) total += weight[i];
  for (uint32_t i = 0; i < n; i++)
    for (uint32_t j = 0; j < n; j++)
      scaled[(size_t)i * n + j] = weight[i] > 0 && weight[j] > 0
                                      ? sqrt(weight[i] / total) * sqrt(weight[j] / total) * gram[(size_t)i * n + j]
                                      : 0;
  if (!bez_symeig(scaled, n, values, spare)) return false;
  *value = values[0];
  for (uint32_t i = 0; i < n; i++) {
    double sum = 0;
    for (uint32_t j = 0; j < n; j++)
      if (weight[j] > 0) sum += gram[(size_t)i * n + j] * sqrt(weight[j] / total) * scaled[j];
    projection[i] = values[0] > 0 ? sum * sum / values[0] : 0;
  }
  return isfinite(values[0]);
}
