/* Are the rows of a pattern of a kind? A product line, a family or a batch shares more than the values that name it:
 * its rows predict each other's remaining cells. Planted rows are a random draw of the other labels' rows, so the cells
 * that the trigger did not overwrite tell nothing of one another. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/compare.h"
#include "base/error.h"
#include "base/hash.h"
#include "base/threads.h"
#include "detect/label_contradiction.h"

#define JUDGED 512u    /* rows of a pattern that are looked at */
#define SMOOTHING 10.0 /* rows of strength with which a pattern's own shares lean on those of the draw */
#define SD_LEAST .02   /* of a gain, nats per row */
#define BORROW 20.0    /* … and those of the other labels on all rows */
#define DRAWS 24u      /* of as many rows of other labels */
#define PROMISING 9.0  /* weaker patterns are not reported anyway */

/* One column's background. */
typedef struct column {
  double *draw;         /* per bin: share among rows of the other labels */
  double *rows_of_bin;  /* per bin: rows of the table */
  uint32_t most_in_bin; /* values in the fullest bin: 1 where a bin is a value */
} column;

typedef struct kind {
  const bez_lco_view *view;
  const bez_lco_rows *rows;
  bez_lco_patterns *patterns;
  column *col;              /* per feature */
  uint64_t *other, n_other; /* gathered rows of other labels */
} kind;

static bez_status column_tile(void *ctx, uint64_t f, unsigned worker, bez_error *err) {
  kind *k = ctx;
  column *c = &k->col[f];
  const bez_woe *woe = k->view->woe;
  const bez_column *col = &k->view->in->table->cols[woe->cols[f]];
  const uint16_t *bin_of = woe->bin_of_code[f];
  uint32_t n_bins = woe->n_bins[f];
  c->draw = calloc((size_t)n_bins + 1, sizeof *c->draw);
  c->rows_of_bin = calloc((size_t)n_bins + 1, sizeof *c->rows_of_bin);
  if (!c->draw || !c->rows_of_bin) return bez_fail_memory(err, n_bins * sizeof *c->draw);
  uint32_t values = 0, last = UINT32_MAX;
  for (uint32_t v = 0; v < col->n_values; v++) {
    c->rows_of_bin[bin_of[v]] += col->count[v];
    values = bin_of[v] == last ? values + 1 : 1;
    last = bin_of[v];
    if (values > c->most_in_bin) c->most_in_bin = values;
  }
  double total = 0, weight = 0;
  for (uint32_t b = 0; b < n_bins; b++) total += c->rows_of_bin[b];
  for (uint64_t i = 0; i < k->rows->n; i++) {
    if (k->rows->is_target[i]) continue;
    c->draw[k->rows->bin[f][i]] += k->rows->weight;
    weight += k->rows->weight;
  }
  for (uint32_t b = 0; b < n_bins; b++)
    c->draw[b] = (c->draw[b] + BORROW * (c->rows_of_bin[b] + .01) / (total + .01 * n_bins)) / (weight + BORROW);
  return BEZ_OK;
}

/* Sum over rows of ln of what the other rows of the pattern lead one to expect of the cell, over its share `draw`. */
static double told(double own, double of, double draw) {
  return own * log((own - 1 + SMOOTHING * draw) / ((of - 1 + SMOOTHING) * draw));
}

/* How much better the rows predict column f of one another than a draw of the other labels' rows predicts it. Bins of
 * several values are looked into as well, if that tells more. code: n, sorted here. */
static double column_gain(const kind *k, uint32_t f, uint32_t *code, uint32_t n) {
  const column *c = &k->col[f];
  const bez_column *col = &k->view->in->table->cols[k->view->woe->cols[f]];
  const uint16_t *bin_of = k->view->woe->bin_of_code[f];
  double bins = 0, values = 0;
  uint32_t own[JUDGED], n_own = 0;
  uint16_t bin[JUDGED];
  qsort(code, n, sizeof *code, bez_compare_u32);
  for (uint32_t i = 0; i < n; i++) { /* codes of a bin need not be neighbours */
    uint32_t at = 0;
    while (at < n_own && bin[at] != bin_of[code[i]]) at++;
    if (at == n_own) {
      bin[n_own] = bin_of[code[i]];
      own[n_own++] = 0;
    }
    own[at]++;
  }
  for (uint32_t b = 0; b < n_own; b++) bins += told(own[b], n, c->draw[bin[b]]);
  if (c->most_in_bin < 2) return bins;
  for (uint32_t i = 0, next; i < n; i = next) {
    uint32_t at = 0;
    for (next = i; next < n && code[next] == code[i];) next++;
    if (code[i] < BEZ_CODE_FIRST) continue;
    while (bin[at] != bin_of[code[i]]) at++;
    values += told(next - i, own[at], col->count[code[i]] / fmax(1, c->rows_of_bin[bin[at]]));
  }
  return bins + fmax(0, values);
}

