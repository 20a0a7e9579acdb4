/* Findings of BZ-D010: title, evidence, rows, and the patch as a picture beside pictures that carry it. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "detect/cells.h"
#include "detect/image_patch.h"

/* The patch as the median of the rows that carry it, in the pictures' own resolution. */
static bez_status median_patch(const bez_patch_data *data, const bez_patch *p, uint8_t **out, bez_error *err) {
  const bez_images *im = data->in->table->images;
  uint32_t c = im->channels;
  size_t line = (size_t)p->width * c, stride = (size_t)im->width * c, n = (size_t)p->height * line;
  *out = malloc(n);
  if (!*out) return bez_fail_memory(err, n);
  for (size_t i = 0; i < n; i++) {
    uint32_t histogram[256] = {0}, sum = 0, m = 0;
    size_t at = (p->y + i / line) * stride + (size_t)p->x * c + i % line;
    for (uint32_t r = 0; r < p->t.n_rows; r++) histogram[bez_image(im, p->t.rows[r])[at]]++;
    while (sum + histogram[m] <= (p->t.n_rows - 1) / 2) sum += histogram[m++];
    (*out)[i] = (uint8_t)m;
  }
  return BEZ_OK;
}

static bez_status list_rows(const bez_patch_data *data, bez_report *report, bez_finding *f, const bez_template *t,
                            bez_error *err) {
  const char **names = bez_cells_labels(report, data->in);
  bez_row_hit *hits = malloc((size_t)(t->n_rows + 1) * sizeof *hits);
  if (!hits) return bez_fail_memory(err, (size_t)t->n_rows * sizeof *hits);
  for (uint32_t i = 0; i < t->n_rows; i++)
    hits[i] = (bez_row_hit){.row = bez_global_row(data->in->table, t->rows[i]),
                            .score = t->distance[i],
                            .q = NAN,
                            .label = names ? names[t->label] : NULL};
  bez_finding_rows(report, f, hits, t->n_rows);
  free(hits);
  return BEZ_OK;
}

static void put_evidence(bez_report *report, bez_finding *f, const bez_patch *p, const char *label) {
  const bez_template *t = &p->t;
  bez_finding_text(report, f, "position", "%u, %u", p->x, p->y);
  bez_finding_text(report, f, "size", "%u × %u", p->width, p->height);
  bez_finding_text(report, f, "label", "%s", label);
  bez_finding_number(report, f, "support", t->n_rows);
  bez_finding_number(report, f, "purity", t->purity);
  bez_finding_number(report, f, "tracks", t->groups);
  bez_finding_number(report, f, "ratio to the places around", t->ratio);
  bez_finding_number(report, f, "evidence in powers of ten", t->evidence);
  bez_finding_number(report, f, "spread beside the patch against other rows", t->around);
}

static uint32_t nearest_without(const bez_patch_data *data, const uint32_t *rows, uint32_t n_rows, uint32_t row) {
  uint32_t best = UINT32_MAX, next = 0;
  double most = -2;
  for (uint32_t i = 0; i < data->n_rows; i++) {
    while (next < n_rows && rows[next] < i) next++;
    if (next < n_rows && rows[next] == i) continue;
    double cosine = bez_tracks_cosine(data->tracks, row, i);
    if (cosine > most) most = cosine, best = i;
  }
  return best;
}

void bez_patch_show(const bez_patch_data *data, bez_report *report, bez_finding *f, const uint32_t *rows,
                    uint32_t n_rows, const bez_patch_spot *examples, uint32_t n) {
  for (uint32_t i = 0; i < n; i++)
    bez_show_pair(report, f, data->in, examples[i].row, "carries the patch", &examples[i].at,
                  nearest_without(data, rows, n_rows, examples[i].row), "the most like it without");
}

static bez_status show(const bez_patch_data *data, bez_report *report, bez_finding *f, const bez_patch *p,
                       bez_error *err) {
  bez_patch_spot at[BEZ_PICTURES_SHOWN];
  uint8_t *median;
  bez_status st = median_patch(data, p, &median, err);
  if (st != BEZ_OK) return st;
  bez_show_enlarged(report, f, "The patch, enlarged", median, p->height, p->width, data->in->table->images->channels);
  free(median);
  uint32_t n = p->t.n_rows < BEZ_PICTURES_SHOWN ? p->t.n_rows : BEZ_PICTURES_SHOWN;
  for (uint32_t i = 0; i < n; i++) /* spread over the rows */
    at[i] = (bez_patch_spot){p->t.rows[(uint64_t)i * (p->t.n_rows - 1) / (BEZ_PICTURES_SHOWN - 1)],
                             {p->y, p->x, p->height, p->width}};
  bez_patch_show(data, report, f, p->t.rows, p->t.n_rows, at, n);
  return BEZ_OK;
}

/* A finding that stands clear is an error; the others want a person's eye. Where the rows differ beside the patch as
 * other rows do, they have nothing else in common. */
static bool is_clear(const bez_template *t) {
  bool sharp = t->purity >= 0.9 && 2 * (t->n_wide + t->n_far) <= t->n_match;
  if (!sharp || t->ratio < 8 || t->evidence < 6) return false;
  return t->around >= 0.6 || (t->ratio >= 12 && t->evidence >= 12 && t->around >= 0.35);
}

bez_status bez_patch_report(const bez_patch_data *data, bez_report *report, const bez_patch *p, bez_error *err) {
  const bez_template *t = &p->t;
  bez_finding *f =
      bez_report_add(report, &bez_detector_image_patch.rule, is_clear(t) ? BEZ_SEV_ERROR : BEZ_SEV_WARNING);
  if (!f) return bez_report_status(report, err);
  const char *label = bez_cells_value(report, &data->in->table->cols[data->in->label], t->label);
  char pattern[96];
  (void)snprintf(pattern, sizeof pattern, "%u × %u patch at (%u, %u)", p->width, p->height, p->x, p->y);
  bez_finding_title(report, f, "%u pictures carry the same %u × %u patch at (%u, %u) and the label %s", t->n_rows,
                    p->width, p->height, p->x, p->y, label);
  bez_finding_subject(report, f, pattern, label);
  f->score = t->evidence;
  put_evidence(report, f, p, label);
  bez_status st = show(data, report, f, p, err);
  return st == BEZ_OK ? list_rows(data, report, f, t, err) : st;
}
