#include "detect/label_model.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "fit/boost.h"

typedef struct sized {
  uint32_t code, rows;
} sized;

static int by_rows(const void *x, const void *y) {
  const sized *a = x, *b = y;
  if (a->rows != b->rows) return a->rows < b->rows ? 1 : -1;
  return a->code < b->code ? -1 : a->code > b->code;
}

static int by_code(const void *x, const void *y) {
  const sized *a = x, *b = y;
  return a->code < b->code ? -1 : a->code > b->code;
}

/* The most frequent labels with rows enough, in ascending order of their codes. */
static bez_status choose_classes(const bez_detect_input *in, bez_label_model *m, bez_error *err) {
  const bez_column *label = &in->table->cols[in->label];
  size_t n = (size_t)label->n_values + 1;
  sized *all = malloc(n * sizeof *all);
  m->class_of_code = malloc(n * sizeof *m->class_of_code);
  m->class_code = malloc(BEZ_JUDGED_CLASSES * sizeof *m->class_code);
  if (!all || !m->class_of_code || !m->class_code) {
    free(all);
    return bez_fail_memory(err, n * 12);
  }
  uint32_t found = 0;
  for (uint32_t code = 0; code < label->n_values; code++) {
    m->class_of_code[code] = BEZ_CLASS_NONE;
    if (code >= BEZ_CODE_FIRST && label->count[code] >= BEZ_JUDGED_ROWS)
      all[found++] = (sized){code, label->count[code]};
    if (code >= BEZ_CODE_FIRST && label->count[code] > 0) m->n_labels_left++;
  }
  qsort(all, found, sizeof *all, by_rows);
  m->n_classes = found < BEZ_JUDGED_CLASSES ? found : BEZ_JUDGED_CLASSES;
  qsort(all, m->n_classes, sizeof *all, by_code);
  for (uint32_t k = 0; k < m->n_classes; k++) {
    m->class_code[k] = all[k].code;
    m->class_of_code[all[k].code] = k;
  }
  m->n_labels_left -= m->n_classes;
  free(all);
  return BEZ_OK;
}

/* Neighbouring codes share a bin. Values of more than a bin's share of the rows stand alone, and the bins left are
 * shared out among the rows left: a column that is mostly zero is still resolved where it is not. */
static bez_status make_bins(const bez_column *col, uint64_t n_rows, uint8_t **out, bez_error *err) {
  uint8_t *bin = malloc((size_t)col->n_values + 1);
  *out = bin;
  if (!bin) return bez_fail_memory(err, col->n_values);
  const uint32_t room = BEZ_BOOST_BINS - BEZ_CODE_FIRST;
  uint64_t light = 0, heavy = n_rows / room + 1, in_bin = 0;
  uint32_t n_heavy = 0, at = BEZ_CODE_FIRST;
  for (uint32_t code = BEZ_CODE_FIRST; code < col->n_values; code++) {
    if (col->count[code] > heavy) n_heavy++;
    if (col->count[code] <= heavy) light += col->count[code];
  }
  uint64_t share = light / (room > 2 * n_heavy ? room - 2 * n_heavy : 1) + 1;
  bool per_value = col->n_values <= BEZ_BOOST_BINS;
  for (uint32_t code = 0; code < col->n_values; code++) {
    if (per_value || code < BEZ_CODE_FIRST) {
      bin[code] = (uint8_t)code;
      continue;
    }
    bool alone = col->count[code] > heavy;
    if (in_bin > 0 && (alone || in_bin + col->count[code] > share) && at < BEZ_BOOST_BINS - 1) {
      at++;
      in_bin = 0;
    }
    bin[code] = (uint8_t)at;
    in_bin += alone ? share : col->count[code];
  }
  return BEZ_OK;
}

static bez_status fill_bins(const bez_detect_input *in, uint8_t *bins, bez_error *err) {
  for (uint32_t f = 0; f < in->n_features; f++) {
    const bez_column *col = &in->table->cols[in->features[f]];
    uint8_t *bin;
    bez_status st = make_bins(col, in->table->n_rows, &bin, err);
    if (st != BEZ_OK) return st;
    for (uint64_t row = 0; row < in->table->n_rows; row++) bins[row * in->n_features + f] = bin[bez_code(col, row)];
    free(bin);
  }
  return BEZ_OK;
}

/* One temperature for all probabilities (Guo, Pleiss, Sun, Weinberger, "On calibration of modern neural networks",
 * ICML 2017, section 4.2): trees fitted on few rows are surer than they are right. p becomes p^a / Σ p^a, where a
 * minimises the log-loss by Newton steps; the row order is fixed. */
static void calibrate(float *p, const uint32_t *label, uint64_t n, uint32_t n_classes) {
  double a = 1.0;
  for (int step = 0; step < 12; step++) {
    double slope = 0.0, curve = 1e-9;
    for (uint64_t i = 0; i < n; i++) {
      if (label[i] == BEZ_CLASS_NONE) continue;
      double sum = 0.0, mean = 0.0, square = 0.0;
      for (uint32_t k = 0; k < n_classes; k++) {
        double z = log((double)p[i * n_classes + k] + 1e-12), w = exp(a * z);
        sum += w;
        mean += w * z;
        square += w * z * z;
      }
      mean /= sum;
      slope += mean - log((double)p[i * n_classes + label[i]] + 1e-12);
      curve += square / sum - mean * mean;
    }
    a -= slope / curve;
    if (!(a > 0.1)) a = 0.1;
    if (a > 2.0) a = 2.0;
  }
  for (uint64_t i = 0; i < n; i++) {
    double sum = 0.0;
    for (uint32_t k = 0; k < n_classes; k++) sum += exp(a * log((double)p[i * n_classes + k] + 1e-12));
    for (uint32_t k = 0; k < n_classes; k++)
      p[i * n_classes + k] = (float)(exp(a * log((double)p[i * n_classes + k] + 1e-12)) / sum);
  }
}

