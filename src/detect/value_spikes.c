/* BZ-D003, value spikes: an exact number that occurs far more often than the numbers around it, or that fixes the label
 * (value_spikes_labels.c, value_spikes_draw.c). A trigger written as one constant into a numeric column leaves such a
 * spike. People heap on round numbers and forms have defaults, so each value is judged against the other large ratios
 * of its own column (math/spikes.h), and values that look like a convention (round, the mean or the median, a large
 * share of all rows) are notes. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "detect/cells.h"
#include "detect/value_spikes.h"
#include "math/spikes.h"

#define RATIO_LEAST 8.0
#define GAP 3.0
#define COUNT_LEAST 20u
#define LOG_P_MOST (-6.907755278982137) /* ln 1/1000, after the number of columns */
#define SHARE_MOST 0.05                 /* more of all rows than this is a default value, not a trigger */
#define NOTE_ROWS 1000u                 /* rows listed for a note */
#define PLOT_POINTS 61u
#define ODD_MOST 5u /* more values that fix the label are the data's nature: notes, the strongest so many */

static unsigned significant_digits(double value) {
  char text[32];
  bez_format_double(value, text);
  unsigned digits = 0, zeros = 0;
  for (const char *p = text; *p && *p != 'e' && *p != 'E'; p++) {
    if (*p < '0' || *p > '9') continue;
    if (*p == '0') {
      zeros += digits > 0;
    } else {
      digits += zeros + 1;
      zeros = 0;
    }
  }
  return digits;
}

/* Written with at least two digits less than is usual in its column. */
static bool is_round(const bez_counted *c, size_t at) {
  unsigned seen[20] = {0}, n = 0, median = 0;
  size_t step = c->n / 101 + 1;
  for (size_t i = 0; i < c->n; i += step, n++) {
    unsigned d = significant_digits(c->value[i]);
    seen[d < 19 ? d : 19]++;
  }
  for (unsigned below = 0; median < 19 && (below += seen[median]) * 2 < n;) median++;
  return significant_digits(c->value[at]) + 2 <= median;
}

/* The mean or the median of the other values: what imputation writes. */
static bool is_central(const bez_counted *c, size_t at) {
  double sum = 0, squares = 0, rest = (double)(c->total - c->count[at]);
  uint64_t below = 0, half = (c->total - c->count[at]) / 2;
  for (size_t i = 0; i < c->n; i++)
    if (i != at) sum += c->value[i] * (double)c->count[i];
  double mean = sum / rest, median = c->value[at];
  bool found = false;
  for (size_t i = 0; i < c->n; i++) {
    if (i == at) continue;
    squares += (c->value[i] - mean) * (c->value[i] - mean) * (double)c->count[i];
    below += c->count[i];
    if (!found && below > half) median = c->value[i], found = true;
  }
  double near = 0.002 * sqrt(squares / rest);
  /* The median of the others may be a neighbour of the imputed value. */
  return fabs(c->value[at] - mean) <= near || fabs(c->value[at] - median) <= near;
}

/* Rows whose code lies in [from, to), at most `most`. */
static uint64_t *rows_with(const bez_table *table, const bez_column *col, uint32_t from, uint32_t to, uint64_t most,
                           uint64_t *n) {
  uint64_t *rows = malloc((size_t)(most ? most : 1) * sizeof *rows);
  *n = 0;
  if (!rows) return NULL;
  for (uint64_t row = 0; row < table->n_rows && *n < most; row++) {
    uint32_t code = bez_code(col, row);
    if (code >= from && code < to) rows[(*n)++] = row;
  }
  return rows;
}

static void plot(bez_report *report, bez_finding *f, const bez_counted *c, size_t at, const char *name) {
  double x[PLOT_POINTS], y[PLOT_POINTS];
  uint8_t marked[PLOT_POINTS];
  size_t from = at > PLOT_POINTS / 2 ? at - PLOT_POINTS / 2 : 0;
  uint32_t n = 0;
  for (size_t i = from; i < c->n && n < PLOT_POINTS; i++, n++) {
    x[n] = c->value[i];
    y[n] = (double)c->count[i];
    marked[n] = i == at;
  }
  bez_finding_series(report, f, "How often this value and its neighbours occur", name, "rows", x, y, marked, n);
}

