/* BZ-D003: are the rows that hold a number a random draw of the rows of other labels? Planted rows are; the rows of a
 * top code, a default or a kind of customer are not: they predict each other's cells, or look like the target. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/rng.h"
#include "detect/value_spikes.h"

#define BINS 1026u     /* a bin per value up to so many values of words … */
#define NUMBERS 64u    /* … and so many numbers; */
#define QUANTILES 32u  /* else so many bins of neighbouring codes */
#define SAMPLE 200000u /* rows that stand for all */
#define JUDGED 512u    /* rows of a value that are looked at */
#define DRAWS 32u
#define SMOOTHING 10.0
#define PULL_LEAST (-4.0) /* standard errors towards the target: beyond, nothing needs to be drawn */
#define PULL_MOST 6.0     /* … and away from it: rows of a kind */
#define STREAM 3u
#define MEASURED 4096u /* rows of other labels, and of the target, whose look is averaged */

/* Where the labels speak: ln of the tail at most LOG_P_SOME, and twice its size and the rows' power add up. */
#define LOG_P_SOME (-1.0)
#define LOG_P_CLEAR (-7.0)
#define TOGETHER_LEAST 10.0
/* Where they whisper, in a column that does not fix labels by nature. */
#define LOG_P_FAINT 1.0
#define PEERS_MOST 2u
#define APART_SOME 5.0
/* Where they do not, since the column or the target makes one label natural: the rows alone. */
#define APART_LEAST 10.5
#define APART_CLEAR 14.0
#define APART_MOST 20.0
/* Squared distances from a random draw that are still believed: planted rows have χ² of two degrees or less. */
#define DISTANCE_CLEAR 9.0
#define DISTANCE_SOME 6.0
#define DISTANCE_ROWS 4.6
#define DISTANCE_LEAST 3.0

typedef struct context {
  const bez_column *col;
  uint32_t at, n_bins;
  uint16_t *bin; /* per code */
  double *donor; /* share of each bin in the rows of other labels */
  double *ratio; /* ln of that to its share in the rows of the target */
} context;

typedef struct pool {
  const bez_detect_input *in;
  context *cols;
  uint32_t n_cols;
  uint64_t *donors, *targets; /* sampled rows of other labels, and of the target */
  uint64_t n_donors, n_targets;
  uint32_t label; /* the target that all shares stand for */
  bez_rng rng;
} pool;

static bez_status make_context(const bez_detect_input *in, uint32_t at, context *c, bez_error *err) {
  c->col = &in->table->cols[at];
  c->at = at;
  uint32_t n_values = c->col->n_values, most = c->col->type == BEZ_COL_CATEGORICAL ? BINS : NUMBERS;
  bool per_value = n_values <= most;
  c->bin = malloc(((size_t)n_values + 1) * sizeof *c->bin);
  c->donor = malloc(BINS * sizeof *c->donor);
  c->ratio = malloc(BINS * sizeof *c->ratio);
  if (!c->bin || !c->donor || !c->ratio) return bez_fail_memory(err, n_values);
  uint64_t seen = 0;
  for (uint32_t code = 0; code < n_values; code++) {
    uint64_t bin =
        per_value || code < BEZ_CODE_FIRST ? code : BEZ_CODE_FIRST + seen * QUANTILES / (in->table->n_rows + 1);
    c->bin[code] = (uint16_t)bin;
    if (code >= BEZ_CODE_FIRST) seen += c->col->count[code];
    if (bin + 1 > c->n_bins) c->n_bins = (uint32_t)bin + 1;
  }
  return BEZ_OK;
}

static void pool_free(pool *p) {
  for (uint32_t i = 0; p->cols && i < p->n_cols; i++) {
    free(p->cols[i].bin);
    free(p->cols[i].donor);
    free(p->cols[i].ratio);
  }
  free(p->cols);
  free(p->donors);
  free(p->targets);
}

static bez_status pool_make(const bez_detect_input *in, pool *p, bez_error *err) {
  *p = (pool){.in = in, .rng = bez_rng_make(in->seed, STREAM)};
  p->cols = calloc((size_t)in->n_features + 1, sizeof *p->cols);
  p->donors = malloc(SAMPLE * sizeof *p->donors);
  p->targets = malloc(SAMPLE * sizeof *p->targets);
  if (!p->cols || !p->donors || !p->targets) return bez_fail_memory(err, 2 * SAMPLE * sizeof *p->donors);
  for (uint32_t f = 0; f < in->n_features; f++) {
    bez_status st = make_context(in, in->features[f], &p->cols[p->n_cols++], err);
    if (st != BEZ_OK) return st;
  }
  return BEZ_OK;
}

