/* Counts, weights, and reading scores off the model. The regression itself is in woe_newton.c. */
#include "fit/woe.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/hash.h"
#include "base/threads.h"
#include "fit/woe_bins.h"
#include "fit/woe_newton.h"
#include "math/spd.h"

#define SMOOTHING 10.0
#define STRATA 16u  /* counters per bin: 2 · fold + class, the last ones unused */
#define SKIPPED 15u /* stratum of a row that takes no part */
#define TILE_ROWS 4096u

uint32_t bez_woe_fold(uint64_t seed, uint64_t row) {
  uint64_t h = bez_mix64(row + 0x9e3779b97f4a7c15ull * (seed + 1));
  return (uint32_t)(((h >> 32) * BEZ_WOE_FOLDS) >> 32);
}

typedef struct fit_ctx {
  bez_woe *woe;
  const bez_table *table;
  const uint8_t *stratum;
} fit_ctx;

typedef struct strata_ctx {
  const bez_woe *woe;
  const bez_table *table;
  const bez_column *label;
  const uint64_t *skip;
  uint8_t *stratum;
} strata_ctx;

static bez_status strata_tile(void *ctx, uint64_t tile, unsigned worker, bez_error *err) {
  const strata_ctx *c = ctx;
  uint64_t first = tile * 65536, end = first + 65536 < c->table->n_rows ? first + 65536 : c->table->n_rows;
  for (uint64_t row = first; row < end; row++) {
    uint32_t code = bez_code(c->label, row);
    bool out = code < BEZ_CODE_FIRST || (c->skip && (c->skip[row >> 6] >> (row & 63) & 1));
    c->stratum[row] = out ? SKIPPED : (uint8_t)(2 * bez_woe_fold(c->woe->seed, row) + (code == c->woe->target));
  }
  return BEZ_OK;
}

static void count_rows(const bez_woe *woe, const bez_column *col, uint32_t f, uint64_t n_rows, const uint8_t *stratum,
                       uint32_t *counts) {
  const uint16_t *bin = woe->bin_of_code[f];
  if (woe->raw_edge[f]) {
    for (uint64_t row = 0; row < n_rows; row++) {
      uint32_t code = bez_code(col, row);
      uint32_t b = code == BEZ_CODE_RARE ? bez_woe_raw_bin(woe->raw_edge[f], woe->n_bins[f], col->raw[row]) : bin[code];
      counts[b * STRATA + stratum[row]]++;
    }
  } else if (col->width == 1) {
    const uint8_t *codes = col->codes;
    for (uint64_t row = 0; row < n_rows; row++) counts[bin[codes[row]] * STRATA + stratum[row]]++;
  } else if (col->width == 2) {
    const uint16_t *codes = col->codes;
    for (uint64_t row = 0; row < n_rows; row++) counts[bin[codes[row]] * STRATA + stratum[row]]++;
  } else {
    const uint32_t *codes = col->codes;
    for (uint64_t row = 0; row < n_rows; row++) counts[bin[codes[row]] * STRATA + stratum[row]]++;
  }
}

/* W of every bin as seen from fold k: the rows of the other folds. */
static void fold_weights(const uint32_t *counts, uint32_t n_bins, uint32_t k, float *weight) {
  double total0 = 0, total1 = 0;
  for (uint32_t b = 0; b < n_bins; b++)
    for (uint32_t f = 0; f < BEZ_WOE_FOLDS; f++)
      if (f != k) total0 += counts[b * STRATA + 2 * f], total1 += counts[b * STRATA + 2 * f + 1];
  for (uint32_t b = 0; b < n_bins; b++) {
    double n0 = 0, n1 = 0;
    for (uint32_t f = 0; f < BEZ_WOE_FOLDS; f++)
      if (f != k) n0 += counts[b * STRATA + 2 * f], n1 += counts[b * STRATA + 2 * f + 1];
    double p = SMOOTHING * (n0 + n1) / (total0 + total1 > 0 ? total0 + total1 : 1);
    weight[b] = n0 + n1 > 0 && total0 > 0 && total1 > 0
                    ? (float)(log((n1 + p) / (total1 + SMOOTHING)) - log((n0 + p) / (total0 + SMOOTHING)))
                    : 0.0f;
  }
}

