/* A whole adapter in a few numbers, and the modules of it that stand out among their kind. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "audit/adapter.h"
#include "base/error.h"
#include "fit/median.h"

#define LEAST_GROUP 8u /* modules of a kind below which none can stand out */
#define LEAST_Z 6.0    /* docs/benchmarks/audit_models.md: what these two let through */
#define LEAST_RATIO 4.0
#define LEAST_SPREAD 0.1 /* of the logarithm: alike modules differ by so much anyway */

const char *const bez_lora_feature_names[BEZ_LORA_FEATURES] = {
    "size",             /* root mean square of all entries of the change */
    "largest-size",     /* … of the module where it is largest */
    "unevenness",       /* the heaviest module's squared norm against the mean */
    "largest-value",    /* the largest singular value of all */
    "concentration",    /* σ1² / Σσ², median of the modules */
    "largest-kurtosis", /* of the entries of a module */
    "largest-line"      /* the heaviest row or column of a module against its mean one */
};

static bool counts(const bez_lora_module *m) {
  return !m->skipped && m->norm > 0.0 && isfinite(m->norm);
}

static double rms_of(const bez_lora_module *m) {
  return m->norm / sqrt((double)m->rows) / sqrt((double)m->cols);
}

bez_status bez_lora_features(const bez_lora *lora, double out[BEZ_LORA_FEATURES], bool *any, bez_error *err) {
  double energy = 0.0, entries = 0.0, heaviest = 0.0, n = 0.0;
  size_t seen = 0;
  double *share = calloc(lora->n + 1, sizeof *share);
  if (!share) return bez_fail_memory(err, lora->n * sizeof *share);
  memset(out, 0, BEZ_LORA_FEATURES * sizeof *out);
  for (size_t i = 0; i < lora->n; i++) {
    const bez_lora_module *m = &lora->modules[i];
    if (!counts(m)) continue;
    n += 1.0;
    energy += m->norm * m->norm;
    heaviest = fmax(heaviest, m->norm * m->norm);
    entries += (double)m->rows * (double)m->cols;
    out[1] = fmax(out[1], rms_of(m));
    out[3] = fmax(out[3], m->top[0]);
    share[seen++] = m->top_share;
    out[5] = fmax(out[5], m->kurtosis); /* fmax passes over NaN */
    out[6] = fmax(out[6], fmax(m->row_share * (double)m->rows, m->col_share * (double)m->cols));
  }
  if (seen) {
    out[0] = sqrt(energy / entries);
    out[2] = heaviest / (energy / n);
    out[4] = bez_median(share, seen);
  }
  free(share);
  *any = seen > 0;
  return BEZ_OK;
}

/* ---- modules that stand out ---------------------------------------------------------------------------------------
 */

typedef struct entry {
  size_t module;
  const char *name;
  double log_rms;
} entry;

/* Names compared with every run of digits taken as one sign: the same module of another layer is equal. */
static int by_kind_only(const char *a, const char *b) {
  while (*a && *b) {
    const bool x = *a >= '0' && *a <= '9', y = *b >= '0' && *b <= '9';
    if (x != y || (!x && *a != *b)) return *a < *b ? -1 : 1;
    if (!x) {
      a++;
      b++;
      continue;
    }
    while (*a >= '0' && *a <= '9') a++;
    while (*b >= '0' && *b <= '9') b++;
  }
  return (*a != '\0') - (*b != '\0');
}

static int by_kind(const void *a, const void *b) {
  const entry *x = a, *y = b;
  const int order = by_kind_only(x->name, y->name);
  return order ? order : (x->module > y->module) - (x->module < y->module);
}

static int by_module(const void *a, const void *b) {
  const bez_lora_outlier *x = a, *y = b;
  return (x->module > y->module) - (x->module < y->module);
}

/* x: scratch for n numbers. */
static void judge(const entry *group, size_t n, double *x, bez_lora_outlier *out, size_t *n_out) {
  for (size_t i = 0; i < n; i++) x[i] = group[i].log_rms;
  const double middle = bez_median(x, n);
  for (size_t i = 0; i < n; i++) x[i] = fabs(group[i].log_rms - middle);
  const double spread = fmax(1.4826 * bez_median(x, n), LEAST_SPREAD);
  for (size_t i = 0; i < n; i++) {
    const double z = (group[i].log_rms - middle) / spread, ratio = exp(group[i].log_rms - middle);
    if (z < LEAST_Z || ratio < LEAST_RATIO) continue;
    out[(*n_out)++] = (bez_lora_outlier){.module = group[i].module, .ratio = ratio, .z = z, .group = n};
  }
}

bez_status bez_lora_outliers(const bez_lora *lora, bez_lora_outlier *out, size_t *n, bez_error *err) {
  entry *all = calloc(lora->n + 1, sizeof *all);
  double *x = calloc(lora->n + 1, sizeof *x);
  bez_status st = all && x ? BEZ_OK : bez_fail_memory(err, lora->n * sizeof *all);
  size_t used = 0;
  *n = 0;
  for (size_t i = 0; st == BEZ_OK && i < lora->n; i++)
    if (counts(&lora->modules[i]))
      all[used++] = (entry){.module = i, .name = lora->modules[i].name, .log_rms = log(rms_of(&lora->modules[i]))};
  if (used) qsort(all, used, sizeof *all, by_kind);
  for (size_t i = 0, end; i < used; i = end) {
    for (end = i + 1; end < used && by_kind_only(all[end].name, all[i].name) == 0;) end++;
    if (end - i >= LEAST_GROUP) judge(all + i, end - i, x, out, n);
  }
  if (*n) qsort(out, *n, sizeof *out, by_module);
  free(all);
  free(x);
  return st;
}
