#include "audit/final_layer_test.h"

#include <math.h>
#include <stdlib.h>

#include "base/error.h"
#include "base/rng.h"
#include "fit/median.h"
#include "math/tails.h"

#define DRAWS 9999u
#define ENOUGH 20u /* draws as large as the layer's, after which p is known well enough */
#define DRAWN_CLASSES 1000u
#define SKEW 2.4 /* of the statistic of normal weights, times √width (simulated, widths from 24 to 512) */

static void statistics(const float *row, const double *unit, uint32_t width, double *positive, double *mean) {
  double sum = 0.0, above = 0.0, square = 0.0;
  for (uint32_t k = 0; k < width; k++) {
    const double w = (double)row[k] * (unit ? unit[k] : 1.0);
    sum += w;
    above += fmax(w, 0.0);
  }
  *mean = sum / width;
  for (uint32_t k = 0; k < width; k++) {
    const double off = (double)row[k] * (unit ? unit[k] : 1.0) - *mean;
    square += off * off;
  }
  *positive = above / width / sqrt(square / width); /* NaN for a row of equal weights */
}

/* Robust z of x[at]; scratch: n. NaN where half of the numbers are equal. */
static double robust_z(const double *x, uint32_t n, uint32_t at, double *scratch) {
  for (uint32_t i = 0; i < n; i++) scratch[i] = x[i];
  const double middle = bez_median(scratch, n);
  for (uint32_t i = 0; i < n; i++) scratch[i] = fabs(x[i] - middle);
  const double spread = 1.4826 * bez_median(scratch, n);
  return spread > 0.0 ? (x[at] - middle) / spread : NAN;
}

static uint32_t largest(const double *x, uint32_t n) {
  uint32_t at = 0;
  for (uint32_t i = 1; i < n; i++)
    if (x[i] > x[at]) at = i;
  return at;
}

/* The statistic is skewed to the right the more, the fewer features there are. Wilson and Hilferty's cube root makes
 * its law normal: x ← the classes' statistics, standardised and straightened. False where they cannot be. */
static bool straighten(double *x, uint32_t n, double features, double *scratch) {
  const double root = 2.0 * sqrt(features) / SKEW; /* √shape of the gamma law with that skewness */
  for (uint32_t i = 0; i < n; i++) scratch[i] = x[i];
  const double middle = bez_median(scratch, n);
  for (uint32_t i = 0; i < n; i++) scratch[i] = fabs(x[i] - middle);
  const double spread = 1.4826 * bez_median(scratch, n);
  for (uint32_t i = 0; i < n && spread > 0.0; i++)
    x[i] = 3.0 * root * (cbrt(1.0 + (x[i] - middle) / spread / root) - 1.0);
  return spread > 0.0;
}

/* How many features of equal weight the units are worth. */
static double features_of(const double *unit, uint32_t width) {
  double square = 0.0, fourth = 0.0;
  for (uint32_t k = 0; unit && k < width; k++) {
    square += unit[k] * unit[k];
    fourth += unit[k] * unit[k] * unit[k] * unit[k];
  }
  return fourth > 0.0 ? square * (square / fourth) : width;
}

static double p_of(double z, uint32_t n, double *x, double *scratch) {
  uint32_t as_large = 0, drawn = 0;
  if (n > DRAWN_CLASSES) return -expm1((double)n * log1p(-exp(bez_normal_log_sf(z))));
  bez_rng rng = bez_rng_make(0, n);
  for (; drawn < DRAWS && as_large < ENOUGH; drawn++) {
    for (uint32_t i = 0; i < n; i++) x[i] = bez_rng_normal(&rng);
    as_large += robust_z(x, n, largest(x, n), scratch) >= z;
  }
  return as_large == ENOUGH ? (double)as_large / drawn : (as_large + 1.0) / (drawn + 1.0);
}

bez_status bez_class_outlier_find(const float *weights, const double *unit, uint32_t classes, uint32_t width,
                                  bez_class_outlier *out, bez_error *err) {
  double *x = calloc(3 * (size_t)classes, sizeof *x);
  bool finite = true;
  *out = (bez_class_outlier){.p = 1.0};
  if (!x) return bez_fail_memory(err, 3 * (size_t)classes * sizeof *x);
  double *mean = x + classes, *scratch = mean + classes;
  for (uint32_t c = 0; c < classes; c++) {
    statistics(weights + (size_t)c * width, unit, width, &x[c], &mean[c]);
    finite = finite && isfinite(x[c]) && isfinite(mean[c]);
  }
  if (finite) {
    out->row = largest(x, classes);
    out->any = straighten(x, classes, features_of(unit, width), scratch);
    out->z = robust_z(x, classes, out->row, scratch);
    out->mean_z = robust_z(mean, classes, out->row, scratch);
    out->any = out->any && !isnan(out->z);
  }
  if (out->any) out->p = p_of(out->z, classes, x, scratch);
  free(x);
  return BEZ_OK;
}
