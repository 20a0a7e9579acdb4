/* The public face of the outlier methods. */
#include <string.h>

#include "base/cpu.h"
#include "base/error.h"
#include "bezoar/detect.h"
#include "fit/outliers.h"

static const char *const names[] = {"isolation-forest", "ecod", "copod", "robust-covariance"};

enum { N_METHODS = sizeof names / sizeof *names };

const char *bez_outlier_method_name(bez_outlier_method method) {
  return (unsigned)method < N_METHODS ? names[method] : NULL;
}

bool bez_outlier_method_parse(const char *name, bez_outlier_method *out) {
  for (unsigned i = 0; i < N_METHODS; i++) {
    if (strcmp(name, names[i]) != 0) continue;
    *out = (bez_outlier_method)i;
    return true;
  }
  return false;
}

bez_status bez_outlier_scores(const double *x, uint64_t n_rows, uint32_t n_cols, bez_outlier_method method,
                              const bez_outlier_options *options, double *score, bez_error *err) {
  static const bez_outlier_options defaults = {0};
  const bez_outlier_options *o = options ? options : &defaults;
  bez_matrix m = {x, n_rows, n_cols};
  bez_watch watch = {.progress = o->progress, .ctx = o->progress_ctx, .stage = "outliers", .unit = "tiles"};
  bez_outlier_params params = {.seed = o->seed,
                               .threads = o->threads,
                               .cpu = bez_cpu_features(),
                               .trees = o->trees,
                               .sample = o->sample,
                               .support = o->support,
                               .watch = &watch};
  switch (method) {
    case BEZ_OUTLIER_ISOLATION_FOREST: return bez_isolation_forest(&m, &params, score, err);
    case BEZ_OUTLIER_ECOD: return bez_ecod(&m, &params, score, err);
    case BEZ_OUTLIER_COPOD: return bez_copod(&m, &params, score, err);
    case BEZ_OUTLIER_ROBUST_COVARIANCE: return bez_robust_covariance(&m, &params, score, err);
  }
  return bez_fail(err, BEZ_USAGE, "outliers", "no such method");
}