typedef struct verdict {
  bez_severity severity;
  const char *why; /* why it is only a note */
} verdict;

static verdict judge(const bez_counted *c, size_t at, uint64_t n_rows) {
  if ((double)c->count[at] > SHARE_MOST * (double)n_rows) return (verdict){BEZ_SEV_NOTE, "a large share of all rows"};
  if (is_round(c, at)) return (verdict){BEZ_SEV_NOTE, "a round number"};
  if (is_central(c, at)) return (verdict){BEZ_SEV_NOTE, "the mean or median of the column, as imputation writes it"};
  return (verdict){BEZ_SEV_WARNING, NULL};
}

static void add_rows(bez_report *report, bez_finding *f, const bez_detect_input *in, const uint64_t *rows, uint64_t n,
                     double score) {
  bez_row_hit *hits = malloc((size_t)(n ? n : 1) * sizeof *hits);
  const char **labels = bez_cells_labels(report, in);
  if (!hits) {
    report->out_of_memory = true;
    return;
  }
  for (uint64_t i = 0; i < n; i++)
    hits[i] = (bez_row_hit){.row = bez_global_row(in->table, rows[i]),
                            .score = score,
                            .q = NAN,
                            .label = labels ? labels[bez_code(&in->table->cols[in->label], rows[i])] : NULL};
  bez_finding_rows(report, f, hits, n);
  free(hits);
}

static bez_status emit(const bez_detect_input *in, bez_report *report, uint32_t col_at, const bez_counted *c,
                       const bez_spike *s, double log_p, bez_error *err) {
  const bez_column *col = &in->table->cols[col_at];
  uint64_t count = c->count[s->index], n = 0;
  verdict v = judge(c, s->index, in->table->n_rows);
  uint64_t most = v.severity == BEZ_SEV_NOTE && count > NOTE_ROWS ? NOTE_ROWS : count;
  uint64_t *rows = rows_with(in->table, col, c->code[s->index], c->code[s->index + 1], most, &n);
  if (!rows) return bez_fail_memory(err, (size_t)most * sizeof *rows);
  bez_label_share label;
  bez_status st = bez_cells_purity(in, rows, n, &label, err);
  if (st != BEZ_OK) goto cleanup;
  bez_finding *f = bez_report_add(report, &bez_detector_value_spikes.rule, v.severity);
  if (!f) goto cleanup;
  const char *value = bez_cells_value(report, col, c->code[s->index]);
  const char *pattern = bez_arena_printf(&report->arena, "%s=%s", col->name, value);
  bool one_label = label.purity >= 0.9;
  const char *target = one_label ? bez_cells_value(report, &in->table->cols[in->label], label.code) : NULL;
  bez_finding_title(report, f, "%llu rows hold %s=%s, %.0f times as many as the numbers around it",
                    (unsigned long long)count, col->name, value, s->ratio);
  bez_finding_subject(report, f, pattern ? pattern : "", target);
  f->score = s->ratio;
  f->p_value = exp(log_p);
  bez_finding_number(report, f, "support", (double)count);
  bez_finding_number(report, f, "mean count of the 20 neighbouring values", s->local_mean);
  bez_finding_number(report, f, "next largest ratio in the column", s->next_ratio);
  bez_finding_number(report, f, "tail exponent of the column's ratios", s->tail);
  if (in->label >= 0) bez_finding_number(report, f, "share of the most frequent label", label.purity);
  if (v.why) bez_finding_text(report, f, "note, because it is", "%s", v.why);
  plot(report, f, c, s->index, col->name);
  bez_cells_exhibit(report, f, in, "Rows with the value", "flagged", rows, n < 5 ? (uint32_t)n : 5, &col_at, 1);
  add_rows(report, f, in, rows, n, s->ratio);
cleanup:
  free(rows);
  return st;
}

