/* BZ-D006, label disagreement on tables: rows whose given label a model that never saw it, and the nearest rows,
 * dispute. Confident learning (fit/confident.h) says how many labels look wrong; the list is ordered by the model's
 * log-odds for the best other label against the given one. Natural noise, ambiguous rows and flipped labels look the
 * same to all of these, so the finding is a note with a list to review, never an accusation. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/threads.h"
#include "detect/cells.h"
#include "detect/label_model.h"
#include "fit/confident.h"

#define TILE 8192u
#define LIST_SHARE 0.5       /* of the judged rows, at most … */
#define LIST_ROWS 20000u     /* … and at most so many */
#define MARGIN_LEAST (-4.0f) /* log-odds below which a row is not worth a look */
#define PLOT_POINTS 64u

typedef struct judge {
  const bez_detect_input *in;
  const bez_label_model *model;
  const uint8_t *votes; /* may be NULL */
  uint64_t n_tiles;
  double *sum; /* tile × class */
  uint64_t *count;
  double *threshold;
  float *margin;                 /* per row; −infinity: not judged */
  double *expected;              /* per tile: issues that a calibrated model expects on sound labels */
  uint64_t *n_issues, *n_backed; /* per tile: issues; those whose nearest rows mostly carry the other label */
} judge;

typedef struct listed {
  uint64_t row;
  float margin;
} listed;

static uint32_t tile_rows(const judge *j, uint64_t tile) {
  uint64_t left = j->in->table->n_rows - tile * TILE;
  return left < TILE ? (uint32_t)left : TILE;
}

/* Class, probabilities and scratch of one tile in one allocation each; freed by the caller. */
typedef struct tile_buffers {
  float *p;
  uint32_t *label;
  double *scratch;
} tile_buffers;

static bez_status load_tile(const judge *j, uint64_t tile, tile_buffers *b, bez_error *err) {
  uint32_t classes = j->model->n_classes;
  b->p = malloc((size_t)TILE * classes * sizeof *b->p);
  b->label = malloc(TILE * sizeof *b->label);
  b->scratch = malloc(TILE * sizeof *b->scratch);
  if (!b->p || !b->label || !b->scratch) return bez_fail_memory(err, (size_t)TILE * (classes * 4 + 12));
  bez_label_model_rows(j->model, j->in, tile * TILE, tile_rows(j, tile), b->p, b->label, b->scratch);
  return BEZ_OK;
}

static void free_tile(tile_buffers *b) {
  free(b->p);
  free(b->label);
  free(b->scratch);
}

static bez_status sum_tile(void *ctx, uint64_t tile, unsigned worker, bez_error *err) {
  judge *j = ctx;
  uint32_t classes = j->model->n_classes;
  tile_buffers b = {0};
  bez_status st = load_tile(j, tile, &b, err);
  if (st == BEZ_OK)
    bez_confident_add(b.p, b.label, tile_rows(j, tile), classes, j->sum + tile * classes, j->count + tile * classes);
  free_tile(&b);
  return st;
}

static uint32_t best_other(const float *p, uint32_t n_classes, uint32_t label) {
  uint32_t best = label == 0 ? 1 : 0;
  for (uint32_t k = best + 1; k < n_classes; k++)
    if (k != label && p[k] > p[best]) best = k;
  return best;
}

/* Log-odds of the best other class against the given one. */
static float row_margin(const float *p, uint32_t n_classes, uint32_t label) {
  float other = p[best_other(p, n_classes, label)], given = p[label];
  return (float)(log((double)other + 1e-9) - log((double)given + 1e-9));
}

static bool neighbours_back(const judge *j, uint64_t row, uint32_t guess) {
  return j->votes && 2u * j->votes[row * j->model->n_classes + guess] > BEZ_NEIGHBOURS;
}

/* How likely the row would be an issue, were its label drawn from p: any but the guess and the first choice. */
static double issue_chance(const float *p, uint32_t n_classes, uint32_t guess) {
  uint32_t best = 0;
  for (uint32_t k = 1; k < n_classes; k++)
    if (p[k] > p[best]) best = k;
  double left = 1.0 - (double)p[guess] - (best != guess ? (double)p[best] : 0.0);
  return left > 0.0 ? left : 0.0;
}