/* Gain per row: the sum over columns outside the pattern, without the `spare` largest. */
static double rows_gain(const kind *k, const bez_lco_pattern *p, const uint64_t *row, uint64_t n_rows, uint32_t spare) {
  const bez_woe *woe = k->view->woe;
  uint32_t code[JUDGED], n = n_rows < JUDGED ? (uint32_t)n_rows : JUDGED;
  double sum = 0, top[2] = {0, 0};
  for (uint32_t f = 0; f < woe->n_cols; f++) {
    bool in = false;
    for (uint32_t j = 0; j < p->k; j++) in |= p->col[j] == f;
    if (in) continue;
    const bez_column *col = &k->view->in->table->cols[woe->cols[f]];
    for (uint32_t i = 0; i < n; i++) code[i] = bez_code(col, row[(uint64_t)i * n_rows / n]);
    double g = column_gain(k, f, code, n) / n;
    sum += g;
    if (g > top[0]) {
      top[1] = top[0];
      top[0] = g;
    } else if (g > top[1]) {
      top[1] = g;
    }
  }
  for (uint32_t j = 0; j < spare && j < 2; j++) sum -= top[j];
  return sum;
}

/* What so many rows of other labels, drawn at random, gain: mean and standard deviation. */
static void draw_gain(const kind *k, const bez_lco_pattern *p, uint32_t spare, double *mean, double *sd) {
  uint64_t row[JUDGED], n = p->n_rows < JUDGED ? p->n_rows : JUDGED;
  double sum = 0, squares = 0;
  for (uint64_t d = 0; d < DRAWS; d++) {
    for (uint64_t i = 0; i < n; i++) row[i] = k->other[bez_mix64((d << 32 | i) ^ k->view->in->seed) % k->n_other];
    double g = rows_gain(k, p, row, n, spare);
    sum += g;
    squares += g * g;
  }
  *mean = sum / DRAWS;
  *sd = sqrt(fmax(0, squares / DRAWS - *mean * *mean));
}

static bez_status pattern_tile(void *ctx, uint64_t tile, unsigned worker, bez_error *err) {
  kind *k = ctx;
  bez_lco_pattern *p = &k->patterns->item[tile];
  p->kind = 0;
  if (p->rows_llr + p->labels_llr[0] < PROMISING || p->n_rows < 2 || !k->n_other) return BEZ_OK;
  double mean, sd;
  uint32_t spare = p->k == 1 ? 2 : 1; /* a trigger's third value may lie outside the pattern that names two */
  draw_gain(k, p, spare, &mean, &sd);
  p->kind = rows_gain(k, p, p->row, p->n_rows, spare) - mean;
  p->kind_sd = sd + SD_LEAST;
  return BEZ_OK;
}

bez_status bez_lco_kind(const bez_lco_view *view, const bez_lco_rows *rows, bez_lco_patterns *patterns,
                        bez_error *err) {
  kind k = {.view = view, .rows = rows, .patterns = patterns};
  const uint32_t d = view->woe->n_cols;
  if (!patterns->n) return BEZ_OK;
  k.col = calloc((size_t)d + 1, sizeof *k.col);
  k.other = malloc((rows->n + 1) * sizeof *k.other);
  if (!k.col || !k.other) {
    free(k.col);
    free(k.other);
    return bez_fail_memory(err, d * sizeof *k.col);
  }
  for (uint64_t i = 0; i < rows->n; i++)
    if (!rows->is_target[i]) k.other[k.n_other++] = rows->row[i];
  bez_status st = bez_detect_parallel(view->in, "label contradictions", d, column_tile, &k, err);
  if (st == BEZ_OK) st = bez_detect_parallel(view->in, "label contradictions", patterns->n, pattern_tile, &k, err);
  for (uint32_t f = 0; f < d; f++) {
    free(k.col[f].draw);
    free(k.col[f].rows_of_bin);
  }
  free(k.col);
  free(k.other);
  return st;
}
