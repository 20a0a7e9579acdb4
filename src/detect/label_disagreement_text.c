/* BZ-D007, label disagreement in text: which labels does a model dispute that learned from the other messages? A ranked
 * list with suggestions, the size of which confident learning estimates; always a note, because flipped labels, honest
 * slips and messages that could be either stand in it side by side. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/threads.h"
#include "detect/cells.h"
#include "fit/confident.h"
#include "fit/text_model.h"

#define TILE 2048u
#define LIST_P 0.2f        /* a label less probable than this is listed */
#define LEAST_ROWS 50u     /* with fewer labelled texts nothing is learned */
#define LEAST_OF_CLASS 10u /* a rarer label is not judged */
#define EXCERPTS 5u
#define PLOT_POINTS 256u

typedef struct doubt {
  uint64_t row;
  float p, other; /* probability of the given label, of the best other one */
  uint8_t suggested;
} doubt;

typedef struct tile_result {
  doubt *list;
  size_t n, cap;
  double sum[BEZ_TEXT_CLASSES];
  uint64_t count[BEZ_TEXT_CLASSES];
} tile_result;

typedef struct text_judge {
  const bez_detect_input *in;
  const bez_column *text, *label;
  uint8_t *cls;
  uint32_t n_classes, n_left;
  uint32_t code_of[BEZ_TEXT_CLASSES];
  uint64_t n_labelled, n_tiles;
  bez_text_model *model;
  bez_grams *scratch;
  tile_result *tiles;
  double threshold[BEZ_TEXT_CLASSES];
} text_judge;

static bez_status note(tile_result *r, doubt d, bez_error *err) {
  if (r->n == r->cap) {
    size_t cap = r->cap ? r->cap * 2 : 16;
    doubt *grown = realloc(r->list, cap * sizeof *grown);
    if (!grown) return bez_fail_memory(err, cap * sizeof *grown);
    r->list = grown;
    r->cap = cap;
  }
  r->list[r->n++] = d;
  return BEZ_OK;
}

static bez_status judge_tile(void *ctx, uint64_t tile, unsigned worker, bez_error *err) {
  text_judge *j = ctx;
  tile_result *r = &j->tiles[tile];
  float p[BEZ_TEXT_CLASSES];
  uint64_t end = (tile + 1) * TILE < j->in->table->n_rows ? (tile + 1) * TILE : j->in->table->n_rows;
  for (uint64_t row = tile * TILE; row < end; row++) {
    uint32_t k = j->cls[row];
    if (k == BEZ_TEXT_NONE) continue;
    bez_status st = bez_text_model_row(j->model, &j->scratch[worker], row, p, err);
    if (st != BEZ_OK) return st;
    bez_confident_add(p, &k, 1, j->n_classes, r->sum, r->count);
    uint32_t best = k == 0;
    for (uint32_t c = 0; c < j->n_classes; c++)
      if (c != k && p[c] > p[best]) best = c;
    if (p[k] < 0.5f && p[best] > p[k]) st = note(r, (doubt){row, p[k], p[best], (uint8_t)best}, err);
    if (st != BEZ_OK) return st;
  }
  return BEZ_OK;
}

static int most_doubtful_first(const void *a, const void *b) {
  const doubt *x = a, *y = b;
  if (x->p != y->p) return x->p < y->p ? -1 : 1;
  return (x->row > y->row) - (x->row < y->row);
}

/* The rows below LIST_P, and how many of all disputed rows confident learning calls issues: those whose best other
 * class reaches the mean confidence its own rows get. */
static bez_status gather(text_judge *j, doubt **out, size_t *n_out, uint64_t *issues, bez_error *err) {
  double sum[BEZ_TEXT_CLASSES] = {0};
  uint64_t count[BEZ_TEXT_CLASSES] = {0};
  size_t n = 0;
  for (uint64_t t = 0; t < j->n_tiles; t++) {
    n += j->tiles[t].n;
    for (uint32_t k = 0; k < j->n_classes; k++) {
      sum[k] += j->tiles[t].sum[k];
      count[k] += j->tiles[t].count[k];
    }
  }
  bez_confident_thresholds(sum, count, j->n_classes, j->threshold);
  *out = malloc((n + 1) * sizeof **out);
  if (!*out) return bez_fail_memory(err, (n + 1) * sizeof **out);
  n = 0;
  for (uint64_t t = 0; t < j->n_tiles; t++)
    for (size_t i = 0; i < j->tiles[t].n; i++) {
      const doubt *d = &j->tiles[t].list[i];
      *issues += (double)d->other >= j->threshold[d->suggested] - 1e-6;
      if (d->p < LIST_P) (*out)[n++] = *d;
    }
  qsort(*out, n, sizeof **out, most_doubtful_first);
  *n_out = n;
  return BEZ_OK;
}

