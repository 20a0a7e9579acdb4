/* BZ-D013, sinusoid: one wave, of one frequency and phase, that many pictures of a label carry (M. Barni, K. Kallas,
 * B. Tondi, A new backdoor attack in CNNs by training set corruption without label poisoning, 2019). Averaged across,
 * a picture leaves a profile in which the wave keeps its height and nearly all else does not; a metric from the other
 * labels' profiles says how unusual a wave of that frequency is. */
#include "detect/image_frequency.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/compare.h"
#include "base/error.h"
#include "detect/cells.h"
#include "detect/picture_show.h"
#include "math/spd.h"

#define LEAST_SIDE 8u
#define LEAST_GROUPS 8u
#define HEIGHT 4.0f    /* spreads from the label's median that a row with a wave has */
#define TURN 0.4f      /* radians from the phase */
#define WIDE_TURN 0.6f /* for rows once the phase is known */
#define PART 0.55f     /* of the median height, for those rows */
#define RATIO 2.2      /* groups / (3 + those of the next label + those expected): clean data 1.4 */
#define PURE 0.5       /* least share of the wave in what the rows have in common … */
#define PURE_SLOW 0.75 /* … and of waves of fewer than SLOW periods, which shapes imitate */
#define SLOW 4.0
#define VALLEY 0.25 /* rows with half the wave, per row with it */

/* What rows of a class share at one frequency and phase. */
typedef struct wave {
  uint32_t axis, phase, groups, next; /* next: groups of the next class */
  double periods, height, ratio, valley, turn;
} wave;

typedef struct search {
  const bez_detect_input *in;
  const bez_picture_classes *classes;
  const bez_tracks *tracks;
  bez_profiles profiles[2];
  double *metric[2];
  uint8_t *usable[2];
  wave *best; /* per class; ratio 0: none */
} search;

/* Scratch of one tile: one frequency. */
typedef struct scratch {
  float *at;
  uint32_t *groups; /* per class */
  uint32_t *hits;   /* per class */
  uint32_t *seen;   /* per track: class + 1 that counted it last, at this phase */
  float *list;
} scratch;

static float apart(float a, float b) {
  float d = fabsf(a - b);
  return d > 3.14159265f ? 6.28318531f - d : d;
}

static float height_at(const scratch *s, uint32_t row, float turn, float *away) {
  float a = s->at[2 * (size_t)row], b = s->at[2 * (size_t)row + 1];
  *away = apart(atan2f(b, a), turn);
  return a * cosf(turn) + b * sinf(turn);
}

/* Height and valley of a class at a phase. */
static void describe(const search *s, scratch *m, uint32_t class_id, float turn, wave *w) {
  uint32_t n = 0, half = 0, full = 0;
  double x = 0, y = 0;
  for (uint32_t i = 0; i < s->classes->n_rows; i++) {
    float away, h;
    if (s->classes->of_row[i] != class_id) continue;
    h = height_at(m, i, turn, &away);
    if (h <= HEIGHT || away >= TURN) continue;
    x += (double)m->at[2 * (size_t)i];
    y += (double)m->at[2 * (size_t)i + 1];
    m->list[n++] = h;
  }
  qsort(m->list, n, sizeof *m->list, bez_compare_float);
  w->height = n ? (double)m->list[n / 2] : 0;
  w->turn = atan2(y, x);
  for (uint32_t i = 0; i < s->classes->n_rows; i++) {
    float away, h;
    if (s->classes->of_row[i] != class_id) continue;
    h = height_at(m, i, (float)w->turn, &away);
    if (away >= WIDE_TURN) continue;
    full += h > .65f * (float)w->height;
    half += h > .35f * (float)w->height && h <= .65f * (float)w->height;
  }
  w->valley = full ? (double)half / full : INFINITY;
}

