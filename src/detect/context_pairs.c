#include "detect/context_pairs.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/threads.h"

#define SMOOTHING 10.0
#define CLIP 2.0
#define JUDGED_ROWS 512u
#define REST_LEAST 20u  /* rows with one half of a combination but not the other */
#define TWIN 0.3        /* what is left of a column's entropy once its twin is known */
#define GAIN_LEAST 0.05 /* nats per row that a half must tell of a column */
#define BIAS_STEPS 4.0
#define SPIKE_LEAST 25.0 /* −log10 of the chance … */
#define SPIKE_LIFT 12.0  /* … so many times the expected rows … */
#define SPIKE_GAP 4.0    /* … and so many times that of the pair's next cell */
#define NO_CANDIDATE UINT32_MAX

static uint64_t pair_index(const bez_context *x, uint32_t a, uint32_t b) {
  return (uint64_t)a * (2ull * x->n_cols - a - 1) / 2 + (b - a - 1);
}

static void pair_columns(const bez_context *x, uint64_t pair, uint32_t *a, uint32_t *b) {
  *a = 0;
  while (pair >= x->n_cols - 1 - *a) pair -= x->n_cols - 1 - (*a)++;
  *b = *a + 1 + (uint32_t)pair;
}

static const bez_column *column_of(const bez_context *x, uint32_t c) {
  return &x->in->table->cols[x->cols[c].col];
}

/* One bin per value, or bins of neighbouring codes that share the rows out evenly. */
static bez_status make_column(const bez_detect_input *in, uint32_t col_at, bez_context_column *out, bez_error *err) {
  const bez_column *col = &in->table->cols[col_at];
  out->col = col_at;
  out->per_value = col->n_values <= (col->type == BEZ_COL_CATEGORICAL ? BEZ_CONTEXT_BINS : BEZ_CONTEXT_NUMBERS);
  out->bin = malloc(((size_t)col->n_values + 1) * sizeof *out->bin);
  out->rows = calloc(BEZ_CONTEXT_BINS, sizeof *out->rows);
  if (!out->bin || !out->rows) return bez_fail_memory(err, col->n_values);
  uint64_t n_rows = in->table->n_rows, seen = 0;
  for (uint32_t code = 0; code < col->n_values; code++) {
    uint64_t at =
        out->per_value || code < BEZ_CODE_FIRST ? code : BEZ_CODE_FIRST + seen * BEZ_CONTEXT_QUANTILES / (n_rows + 1);
    out->bin[code] = (uint16_t)at;
    out->rows[at] += col->count[code];
    if (code >= BEZ_CODE_FIRST) seen += col->count[code];
    if (at + 1 > out->n_bins) out->n_bins = (uint32_t)at + 1;
  }
  for (uint32_t b = 0; b < out->n_bins; b++) {
    double share = (double)out->rows[b] / (double)n_rows;
    if (share > 0) out->entropy -= share * log(share);
  }
  return BEZ_OK;
}

/* E ln((n + a)/(mean + a)) for n ~ Poisson(mean): what counting few rows takes from a log share, always below 0. */
static double counting_bias(double mean, double a) {
  if (mean > 40) return -0.5 * mean / ((mean + a) * (mean + a));
  double sum = 0, chance = exp(-mean), centre = log(mean + a);
  for (int n = 0; n < 120; n++, chance *= mean / n) {
    sum += chance * (log(n + a) - centre);
    if (n > mean && chance < 1e-9) break;
  }
  return sum;
}

/* The bias of column c for 16·2^(step/4) rest rows, so that no combination pays for its own sums. */
static bez_status make_bias(bez_context_column *c, uint64_t n_rows, bez_error *err) {
  c->n_bias = 2;
  while (16.0 * exp2((double)(c->n_bias - 1) / BIAS_STEPS) < (double)n_rows) c->n_bias++;
  c->bias = calloc(c->n_bias, sizeof *c->bias);
  if (!c->bias) return bez_fail_memory(err, c->n_bias * sizeof *c->bias);
  for (uint32_t step = 0; step < c->n_bias; step++)
    for (uint32_t bin = 0; bin < c->n_bins; bin++) {
      double share = (double)c->rows[bin] / (double)n_rows, rest = 16.0 * exp2((double)step / BIAS_STEPS);
      if (share > 0) c->bias[step] += share * counting_bias(rest * share, SMOOTHING * share);
    }
  return BEZ_OK;
}

