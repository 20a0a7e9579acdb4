/* A warning for each class that parts clearly into two groups; where none does, one note with the rows of highest
 * score. Natural variety of a class looks like poison to all of these methods, so the list accuses nobody. */
#include "detect/embedding_report.h"

#include <math.h>
#include <stdlib.h>

#include "base/error.h"
#include "detect/cells.h"
#include "detect/picture_show.h"

#define LIST_SHARE 0.05 /* of the judged rows, at most … */
#define LIST_ROWS 2000u /* … and at most so many */
#define PLOT_BINS 48u

typedef struct scene {
  const bez_detect_input *in;
  const bez_space *s;
  const bez_embedding_method *method;
  const bez_embedding_class *classes;
  const char **names;
  bez_report *report;
} scene;

static bez_row_hit hit_of(const scene *c, uint32_t at, double score) {
  uint32_t code = c->s->code[c->s->class_of[at]];
  return (bez_row_hit){.row = bez_global_row(c->in->table, c->s->row[at]),
                       .score = score,
                       .q = NAN,
                       .label = c->names ? c->names[code] : NULL};
}

/* How many rows stand where between the two groups. */
static void plot(const scene *c, bez_finding *f, uint32_t k) {
  const bez_embedding_class *e = &c->classes[k];
  uint32_t n = c->s->first[k + 1] - c->s->first[k];
  double x[PLOT_BINS], y[PLOT_BINS] = {0}, low = -1.0, high = 2.0;
  for (uint32_t b = 0; b < PLOT_BINS; b++) x[b] = low + (b + 0.5) * (high - low) / PLOT_BINS;
  for (uint32_t i = 0; i < n; i++) {
    double at = (e->along[i] - low) / (high - low) * PLOT_BINS;
    if (at >= 0.0 && at < PLOT_BINS) y[(uint32_t)at] += 1.0;
  }
  bez_finding_series(c->report, f, "Rows of the label between its larger group (0) and its smaller group (1)",
                     "position", "rows", x, y, NULL, PLOT_BINS);
}

/* Where the rows are pictures, some of the smaller group beside their like outside it. */
static bez_status show_pictures(const scene *c, bez_finding *f, uint32_t k, uint32_t small, bez_error *err) {
  const bez_embedding_class *e = &c->classes[k];
  uint32_t first = c->s->first[k], n = c->s->first[k + 1] - first, m = 0;
  uint64_t total = c->in->table->n_rows;
  bez_status st = BEZ_OK;
  if (!c->in->table->images) return BEZ_OK;
  uint32_t *rows = malloc(((size_t)small + 1) * sizeof *rows);
  uint8_t *apart = calloc(total + 1, 1);
  if (!rows || !apart) BEZ_TRY(bez_fail_memory(err, total));
  for (uint32_t i = 0; i < n; i++) {
    if (!e->side[i]) continue;
    rows[m++] = (uint32_t)c->s->row[first + i];
    apart[rows[m - 1]] = 1;
  }
  BEZ_TRY(bez_show_rows_beside(c->report, f, c->in, rows, m, "stands apart", NULL, NULL, apart,
                               "the most like it that does not", err));
cleanup:
  free(rows);
  free(apart);
  return st;
}