/* Rows with a wave at a phase: per class their number and that of their tracks. */
static void count_phase(const search *s, scratch *m, float turn, const float *angle, const float *radius) {
  memset(m->groups, 0, s->classes->n * sizeof *m->groups);
  memset(m->hits, 0, s->classes->n * sizeof *m->hits);
  memset(m->seen, 0, s->tracks->n_groups * sizeof *m->seen);
  for (uint32_t i = 0; i < s->classes->n_rows; i++) {
    uint32_t c = s->classes->of_row[i];
    if (radius[i] <= HEIGHT || c == BEZ_PICTURE_NONE) continue;
    float away = apart(angle[i], turn);
    if (away >= TURN || radius[i] * cosf(away) <= HEIGHT) continue;
    m->hits[c]++;
    m->groups[c] += m->seen[s->tracks->group[i]] != c + 1;
    m->seen[s->tracks->group[i]] = c + 1;
  }
}

static void weigh_phase(const search *s, scratch *m, uint32_t axis, uint32_t phase, double periods, wave *best) {
  uint32_t top = 0, next = 0, hits = 0, rows = 0;
  for (uint32_t c = 0; c < s->classes->n; c++) {
    rows += s->classes->count[c];
    hits += m->hits[c];
    if (m->groups[c] > m->groups[top]) top = c;
  }
  for (uint32_t c = 0; c < s->classes->n; c++)
    if (c != top && m->groups[c] > next) next = m->groups[c];
  if (m->groups[top] < LEAST_GROUPS || !s->usable[axis][top]) return;
  double share = (double)(hits - m->hits[top]) / (rows - s->classes->count[top]);
  wave w = {.axis = axis, .phase = phase, .groups = m->groups[top], .next = next, .periods = periods};
  w.ratio = w.groups / (3.0 + next + share * s->classes->count[top]);
  if (w.ratio < RATIO) return;
  describe(s, m, top, 6.28318531f * (float)phase / BEZ_PHASES, &w);
  if (w.valley > VALLEY) return;
  if (w.ratio > best[top].ratio) best[top] = w;
}

static void scratch_free(scratch *m) {
  free(m->at);
  free(m->groups);
  free(m->hits);
  free(m->seen);
  free(m->list);
}

static bez_status scratch_make(const search *s, scratch *m, bez_error *err) {
  size_t n = (size_t)s->classes->n_rows + 1;
  m->at = malloc(2 * n * sizeof *m->at);
  m->groups = malloc(s->classes->n * sizeof *m->groups);
  m->hits = malloc(s->classes->n * sizeof *m->hits);
  m->seen = malloc(((size_t)s->tracks->n_groups + 1) * sizeof *m->seen);
  m->list = malloc(3 * n * sizeof *m->list);
  return m->at && m->groups && m->hits && m->seen && m->list ? BEZ_OK : bez_fail_memory(err, 5 * n * sizeof *m->at);
}

typedef struct frequencies {
  const search *s;
  uint32_t axis;
  wave *found; /* per frequency and class */
} frequencies;

static double periods_of(uint64_t tile) {
  return 2 + .5 * (double)tile;
}

static uint32_t n_frequencies(const bez_profiles *p) {
  return p->length < LEAST_SIDE ? 0 : p->length - 5; /* 2 … length / 2 − 1 periods, by halves */
}

static bez_status frequency_tile(void *ctx, uint64_t tile, unsigned worker, bez_error *err) {
  (void)worker;
  const frequencies *f = ctx;
  const search *s = f->s;
  scratch m = {0};
  bez_status st;
  BEZ_TRY(scratch_make(s, &m, err));
  BEZ_TRY(bez_profiles_plane(&s->profiles[f->axis], s->classes, s->metric[f->axis], s->usable[f->axis],
                             periods_of(tile), m.at, err));
  uint32_t n = s->classes->n_rows;
  float *angle = m.list + n, *radius = angle + n;
  for (uint32_t i = 0; i < n; i++) {
    angle[i] = atan2f(m.at[2 * (size_t)i + 1], m.at[2 * (size_t)i]);
    radius[i] = hypotf(m.at[2 * (size_t)i + 1], m.at[2 * (size_t)i]);
  }
  for (uint32_t phase = 0; phase < BEZ_PHASES; phase++) {
    float turn = 6.28318531f * (float)phase / BEZ_PHASES;
    count_phase(s, &m, turn > 3.14159265f ? turn - 6.28318531f : turn, angle, radius);
    weigh_phase(s, &m, f->axis, phase, periods_of(tile), f->found + tile * s->classes->n);
  }
cleanup:
  scratch_free(&m);
  return st;
}

