#include "audit/final_layer_test.h"

#include <math.h>
#include <stdlib.h>

#include "base/error.h"
#include "base/rng.h"
#include "fit/median.h"
#include "math/tails.h"

#define DRAWS 9999u
#define DRAWN_CLASSES 200u

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

static double p_of(double z, uint32_t n, double *x, double *scratch) {
  uint32_t as_large = 0;
  if (n > DRAWN_CLASSES) return -expm1((double)n * log1p(-exp(bez_normal_log_sf(z))));
  bez_rng rng = bez_rng_make(0, n);
  for (uint32_t draw = 0; draw < DRAWS; draw++) {
    for (uint32_t i = 0; i < n; i++) x[i] = bez_rng_normal(&rng);
    as_large += robust_z(x, n, largest(x, n), scratch) >= z;
  }
  return (as_large + 1.0) / (DRAWS + 1.0);
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
    out->z = robust_z(x, classes, out->row, scratch);
    out->mean_z = robust_z(mean, classes, out->row, scratch);
    out->any = !isnan(out->z);
  }
  if (out->any) out->p = p_of(out->z, classes, x, scratch);
  free(x);
  return BEZ_OK;
}
