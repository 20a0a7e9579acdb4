/* BZ-D014, label disagreement of pictures: a ranked list of pictures that look like another label than theirs, and the
 * labels that far too many of them carry. Flips, and what no pattern check sees: warps, smooth blends, any trigger that
 * leaves the shape of things as it was. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/compare.h"
#include "base/error.h"
#include "detect/cells.h"
#include "detect/picture_show.h"
#include "detect/shared.h"

#define LIST_ROWS 20000u
#define CROWD_GROUPS 10u    /* a crowded label: disputed groups of near-duplicates, at least … */
#define CROWD_SHARE 0.04    /* … their share of the label's pictures … */
#define CROWD_TIMES 4.0     /* … and so many times … */
#define CROWD_BASE 0.005    /* … the median share of the others, plus this */
#define CROWD_SCORE (-0.5f) /* in a crowded label doubt is enough */

typedef struct work {
  const bez_detect_input *in;
  const bez_picture_classes *classes;
  const bez_picture_labels *labels;
  const bez_tracks *tracks;
  uint8_t *disputed;  /* per row */
  uint8_t *explained; /* per row: another check's warning or error names it */
  uint32_t *rows;     /* disputed rows */
  uint32_t n;
  const char **names;
} work;

static void load_rows(const bez_detect_input *in, const bez_report *report, work *w) {
  for (uint32_t i = 0; i < w->classes->n_rows; i++) {
    w->disputed[i] = bez_picture_disputed(w->labels, i);
    if (w->disputed[i]) w->rows[w->n++] = i;
  }
  for (size_t f = 0; f < report->n_findings; f++) {
    const bez_finding *found = report->findings[f];
    if (found->severity == BEZ_SEV_NOTE || found->ranked_list) continue;
    uint64_t k = 0;
    for (uint32_t i = 0; i < w->classes->n_rows && k < found->n_rows; i++) {
      uint64_t row = bez_global_row(in->table, i);
      while (k < found->n_rows && found->rows[k].row < row) k++;
      if (k < found->n_rows && found->rows[k].row == row) w->explained[i] = 1;
    }
  }
}

static void add_rows(const work *w, bez_report *report, bez_finding *f, const uint32_t *rows, uint32_t n,
                     bez_error *err, bez_status *st) {
  bez_row_hit *hits = malloc(((size_t)n + 1) * sizeof *hits);
  if (!hits) {
    *st = bez_fail_memory(err, n * sizeof *hits);
    return;
  }
  const bez_column *label = &w->in->table->cols[w->in->label];
  for (uint32_t i = 0; i < n; i++)
    hits[i] = (bez_row_hit){.row = bez_global_row(w->in->table, rows[i]),
                            .score = -(double)w->labels->score[rows[i]],
                            .q = NAN,
                            .label = w->names[bez_code(label, rows[i])],
                            .suggested = w->names[w->classes->code[w->labels->other[rows[i]]]]};
  bez_finding_rows(report, f, hits, n);
  free(hits);
}

/* ---- the list ---- */

static uint32_t *most_disputed(const work *w) {
  uint32_t *order = malloc(((size_t)w->n + 1) * sizeof *order);
  if (!order) return NULL;
  /* Scores lie between −4 and −1: counting sort by 65,536 steps keeps rows of equal steps in file order. */
  uint32_t *start = calloc(65538, sizeof *start);
  if (!start) {
    free(order);
    return NULL;
  }
  for (int pass = 0; pass < 2; pass++)
    for (uint32_t i = 0; i < w->n; i++) {
      float score = w->labels->score[w->rows[i]];
      uint32_t step = score <= -8.0f ? 0 : (uint32_t)((score + 8.0f) * 8192.0f);
      if (pass == 0) start[step + 1]++;
      if (pass == 1) order[start[step]++] = w->rows[i];
      if (pass == 0 && i + 1 == w->n)
        for (uint32_t s = 1; s < 65538; s++) start[s] += start[s - 1];
    }
  free(start);
  return order;
}