static bez_status search_axis(search *s, uint32_t axis, bez_error *err) {
  bez_status st;
  uint32_t classes = s->classes->n, n;
  frequencies f = {.s = s, .axis = axis};
  BEZ_TRY(bez_profiles_make(s->in->table->images, s->classes, axis, s->in->threads, &s->profiles[axis], err));
  n = n_frequencies(&s->profiles[axis]);
  if (n == 0) goto cleanup;
  size_t cells = (size_t)s->profiles[axis].length * s->profiles[axis].length;
  s->metric[axis] = malloc(classes * cells * sizeof *s->metric[axis]);
  s->usable[axis] = calloc(classes, 1);
  f.found = calloc((size_t)n * classes, sizeof *f.found);
  if (!s->metric[axis] || !s->usable[axis] || !f.found) {
    st = bez_fail_memory(err, classes * cells * sizeof *s->metric[axis]);
    goto cleanup;
  }
  BEZ_TRY(bez_profiles_metrics(&s->profiles[axis], s->classes, s->metric[axis], s->usable[axis], err));
  bez_watch watch = bez_detect_watch(s->in, "waves", "frequencies");
  BEZ_TRY(bez_parallel_watched(n, s->in->threads, &watch, frequency_tile, &f, err));
  for (size_t i = 0; i < (size_t)n * classes; i++)
    if (f.found[i].ratio > s->best[i % classes].ratio) s->best[i % classes] = f.found[i];
cleanup:
  free(f.found);
  return st;
}

/* ---- report ---- */

/* How much of what the rows have in common, less a straight line, is a wave of that frequency: 0 … 1. */
static double purity(const bez_profiles *p, double periods, const double *y) {
  double a[16] = {0}, b[4], v[4], fit = 0, all = 0, mean = 0, slope = 0, middle = (p->length - 1) / 2.0;
  uint32_t n = p->length;
  for (uint32_t k = 0; k < n; k++) {
    double turn = 6.283185307179586 * periods * k / n, x[4] = {1, (k - middle) / n, cos(turn), sin(turn)};
    for (uint32_t i = 0; i < 4; i++)
      for (uint32_t j = 0; j < 4; j++) a[i * 4 + j] += x[i] * x[j];
  }
  if (!bez_spd_factor(a, 4)) return 0;
  memset(b, 0, sizeof b);
  for (uint32_t k = 0; k < n; k++) {
    double turn = 6.283185307179586 * periods * k / n, x[4] = {1, (k - middle) / n, cos(turn), sin(turn)};
    for (uint32_t i = 0; i < 4; i++) b[i] += x[i] * y[k];
    mean += y[k] / n;
  }
  memcpy(v, b, sizeof v);
  bez_spd_solve(a, 4, v);
  for (uint32_t k = 0; k < n; k++) slope += (k - middle) * y[k];
  slope /= n * ((double)n * n - 1) / 12;
  for (uint32_t k = 0; k < n; k++) {
    double turn = 6.283185307179586 * periods * k / n, wave_part = v[2] * cos(turn) + v[3] * sin(turn);
    double line = mean + slope * (k - middle), rest = y[k] - v[0] - v[1] * (k - middle) / n - wave_part;
    all += (y[k] - line) * (y[k] - line);
    fit += rest * rest;
  }
  return all > 0 ? 1 - fit / all : 0;
}

/* At the frequency that fits best, which becomes *periods: the metric is so sharp that others find the same rows. */
static double best_purity(const bez_profiles *p, double *periods, const double *y) {
  double best = 0;
  for (uint32_t eighths = 16; eighths / 8.0 <= p->length / 2.0 - 1; eighths++) {
    double f = eighths / 8.0;
    double pure = purity(p, f, y);
    if (pure > best) best = pure, *periods = f;
  }
  return best;
}