static void count_shares(const context *c, const uint64_t *rows, uint64_t n, double *share) {
  for (uint32_t b = 0; b < c->n_bins; b++) share[b] = 0.5;
  for (uint64_t i = 0; i < n; i++) share[c->bin[bez_code(c->col, rows[i])]]++;
  double total = (double)n + 0.5 * c->n_bins;
  for (uint32_t b = 0; b < c->n_bins; b++) share[b] /= total;
}

static void set_target(pool *p, uint32_t label) {
  const bez_column *col = &p->in->table->cols[p->in->label];
  uint64_t n_rows = p->in->table->n_rows, n = n_rows < SAMPLE ? n_rows : SAMPLE;
  p->label = label;
  p->n_donors = p->n_targets = 0;
  for (uint64_t i = 0; i < n; i++) {
    uint64_t row = n == n_rows ? i : i * (n_rows / n) + i * (n_rows % n) / n; /* i · n_rows / n */
    uint32_t carried = bez_code(col, row);
    if (carried == label) p->targets[p->n_targets++] = row;
    if (carried != label && carried >= BEZ_CODE_FIRST) p->donors[p->n_donors++] = row;
  }
  bez_rng_shuffle(&p->rng, p->donors, p->n_donors);
  bez_rng_shuffle(&p->rng, p->targets, p->n_targets);
  for (uint32_t c = 0; c < p->n_cols; c++) {
    count_shares(&p->cols[c], p->donors, p->n_donors, p->cols[c].donor);
    count_shares(&p->cols[c], p->targets, p->n_targets, p->cols[c].ratio);
    for (uint32_t b = 0; b < p->cols[c].n_bins; b++)
      p->cols[c].ratio[b] = log(p->cols[c].donor[b] / p->cols[c].ratio[b]);
  }
}

/* Mean and standard deviation over rows of Σ ln P(x_c | other labels)/P(x_c | target), all columns but one. */
static void measure(const pool *p, uint32_t but, const uint64_t *rows, uint64_t n, double *mean, double *sd) {
  double sum = 0, square = 0;
  for (uint64_t i = 0; i < n; i++) {
    double s = 0;
    for (uint32_t c = 0; c < p->n_cols; c++) {
      if (p->cols[c].at == but) continue;
      uint16_t bin = p->cols[c].bin[bez_code(p->cols[c].col, rows[i])];
      s += p->cols[c].ratio[bin];
    }
    sum += s;
    square += s * s;
  }
  *mean = sum / (double)n;
  *sd = sqrt(fmax(0, square / (double)n - *mean * *mean));
}

/* How much better the rows predict each other's cells than the rows of other labels do, nats per row. */
static double own_gain(const pool *p, uint32_t but, const uint64_t *rows, uint32_t n) {
  uint16_t own[BINS];
  double gain = 0;
  for (uint32_t c = 0; c < p->n_cols; c++) {
    const context *x = &p->cols[c];
    if (x->at == but) continue;
    memset(own, 0, sizeof own);
    for (uint32_t i = 0; i < n; i++) own[x->bin[bez_code(x->col, rows[i])]]++;
    for (uint32_t b = 0; b < x->n_bins; b++) {
      if (own[b] == 0) continue;
      double share = x->donor[b];
      gain += own[b] * log((own[b] - 1 + SMOOTHING * share) / ((n - 1 + SMOOTHING) * share));
    }
  }
  return gain / n;
}

/* The first n donors become a random draw without replacement. */
static void draw(pool *p, uint32_t n) {
  for (uint32_t i = 0; i < n; i++) {
    uint64_t j = i + bez_rng_below(&p->rng, p->n_donors - i), row = p->donors[i];
    p->donors[i] = p->donors[j];
    p->donors[j] = row;
  }
}

static double compare_gain(pool *p, uint32_t but, const uint64_t *rows, uint32_t n) {
  double sum = 0, square = 0;
  for (uint32_t d = 0; d < DRAWS; d++) {
    draw(p, n);
    double gain = own_gain(p, but, p->donors, n);
    sum += gain;
    square += gain * gain;
  }
  double mean = sum / DRAWS, sd = sqrt(fmax(0, square / DRAWS - mean * mean));
  return (own_gain(p, but, rows, n) - mean) / fmax(sd, 1e-3);
}