static double log_odds(const doubt *d) {
  double p = (double)d->p;
  return log((1.0 - p + 1e-7) / (p + 1e-7));
}

static bez_status add_rows(const text_judge *j, bez_report *report, bez_finding *f, const doubt *list, size_t n,
                           bez_error *err) {
  const char **names = bez_cells_labels(report, j->in);
  bez_row_hit *hits = malloc((n + 1) * sizeof *hits);
  if (!hits || !names) {
    free(hits);
    return bez_fail_memory(err, n * sizeof *hits);
  }
  for (size_t i = 0; i < n; i++)
    hits[i] = (bez_row_hit){.row = bez_global_row(j->in->table, list[i].row),
                            .score = log_odds(&list[i]),
                            .q = NAN,
                            .label = names[bez_code(j->label, list[i].row)],
                            .suggested = names[j->code_of[list[i].suggested]]};
  bez_finding_rows(report, f, hits, n);
  free(hits);
  return BEZ_OK;
}

static void add_exhibits(const text_judge *j, bez_report *report, bez_finding *f, const doubt *list, size_t n) {
  double x[PLOT_POINTS], y[PLOT_POINTS];
  uint32_t points = n < PLOT_POINTS ? (uint32_t)n : PLOT_POINTS;
  for (size_t i = 0; i < n && i < EXCERPTS; i++) {
    size_t len;
    const char *text = bez_text_cell(j->text, list[i].row, &len);
    const char *caption = bez_arena_printf(&report->arena, "labelled \"%s\", the other messages say \"%s\"",
                                           bez_cells_value(report, j->label, bez_code(j->label, list[i].row)),
                                           bez_cells_value(report, j->label, j->code_of[list[i].suggested]));
    bez_finding_excerpt(report, f, caption ? caption : "", text, len, NULL, 0);
  }
  for (uint32_t i = 0; i < points; i++) {
    size_t at = points > 1 ? (n - 1) * i / (points - 1) : 0;
    x[i] = (double)(at + 1);
    y[i] = log_odds(&list[at]);
  }
  bez_finding_series(report, f, "Log-odds against the given label, most disputed first", "rank", "log-odds", x, y, NULL,
                     points);
}

static bez_status emit(text_judge *j, bez_report *report, bez_error *err) {
  doubt *list = NULL;
  size_t n = 0;
  uint64_t issues = 0;
  bez_status st = gather(j, &list, &n, &issues, err);
  if (st != BEZ_OK || !n) goto cleanup;
  bez_finding *f =
      bez_report_add_list(report, &bez_detector_label_disagreement_text.rule, (double)n / (double)j->n_labelled);
  if (!f) goto cleanup;
  bez_finding_title(report, f,
                    "About %llu of %llu labels of \"%s\" look wrong; %zu rows to review, most disputed first",
                    (unsigned long long)issues, (unsigned long long)j->n_labelled, j->text->name, n);
  bez_finding_subject(report, f, j->text->name, NULL);
  bez_finding_text(report, f, "model", "%s",
                   "linear support vector machines on character 2-4-grams, 5 folds, each row judged "
                   "by machines that did not see it");
  bez_finding_number(report, f, "rows judged", (double)j->n_labelled);
  bez_finding_number(report, f, "rows learned from", (double)j->model->n_trained);
  bez_finding_number(report, f, "labels that look wrong (confident learning)", (double)issues);
  bez_finding_text(report, f, "listed", "rows whose label has a probability below %.1f", (double)LIST_P);
  add_exhibits(j, report, f, list, n);
  st = add_rows(j, report, f, list, n, err);
cleanup:
  free(list);
  return st;
}

/* The most frequent labels with rows enough are classes. */
static bez_status find_classes(text_judge *j, bez_error *err) {
  const bez_column *label = j->label;
  uint8_t *of_code = malloc(label->n_values);
  if (!of_code) return bez_fail_memory(err, label->n_values);
  memset(of_code, BEZ_TEXT_NONE, label->n_values);
  for (; j->n_classes < BEZ_TEXT_CLASSES; j->n_classes++) {
    uint32_t best = 0;
    for (uint32_t c = BEZ_CODE_FIRST; c < label->n_values; c++)
      if (of_code[c] == BEZ_TEXT_NONE && label->count[c] >= LEAST_OF_CLASS &&
          (!best || label->count[c] > label->count[best]))
        best = c;
    if (!best) break;
    of_code[best] = (uint8_t)j->n_classes;
    j->code_of[j->n_classes] = best;
  }
  for (uint32_t c = BEZ_CODE_FIRST; c < label->n_values; c++)
    j->n_left += of_code[c] == BEZ_TEXT_NONE && label->count[c];
  for (uint64_t r = 0; r < j->in->table->n_rows; r++) {
    j->cls[r] = of_code[bez_code(label, r)];
    j->n_labelled += j->cls[r] != BEZ_TEXT_NONE;
  }
  free(of_code);
  return BEZ_OK;
}