static double bias_at(const bez_context_column *c, double n_rest) {
  double at = fmax(0, log2(n_rest / 16.0) * BIAS_STEPS);
  uint32_t step = at < c->n_bias - 2 ? (uint32_t)at : c->n_bias - 2;
  double part = fmin(1, at - step);
  return c->bias[step] * (1 - part) + c->bias[step + 1] * part;
}

static bez_status make_columns(bez_context *x, bez_error *err) {
  const bez_detect_input *in = x->in;
  x->cols = calloc((size_t)in->n_features + 1, sizeof *x->cols);
  if (!x->cols) return bez_fail_memory(err, in->n_features * sizeof *x->cols);
  for (uint32_t f = 0; f < in->n_features; f++) {
    bez_context_column *column = &x->cols[x->n_cols++];
    bez_status st = make_column(in, in->features[f], column, err);
    if (st == BEZ_OK) st = make_bias(column, in->table->n_rows, err);
    if (st != BEZ_OK) return st;
  }
  x->n_pairs = (uint64_t)x->n_cols * (x->n_cols - 1) / 2;
  uint64_t cells = 0;
  for (uint32_t a = 0; a < x->n_cols; a++)
    for (uint32_t b = a + 1; b < x->n_cols; b++) cells += (uint64_t)x->cols[a].n_bins * x->cols[b].n_bins;
  if (cells > BEZ_CONTEXT_CELLS)
    return bez_fail(err, BEZ_LIMIT, "BZ-D002", "pair tables of %llu cells", (unsigned long long)cells);
  return BEZ_OK;
}

bez_status bez_context_create(const bez_detect_input *in, bez_context **out, bez_error *err) {
  bez_context *x = calloc(1, sizeof *x);
  *out = NULL;
  if (!x) return bez_fail_memory(err, sizeof *x);
  x->in = in;
  bez_status st = make_columns(x, err);
  if (st == BEZ_OK) {
    x->table = calloc(x->n_pairs + 1, sizeof *x->table);
    x->twin = calloc((size_t)x->n_cols * x->n_cols + 1, 1);
    x->hits = calloc(x->n_pairs + 1, sizeof *x->hits);
    x->n_hits = calloc(x->n_pairs + 1, sizeof *x->n_hits);
    if (!x->table || !x->twin || !x->hits || !x->n_hits) st = bez_fail_memory(err, x->n_pairs * 24);
  }
  if (st != BEZ_OK) {
    bez_context_destroy(x);
    return st;
  }
  *out = x;
  return BEZ_OK;
}

void bez_context_destroy(bez_context *x) {
  if (!x) return;
  for (uint32_t c = 0; x->cols && c < x->n_cols; c++) {
    free(x->cols[c].bin);
    free(x->cols[c].rows);
    free(x->cols[c].bias);
  }
  for (uint64_t p = 0; p < x->n_pairs; p++) {
    if (x->table) free(x->table[p]);
    if (x->hits) free(x->hits[p]);
  }
  free(x->cols);
  free(x->table);
  free(x->twin);
  free(x->hits);
  free(x->n_hits);
  free(x);
}

/* H(second | first) from the joint counts. */
static double conditional_entropy(const uint32_t *table, uint32_t n_first, uint32_t n_second, size_t step_first,
                                  size_t step_second, double n_rows) {
  double entropy = 0;
  for (uint32_t i = 0; i < n_first; i++) {
    double row = 0, sum = 0;
    for (uint32_t j = 0; j < n_second; j++) {
      double n = table[i * step_first + j * step_second];
      row += n;
      if (n > 0) sum += n * log(n);
    }
    if (row > 0) entropy += row * log(row) - sum;
  }
  return entropy / n_rows;
}

