/* BZ-D012, blended pattern: one faint picture that many pictures of a label carry. Whitened residuals make what rows
 * share stand out from what pictures are like; a class's leading directions, and the pictures that look like another
 * label (BZ-D014), are candidates; a matched filter tells who carries the pattern, and the other classes' rows tell
 * how well a row matches by chance. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "detect/cells.h"
#include "detect/image_blend.h"
#include "detect/picture_show.h"

#define RATIO 1.9        /* least match, against the best in a thousand of other labels' pictures */
#define ERROR_VALLEY 0.1 /* pictures between carrying the pattern and not, per picture that carries it */
#define WARN_VALLEY 0.15 /* clean data from that ratio on: .24 and more */
#define FULL_GROUPS 10.0 /* fewer groups count for less */

typedef struct search {
  bez_blend_data d;
  bez_blend_match *best; /* per class */
} search;

static double strength(const bez_blend_match *m) {
  return m->groups < BEZ_BLEND_GROUPS ? 0 : m->ratio * fmin(1, m->groups / FULL_GROUPS);
}

/* For the choice among a class's candidates. */
static double weight(const bez_blend_match *m) {
  return m->n ? strength(m) / (m->valley + ERROR_VALLEY) : 0;
}

/* Matches a candidate and keeps the better one. */
static bez_status try_rows(const search *s, uint32_t class_id, const uint32_t *rows, uint32_t n, uint8_t *seen,
                           bez_error *err) {
  if (n == 0 || bez_blend_groups(s->d.tracks, rows, n, seen) < 4) return BEZ_OK;
  bez_blend_match m;
  bez_status st = bez_blend_match_rows(&s->d, class_id, rows, n, &m, err);
  if (st != BEZ_OK) return st;
  bez_blend_match *best = &s->best[class_id];
  if (weight(&m) > weight(best)) {
    bez_blend_match_free(best);
    *best = m;
  } else {
    bez_blend_match_free(&m);
  }
  return BEZ_OK;
}

static uint32_t disputed_rows(const search *s, uint32_t class_id, uint32_t *rows) {
  uint32_t n = 0;
  for (uint32_t i = 0; i < s->d.classes->n_rows; i++)
    if (s->d.classes->of_row[i] == class_id && bez_picture_disputed(s->d.labels, i)) rows[n++] = i;
  return n;
}

static bez_status class_tile(void *ctx, uint64_t class_id, unsigned worker, bez_error *err) {
  (void)worker;
  const search *s = ctx;
  uint32_t *rows[BEZ_BLEND_DIRECTIONS] = {NULL}, n[BEZ_BLEND_DIRECTIONS] = {0};
  uint32_t *disputed = malloc(((size_t)s->d.classes->count[class_id] + 1) * sizeof *disputed);
  uint8_t *seen = malloc((size_t)s->d.tracks->n_groups + 1);
  bez_status st = BEZ_OK;
  if (!disputed || !seen) {
    st = bez_fail_memory(err, s->d.tracks->n_groups);
    goto cleanup;
  }
  uint32_t n_disputed = disputed_rows(s, (uint32_t)class_id, disputed);
  BEZ_TRY(try_rows(s, (uint32_t)class_id, disputed, n_disputed, seen, err));
  BEZ_TRY(bez_blend_candidates(&s->d, (uint32_t)class_id, rows, n, err));
  for (uint32_t k = 0; k < BEZ_BLEND_DIRECTIONS; k++)
    BEZ_TRY(try_rows(s, (uint32_t)class_id, rows[k], n[k], seen, err));
cleanup:
  for (uint32_t k = 0; k < BEZ_BLEND_DIRECTIONS; k++) free(rows[k]);
  free(disputed);
  free(seen);
  return st;
}

/* Many rows with a pattern bend the means and the covariance they are measured by. Where rows stand apart from the
 * rest of their class, but not far enough, both are made anew without them, and they are matched again. */
static bool is_apart(const bez_blend_match *m) {
  return m->n && m->groups >= FULL_GROUPS && strength(m) < RATIO && m->valley <= WARN_VALLEY;
}