static void tell_limits(const text_judge *j, bez_report *report) {
  if (j->n_left)
    bez_report_not_checked(report, false, "BZ-D007 rare labels",
                           "%u labels of fewer than %u rows, or beyond the %u most frequent", j->n_left, LEAST_OF_CLASS,
                           BEZ_TEXT_CLASSES);
  if (j->model && j->model->n_trained < j->n_labelled)
    bez_report_not_checked(report, false, "BZ-D007 model",
                           "learned from a sample of %llu of %llu rows (all rows were judged)",
                           (unsigned long long)j->model->n_trained, (unsigned long long)j->n_labelled);
}

static bez_status examine(const bez_detect_input *in, bez_report *report, uint32_t col, bez_error *err) {
  bez_status st = BEZ_OK;
  text_judge j = {.in = in, .text = &in->table->cols[col], .label = &in->table->cols[in->label]};
  uint64_t n_rows = in->table->n_rows;
  if (!j.text->text_at || !n_rows) return BEZ_OK;
  j.n_tiles = (n_rows + TILE - 1) / TILE;
  j.cls = malloc(n_rows);
  j.tiles = calloc(j.n_tiles, sizeof *j.tiles);
  j.scratch = calloc(in->threads, sizeof *j.scratch);
  if (!j.cls || !j.tiles || !j.scratch) {
    st = bez_fail_memory(err, n_rows);
    goto cleanup;
  }
  BEZ_TRY(find_classes(&j, err));
  if (j.n_classes < 2 || j.n_labelled < LEAST_ROWS) {
    bez_report_not_checked(report, false, "BZ-D007",
                           "fewer than two labels of %u rows each, or fewer than %u labelled texts", LEAST_OF_CLASS,
                           LEAST_ROWS);
    goto cleanup;
  }
  bez_watch learning = bez_detect_watch(in, "label disagreement in text, learning", "steps");
  bez_watch judging = bez_detect_watch(in, "label disagreement in text", "tiles");
  BEZ_TRY(bez_text_model_fit(j.text, j.cls, n_rows, j.n_classes, in->seed, in->threads, &learning, &j.model, err));
  BEZ_TRY(bez_parallel_watched(j.n_tiles, in->threads, &judging, judge_tile, &j, err));
  tell_limits(&j, report);
  BEZ_TRY(emit(&j, report, err));
cleanup:
  for (uint64_t t = 0; j.tiles && t < j.n_tiles; t++) free(j.tiles[t].list);
  for (unsigned w = 0; j.scratch && w < in->threads; w++) bez_grams_free(&j.scratch[w]);
  bez_text_model_destroy(j.model);
  free(j.tiles);
  free(j.scratch);
  free(j.cls);
  return st;
}

static bez_status run(const bez_detect_input *in, bez_report *report, bez_error *err) {
  for (uint32_t i = 0; i < in->n_texts; i++) {
    if (in->progress && !in->progress(in->progress_ctx, "label disagreement in text", "columns", i, in->n_texts))
      return BEZ_CANCELLED;
    bez_status st = examine(in, report, in->texts[i], err);
    if (st != BEZ_OK) return st;
  }
  return bez_report_status(report, err);
}

const bez_detector bez_detector_label_disagreement_text = {
    .rule = {.id = "BZ-D007",
             .name = "label-disagreement-text",
             .title = "Label disagreement in text",
             .summary =
                 "Messages whose label a model of the other messages disputes, as a ranked list with a suggested "
                 "label each, and an estimate of how many labels are wrong (confident learning).",
             .remedy = "Review from the top of the list; correct or drop what is wrong. Ambiguous messages and honest "
                       "slips stand in the same list: do not drop it whole.",
             .taxonomy = "ATLAS:AML.T0020 NIST:NISTAML.013 OWASP:LLM04 OWASP-ML:ML02"},
    .needs = BEZ_NEED_LABEL | BEZ_NEED_TEXT,
    .null_hypothesis = "Each label is drawn from the class probabilities that its message gives; listed rows are the "
                       "improbable ones that such draws must leave.",
    .calibration =
        "None claimed: always a note. A row is listed where its label has an out-of-fold probability below .2 "
        "(Platt's sigmoid); on clean SMS data that lists about 25 of 5,574 rows.",
    .cost = "O(bytes): training on at most 8 MiB of text (less with more classes), one pass over all; memory up to "
            "250 MB for the training matrix",
    .source = "C.-J. Hsieh et al., A dual coordinate descent method for large-scale linear SVM, ICML 2008; C. G. "
              "Northcutt, L. Jiang, I. L. Chuang, Confident learning, JAIR 2021",
    .run = run,
};