static bez_status judge_tile(void *ctx, uint64_t tile, unsigned worker, bez_error *err) {
  judge *j = ctx;
  uint32_t classes = j->model->n_classes;
  tile_buffers b = {0};
  bez_status st = load_tile(j, tile, &b, err);
  for (uint32_t i = 0; st == BEZ_OK && i < tile_rows(j, tile); i++) {
    uint64_t row = tile * TILE + i;
    const float *p = b.p + (size_t)i * classes;
    j->margin[row] = -INFINITY;
    if (b.label[i] == BEZ_CLASS_NONE) continue;
    j->margin[row] = row_margin(p, classes, b.label[i]);
    uint32_t guess = bez_confident_guess(p, classes, j->threshold);
    if (guess == BEZ_CONFIDENT_NONE) continue;
    j->expected[tile] += issue_chance(p, classes, guess);
    if (!bez_confident_is_issue(p, classes, b.label[i], guess)) continue;
    j->n_issues[tile]++;
    j->n_backed[tile] += neighbours_back(j, row, guess);
  }
  free_tile(&b);
  return st;
}

static void judge_free(judge *j) {
  free(j->sum);
  free(j->count);
  free(j->threshold);
  free(j->margin);
  free(j->expected);
  free(j->n_issues);
  free(j->n_backed);
}

static bez_status judge_rows(judge *j, bez_error *err) {
  size_t tiles = (size_t)j->n_tiles, cells = tiles * j->model->n_classes, classes = j->model->n_classes;
  uint64_t n_rows = j->in->table->n_rows;
  j->sum = calloc(cells, sizeof *j->sum);
  j->count = calloc(cells, sizeof *j->count);
  j->threshold = calloc(classes, sizeof *j->threshold);
  j->margin = malloc(n_rows * sizeof *j->margin);
  j->expected = calloc(tiles, sizeof *j->expected);
  j->n_issues = calloc(tiles, sizeof *j->n_issues);
  j->n_backed = calloc(tiles, sizeof *j->n_backed);
  if (!j->sum || !j->count || !j->threshold || !j->margin || !j->expected || !j->n_issues || !j->n_backed)
    return bez_fail_memory(err, n_rows * sizeof *j->margin);
  bez_watch watch = bez_detect_watch(j->in, "label disagreement", "tiles");
  bez_status st = bez_parallel_watched(j->n_tiles, j->in->threads, &watch, sum_tile, j, err);
  if (st != BEZ_OK) return st;
  for (size_t t = 1; t < tiles; t++)
    for (size_t k = 0; k < classes; k++) {
      j->sum[k] += j->sum[t * classes + k];
      j->count[k] += j->count[t * classes + k];
    }
  bez_confident_thresholds(j->sum, j->count, j->model->n_classes, j->threshold);
  st = bez_parallel_watched(j->n_tiles, j->in->threads, &watch, judge_tile, j, err);
  for (size_t t = 1; t < tiles && st == BEZ_OK; t++) {
    j->expected[0] += j->expected[t];
    j->n_issues[0] += j->n_issues[t];
    j->n_backed[0] += j->n_backed[t];
  }
  return st;
}

/* Ascending unsigned keys for ascending floats; the upper 16 bits are the bucket. */
static uint32_t bucket_of(float margin) {
  uint32_t bits;
  memcpy(&bits, &margin, sizeof bits);
  return (bits >> 31 ? ~bits : bits | 0x80000000u) >> 16;
}

static int most_doubtful_first(const void *x, const void *y) {
  const listed *a = x, *b = y;
  if (a->margin != b->margin) return a->margin > b->margin ? -1 : 1;
  return a->row < b->row ? -1 : a->row > b->row;
}

/* The rows of largest margin. The bucket in which the list ends is found by counting, so that only little more than
 * the list is ever sorted. */
static bez_status choose_rows(const judge *j, uint64_t n_judged, listed **out, uint64_t *n_out, bez_error *err) {
  uint64_t n_rows = j->in->table->n_rows, most = (uint64_t)(LIST_SHARE * (double)n_judged), n = 0;
  if (most > LIST_ROWS) most = LIST_ROWS;
  uint64_t *bucket = calloc(65536, sizeof *bucket);
  *out = NULL;
  *n_out = 0;
  if (!bucket) return bez_fail_memory(err, 65536 * sizeof *bucket);
  for (uint64_t row = 0; row < n_rows; row++)
    if (j->margin[row] > MARGIN_LEAST) bucket[bucket_of(j->margin[row])]++;
  uint32_t last = 65535;
  while (last > 0 && (n += bucket[last]) < most) last--;
  free(bucket);
  *out = malloc((n + 1) * sizeof **out);
  if (!*out) return bez_fail_memory(err, n * sizeof **out);
  uint64_t at = 0;
  for (uint64_t row = 0; row < n_rows && at < n; row++)
    if (j->margin[row] > MARGIN_LEAST && bucket_of(j->margin[row]) >= last)
      (*out)[at++] = (listed){row, j->margin[row]};
  qsort(*out, at, sizeof **out, most_doubtful_first);
  *n_out = at < most ? at : most;
  return BEZ_OK;
}