static void list_evidence(const work *w, bez_report *report, bez_finding *f) {
  bez_finding_text(report, f, "judges", "ridge regression and 10 nearest pictures on HOG, neither saw the row's label");
  bez_finding_number(report, f, "pictures judged", (double)w->classes->n_rows);
  bez_finding_number(report, f, "share of labels that the judges agree with", w->labels->agreement);
  bez_finding_number(report, f, "rounds", w->labels->rounds);
  if (w->classes->n_rows > BEZ_PICTURE_SAMPLE)
    bez_finding_text(report, f, "nearest pictures", "among a sample of %u", BEZ_PICTURE_SAMPLE);
}

static bez_status emit_list(const work *w, bez_report *report, bez_error *err) {
  if (w->n == 0) return BEZ_OK;
  bez_status st = BEZ_OK;
  uint32_t *order = most_disputed(w), shown = w->n < LIST_ROWS ? w->n : LIST_ROWS;
  if (!order) return bez_fail_memory(err, w->n * sizeof *order);
  bez_finding *f = bez_report_add_list(report, &bez_detector_image_labels.rule, (double)w->n / w->classes->n_rows);
  bez_finding_title(report, f, "%u of %u pictures look like another label; to review, most disputed first", w->n,
                    w->classes->n_rows);
  bez_finding_subject(report, f, w->in->table->cols[w->in->label].name, NULL);
  list_evidence(w, report, f);
  BEZ_TRY(bez_show_rows_beside(report, f, w->in, order, shown < BEZ_PICTURES_SHOWN ? shown : BEZ_PICTURES_SHOWN,
                               "disputed", w->classes->of_row, w->labels->other, w->disputed,
                               "the most like it of the suggested label", err));
  add_rows(w, report, f, order, shown, err, &st);
cleanup:
  free(order);
  return st;
}

/* ---- crowded labels ---- */

typedef struct crowd {
  uint32_t rows, groups;
  double share;
} crowd;

/* Disputed rows of one class that nothing else explains. */
static bez_status count_class(const work *w, uint32_t class_id, uint8_t *seen, crowd *out) {
  memset(seen, 0, w->tracks->n_groups);
  *out = (crowd){0};
  for (uint32_t i = 0; i < w->n; i++) {
    uint32_t row = w->rows[i], group = w->tracks->group[row];
    if (w->classes->of_row[row] != class_id || w->explained[row]) continue;
    out->rows++;
    out->groups += !seen[group];
    seen[group] = 1;
  }
  out->share = (double)out->rows / w->classes->count[class_id];
  return BEZ_OK;
}

/* Median share of the other classes. */
static double others(const crowd *crowds, uint32_t n, uint32_t class_id, double *share) {
  uint32_t k = 0;
  for (uint32_t c = 0; c < n; c++)
    if (c != class_id) share[k++] = crowds[c].share;
  qsort(share, k, sizeof *share, bez_compare_double);
  return k == 0 ? 0 : k % 2 ? share[k / 2] : (share[k / 2 - 1] + share[k / 2]) / 2;
}

static bez_status emit_crowd(const work *w, bez_report *report, uint32_t class_id, const crowd *c, double median,
                             bez_error *err) {
  bez_status st = BEZ_OK;
  uint32_t *rows = malloc(((size_t)w->classes->count[class_id] + 1) * sizeof *rows), n = 0;
  if (!rows) return bez_fail_memory(err, w->classes->count[class_id] * sizeof *rows);
  for (uint32_t i = 0; i < w->classes->n_rows; i++)
    if (w->classes->of_row[i] == class_id && !w->explained[i] && w->labels->score[i] < CROWD_SCORE) rows[n++] = i;
  const char *name = w->names[w->classes->code[class_id]];
  bez_finding *f = bez_report_add(report, &bez_detector_image_labels.rule, BEZ_SEV_WARNING);
  if (f) f->score = c->share / (median + CROWD_BASE);
  bez_finding_title(report, f, "%u pictures that look like other labels carry the label %s", n, name);
  bez_finding_subject(report, f, "looks like other labels", name);
  bez_finding_number(report, f, "groups of near-duplicates among them", c->groups);
  bez_finding_number(report, f, "share of the label's pictures", c->share);
  bez_finding_number(report, f, "median share of the other labels", median);
  BEZ_TRY(bez_show_rows_beside(report, f, w->in, rows, n, "labelled otherwise than it looks", w->classes->of_row,
                               w->labels->other, w->disputed, "the most like it of the suggested label", err));
  add_rows(w, report, f, rows, n, err, &st);
cleanup:
  free(rows);
  return st;
}

