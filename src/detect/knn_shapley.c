/* BZ-D021, KNN-Shapley against a golden set: what each row is worth to a nearest-neighbour classifier that is to get
 * the verified rows right (fit/knn_shapley.h). Rows of negative value pull verified rows to a wrong label: mislabelled
 * and poisoned rows near them, but ambiguous ones too, so the list is a note. */
#include "detect/knn_shapley.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "detect/cells.h"
#include "fit/knn_shapley.h"

#define K 10u
#define BLOCK 16u         /* golden rows per tile; sums of tiles are added in order */
#define GOLDEN_ROWS 2000u /* a sample above */
#define ROWS 1000000u     /* data rows, at most */
#define LIST_ROWS 20000u
#define LIST_SHARE 0.1
#define TILES_AT_ONCE 64u

typedef struct valuation {
  const bez_detect_input *in;
  bez_pair_features f;
  uint32_t n, n_golden;
  uint32_t *label;  /* per row of the data: code */
  uint32_t *golden; /* golden rows whose label the data know */
  uint32_t *right;  /* their label as a code of the data */
  double *sum;      /* tile × n */
  uint64_t from;    /* first tile of this round */
} valuation;

static void distances(const valuation *v, uint32_t golden, float *distance) {
  const float *a = v->f.num[1] + (size_t)golden * v->f.n_num;
  const uint32_t *b = v->f.cat[1] + (size_t)golden * v->f.n_cat;
  for (uint32_t i = 0; i < v->n; i++) {
    const float *x = v->f.num[0] + (size_t)i * v->f.n_num;
    const uint32_t *y = v->f.cat[0] + (size_t)i * v->f.n_cat;
    float sum = 0.0f;
    for (uint32_t d = 0; d < v->f.n_num; d++) sum += (x[d] - a[d]) * (x[d] - a[d]);
    for (uint32_t c = 0; c < v->f.n_cat; c++) sum += y[c] != b[c] ? 1.0f : 0.0f;
    distance[i] = isnan(sum) ? INFINITY : sum;
  }
}

static bez_status tile(void *ctx, uint64_t at, unsigned worker, bez_error *err) {
  valuation *v = ctx;
  uint32_t first = (uint32_t)(v->from + at) * BLOCK, end = first + BLOCK < v->n_golden ? first + BLOCK : v->n_golden;
  float *distance = malloc(v->n * sizeof *distance);
  uint64_t *order = malloc(2 * (size_t)v->n * sizeof *order);
  if (!distance || !order) {
    free(distance);
    free(order);
    return bez_fail_memory(err, (size_t)v->n * 20);
  }
  for (uint32_t g = first; g < end; g++) {
    distances(v, v->golden[g], distance);
    bez_knn_shapley_add(distance, v->label, v->n, v->right[g], K, order, order + v->n, v->sum + at * v->n);
  }
  free(distance);
  free(order);
  return BEZ_OK;
}

/* value[row]: mean over the golden rows. A round of tiles at a time, so that their sums stay small. */
static bez_status value_rows(valuation *v, double *value, bez_error *err) {
  uint64_t tiles = (v->n_golden + BLOCK - 1) / BLOCK, most = 1 + (uint64_t)4000000 / (v->n + 1);
  if (most > TILES_AT_ONCE) most = TILES_AT_ONCE;
  bez_watch watch = bez_detect_watch(v->in, "value against the golden set", "tiles");
  v->sum = malloc((size_t)most * v->n * sizeof *v->sum);
  if (!v->sum) return bez_fail_memory(err, (size_t)most * v->n * sizeof *v->sum);
  for (v->from = 0; v->from < tiles; v->from += most) {
    uint64_t now = tiles - v->from < most ? tiles - v->from : most;
    memset(v->sum, 0, (size_t)now * v->n * sizeof *v->sum);
    bez_status st = bez_parallel_watched(now, v->in->threads, &watch, tile, v, err);
    if (st != BEZ_OK) return st;
    for (uint64_t t = 0; t < now; t++)
      for (uint32_t i = 0; i < v->n; i++) value[i] += v->sum[t * v->n + i] / v->n_golden;
  }
  return BEZ_OK;
}

/* Golden rows whose label occurs in the data, every m-th where there are many. */
static bez_status match_labels(valuation *v, bez_report *report, bez_error *err) {
  const bez_table *g = v->in->golden;
  const bez_column *own = &v->in->table->cols[v->in->label], *other = &g->cols[g->label];
  uint64_t step = (g->n_rows + GOLDEN_ROWS - 1) / GOLDEN_ROWS, unknown = 0;
  v->label = malloc(v->n * sizeof *v->label);
  v->golden = malloc((GOLDEN_ROWS + 1) * sizeof *v->golden);
  v->right = malloc((GOLDEN_ROWS + 1) * sizeof *v->right);
  if (!v->label || !v->golden || !v->right) return bez_fail_memory(err, (size_t)v->n * 4);
  for (uint32_t i = 0; i < v->n; i++) v->label[i] = bez_code(own, i);
  for (uint64_t row = 0; row < g->n_rows; row += step) {
    uint32_t code = bez_code(other, row), found = 0;
    size_t len, have;
    const char *value = bez_value(other, code, &len);
    for (uint32_t w = BEZ_CODE_FIRST; w < own->n_values && code >= BEZ_CODE_FIRST && !found; w++) {
      const char *mine = bez_value(own, w, &have);
      if (have == len && !memcmp(mine, value, len)) found = w;
    }
    unknown += !found;
    if (!found) continue;
    v->golden[v->n_golden] = (uint32_t)row;
    v->right[v->n_golden++] = found;
  }
  if (step > 1)
    bez_report_not_checked(report, false, "BZ-D021 golden set", "more than %u rows: every %llu-th", GOLDEN_ROWS,
                           (unsigned long long)step);
  if (unknown)
    bez_report_not_checked(report, false, "BZ-D021 golden set", "%llu rows whose label the data do not have",
                           (unsigned long long)unknown);
  return BEZ_OK;
}