static bez_status fit_trees(const bez_detect_input *in, bez_label_model *m, bez_error *err) {
  uint64_t n = in->table->n_rows;
  uint8_t *bins = malloc((size_t)n * in->n_features + 1), *fold = malloc((size_t)n + 1);
  uint32_t *label = malloc((size_t)(n + 1) * sizeof *label);
  m->p = malloc(((size_t)n * m->n_classes + 1) * sizeof *m->p);
  bez_status st = BEZ_OK;
  if (!bins || !fold || !label || !m->p) {
    st = bez_fail_memory(err, (size_t)n * (in->n_features + m->n_classes * 4));
    goto cleanup;
  }
  BEZ_TRY(fill_bins(in, bins, err));
  for (uint64_t row = 0; row < n; row++) {
    fold[row] = (uint8_t)bez_woe_fold(in->seed, row);
    label[row] = m->class_of_code[bez_code(&in->table->cols[in->label], row)];
  }
  bez_boost_data data = {.n_rows = n,
                         .n_cols = in->n_features,
                         .n_classes = m->n_classes,
                         .n_folds = BEZ_WOE_FOLDS,
                         .bins = bins,
                         .label = label,
                         .fold = fold};
  bez_watch watch = bez_detect_watch(in, "label disagreement, trees", "folds");
  bez_boost_params params = bez_boost_defaults();
  params.watch = &watch;
  if (m->n_classes > 2) params.rounds = 40;
  BEZ_TRY(bez_boost_out_of_fold(&data, &params, in->threads, m->p, err));
  calibrate(m->p, label, n, m->n_classes);
cleanup:
  free(bins);
  free(fold);
  free(label);
  return st;
}

static bez_status fit_logistic(const bez_detect_input *in, bez_label_model *m, bez_error *err) {
  uint32_t n = m->n_classes == 2 ? 1 : m->n_classes;
  m->woe = calloc(n, sizeof *m->woe);
  m->coef = calloc(n, sizeof *m->coef);
  if (!m->woe || !m->coef) return bez_fail_memory(err, n * 16);
  for (uint32_t k = 0; k < n; k++) {
    if (in->progress && !in->progress(in->progress_ctx, "label disagreement, models", "classes", k, n))
      return bez_watch_fail(err);
    bez_status st = bez_shared_woe(in, m->class_code[n == 1 ? 1 : k], &m->woe[k], err);
    if (st != BEZ_OK) return st;
    m->coef[k] = malloc(((size_t)in->n_features + 1) * sizeof **m->coef);
    if (!m->coef[k]) return bez_fail_memory(err, in->n_features * sizeof **m->coef);
    memcpy(m->coef[k], m->woe[k]->coef, in->n_features * sizeof **m->coef);
    m->coef[k][in->n_features] = m->woe[k]->intercept;
  }
  return BEZ_OK;
}

static bool trees_fit(const bez_detect_input *in, const bez_label_model *m) {
  uint64_t rows = in->table->n_rows, scores = m->n_classes == 2 ? 1 : m->n_classes;
  return rows <= BEZ_TREE_ROWS && rows * in->n_features * scores <= BEZ_TREE_CELLS;
}

bez_status bez_label_model_fit(const bez_detect_input *in, bez_label_model **out, bez_error *err) {
  bez_label_model *m = calloc(1, sizeof *m);
  if (!m) return bez_fail_memory(err, sizeof *m);
  bez_status st = choose_classes(in, m, err);
  if (st == BEZ_OK && m->n_classes >= 2) st = trees_fit(in, m) ? fit_trees(in, m, err) : fit_logistic(in, m, err);
  if (st != BEZ_OK) {
    bez_label_model_destroy(m);
    m = NULL;
  }
  *out = m;
  return st;
}

void bez_label_model_destroy(bez_label_model *model) {
  if (!model) return;
  for (uint32_t k = 0; model->coef && k < (model->n_classes == 2 ? 1 : model->n_classes); k++) free(model->coef[k]);
  free(model->coef);
  free(model->woe);
  free(model->p);
  free(model->class_code);
  free(model->class_of_code);
  free(model);
}

void bez_label_model_rows(const bez_label_model *m, const bez_detect_input *in, uint64_t first, uint32_t n, float *p,
                          uint32_t *label, double *scratch) {
  const bez_column *col = &in->table->cols[in->label];
  uint32_t classes = m->n_classes;
  for (uint32_t i = 0; i < n; i++) label[i] = m->class_of_code[bez_code(col, first + i)];
  if (m->p) {
    memcpy(p, m->p + first * classes, (size_t)n * classes * sizeof *p);
    return;
  }
  for (uint32_t k = classes == 2 ? 1 : 0; k < classes; k++) {
    const bez_woe *woe = m->woe[classes == 2 ? 0 : k];
    bez_woe_scores(woe, in->table, m->coef[classes == 2 ? 0 : k], first, n, scratch);
    for (uint32_t i = 0; i < n; i++) p[(size_t)i * classes + k] = (float)(1.0 / (1.0 + exp(-scratch[i])));
  }
  for (uint32_t i = 0; i < n; i++) {
    float *row = p + (size_t)i * classes, sum = 0.0f;
    if (classes == 2) row[0] = 1.0f - row[1];
    for (uint32_t k = 0; k < classes; k++) sum += row[k];
    for (uint32_t k = 0; k < classes && sum > 0.0f; k++) row[k] /= sum;
  }
}