/* How far from a random draw this value may lie; 0: its label is natural. */
static double distance_most(const bez_odd_value *odd) {
  if (odd->log_p <= LOG_P_SOME && odd->apart - 2 * odd->log_p >= TOGETHER_LEAST)
    return odd->log_p <= LOG_P_CLEAR ? DISTANCE_CLEAR : DISTANCE_SOME;
  if (odd->apart >= APART_MOST) return DISTANCE_CLEAR;
  if (odd->apart >= APART_CLEAR) return DISTANCE_ROWS;
  if (odd->apart >= APART_SOME && odd->log_p <= LOG_P_FAINT && odd->peers <= PEERS_MOST) return DISTANCE_ROWS;
  return odd->apart >= APART_LEAST ? DISTANCE_LEAST : 0;
}

static void judge(pool *p, bez_odd_value *odd, const uint64_t *rows, uint32_t n) {
  double donors, targets, own, spread, ignored;
  odd->apart = 0;
  odd->pull = odd->kind = NAN;
  if (n > p->n_donors / 2) n = (uint32_t)(p->n_donors / 2);
  if (n < 2 || p->n_targets == 0) return;
  measure(p, odd->col, p->donors, p->n_donors < MEASURED ? p->n_donors : MEASURED, &donors, &spread);
  measure(p, odd->col, p->targets, p->n_targets < MEASURED ? p->n_targets : MEASURED, &targets, &ignored);
  measure(p, odd->col, rows, n, &own, &ignored);
  double error = spread / sqrt(n);
  odd->pull = error > 0 ? (own - donors) / error : 0;
  odd->apart = error > 0 ? (donors - targets) / error : 0;
  bool near = odd->pull >= PULL_LEAST && odd->pull <= PULL_MOST;
  if (near && distance_most(odd) > 0) odd->kind = compare_gain(p, odd->col, rows, n);
}

/* Rows of the candidates of one column, spread evenly over all that carry their target. */
static bez_status gather(const bez_detect_input *in, const bez_odd_value *odd, size_t n, uint32_t col_at,
                         uint64_t *rows, uint32_t *filled, bez_error *err) {
  const bez_column *col = &in->table->cols[col_at], *label = &in->table->cols[in->label];
  uint16_t *owner = malloc(((size_t)col->n_values + 1) * sizeof *owner);
  uint64_t seen[BEZ_ODD_MOST] = {0};
  if (!owner) return bez_fail_memory(err, col->n_values * sizeof *owner);
  for (uint32_t code = 0; code < col->n_values; code++) owner[code] = UINT16_MAX;
  for (size_t i = 0; i < n; i++)
    for (uint32_t code = odd[i].from; odd[i].col == col_at && code < odd[i].to; code++) owner[code] = (uint16_t)i;
  for (uint64_t row = 0; row < in->table->n_rows; row++) {
    uint16_t i = owner[bez_code(col, row)];
    if (i == UINT16_MAX || bez_code(label, row) != odd[i].target) continue;
    uint64_t of = odd[i].of_target, at = seen[i]++, most = of < JUDGED ? of : JUDGED;
    if ((at + 1) * most / of > at * most / of) rows[(size_t)i * JUDGED + filled[i]++] = row;
  }
  free(owner);
  return BEZ_OK;
}

bez_status bez_odd_values_draw(const bez_detect_input *in, bez_odd_value *odd, size_t n, bez_error *err) {
  pool p = {0};
  uint32_t filled[BEZ_ODD_MOST] = {0};
  bool gathered[BEZ_ODD_MOST] = {false}, judged[BEZ_ODD_MOST] = {false};
  bez_status st;
  uint64_t *rows = malloc((n + 1) * JUDGED * sizeof *rows);
  if (!rows) return bez_fail_memory(err, n * JUDGED * sizeof *rows);
  BEZ_TRY(pool_make(in, &p, err));
  for (size_t i = 0; i < n; i++) { /* once per column */
    if (gathered[i]) continue;
    BEZ_TRY(gather(in, odd, n, odd[i].col, rows, filled, err));
    for (size_t j = i; j < n; j++) gathered[j] |= odd[j].col == odd[i].col;
  }
  for (size_t i = 0; i < n; i++) { /* once per target */
    if (judged[i]) continue;
    set_target(&p, odd[i].target);
    for (size_t j = i; j < n; j++) {
      if (odd[j].target != odd[i].target) continue;
      judge(&p, &odd[j], rows + j * JUDGED, filled[j]);
      judged[j] = true;
    }
  }
cleanup:
  free(rows);
  pool_free(&p);
  return st;
}

bool bez_odd_value_stands_out(const bez_odd_value *odd) {
  if (isnan(odd->kind) || isnan(odd->pull)) return false;
  double kind = fmax(odd->kind, 0), pull = fmin(odd->pull, 0);
  return kind * kind + pull * pull <= distance_most(odd);
}
