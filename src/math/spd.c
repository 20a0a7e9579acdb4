/* Cholesky factor, solve and inverse. n is the number of columns of a model: tens to a few hundred. */
#include "math/spd.h"

#include <math.h>
#include <stddef.h>

bool bez_spd_factor(double *a, uint32_t n) {
  for (uint32_t j = 0; j < n; j++) {
    double *row_j = a + (size_t)j * n;
    double d = row_j[j];
    for (uint32_t k = 0; k < j; k++) d -= row_j[k] * row_j[k];
    if (!(d > 0.0) || !isfinite(d)) return false;
    d = sqrt(d);
    row_j[j] = d;
    for (uint32_t i = j + 1; i < n; i++) {
      double *row_i = a + (size_t)i * n;
      double s = row_i[j];
      for (uint32_t k = 0; k < j; k++) s -= row_i[k] * row_j[k];
      row_i[j] = s / d;
    }
  }
  return true;
}

void bez_spd_solve(const double *factor, uint32_t n, double *b) {
  for (uint32_t i = 0; i < n; i++) {
    double s = b[i];
    for (uint32_t k = 0; k < i; k++) s -= factor[(size_t)i * n + k] * b[k];
    b[i] = s / factor[(size_t)i * n + i];
  }
  for (uint32_t i = n; i-- > 0;) {
    double s = b[i];
    for (uint32_t k = i + 1; k < n; k++) s -= factor[(size_t)k * n + i] * b[k];
    b[i] = s / factor[(size_t)i * n + i];
  }
}

void bez_spd_inverse(const double *factor, uint32_t n, double *inverse) {
  /* The inverse is symmetric: the solution for unit vector c is column c and row c alike. */
  for (uint32_t c = 0; c < n; c++) {
    double *x = inverse + (size_t)c * n;
    for (uint32_t i = 0; i < n; i++) x[i] = i == c ? 1.0 : 0.0;
    bez_spd_solve(factor, n, x);
  }
}