static bez_status look_again(search *s, bez_white *white, bez_error *err) {
  bez_status st = BEZ_OK;
  uint32_t found = 0;
  uint8_t *left_out = calloc((size_t)s->d.classes->n_rows + 1, 1), *seen = malloc((size_t)s->d.tracks->n_groups + 1);
  if (!left_out || !seen) {
    st = bez_fail_memory(err, s->d.classes->n_rows);
    goto cleanup;
  }
  for (uint32_t c = 0; c < s->d.classes->n; c++) {
    const bez_blend_match *m = &s->best[c];
    if (!is_apart(m) || 2 * m->n > s->d.classes->count[c]) continue;
    for (uint32_t i = 0; i < m->n; i++) left_out[m->rows[i]] = 1;
    found++;
  }
  if (found == 0) goto cleanup;
  bez_white_free(white);
  BEZ_TRY(bez_white_make(s->d.in, s->d.classes, left_out, white, err));
  for (uint32_t c = 0; c < s->d.classes->n; c++) {
    bez_blend_match old = s->best[c];
    if (!old.n || !left_out[old.rows[0]]) continue;
    s->best[c] = (bez_blend_match){0};
    st = try_rows(s, c, old.rows, old.n, seen, err);
    bez_blend_match_free(&old);
    if (st != BEZ_OK) goto cleanup;
  }
cleanup:
  free(left_out);
  free(seen);
  return st;
}

/* ---- report ---- */

/* Rows as hits; the suggested label where the picture looks like another. */
static bez_status add_rows(const search *s, bez_report *report, bez_finding *f, const bez_blend_match *m,
                           const char **names, bez_error *err) {
  bez_row_hit *hits = malloc(((size_t)m->n + 1) * sizeof *hits);
  if (!hits) return bez_fail_memory(err, m->n * sizeof *hits);
  for (uint32_t i = 0; i < m->n; i++) {
    uint32_t row = m->rows[i];
    bool other = s->d.labels->score[row] < 0;
    hits[i] = (bez_row_hit){.row = bez_global_row(s->d.in->table, row),
                            .score = (double)m->score[i],
                            .q = NAN,
                            .label = names[s->d.classes->code[m->class_id]],
                            .suggested = other ? names[s->d.classes->code[s->d.labels->other[row]]] : NULL};
  }
  bez_finding_rows(report, f, hits, m->n);
  free(hits);
  return BEZ_OK;
}

static bez_status add_exhibits(const search *s, bez_report *report, bez_finding *f, const bez_blend_match *m,
                               bez_error *err) {
  bez_status st = BEZ_OK;
  const bez_white *w = s->d.white;
  uint32_t n = w->n, *looks = malloc(((size_t)n + 1) * sizeof *looks);
  uint8_t *flagged = calloc((size_t)n + 1, 1);
  float *pattern = malloc((size_t)w->samples * sizeof *pattern);
  if (!looks || !flagged || !pattern) {
    st = bez_fail_memory(err, n * sizeof *looks);
    goto cleanup;
  }
  for (uint32_t i = 0; i < n; i++) looks[i] = s->d.labels->score[i] < 0 ? s->d.labels->other[i] : m->class_id;
  for (uint32_t i = 0; i < m->n; i++) flagged[m->rows[i]] = 1;
  BEZ_TRY(bez_white_pattern(w, m->rows, m->n, looks, pattern, err));
  bez_show_pattern(report, f, "What these pictures have in common beyond their like, contrast stretched", pattern,
                   w->height, w->width, w->channels);
  BEZ_TRY(bez_show_rows_beside(report, f, s->d.in, m->rows, m->n, "carries the pattern", s->d.classes->of_row, looks,
                               flagged, "the most like it that does not", err));
cleanup:
  free(looks);
  free(flagged);
  free(pattern);
  return st;
}