static bez_status count_pair(void *ctx, uint64_t pair, unsigned worker, bez_error *err) {
  bez_context *x = ctx;
  uint32_t a, b;
  pair_columns(x, pair, &a, &b);
  const bez_context_column *first = &x->cols[a], *second = &x->cols[b];
  const bez_column *col_a = column_of(x, a), *col_b = column_of(x, b);
  uint32_t *table = calloc((size_t)first->n_bins * second->n_bins + 1, sizeof *table);
  x->table[pair] = table;
  if (!table) return bez_fail_memory(err, (size_t)first->n_bins * second->n_bins * sizeof *table);
  uint64_t n_rows = x->in->table->n_rows;
  for (uint64_t row = 0; row < n_rows; row++)
    table[(size_t)first->bin[bez_code(col_a, row)] * second->n_bins + second->bin[bez_code(col_b, row)]]++;
  double ab = conditional_entropy(table, first->n_bins, second->n_bins, second->n_bins, 1, (double)n_rows);
  double ba = conditional_entropy(table, second->n_bins, first->n_bins, 1, second->n_bins, (double)n_rows);
  x->twin[a * x->n_cols + b] = ab <= TWIN * second->entropy;
  x->twin[b * x->n_cols + a] = ba <= TWIN * first->entropy;
  return BEZ_OK;
}

bez_status bez_context_count(bez_context *x, bez_error *err) {
  bez_watch watch = bez_detect_watch(x->in, "context contradiction, counting", "pairs of columns");
  return bez_parallel_watched(x->n_pairs, x->in->threads, &watch, count_pair, x, err);
}

/* Over-represented, rare, and neither value lives from the combination alone. */
static bool is_candidate(const bez_context *x, uint32_t a, uint32_t b, uint32_t bin_a, uint32_t bin_b, uint32_t n) {
  uint64_t rows = x->in->table->n_rows, n_a = x->cols[a].rows[bin_a], n_b = x->cols[b].rows[bin_b];
  if (n < BEZ_CONTEXT_SUPPORT || n > rows / 50 + 100) return false;
  if (n_a < n + REST_LEAST || n_b < n + REST_LEAST) return false;
  return (double)n * (double)rows >= BEZ_CONTEXT_LIFT * (double)n_a * (double)n_b;
}

/* The candidates of one pair and their rows, grouped. */
typedef struct gathered {
  uint32_t n;       /* candidates */
  uint32_t *cell;   /* per candidate: index into the pair table */
  uint32_t *number; /* per cell: candidate, or NO_CANDIDATE */
  uint64_t *begin;  /* n + 1 offsets into rows */
  uint64_t *rows;
} gathered;

static void gathered_free(gathered *g) {
  free(g->cell);
  free(g->number);
  free(g->begin);
  free(g->rows);
}

static bez_status gather(const bez_context *x, uint32_t a, uint32_t b, gathered *g, bez_error *err) {
  const uint32_t *table = x->table[pair_index(x, a, b)];
  uint32_t width = x->cols[b].n_bins, cells = x->cols[a].n_bins * width;
  g->cell = malloc((size_t)cells * sizeof *g->cell);
  g->number = malloc((size_t)cells * sizeof *g->number);
  g->begin = calloc((size_t)cells + 2, sizeof *g->begin);
  if (!g->cell || !g->number || !g->begin) return bez_fail_memory(err, (size_t)cells * 16);
  for (uint32_t c = 0; c < cells; c++) {
    g->number[c] = NO_CANDIDATE;
    if (c / width < BEZ_CODE_FIRST || c % width < BEZ_CODE_FIRST) continue;
    if (!is_candidate(x, a, b, c / width, c % width, table[c])) continue;
    g->number[c] = g->n;
    g->cell[g->n] = c;
    g->begin[g->n + 1] = g->begin[g->n] + table[c];
    g->n++;
  }
  if (g->n == 0) return BEZ_OK;
  g->rows = malloc(g->begin[g->n] * sizeof *g->rows);
  uint64_t *fill = malloc(g->n * sizeof *fill);
  if (!g->rows || !fill) {
    free(fill);
    return bez_fail_memory(err, g->begin[g->n] * sizeof *g->rows);
  }
  memcpy(fill, g->begin, g->n * sizeof *fill);
  const bez_column *col_a = column_of(x, a), *col_b = column_of(x, b);
  for (uint64_t row = 0; row < x->in->table->n_rows; row++) {
    uint32_t c = x->cols[a].bin[bez_code(col_a, row)] * width + x->cols[b].bin[bez_code(col_b, row)];
    if (g->number[c] != NO_CANDIDATE) g->rows[fill[g->number[c]]++] = row;
  }
  free(fill);
  return BEZ_OK;
}