/* One column is one tile: its counters belong to one worker. */
static bez_status count_tile(void *ctx, uint64_t tile, unsigned worker, bez_error *err) {
  fit_ctx *c = ctx;
  bez_woe *woe = c->woe;
  uint32_t f = (uint32_t)tile;
  bez_status st = bez_woe_make_bins(woe, c->table, f, err);
  if (st != BEZ_OK) return st;
  uint32_t n_bins = woe->n_bins[f];
  uint32_t *counts = calloc((size_t)n_bins * STRATA, sizeof *counts);
  woe->weight[f] = malloc((size_t)n_bins * BEZ_WOE_FOLDS * sizeof(float));
  if (counts && woe->weight[f]) {
    count_rows(woe, &c->table->cols[woe->cols[f]], f, c->table->n_rows, c->stratum, counts);
    for (uint32_t k = 0; k < BEZ_WOE_FOLDS; k++) fold_weights(counts, n_bins, k, woe->weight[f] + (size_t)k * n_bins);
  } else {
    st = bez_fail_memory(err, (size_t)n_bins * STRATA * sizeof *counts);
  }
  free(counts);
  return st;
}

static bez_status make_woe(uint32_t n_cols, const uint32_t *cols, bez_woe **out, bez_error *err) {
  size_t k = n_cols ? n_cols : 1, dim = (size_t)n_cols + 1;
  bez_woe *woe = calloc(1, sizeof *woe);
  if (!woe) return bez_fail_memory(err, sizeof *woe);
  *out = woe;
  woe->n_cols = n_cols;
  uint32_t *copy = calloc(k, sizeof *copy);
  woe->cols = copy;
  woe->n_bins = calloc(k, sizeof *woe->n_bins);
  woe->bin_of_code = calloc(k, sizeof *woe->bin_of_code);
  woe->raw_edge = calloc(k, sizeof *woe->raw_edge);
  woe->weight = calloc(k, sizeof *woe->weight);
  woe->coef = calloc(k, sizeof *woe->coef);
  woe->inverse = calloc(dim * dim, sizeof *woe->inverse);
  if (!copy || !woe->n_bins || !woe->bin_of_code || !woe->raw_edge || !woe->weight || !woe->coef || !woe->inverse)
    return bez_fail_memory(err, dim * dim * sizeof(double));
  if (n_cols) memcpy(copy, cols, n_cols * sizeof *cols);
  return BEZ_OK;
}

bez_status bez_woe_fit_without(const bez_table *table, const uint32_t *cols, uint32_t n_cols, int label,
                               uint32_t target, const uint64_t *skip, uint64_t seed, unsigned threads, bez_woe **out,
                               bez_error *err) {
  bez_status st = BEZ_OK;
  bez_woe *woe = NULL;
  uint8_t *stratum = NULL;
  *out = NULL;
  if (label < 0 || (uint32_t)label >= table->n_cols || !table->cols[label].width)
    return bez_fail(err, BEZ_USAGE, NULL, "the model needs a label column with few distinct values");
  BEZ_TRY(make_woe(n_cols, cols, &woe, err));
  woe->n_rows = table->n_rows;
  woe->seed = seed;
  woe->target = target;
  stratum = malloc(table->n_rows ? table->n_rows : 1);
  if (!stratum) BEZ_TRY(bez_fail_memory(err, table->n_rows));
  strata_ctx strata = {woe, table, &table->cols[label], skip, stratum};
  BEZ_TRY(bez_parallel((table->n_rows + 65535) / 65536, threads, strata_tile, &strata, err));
  uint64_t by_stratum[STRATA] = {0};
  for (uint64_t row = 0; row < table->n_rows; row++) by_stratum[stratum[row]]++;
  for (uint32_t s = 0; s < 2 * BEZ_WOE_FOLDS; s++) {
    woe->n_fit += by_stratum[s];
    woe->n_target += s % 2 ? by_stratum[s] : 0;
  }
  double n0 = (double)(woe->n_fit - woe->n_target), n1 = (double)woe->n_target;
  woe->prior_logit = log((n1 + .5) / (n0 + .5));
  fit_ctx fit = {woe, table, stratum};
  BEZ_TRY(bez_parallel(n_cols, threads, count_tile, &fit, err));
  BEZ_TRY(bez_woe_newton(woe, table, stratum, threads, err));
  *out = woe;
  woe = NULL;
cleanup:
  free(stratum);
  bez_woe_destroy(woe);
  return st;
}

bez_status bez_woe_fit(const bez_table *table, const uint32_t *cols, uint32_t n_cols, int label, uint32_t target,
                       uint64_t seed, unsigned threads, bez_woe **out, bez_error *err) {
  return bez_woe_fit_without(table, cols, n_cols, label, target, NULL, seed, threads, out, err);
}