/* Mean profile of rows, less that of the class's other rows. */
static void mean_profile(const search *s, const wave *w, uint32_t class_id, const uint32_t *rows, uint32_t n,
                         double *y) {
  const bez_profiles *p = &s->profiles[w->axis];
  uint32_t others = s->classes->count[class_id] - n, next = 0;
  memset(y, 0, p->length * sizeof *y);
  for (uint32_t i = 0; i < p->n; i++) {
    if (s->classes->of_row[i] != class_id) continue;
    bool in = next < n && rows[next] == i;
    next += in;
    for (uint32_t k = 0; k < p->length; k++)
      y[k] += (double)p->value[(size_t)i * p->length + k] * (in ? 1.0 / n : -1.0 / (others ? others : 1));
  }
}

static void show_wave(const search *s, bez_report *report, bez_finding *f, const wave *w, const double *y) {
  const bez_profiles *p = &s->profiles[w->axis];
  double x[BEZ_PROFILE_MAX];
  float pattern[BEZ_PROFILE_MAX * BEZ_PROFILE_MAX];
  for (uint32_t k = 0; k < p->length; k++) x[k] = k;
  for (uint32_t i = 0; i < p->length; i++)
    for (uint32_t k = 0; k < p->length; k++) pattern[i * p->length + k] = (float)y[w->axis == 0 ? k : i];
  bez_show_pattern(report, f, "What these pictures have beyond their label's others, contrast stretched", pattern,
                   p->length, p->length, 1);
  bez_finding_series(report, f, "Mean profile of these pictures less that of the label's others",
                     w->axis == 0 ? "column" : "line", "levels", x, y, NULL, p->length);
}

/* Rows of the class that carry the wave, with their heights; returns their number. */
static uint32_t carriers(const search *s, const scratch *m, uint32_t class_id, const wave *w, uint32_t *rows,
                         float *height) {
  uint32_t n = 0;
  for (uint32_t i = 0; i < s->classes->n_rows; i++) {
    float away, h;
    if (s->classes->of_row[i] != class_id) continue;
    h = height_at(m, i, (float)w->turn, &away);
    if (h > PART * (float)w->height && away < WIDE_TURN) height[n] = h, rows[n++] = i;
  }
  return n;
}

static bez_status add_rows(const search *s, bez_report *report, bez_finding *f, uint32_t class_id, const char **names,
                           const uint32_t *rows, const float *height, uint32_t n, bez_error *err) {
  bez_status st = BEZ_OK;
  bez_row_hit *hits = malloc(((size_t)n + 1) * sizeof *hits);
  uint8_t *flagged = calloc((size_t)s->classes->n_rows + 1, 1);
  uint32_t *own = malloc(((size_t)s->classes->n_rows + 1) * sizeof *own);
  if (!hits || !flagged || !own) {
    st = bez_fail_memory(err, n * sizeof *hits);
    goto cleanup;
  }
  for (uint32_t i = 0; i < s->classes->n_rows; i++) own[i] = class_id;
  for (uint32_t i = 0; i < n; i++) {
    flagged[rows[i]] = 1;
    hits[i] = (bez_row_hit){.row = bez_global_row(s->in->table, rows[i]),
                            .score = (double)height[i],
                            .q = NAN,
                            .label = names[s->classes->code[class_id]]};
  }
  bez_finding_rows(report, f, hits, n);
  st = bez_show_rows_beside(report, f, s->in, rows, n, "carries the wave", s->classes->of_row, own, flagged,
                            "the most like it of the label that does not", err);
cleanup:
  free(hits);
  free(flagged);
  free(own);
  return st;
}