/* Count of (bin of c, bin of other) from whichever way round the pair's table stands. */
static uint32_t joint(const bez_context *x, uint32_t c, uint32_t bin, uint32_t other, uint32_t other_bin) {
  if (c < other) return x->table[pair_index(x, c, other)][(size_t)bin * x->cols[other].n_bins + other_bin];
  return x->table[pair_index(x, other, c)][(size_t)other_bin * x->cols[c].n_bins + bin];
}

/* How much better the combination's own rows, counted by bin, predict column c of one another than all rows do: the
 * mean of ln P(x_c | the others of them)/P(x_c). About 0 or below for rows drawn at random, large for rows of a kind.
 */
static double own_gain(const bez_context *x, uint32_t c, const uint32_t *own, uint64_t n) {
  double sum = 0, total = (double)x->in->table->n_rows;
  for (uint32_t bin = 0; bin < x->cols[c].n_bins; bin++) {
    if (own[bin] == 0) continue;
    double share = (double)x->cols[c].rows[bin] / total, n_bin = (double)own[bin];
    sum += n_bin * log((n_bin - 1.0 + SMOOTHING * share) / (((double)n - 1.0 + SMOOTHING) * share));
  }
  return sum / (double)n;
}

/* Adds ln P(x_c | half)/P(x_c) to every judged row, where P(·| half) is counted without the combination's own rows,
 * and takes away what such a ratio is expected to be for a half that says nothing of the column: counting few rows
 * makes it negative, which would look like contradiction. */
static void add_context(const bez_context *x, uint32_t c, uint32_t half, uint32_t half_bin, const uint32_t *own,
                        uint64_t n_own, const uint64_t *rows, uint32_t n_judged, double *score) {
  double log_ratio[BEZ_CONTEXT_BINS + 1], total = (double)x->in->table->n_rows;
  double n_rest = (double)(x->cols[half].rows[half_bin] - n_own);
  for (uint32_t bin = 0; bin < x->cols[c].n_bins; bin++) {
    double share = (double)x->cols[c].rows[bin] / total, rest = (double)(joint(x, c, bin, half, half_bin) - own[bin]);
    log_ratio[bin] = 0;
    if (!(share > 0)) continue;
    log_ratio[bin] = log((rest + SMOOTHING * share) / ((n_rest + SMOOTHING) * share));
  }
  const bez_column *col = column_of(x, c);
  double bias = bias_at(&x->cols[c], n_rest);
  for (uint32_t i = 0; i < n_judged; i++)
    score[i] += log_ratio[x->cols[c].bin[bez_code(col, rows[(uint64_t)i * n_own / n_judged])]] - bias;
}

static void judge(const bez_context *x, const gathered *g, uint32_t at, bez_context_hit *hit) {
  const uint64_t *rows = g->rows + g->begin[at];
  uint64_t n = g->begin[at + 1] - g->begin[at];
  uint32_t judged = n < JUDGED_ROWS ? (uint32_t)n : JUDGED_ROWS, own[BEZ_CONTEXT_BINS + 1];
  double score[JUDGED_ROWS] = {0}, sum = 0, square = 0;
  for (uint32_t c = 0; c < x->n_cols; c++) {
    if (c == hit->a || c == hit->b || x->twin[hit->a * x->n_cols + c] || x->twin[hit->b * x->n_cols + c]) continue;
    const bez_column *col = column_of(x, c);
    memset(own, 0, sizeof own);
    for (uint64_t i = 0; i < n; i++) own[x->cols[c].bin[bez_code(col, rows[i])]]++;
    hit->gain += own_gain(x, c, own, n);
    add_context(x, c, hit->a, hit->code_a, own, n, rows, judged, score);
    add_context(x, c, hit->b, hit->code_b, own, n, rows, judged, score);
  }
  for (uint32_t i = 0; i < judged; i++) {
    double s = fmax(-CLIP, fmin(CLIP, -0.5 * score[i]));
    sum += s;
    square += s * s;
  }
  hit->mean = sum / judged;
  hit->z = hit->mean / (sqrt(fmax(0, square / judged - hit->mean * hit->mean)) + 0.3) * sqrt(judged);
}