/* The label the model would give, where that is another than the given one. */
static const char *suggestion(const judge *j, const char **names, uint64_t row, float *p) {
  uint32_t label;
  double scratch;
  bez_label_model_rows(j->model, j->in, row, 1, p, &label, &scratch);
  uint32_t other = best_other(p, j->model->n_classes, label);
  return p[other] > p[label] ? names[j->model->class_code[other]] : NULL;
}

static bez_status add_rows(const judge *j, bez_report *report, bez_finding *f, const listed *list, uint64_t n,
                           bez_error *err) {
  const char **names = bez_cells_labels(report, j->in);
  bez_row_hit *hits = malloc((n + 1) * sizeof *hits);
  float *p = malloc(j->model->n_classes * sizeof *p);
  bez_status st = BEZ_OK;
  if (!hits || !p || !names) {
    st = bez_fail_memory(err, n * sizeof *hits);
    goto cleanup;
  }
  for (uint64_t i = 0; i < n; i++) {
    uint64_t row = list[i].row;
    hits[i] = (bez_row_hit){.row = bez_global_row(j->in->table, row),
                            .score = (double)list[i].margin,
                            .q = NAN,
                            .label = names[bez_code(&j->in->table->cols[j->in->label], row)],
                            .suggested = suggestion(j, names, row, p)};
  }
  bez_finding_rows(report, f, hits, n);
cleanup:
  free(hits);
  free(p);
  return st;
}

static void add_exhibits(const judge *j, bez_report *report, bez_finding *f, const listed *list, uint64_t n) {
  double x[PLOT_POINTS], y[PLOT_POINTS];
  uint64_t rows[5];
  uint32_t shown = n < 5 ? (uint32_t)n : 5, points = n < PLOT_POINTS ? (uint32_t)n : PLOT_POINTS;
  for (uint32_t i = 0; i < shown; i++) rows[i] = list[i].row;
  bez_cells_exhibit(report, f, j->in, "The rows whose label is disputed most", "disputed", rows, shown, NULL, 0);
  for (uint32_t i = 0; i < points; i++) {
    uint64_t at = points > 1 ? (n - 1) * i / (points - 1) : 0;
    x[i] = (double)(at + 1);
    y[i] = (double)list[at].margin;
  }
  bez_finding_series(report, f, "Log-odds against the given label, most disputed first", "rank", "log-odds", x, y, NULL,
                     points);
}

static void add_evidence(const judge *j, bez_report *report, bez_finding *f, uint64_t n_judged, bool exact) {
  bez_finding_text(report, f, "model", "%s, 5 folds, each row judged by a model that did not see its label",
                   j->model->p ? "boosted trees" : "logistic regression on weight of evidence");
  bez_finding_number(report, f, "rows judged", (double)n_judged);
  bez_finding_number(report, f, "labels that look wrong (confident learning)", (double)j->n_issues[0]);
  bez_finding_number(report, f, "as many are expected by the model's own probabilities", round(j->expected[0]));
  if (j->votes) {
    bez_finding_number(report, f, "of these, backed by most of the 10 nearest rows", (double)j->n_backed[0]);
    bez_finding_text(report, f, "nearest rows", "%s", exact ? "exact" : "among a sample of 20,000 rows");
  }
}