static bez_status emit_crowds(const work *w, bez_report *report, bez_error *err) {
  uint32_t n = w->classes->n;
  bez_status st = BEZ_OK;
  crowd *crowds = malloc(n * sizeof *crowds);
  double *share = malloc(n * sizeof *share);
  uint8_t *seen = malloc((size_t)w->tracks->n_groups + 1);
  if (!crowds || !share || !seen) {
    st = bez_fail_memory(err, n * sizeof *crowds);
    goto cleanup;
  }
  for (uint32_t c = 0; c < n; c++) BEZ_TRY(count_class(w, c, seen, &crowds[c]));
  for (uint32_t c = 0; c < n; c++) {
    double median = others(crowds, n, c, share);
    if (crowds[c].groups >= CROWD_GROUPS && crowds[c].share >= CROWD_SHARE &&
        crowds[c].share >= CROWD_TIMES * (median + CROWD_BASE))
      BEZ_TRY(emit_crowd(w, report, c, &crowds[c], median, err));
  }
cleanup:
  free(crowds);
  free(share);
  free(seen);
  return st;
}

static bez_status run(const bez_detect_input *in, bez_report *report, bez_error *err) {
  work w = {.in = in};
  bez_status st;
  if (in->table->n_rows == 0) return bez_report_status(report, err);
  BEZ_TRY(bez_shared_picture_classes(in, &w.classes, err));
  bez_picture_classes_tell(w.classes, report, "BZ-D014 labels");
  BEZ_TRY(bez_shared_picture_labels(in, &w.labels, err));
  if (!w.labels) goto cleanup;
  BEZ_TRY(bez_shared_tracks(in, &w.tracks, err));
  w.names = bez_cells_labels(report, in);
  w.disputed = calloc((size_t)w.classes->n_rows + 1, 1);
  w.explained = calloc((size_t)w.classes->n_rows + 1, 1);
  w.rows = calloc((size_t)w.classes->n_rows + 1, sizeof *w.rows);
  if (!w.names || !w.disputed || !w.explained || !w.rows) {
    st = bez_fail_memory(err, w.classes->n_rows * sizeof *w.rows);
    goto cleanup;
  }
  load_rows(in, report, &w);
  BEZ_TRY(emit_crowds(&w, report, err));
  BEZ_TRY(emit_list(&w, report, err));
  st = bez_report_status(report, err);
cleanup:
  free(w.disputed);
  free(w.explained);
  free(w.rows);
  return st;
}

const bez_detector bez_detector_image_labels = {
    .rule = {.id = "BZ-D014",
             .name = "image-label-disagreement",
             .title = "Label disagreement of pictures",
             .summary = "Pictures that look like another label than theirs, as a ranked list with a suggested label "
                        "each; a warning where one label holds far more of them than the others.",
             .remedy = "Review from the top of the list; correct or drop what is wrong. A label that is crowded with "
                       "pictures of other labels was changed on purpose or by a broken step: look for what those "
                       "pictures share.",
             .taxonomy = "ATLAS:AML.T0020 NIST:NISTAML.013 OWASP:LLM04 OWASP-ML:ML02"},
    .needs = BEZ_NEED_LABEL | BEZ_NEED_IMAGES,
    .null_hypothesis = "A picture's label is the one that pictures of its shape carry; ambiguous pictures are spread "
                       "over the labels.",
    .calibration = "List: none claimed. Warning: silent on clean MNIST and GTSRB-8, see "
                   "docs/detect/image-label-disagreement.md.",
    .cost = "O(pictures x (pixels + 576 x 127 + min(pictures, 8,192) x 128)); 700 bytes per picture",
    .source = "N. Dalal, B. Triggs, Histograms of oriented gradients, CVPR 2005; nearest neighbours and ridge "
              "regression out of fold, peeled: docs/detect/image-label-disagreement.md",
    .run = run,
};