static bez_status warn(const scene *c, uint32_t k, bez_error *err) {
  const bez_embedding_class *e = &c->classes[k];
  const bez_column *label = &c->in->table->cols[c->in->label];
  uint32_t first = c->s->first[k], n = c->s->first[k + 1] - first, small = 0;
  const char *name = c->names ? c->names[c->s->code[k]] : "";
  bez_row_hit *hits = malloc((e->split.n_small + 1) * sizeof *hits);
  bez_finding *f = bez_report_add(c->report, c->method->rule, BEZ_SEV_WARNING);
  bez_status st = BEZ_OK;
  if (!hits) BEZ_TRY(bez_fail_memory(err, e->split.n_small * sizeof *hits));
  if (!f) goto cleanup;
  for (uint32_t i = 0; i < n; i++)
    if (e->side[i]) hits[small++] = hit_of(c, first + i, e->score[i]);
  bez_finding_title(c->report, f, "%u of %u rows with %s=%s stand apart in the embeddings as a group of their own",
                    small, n, label->name, name);
  bez_finding_subject(c->report, f, "a group apart in the embeddings", name);
  f->score = e->split.gap;
  bez_finding_number(c->report, f, "rows", small);
  bez_finding_number(c->report, f, "share of the label", (double)small / n);
  bez_finding_number(c->report, f, "gap (distance of the means / both spreads)", e->split.gap);
  bez_finding_number(c->report, f, "share of rows between", e->split.between);
  for (unsigned m = 0; m < BEZ_EMBEDDING_MEASURES; m++)
    if (c->method->measure_name[m]) bez_finding_number(c->report, f, c->method->measure_name[m], e->measure[m]);
  plot(c, f, k);
  BEZ_TRY(show_pictures(c, f, k, small, err));
  bez_finding_rows(c->report, f, hits, small);
cleanup:
  free(hits);
  return st;
}

typedef struct ranked {
  double score;
  uint32_t at;
} ranked;

static int most_first(const void *x, const void *y) {
  const ranked *a = x, *b = y;
  if (a->score != b->score) return a->score > b->score ? -1 : 1;
  return a->at < b->at ? -1 : a->at > b->at;
}

static double widest_gap(const scene *c) {
  double gap = 0.0;
  for (uint32_t k = 0; k < c->s->n_classes; k++)
    if (c->classes[k].judged) gap = fmax(gap, c->classes[k].split.gap);
  return gap;
}

static bez_status list(const scene *c, bez_error *err) {
  ranked *all = malloc(((size_t)c->s->n + 1) * sizeof *all);
  bez_row_hit *hits = malloc((LIST_ROWS + 1) * sizeof *hits);
  uint32_t judged = 0, n = 0;
  bez_status st = BEZ_OK;
  if (!all || !hits) BEZ_TRY(bez_fail_memory(err, c->s->n * sizeof *all));
  for (uint32_t k = 0; k < c->s->n_classes; k++)
    for (uint32_t i = c->s->first[k]; c->classes[k].judged && i < c->s->first[k + 1]; i++)
      all[judged++] = (ranked){c->classes[k].score[i - c->s->first[k]], i};
  qsort(all, judged, sizeof *all, most_first);
  n = (uint32_t)(LIST_SHARE * judged) < LIST_ROWS ? (uint32_t)(LIST_SHARE * judged) : LIST_ROWS;
  for (uint32_t i = 0; i < n; i++) hits[i] = hit_of(c, all[i].at, all[i].score);
  bez_finding *f = bez_report_add_list(c->report, c->method->rule, NAN);
  if (!f) goto cleanup;
  bez_finding_title(c->report, f, "No label parts clearly in the embeddings; the %u rows of highest score to review",
                    n);
  bez_finding_subject(c->report, f, c->in->table->cols[c->in->label].name, NULL);
  bez_finding_text(c->report, f, "score", "%s", c->method->score_name);
  bez_finding_number(c->report, f, "rows judged", judged);
  bez_finding_number(c->report, f, "components", c->s->dim);
  bez_finding_number(c->report, f, "share of the variance they hold", c->s->explained);
  bez_finding_number(c->report, f, "widest gap within a label", widest_gap(c));
  bez_finding_rows(c->report, f, hits, n);
cleanup:
  free(all);
  free(hits);
  return st;
}

bez_status bez_embedding_report(const bez_detect_input *in, const bez_space *space, const bez_embedding_method *method,
                                const bez_embedding_class *classes, bez_report *report, bez_error *err) {
  scene c = {.in = in,
             .s = space,
             .method = method,
             .classes = classes,
             .names = bez_cells_labels(report, in),
             .report = report};
  bool any = false;
  for (uint32_t k = 0; k < space->n_classes; k++) {
    if (!classes[k].judged || !bez_split_is_clear(&classes[k].split)) continue;
    bez_status st = warn(&c, k, err);
    if (st != BEZ_OK) return st;
    any = true;
  }
  return any ? BEZ_OK : list(&c, err);
}