static bez_status emit(const judge *j, bez_report *report, bool exact, bez_error *err) {
  uint64_t n_judged = 0, n = 0;
  for (uint32_t k = 0; k < j->model->n_classes; k++) n_judged += j->count[k];
  listed *list;
  bez_status st = choose_rows(j, n_judged, &list, &n, err);
  if (st != BEZ_OK || n == 0 || j->n_issues[0] == 0) goto cleanup;
  bez_finding *f =
      bez_report_add_list(report, &bez_detector_label_disagreement.rule, (double)j->n_issues[0] / (double)n_judged);
  if (!f) goto cleanup;
  bez_finding_title(report, f, "About %llu of %llu labels look wrong; %llu rows to review, most disputed first",
                    (unsigned long long)j->n_issues[0], (unsigned long long)n_judged, (unsigned long long)n);
  bez_finding_subject(report, f, j->in->table->cols[j->in->label].name, NULL);
  add_evidence(j, report, f, n_judged, exact);
  add_exhibits(j, report, f, list, n);
  st = add_rows(j, report, f, list, n, err);
cleanup:
  free(list);
  return st;
}

static void tell_limits(const judge *j, bez_report *report, bool exact) {
  unsigned long long rows = j->in->table->n_rows;
  if (!j->votes)
    bez_report_not_checked(report, false, "BZ-D006 nearest rows", "%llu rows, more than %u: off", rows,
                           BEZ_NEIGHBOUR_ROWS);
  if (j->votes && !exact)
    bez_report_not_checked(report, false, "BZ-D006 nearest rows",
                           "%llu rows, more than %u: neighbours are looked for in a sample of that size", rows,
                           BEZ_NEIGHBOUR_EXACT);
  if (j->model->n_labels_left)
    bez_report_not_checked(report, false, "BZ-D006 rare labels",
                           "%u labels of fewer than %u rows, or beyond the %u most frequent", j->model->n_labels_left,
                           BEZ_JUDGED_ROWS, BEZ_JUDGED_CLASSES);
}

static bez_status run(const bez_detect_input *in, bez_report *report, bez_error *err) {
  if (in->table->n_rows == 0) return bez_report_status(report, err);
  bez_label_model *model = NULL;
  uint8_t *votes = NULL;
  bool exact = false;
  judge j = {.in = in, .n_tiles = (in->table->n_rows + TILE - 1) / TILE};
  bez_status st;
  BEZ_TRY(bez_label_model_fit(in, &model, err));
  j.model = model;
  if (model->n_classes < 2) {
    bez_report_not_checked(report, false, "BZ-D006", "fewer than two labels of %u rows each", BEZ_JUDGED_ROWS);
    goto cleanup;
  }
  if (in->progress && !in->progress(in->progress_ctx, "label disagreement", "rows", 0, in->table->n_rows))
    BEZ_TRY(bez_fail(err, BEZ_CANCELLED, "BZ-D006", "cancelled"));
  BEZ_TRY(bez_label_votes(model, in, &votes, &exact, err));
  j.votes = votes;
  BEZ_TRY(judge_rows(&j, err));
  tell_limits(&j, report, exact);
  BEZ_TRY(emit(&j, report, exact, err));
  st = bez_report_status(report, err);
cleanup:
  judge_free(&j);
  free(votes);
  bez_label_model_destroy(model);
  return st;
}

const bez_detector bez_detector_label_disagreement = {
    .rule = {.id = "BZ-D006",
             .name = "label-disagreement",
             .title = "Label disagreement",
             .summary = "Rows whose label an out-of-fold model disputes, as a ranked list with a suggested label each, "
                        "and an estimate of how many labels are wrong (confident learning).",
             .remedy = "Review from the top of the list; correct or drop what is wrong. Ambiguous rows and honest "
                       "noise stand in the same list: do not drop it whole.",
             .taxonomy = "ATLAS:AML.T0020 NIST:NISTAML.013 OWASP:LLM04 OWASP-ML:ML02"},
    .needs = BEZ_NEED_LABEL | BEZ_NEED_CELLS,
    .null_hypothesis = "Each label is drawn from the class probabilities that the other columns give; disputed labels "
                       "are the ambiguous rows that such a draw must leave.",
    .calibration = "None claimed: always a note. The report shows how many disputed labels the model's own calibrated "
                   "probabilities expect. Ranking on Adult with random flips: see docs/detect/label-disagreement.md.",
    .cost =
        "Boosted trees up to 100,000 rows and 4 million rows x columns x classes, else O(rows x columns x classes); "
        "nearest rows O(min(rows, 20,000) x rows x columns) up to 50,000 rows; 4 bytes per row",
    .source = "C. G. Northcutt, L. Jiang, I. L. Chuang, Confident learning, JAIR 2021; J. H. Friedman, Greedy function "
              "approximation, 2001",
    .run = run,
};
