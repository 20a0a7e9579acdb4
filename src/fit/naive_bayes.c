#include "fit/naive_bayes.h"

#include <math.h>
#include <stdlib.h>

#include "base/error.h"
#include "base/large_pages.h"

#define PRIOR 1.0 /* a: rows' worth of belief that a feature says nothing */

bez_status bez_nb_create(uint32_t n_classes, unsigned log2_slots, bez_nb **out, bez_error *err) {
  *out = NULL;
  if (n_classes < 2 || n_classes > BEZ_NB_MAX_CLASSES || log2_slots < 8 || log2_slots > 26)
    return bez_fail(err, BEZ_USAGE, "naive Bayes", "%u classes and 2^%u slots are outside what it can hold", n_classes,
                    log2_slots);
  size_t slots = (size_t)1 << log2_slots;
  bez_nb *nb = calloc(1, sizeof *nb);
  if (nb) nb->count = calloc(slots * n_classes, sizeof *nb->count);
  if (!nb || !nb->count) {
    bez_nb_destroy(nb);
    return bez_fail_memory(err, slots * n_classes * sizeof *nb->count);
  }
  bez_wish_large_pages(nb->count, slots * n_classes * sizeof *nb->count);
  nb->n_classes = n_classes;
  nb->mask = (uint32_t)slots - 1;
  *out = nb;
  return BEZ_OK;
}

void bez_nb_destroy(bez_nb *nb) {
  if (!nb) return;
  free(nb->count);
  free(nb->log_in);
  free(nb->log_out);
  free(nb);
}

void bez_nb_add(bez_nb *nb, const bez_feature *features, size_t n, uint32_t k, int sign) {
  uint32_t by = (uint32_t)sign; /* wraps round for −1, which is what is meant */
  for (size_t i = 0; i < n; i++) {
    if (i + 16 < n) __builtin_prefetch(nb->count + (size_t)(features[i + 16].id & nb->mask) * nb->n_classes + k, 1);
    __atomic_fetch_add(nb->count + (size_t)(features[i].id & nb->mask) * nb->n_classes + k, by, __ATOMIC_RELAXED);
  }
}

void bez_nb_rows(bez_nb *nb, uint32_t k, int64_t rows) {
  nb->rows[k] += (uint64_t)rows;
  nb->n_rows += (uint64_t)rows;
}

bez_status bez_nb_prepare(bez_nb *nb, bez_error *err) {
  size_t n = (size_t)nb->n_classes * BEZ_NB_TABLE;
  if (!nb->log_in) nb->log_in = malloc(n * sizeof *nb->log_in);
  if (!nb->log_out) nb->log_out = malloc(n * sizeof *nb->log_out);
  if (!nb->log_in || !nb->log_out) return bez_fail_memory(err, n * sizeof *nb->log_in);
  for (uint32_t k = 0; k < nb->n_classes; k++) {
    double total = (double)nb->n_rows, in = (double)nb->rows[k];
    double share = total > 0 ? (in + 0.5) / (total + 1.0) : 0.5;
    nb->share[k] = share;
    for (uint32_t c = 0; c < BEZ_NB_TABLE; c++) {
      nb->log_in[(size_t)k * BEZ_NB_TABLE + c] = log(c + PRIOR * share);
      nb->log_out[(size_t)k * BEZ_NB_TABLE + c] = log(c + PRIOR * (1.0 - share));
    }
    nb->offset[k] = log(total - in + PRIOR * (1.0 - share)) - log(in + PRIOR * share);
  }
  return BEZ_OK;
}

double bez_nb_weight(const bez_nb *nb, uint32_t t, uint32_t n_in, uint32_t n_out) {
  double in = n_in < BEZ_NB_TABLE ? nb->log_in[(size_t)t * BEZ_NB_TABLE + n_in] : log(n_in + PRIOR * nb->share[t]);
  double out =
      n_out < BEZ_NB_TABLE ? nb->log_out[(size_t)t * BEZ_NB_TABLE + n_out] : log(n_out + PRIOR * (1.0 - nb->share[t]));
  return in - out + nb->offset[t];
}

double bez_nb_margin(const bez_nb *nb, const bez_feature *features, size_t n, uint32_t t, uint32_t own,
                     double *contribution) {
  double sum = 0;
  bool is_in = own == t, is_out = own != t && own != UINT32_MAX;
  for (size_t i = 0; i < n; i++) {
    if (i + 16 < n) __builtin_prefetch(nb->count + (size_t)(features[i + 16].id & nb->mask) * nb->n_classes);
    uint32_t n_in, n_out;
    bez_nb_counts(nb, features[i].id, t, &n_in, &n_out);
    if (is_in && n_in) n_in--;
    if (is_out && n_out) n_out--;
    double w = n_in | n_out ? bez_nb_weight(nb, t, n_in, n_out) : 0.0;
    if (contribution) contribution[i] = w;
    sum += w;
  }
  return sum;
}

double bez_nb_damp(double margin) {
  return margin / sqrt(1.0 + fabs(margin));
}

void bez_platt_fit(const double *x, const uint8_t *y, size_t n, double *a_out, double *b_out) {
  double a = 1.0, b = 0.0;
  for (unsigned step = 0; step < 30; step++) {
    double ga = 1e-3 * (1.0 - a), gb = -1e-3 * b, haa = 1e-3, hab = 0, hbb = 1e-3; /* a little ridge around (1, 0) */
    for (size_t i = 0; i < n; i++) {
      double p = 1.0 / (1.0 + exp(-(a * x[i] + b))), d = y[i] - p, h = p * (1.0 - p);
      ga += d * x[i];
      gb += d;
      haa += h * x[i] * x[i];
      hab += h * x[i];
      hbb += h;
    }
    double det = haa * hbb - hab * hab;
    if (!(det > 0)) break;
    double da = (ga * hbb - gb * hab) / det, db = (gb * haa - ga * hab) / det;
    double big = fabs(da) > fabs(db) ? fabs(da) : fabs(db), scale = big > 2.0 ? 2.0 / big : 1.0;
    a += da * scale;
    b += db * scale;
    if (big < 1e-9) break;
  }
  *a_out = a;
  *b_out = b;
}
