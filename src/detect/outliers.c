/* BZ-D022, outliers: the rows that four methods (fit/outliers.h) find odd in the numeric columns, as one list to look
 * at. A row's place is the mean of its ranks under the methods, so that no method's scale decides. An outlier is no
 * poison and most poison is no outlier: always a note. */
#include <math.h>
#include <stdlib.h>

#include "base/error.h"
#include "detect/cells.h"
#include "fit/outliers.h"

#define ROWS_LEAST 50u
#define LIST_SHARE 0.01
#define LIST_LEAST 5u
#define LIST_MOST 1000u
#define CELLS_MOST ((uint64_t)1 << 25)
#define SHOWN 8u

typedef bez_status (*method_fn)(const bez_matrix *, const bez_outlier_params *, double *, bez_error *);

static const struct {
  const char *name;
  method_fn score;
} methods[] = {{"isolation forest", bez_isolation_forest},
               {"ECOD", bez_ecod},
               {"COPOD", bez_copod},
               {"robust covariance", bez_robust_covariance}};

enum { N_METHODS = sizeof methods / sizeof *methods };

typedef struct ranked {
  double score;
  uint64_t row;
} ranked;

static int oddest_first(const void *x, const void *y) {
  const ranked *a = x, *b = y;
  if (a->score != b->score) return a->score > b->score ? -1 : 1;
  return a->row < b->row ? -1 : a->row > b->row;
}

static uint32_t numeric_columns(const bez_detect_input *in, uint32_t *out) {
  uint32_t n = 0;
  for (uint32_t i = 0; i < in->n_features; i++)
    if (in->table->cols[in->features[i]].type == BEZ_COL_NUMERIC) out[n++] = in->features[i];
  return n;
}

static void fill(const bez_detect_input *in, const uint32_t *column, uint32_t n_cols, double *x) {
  for (uint32_t c = 0; c < n_cols; c++) {
    const bez_column *col = &in->table->cols[column[c]];
    for (uint64_t row = 0; row < in->table->n_rows; row++) x[row * n_cols + c] = bez_number(col, row);
  }
}

/* Adds each row's share of rows that are less odd; equal scores share their mean place. */
static void add_ranks(const double *score, ranked *list, uint64_t n, double *sum) {
  for (uint64_t i = 0; i < n; i++) list[i] = (ranked){score[i], i};
  qsort(list, n, sizeof *list, oddest_first);
  for (uint64_t i = 0; i < n;) {
    uint64_t j = i;
    while (j < n && list[j].score == list[i].score) j++;
    double place = 1.0 - 0.5 * (double)(i + j) / (double)n;
    for (; i < j; i++) sum[list[i].row] += place;
  }
}

static bez_status rank_rows(const bez_detect_input *in, const bez_matrix *m, double *score, double *sum, ranked *list,
                            bez_report *report, uint32_t *n_methods, bez_error *err) {
  bez_watch watch = bez_detect_watch(in, "outliers", "tiles");
  bez_outlier_params params = {.seed = in->seed, .threads = in->threads, .cpu = in->cpu, .watch = &watch};
  for (uint32_t k = 0; k < N_METHODS; k++) {
    if (methods[k].score == bez_robust_covariance && m->n_cols > BEZ_MCD_COLUMNS) {
      bez_report_not_checked(report, false, "BZ-D022 robust covariance", "more than %u numeric columns",
                             BEZ_MCD_COLUMNS);
      continue;
    }
    bez_status st = methods[k].score(m, &params, score, err);
    if (st != BEZ_OK) return st;
    add_ranks(score, list, m->n_rows, sum);
    (*n_methods)++;
  }
  for (uint64_t i = 0; i < m->n_rows; i++) list[i] = (ranked){sum[i] / (double)*n_methods, i};
  qsort(list, m->n_rows, sizeof *list, oddest_first);
  return BEZ_OK;
}