void bez_woe_destroy(bez_woe *woe) {
  if (!woe) return;
  for (uint32_t f = 0; f < woe->n_cols; f++) {
    if (woe->bin_of_code) free(woe->bin_of_code[f]);
    if (woe->raw_edge) free(woe->raw_edge[f]);
    if (woe->weight) free(woe->weight[f]);
  }
  free((uint32_t *)woe->cols);
  free(woe->n_bins);
  free(woe->bin_of_code);
  free(woe->raw_edge);
  free(woe->weight);
  free(woe->coef);
  free(woe->inverse);
  free(woe);
}

float bez_woe_term(const bez_woe *woe, const bez_table *table, uint32_t feature, uint64_t row) {
  const bez_column *col = &table->cols[woe->cols[feature]];
  uint32_t code = bez_code(col, row), n_bins = woe->n_bins[feature];
  uint32_t bin = woe->raw_edge[feature] && code == BEZ_CODE_RARE
                     ? bez_woe_raw_bin(woe->raw_edge[feature], n_bins, col->raw[row])
                     : woe->bin_of_code[feature][code];
  return woe->weight[feature][(size_t)bez_woe_fold(woe->seed, row) * n_bins + bin];
}

void bez_woe_terms(const bez_woe *woe, const bez_table *table, uint32_t feature, uint64_t first, uint32_t n,
                   float *out) {
  const bez_column *col = &table->cols[woe->cols[feature]];
  const uint16_t *bin = woe->bin_of_code[feature];
  const float *weight = woe->weight[feature];
  uint32_t n_bins = woe->n_bins[feature];
  if (woe->raw_edge[feature]) {
    for (uint32_t i = 0; i < n; i++) out[i] = bez_woe_term(woe, table, feature, first + i);
  } else if (col->width == 1) {
    const uint8_t *codes = (const uint8_t *)col->codes + first;
    for (uint32_t i = 0; i < n; i++) out[i] = weight[bez_woe_fold(woe->seed, first + i) * n_bins + bin[codes[i]]];
  } else if (col->width == 2) {
    const uint16_t *codes = (const uint16_t *)col->codes + first;
    for (uint32_t i = 0; i < n; i++) out[i] = weight[bez_woe_fold(woe->seed, first + i) * n_bins + bin[codes[i]]];
  } else {
    const uint32_t *codes = (const uint32_t *)col->codes + first;
    for (uint32_t i = 0; i < n; i++) out[i] = weight[bez_woe_fold(woe->seed, first + i) * n_bins + bin[codes[i]]];
  }
}

void bez_woe_scores(const bez_woe *woe, const bez_table *table, const double *coef, uint64_t first, uint32_t n,
                    double *out) {
  float term[TILE_ROWS];
  for (uint32_t at = 0; at < n; at += TILE_ROWS) {
    uint32_t m = n - at < TILE_ROWS ? n - at : TILE_ROWS;
    for (uint32_t i = 0; i < m; i++) out[at + i] = coef[woe->n_cols];
    for (uint32_t f = 0; f < woe->n_cols; f++) {
      if (coef[f] == 0.0) continue;
      bez_woe_terms(woe, table, f, first + at, m, term);
      for (uint32_t i = 0; i < m; i++) out[at + i] += coef[f] * (double)term[i];
    }
  }
}

void bez_woe_gamma(const bez_woe *woe, const uint32_t *out_cols, uint32_t k, double *gamma) {
  double block[BEZ_WOE_MAX_LEAVE * BEZ_WOE_MAX_LEAVE];
  size_t dim = (size_t)woe->n_cols + 1;
  for (uint32_t i = 0; i < k; i++) {
    gamma[i] = woe->coef[out_cols[i]];
    for (uint32_t j = 0; j < k; j++) block[i * k + j] = woe->inverse[out_cols[i] * dim + out_cols[j]];
  }
  if (bez_spd_factor(block, k))
    bez_spd_solve(block, k, gamma);
  else
    for (uint32_t i = 0; i < k; i++) gamma[i] = 0.0; /* a model without evidence */
}

void bez_woe_leave_out(const bez_woe *woe, const uint32_t *out_cols, uint32_t k, double *coef_out) {
  double gamma[BEZ_WOE_MAX_LEAVE];
  size_t dim = (size_t)woe->n_cols + 1;
  bez_woe_gamma(woe, out_cols, k, gamma);
  for (size_t j = 0; j < dim; j++) {
    double b = j < woe->n_cols ? woe->coef[j] : woe->intercept;
    for (uint32_t i = 0; i < k; i++) b -= woe->inverse[j * dim + out_cols[i]] * gamma[i];
    coef_out[j] = b;
  }
  for (uint32_t i = 0; i < k; i++) coef_out[out_cols[i]] = 0.0;
}