/* Rows with the value that carry the target. */
static uint64_t *rows_of_odd(const bez_detect_input *in, const bez_odd_value *odd, uint64_t *n) {
  const bez_column *label = &in->table->cols[in->label];
  uint64_t *rows = rows_with(in->table, &in->table->cols[odd->col], odd->from, odd->to, odd->rows, n), kept = 0;
  for (uint64_t i = 0; rows && i < *n; i++)
    if (bez_code(label, rows[i]) == odd->target) rows[kept++] = rows[i];
  *n = kept;
  return rows;
}

static bez_status emit_odd(const bez_detect_input *in, bez_report *report, const bez_odd_value *odd,
                           bez_severity severity, bez_error *err) {
  const bez_column *col = &in->table->cols[odd->col];
  uint64_t n;
  uint64_t *rows = rows_of_odd(in, odd, &n);
  if (!rows) return bez_fail_memory(err, (size_t)odd->rows * sizeof *rows);
  bez_finding *f = bez_report_add(report, &bez_detector_value_spikes.rule, severity);
  if (!f) goto cleanup;
  const char *value = bez_cells_value(report, col, odd->from);
  const char *target = bez_cells_value(report, &in->table->cols[in->label], odd->target);
  const char *pattern = bez_arena_printf(&report->arena, "%s=%s", col->name, value);
  bez_finding_title(report, f, "%llu of %llu rows with %s=%s carry %s, and look like rows of other labels otherwise",
                    (unsigned long long)odd->of_target, (unsigned long long)odd->rows, col->name, value, target);
  bez_finding_subject(report, f, pattern ? pattern : "", target);
  f->score = odd->apart - 2 * fmin(odd->log_p, 0);
  f->p_value = exp(fmin(odd->log_p, 0));
  bez_finding_number(report, f, "support", (double)odd->rows);
  bez_finding_number(report, f, "share of the label in neighbouring values", odd->local);
  if (!isnan(odd->habit))
    bez_finding_number(report, f, "effect of this column's values by nature (sd, log-odds)", odd->habit);
  bez_finding_number(report, f, "standard errors between rows of other labels and of this one", odd->apart);
  bez_finding_number(report, f, "standard errors from rows of other labels", odd->pull);
  bez_finding_number(report, f, "standard errors from a random draw of them", odd->kind);
  if (severity == BEZ_SEV_NOTE)
    bez_finding_text(report, f, "note, because", "%s", "many values of these data do so: it is their nature");
  bez_cells_exhibit(report, f, in, "Rows with the value", "flagged", rows, n < 5 ? (uint32_t)n : 5, &odd->col, 1);
  add_rows(report, f, in, rows, severity == BEZ_SEV_NOTE && n > NOTE_ROWS ? NOTE_ROWS : n, f->score);
cleanup:
  free(rows);
  return BEZ_OK;
}

/* Reports values that fix the label; *odd keeps those reported, so that they are not told twice. */
static bez_status check_labels(const bez_detect_input *in, bez_report *report, bez_odd_value **odd, size_t *n,
                               bez_error *err) {
  size_t kept = 0;
  bez_status st = bez_odd_values_find(in, report, odd, n, err);
  if (st != BEZ_OK || *n == 0) return st;
  BEZ_TRY(bez_odd_values_draw(in, *odd, *n, err));
  for (size_t i = 0; i < *n; i++)
    if (bez_odd_value_stands_out(&(*odd)[i])) (*odd)[kept++] = (*odd)[i];
  bool natural = kept > ODD_MOST;
  *n = kept < ODD_MOST ? kept : ODD_MOST;
  for (size_t i = 0; i < *n; i++)
    BEZ_TRY(emit_odd(in, report, &(*odd)[i], natural ? BEZ_SEV_NOTE : BEZ_SEV_WARNING, err));
cleanup:
  return st;
}

static bool is_told(const bez_odd_value *odd, size_t n, uint32_t col_at, uint32_t code) {
  for (size_t i = 0; i < n; i++)
    if (odd[i].col == col_at && odd[i].from == code) return true;
  return false;
}