static bez_status emit(const bez_detect_input *in, bez_report *report, const ranked *list, uint32_t n_cols,
                       uint32_t n_methods, bez_error *err) {
  uint64_t n = (uint64_t)(LIST_SHARE * (double)in->table->n_rows), shown[SHOWN];
  if (n < LIST_LEAST) n = LIST_LEAST;
  if (n > LIST_MOST) n = LIST_MOST;
  bez_row_hit *hits = malloc(n * sizeof *hits);
  if (!hits) return bez_fail_memory(err, n * sizeof *hits);
  const char **labels = bez_cells_labels(report, in);
  for (uint64_t i = 0; i < n; i++) {
    hits[i] = (bez_row_hit){.row = bez_global_row(in->table, list[i].row), .score = list[i].score, .q = NAN};
    if (labels) hits[i].label = labels[bez_code(&in->table->cols[in->label], list[i].row)];
    if (i < SHOWN) shown[i] = list[i].row;
  }
  bez_finding *f = bez_report_add_list(report, &bez_detector_outliers.rule, list[0].score);
  if (f) {
    bez_finding_title(report, f, "The %llu oddest rows by their numbers, to look at: an outlier is no poison",
                      (unsigned long long)n);
    bez_finding_subject(report, f, "outliers", NULL);
    bez_finding_number(report, f, "numeric columns", n_cols);
    bez_finding_number(report, f, "methods", n_methods);
    bez_finding_text(report, f, "score", "mean share of the rows that are less odd, over the methods");
    bez_cells_exhibit(report, f, in, "The oddest rows", "outlier", shown, n < SHOWN ? (uint32_t)n : SHOWN, NULL, 0);
    bez_finding_rows(report, f, hits, n);
  }
  free(hits);
  return BEZ_OK;
}

static bez_status run(const bez_detect_input *in, bez_report *report, bez_error *err) {
  uint64_t n = in->table->n_rows;
  if (n < ROWS_LEAST) {
    bez_report_not_checked(report, false, "BZ-D022", "fewer than %u rows", ROWS_LEAST);
    return bez_report_status(report, err);
  }
  uint32_t *column = malloc(((size_t)in->n_features + 1) * sizeof *column), n_methods = 0;
  if (!column) return bez_fail_memory(err, in->n_features * sizeof *column);
  uint32_t n_cols = numeric_columns(in, column);
  double *x = NULL, *score = NULL, *sum = NULL;
  ranked *list = NULL;
  bez_status st = BEZ_OK;
  if (n_cols == 0 || n > CELLS_MOST / n_cols) {
    bez_report_not_checked(report, false, "BZ-D022", "%s",
                           n_cols ? "more than 33,554,432 numbers" : "no numeric feature column");
    goto cleanup;
  }
  x = malloc(n * n_cols * sizeof *x);
  score = malloc(n * sizeof *score);
  sum = calloc(n, sizeof *sum);
  list = malloc(n * sizeof *list);
  if (!x || !score || !sum || !list) {
    st = bez_fail_memory(err, n * (n_cols + 4) * sizeof *x);
    goto cleanup;
  }
  fill(in, column, n_cols, x);
  bez_matrix m = {x, n, n_cols};
  BEZ_TRY(rank_rows(in, &m, score, sum, list, report, &n_methods, err));
  BEZ_TRY(emit(in, report, list, n_cols, n_methods, err));
  st = bez_report_status(report, err);
cleanup:
  free(column);
  free(x);
  free(score);
  free(sum);
  free(list);
  return st;
}

const bez_detector bez_detector_outliers = {
    .rule = {.id = "BZ-D022",
             .name = "outliers",
             .title = "Outliers",
             .summary =
                 "The rows that isolation forest, ECOD, COPOD and robust covariance together find odd in the numeric "
                 "columns, as a ranked list.",
             .remedy =
                 "Look at the first ones: broken sensors, wrong units and pranks stand here beside honest rare rows. "
                 "Never delete the list whole.",
             .taxonomy = "ATLAS:AML.T0020 NIST:NISTAML.013 OWASP:LLM04 OWASP-ML:ML02"},
    .needs = BEZ_NEED_NUMBERS,
    .null_hypothesis = "None: every table has oddest rows.",
    .calibration = "None claimed: always a note.",
    .cost = "O(rows · columns²) time; 24 bytes per number, up to 33,554,432 numbers",
    .source =
        "Liu, Ting, Zhou, Isolation-based anomaly detection, 2012; Li et al., ECOD, 2022; Li et al., COPOD, 2020; "
        "Rousseeuw, Van Driessen, A fast algorithm for the minimum covariance determinant estimator, 1999",
    .run = run,
};