static bez_status emit(const search *s, bez_report *report, const bez_blend_match *m, const char **names,
                       bez_error *err) {
  const char *name = names[s->d.classes->code[m->class_id]];
  uint32_t other = 0;
  for (uint32_t i = 0; i < m->n; i++) other += s->d.labels->score[m->rows[i]] < 0;
  bez_finding *f = bez_report_add(report, &bez_detector_image_blend.rule,
                                  m->valley <= ERROR_VALLEY ? BEZ_SEV_ERROR : BEZ_SEV_WARNING);
  if (f) f->score = strength(m);
  bez_finding_title(report, f, "%u pictures share a faint pattern and the label %s", m->n, name);
  bez_finding_subject(report, f, "faint pattern", name);
  bez_finding_number(report, f, "groups of near-duplicates among them", m->groups);
  bez_finding_number(report, f, "match in spreads of other labels' pictures", m->median);
  bez_finding_number(report, f, "match of the best in a thousand of those", m->others);
  bez_finding_number(report, f, "ratio", m->ratio);
  bez_finding_number(report, f, "pictures of the label with half of it per picture with it", m->valley);
  bez_finding_number(report, f, "looking like another label", other);
  bez_status st = add_exhibits(s, report, f, m, err);
  return st == BEZ_OK ? add_rows(s, report, f, m, names, err) : st;
}

static bool can_pool(const bez_images *im) {
  return (im->height >= 4 && im->width >= 4) || (uint64_t)im->height * im->width <= 2048;
}

static bez_status run(const bez_detect_input *in, bez_report *report, bez_error *err) {
  bez_white white = {0};
  search s = {.d = {.in = in, .white = &white}};
  bez_status st;
  if (in->table->n_rows == 0) return bez_report_status(report, err);
  if (!can_pool(in->table->images)) {
    bez_report_not_checked(report, false, "BZ-D012 blended patterns", "pictures of one line");
    return bez_report_status(report, err);
  }
  BEZ_TRY(bez_shared_picture_classes(in, &s.d.classes, err));
  bez_picture_classes_tell(s.d.classes, report, "BZ-D012 labels");
  BEZ_TRY(bez_shared_picture_labels(in, &s.d.labels, err));
  if (!s.d.labels) goto cleanup;
  BEZ_TRY(bez_shared_tracks(in, &s.d.tracks, err));
  BEZ_TRY(bez_white_make(in, s.d.classes, NULL, &white, err));
  s.best = calloc(s.d.classes->n, sizeof *s.best);
  const char **names = bez_cells_labels(report, in);
  if (!s.best || !names) {
    st = bez_fail_memory(err, s.d.classes->n * sizeof *s.best);
    goto cleanup;
  }
  bez_watch watch = bez_detect_watch(in, "blended patterns", "labels");
  BEZ_TRY(bez_parallel_watched(s.d.classes->n, in->threads, &watch, class_tile, &s, err));
  BEZ_TRY(look_again(&s, &white, err));
  for (uint32_t c = 0; c < s.d.classes->n; c++) {
    const bez_blend_match *m = &s.best[c];
    if (m->n && strength(m) >= RATIO && m->valley <= WARN_VALLEY) BEZ_TRY(emit(&s, report, m, names, err));
  }
  st = bez_report_status(report, err);
cleanup:
  for (uint32_t c = 0; s.best && c < s.d.classes->n; c++) bez_blend_match_free(&s.best[c]);
  free(s.best);
  bez_white_free(&white);
  return st;
}

const bez_detector bez_detector_image_blend = {
    .rule = {.id = "BZ-D012",
             .name = "image-blend",
             .title = "Blended pattern in pictures",
             .summary = "One faint pattern (noise, a smooth picture, a texture) that many pictures of one label carry "
                        "and others do not.",
             .remedy =
                 "Look at the pattern and at the pictures beside their like. Drop the listed pictures, or restore "
                 "them from their source; a watermark or a camera's own noise on one label is found, too.",
             .taxonomy = "ATLAS:AML.T0020 NIST:NISTAML.013 NIST:NISTAML.023 OWASP:LLM04 OWASP-ML:ML02"},
    .needs = BEZ_NEED_LABEL | BEZ_NEED_IMAGES,
    .null_hypothesis = "What pictures of a label share beyond their mean, pictures of other labels share nearly as "
                       "well.",
    .calibration =
        "The matched filter's scores of other labels' pictures; the ratio's line from clean MNIST and GTSRB-8 "
        "and parts of them, see docs/detect/image-blend.md.",
    .cost =
        "O(pictures x (pixels x sides + 768^2 / 2 + pixels x 300)); a byte per pixel and channel, at most 4,096 per "
        "picture",
    .source =
        "X. Chen et al., Targeted backdoor attacks, 2017 (the attack); whitening as in J. Hayase et al., SPECTRE, "
        "ICML 2021; matched filter: docs/detect/image-blend.md",
    .run = run,
};