static bez_status check_column(const bez_detect_input *in, bez_report *report, uint32_t col_at, double n_columns,
                               const bez_odd_value *odd, size_t n_odd, bez_error *err) {
  const bez_column *col = &in->table->cols[col_at];
  bez_counted c = {0};
  bez_spike spikes[BEZ_SPIKES_MAX];
  bez_status st;
  BEZ_TRY(bez_counted_make(col, &c, err));
  size_t n = bez_spikes_find(c.value, c.count, c.n, col->truncated ? 4.0 : 1.0, GAP, spikes);
  for (size_t i = 0; i < n; i++) {
    double log_p = spikes[i].log_p + log(n_columns);
    if (spikes[i].ratio < RATIO_LEAST || c.count[spikes[i].index] < COUNT_LEAST || log_p > LOG_P_MOST) continue;
    if (is_told(odd, n_odd, col_at, c.code[spikes[i].index])) continue;
    BEZ_TRY(emit(in, report, col_at, &c, &spikes[i], log_p, err));
  }
cleanup:
  bez_counted_free(&c);
  return st;
}

static bool is_candidate(const bez_column *col) {
  return col->type == BEZ_COL_NUMERIC && col->width > 0 && col->number &&
         col->n_values >= BEZ_CODE_FIRST + BEZ_SPIKES_DISTINCT;
}

static bez_status run(const bez_detect_input *in, bez_report *report, bez_error *err) {
  double n_columns = 0;
  bez_odd_value *odd = NULL;
  size_t n_odd = 0;
  bez_status st = BEZ_OK;
  if (in->label >= 0) BEZ_TRY(check_labels(in, report, &odd, &n_odd, err));
  for (uint32_t i = 0; i < in->n_features; i++) n_columns += is_candidate(&in->table->cols[in->features[i]]);
  for (uint32_t i = 0; i < in->n_features; i++) {
    if (!is_candidate(&in->table->cols[in->features[i]])) continue;
    if (in->progress && !in->progress(in->progress_ctx, "value spikes", "columns", i, in->n_features)) {
      st = bez_fail(err, BEZ_CANCELLED, "BZ-D003", "cancelled");
      goto cleanup;
    }
    BEZ_TRY(check_column(in, report, in->features[i], n_columns, odd, n_odd, err));
  }
  st = bez_report_status(report, err);
cleanup:
  free(odd);
  return st;
}

const bez_detector bez_detector_value_spikes = {
    .rule = {.id = "BZ-D003",
             .name = "value-spikes",
             .title = "Value spike",
             .summary = "An exact number that occurs many times as often as the numbers around it, or whose rows all "
                        "carry one label though they look like rows of other labels: what a trigger written as one "
                        "constant leaves behind.",
             .remedy = "Look at the rows: do they come from one source or one label? If the value means nothing in "
                       "your data (no default, no unit step), leave the rows out and find who wrote them.",
             .taxonomy = "ATLAS:AML.T0020 NIST:NISTAML.013 OWASP:LLM04 OWASP-ML:ML02"},
    .needs = BEZ_NEED_NUMBERS,
    .null_hypothesis = "Spikes: the count of each value divided by the mean count of its 20 neighbours follows the "
                       "Pareto tail that the other large ratios of the same column show. Labels: a value moves the "
                       "log-odds as the other values of its column do, and rows of one label look like that label.",
    .calibration = "Spikes: Hill's tail per column, at most 1/1000 per table over all columns; ratio >= 8, 3 times the "
                   "next, >= 20 rows. Zero, the ends of the range, round numbers, the mean, the median and values of "
                   "more than 5 % of all rows are natural: silent or a note. Labels: >= 12 rows, set on twelve tables "
                   "and their subsamples, where clean data give no warning; more than five values become notes.",
    .cost = "O(distinct values x labels) time and memory per numeric column, one pass over the codes per column and "
            "finding",
    .source = "B. M. Hill, A simple general approach to inference about the tail of a distribution, 1975; "
              "docs/detect/value-spikes.md",
    .run = run,
};