static bez_status emit(const search *s, bez_report *report, uint32_t class_id, const char **names, bez_error *err) {
  wave *w = &s->best[class_id];
  scratch m = {0};
  bez_status st;
  uint32_t *rows = malloc(((size_t)s->classes->n_rows + 1) * sizeof *rows), n;
  double y[BEZ_PROFILE_MAX];
  BEZ_TRY(scratch_make(s, &m, err));
  if (!rows) {
    st = bez_fail_memory(err, s->classes->n_rows * sizeof *rows);
    goto cleanup;
  }
  BEZ_TRY(bez_profiles_plane(&s->profiles[w->axis], s->classes, s->metric[w->axis], s->usable[w->axis], w->periods,
                             m.at, err));
  n = carriers(s, &m, class_id, w, rows, m.list);
  mean_profile(s, w, class_id, rows, n, y);
  double pure = best_purity(&s->profiles[w->axis], &w->periods, y);
  if (n == 0 || pure < (w->periods < SLOW ? PURE_SLOW : PURE)) goto cleanup;
  const char *name = names[s->classes->code[class_id]], *way = w->axis == 0 ? "horizontal" : "vertical";
  bez_finding *f = bez_report_add(report, &bez_detector_image_frequency.rule, BEZ_SEV_ERROR);
  if (f) f->score = w->ratio;
  bez_finding_title(report, f, "%u pictures carry the same %s wave of %.1f periods and the label %s", n, way,
                    w->periods, name);
  bez_finding_subject(report, f, way, name);
  bez_finding_number(report, f, "periods", w->periods);
  bez_finding_number(report, f, "groups of near-duplicates", w->groups);
  bez_finding_number(report, f, "groups of the next label", w->next);
  bez_finding_number(report, f, "height in spreads of other labels' pictures", w->height);
  bez_finding_number(report, f, "pictures with half the wave per picture with it", w->valley);
  bez_finding_number(report, f, "share of what they have in common that is this wave", pure);
  show_wave(s, report, f, w, y);
  BEZ_TRY(add_rows(s, report, f, class_id, names, rows, m.list, n, err));
cleanup:
  free(rows);
  scratch_free(&m);
  return st;
}

static bez_status run(const bez_detect_input *in, bez_report *report, bez_error *err) {
  search s = {.in = in};
  bez_status st;
  if (in->table->n_rows == 0) return bez_report_status(report, err);
  BEZ_TRY(bez_shared_picture_classes(in, &s.classes, err));
  bez_picture_classes_tell(s.classes, report, "BZ-D013 labels");
  if (s.classes->n < 2) goto cleanup;
  BEZ_TRY(bez_shared_tracks(in, &s.tracks, err));
  s.best = calloc(s.classes->n, sizeof *s.best);
  const char **names = bez_cells_labels(report, in);
  if (!s.best || !names) {
    st = bez_fail_memory(err, s.classes->n * sizeof *s.best);
    goto cleanup;
  }
  for (uint32_t axis = 0; axis < 2; axis++) BEZ_TRY(search_axis(&s, axis, err));
  for (uint32_t c = 0; c < s.classes->n; c++)
    if (s.best[c].ratio > 0) BEZ_TRY(emit(&s, report, c, names, err));
  st = bez_report_status(report, err);
cleanup:
  for (uint32_t axis = 0; axis < 2; axis++) {
    bez_profiles_free(&s.profiles[axis]);
    free(s.metric[axis]);
    free(s.usable[axis]);
  }
  free(s.best);
  return st;
}

const bez_detector bez_detector_image_frequency = {
    .rule = {.id = "BZ-D013",
             .name = "image-frequency",
             .title = "Wave in pictures",
             .summary = "One wave of one frequency and phase, running across many pictures of one label and no others; "
                        "the labels themselves may be right.",
             .remedy = "Look at the wave and at the pictures beside their like. Drop the listed pictures, or restore "
                       "them from their source; scanners and screens leave waves, too, but seldom on one label.",
             .taxonomy = "ATLAS:AML.T0020 NIST:NISTAML.012 NIST:NISTAML.021 OWASP:LLM04 OWASP-ML:ML02"},
    .needs = BEZ_NEED_LABEL | BEZ_NEED_IMAGES,
    .null_hypothesis = "Waves of a frequency have any phase and height, as those of other labels' pictures do.",
    .calibration = "The spread of other labels' profiles; the lines from clean MNIST and GTSRB-8, see "
                   "docs/detect/image-frequency.md.",
    .cost = "O(pictures x (pixels + side^2 + 100 x side)); 8 bytes per picture and column or line",
    .source = "M. Barni, K. Kallas, B. Tondi, A new backdoor attack in CNNs, 2019 (the attack); the test: "
              "docs/detect/image-frequency.md",
    .run = run,
};