typedef struct ranked {
  double value;
  uint32_t row;
} ranked;

static int least_first(const void *x, const void *y) {
  const ranked *a = x, *b = y;
  if (a->value != b->value) return a->value < b->value ? -1 : 1;
  return a->row < b->row ? -1 : a->row > b->row;
}

static bez_status emit(const valuation *v, const double *value, bez_report *report, bez_error *err) {
  const char **names = bez_cells_labels(report, v->in);
  ranked *all = malloc(v->n * sizeof *all);
  bez_row_hit *hits = malloc((LIST_ROWS + 1) * sizeof *hits);
  uint32_t n = 0, negative;
  bez_status st = BEZ_OK;
  if (!all || !hits || !names) BEZ_TRY(bez_fail_memory(err, v->n * sizeof *all));
  for (uint32_t i = 0; i < v->n; i++)
    if (value[i] < 0.0) all[n++] = (ranked){value[i], i};
  qsort(all, n, sizeof *all, least_first);
  negative = n;
  if (n > LIST_SHARE * v->n) n = (uint32_t)(LIST_SHARE * v->n);
  if (n > LIST_ROWS) n = LIST_ROWS;
  if (!n) goto cleanup;
  for (uint32_t i = 0; i < n; i++)
    hits[i] = (bez_row_hit){.row = bez_global_row(v->in->table, all[i].row),
                            .score = -all[i].value * v->n,
                            .q = NAN,
                            .label = names[v->label[all[i].row]]};
  bez_finding *f = bez_report_add_list(report, &bez_detector_knn_shapley.rule, (double)negative / v->n);
  if (!f) goto cleanup;
  bez_finding_title(report, f, "%u of %u rows speak against the golden set; the %u worst to review", negative, v->n, n);
  bez_finding_subject(report, f, v->in->table->cols[v->in->label].name, NULL);
  bez_finding_number(report, f, "golden rows", v->n_golden);
  bez_finding_number(report, f, "neighbours K", K);
  bez_finding_number(report, f, "rows of negative value", negative);
  bez_finding_text(report, f, "compared by", "%s", v->f.what);
  bez_finding_rows(report, f, hits, n);
cleanup:
  free(all);
  free(hits);
  return st;
}

static bez_status run(const bez_detect_input *in, bez_report *report, bez_error *err) {
  valuation v = {.in = in, .n = (uint32_t)in->table->n_rows};
  double *value = NULL;
  bez_status st = BEZ_OK;
  if (in->table->n_rows > ROWS || in->golden->label < 0) {
    bez_report_not_checked(report, false, "BZ-D021",
                           in->golden->label < 0 ? "the golden set has no label column" : "more than 1,000,000 rows");
    goto cleanup;
  }
  BEZ_TRY(match_labels(&v, report, err));
  BEZ_TRY(bez_pair_features_make(in, &v.f, err));
  if (!v.n_golden || v.f.n_num + v.f.n_cat == 0) {
    bez_report_not_checked(report, false, "BZ-D021", "the golden set shares no label or no feature with the data");
    goto cleanup;
  }
  value = calloc((size_t)v.n + 1, sizeof *value);
  if (!value) BEZ_TRY(bez_fail_memory(err, v.n * sizeof *value));
  BEZ_TRY(value_rows(&v, value, err));
  BEZ_TRY(emit(&v, value, report, err));
  st = bez_report_status(report, err);
cleanup:
  bez_pair_features_free(&v.f);
  free(v.label);
  free(v.golden);
  free(v.right);
  free(v.sum);
  free(value);
  return st;
}

const bez_detector bez_detector_knn_shapley = {
    .rule = {.id = "BZ-D021",
             .name = "knn-shapley",
             .title = "Value against a golden set (KNN-Shapley)",
             .summary =
                 "Rows that pull a nearest-neighbour classifier away from the verified labels of a golden set, by "
                 "their exact Shapley value, as a ranked list.",
             .remedy =
                 "Review from the top of the list; correct or drop what is wrong. A golden set that is small or of "
                 "another kind than the data says little about rows far from it.",
             .taxonomy = "ATLAS:AML.T0020 NIST:NISTAML.013 OWASP:LLM04 OWASP-ML:ML02"},
    .needs = BEZ_NEED_LABEL | BEZ_NEED_GOLDEN,
    .null_hypothesis = "Rows near a verified row carry its label.",
    .calibration = "None claimed: always a note. The values are exact: docs/detect/knn-shapley.md.",
    .cost = "O(golden rows · rows · (features + log rows)) time, at most 2,000 golden rows; 36 · rows bytes per thread",
    .source = "Jia et al., Efficient task-specific data valuation for nearest neighbor algorithms, PVLDB 12, 2019",
    .run = run,
};