/* The one cell of a pair of columns that are nearly independent otherwise: −log10 of Chernoff's bound for a Poisson
 * count of the expected mean, if that is a multiple of what the next cell reaches. Returns 0 where there is none. */
static double find_spike(const bez_context *x, uint32_t a, uint32_t b, uint32_t *cell) {
  const uint32_t *table = x->table[pair_index(x, a, b)];
  uint32_t width = x->cols[b].n_bins, cells = x->cols[a].n_bins * width;
  double first = 0, second = 0, lift = 0, total = (double)x->in->table->n_rows;
  if (column_of(x, a)->type != BEZ_COL_CATEGORICAL || column_of(x, b)->type != BEZ_COL_CATEGORICAL) return 0;
  for (uint32_t c = 0; c < cells; c++) {
    uint32_t in_a = c / width, in_b = c % width;
    double n = table[c], mean = (double)x->cols[a].rows[in_a] * (double)x->cols[b].rows[in_b] / total;
    if (n <= mean || n < 2) continue;
    double s = (n * log(n / mean) - n + mean) / log(10.0);
    if (s > first) {
      second = first;
      first = s;
      lift = n / mean;
      *cell = c;
    } else if (s > second) {
      second = s;
    }
  }
  return first >= SPIKE_LEAST && lift >= SPIKE_LIFT && first >= SPIKE_GAP * second ? first : 0;
}

typedef struct judging {
  bez_context *context;
  double mean_least, z_least, gain_most;
} judging;

static bez_status judge_pair(void *ctx, uint64_t pair, unsigned worker, bez_error *err) {
  const judging *j = ctx;
  bez_context *x = j->context;
  uint32_t a, b;
  pair_columns(x, pair, &a, &b);
  if (!x->cols[a].per_value || !x->cols[b].per_value || x->twin[a * x->n_cols + b] || x->twin[b * x->n_cols + a])
    return BEZ_OK;
  gathered g = {0};
  bez_status st = gather(x, a, b, &g, err);
  if (st == BEZ_OK && g.n > 0) {
    x->hits[pair] = malloc(g.n * sizeof **x->hits);
    if (!x->hits[pair]) st = bez_fail_memory(err, g.n * sizeof **x->hits);
  }
  uint32_t width = x->cols[b].n_bins, spiked = NO_CANDIDATE;
  double spike = g.n > 0 ? find_spike(x, a, b, &spiked) : 0;
  for (uint32_t i = 0; st == BEZ_OK && i < g.n; i++) {
    uint32_t code_a = g.cell[i] / width, code_b = g.cell[i] % width;
    uint64_t n = g.begin[i + 1] - g.begin[i];
    double expected = (double)x->cols[a].rows[code_a] * (double)x->cols[b].rows[code_b] / (double)x->in->table->n_rows;
    bez_context_hit hit = {
        .a = a, .b = b, .code_a = code_a, .code_b = code_b, .support = n, .lift = (double)n / expected};
    judge(x, &g, i, &hit);
    if (g.cell[i] == spiked) hit.spike = spike;
    if (hit.spike > 0 || (hit.mean >= j->mean_least && hit.z >= j->z_least && hit.gain <= j->gain_most))
      x->hits[pair][x->n_hits[pair]++] = hit;
  }
  gathered_free(&g);
  return st;
}

bez_status bez_context_judge(bez_context *x, double mean_least, double z_least, double gain_most, bez_error *err) {
  judging j = {x, mean_least, z_least, gain_most};
  bez_watch watch = bez_detect_watch(x->in, "context contradiction", "pairs of columns");
  return bez_parallel_watched(x->n_pairs, x->in->threads, &watch, judge_pair, &j, err);
}
