/* BZ-D017, SPECTRE: J. Hayase, W. Kong, R. Somani, S. Oh, "SPECTRE: defending against backdoor attacks using robust
 * statistics", ICML 2021. The vectors of a label are projected on their first k directions and whitened by a mean and a
 * covariance that outliers do not sway; what still varies more than it should is scored by quantum entropy (QUE):
 * h'Qh / tr Q with Q = exp(4 (S − I) / (|S|₂ − 1)), S the covariance of the whitened rows.
 *
 * Robust here means concentration steps (Rousseeuw and Van Driessen 1999) on three fifths of the rows, from
 * coordinate-wise medians, scaled by the median distance; k is the one of 2, 4, … 64 whose mean score is largest, as in
 * the paper. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/compare.h"
#include "base/cpu.h"
#include "base/error.h"
#include "detect/embedding_classes.h"
#include "math/symeig.h"

#define MOST 64u
#define ALPHA 4.0
#define STEPS 10u
#define KEPT 0.6

typedef struct robust {
  const bez_rows *r; /* n × MOST: the label's first directions */
  uint32_t n, k;     /* k coordinates in use */
  double centre[MOST], value[MOST], scratch[MOST];
  double *axes;     /* k × k, rows: scaled so that axes · (x − centre) is white */
  double *distance; /* n */
  double *sorted;   /* n */
  uint32_t *core;   /* the rows that count */
  double *white;    /* n × k */
} robust;

/* Start: medians and median absolute deviations of each coordinate. */
static void start(robust *b) {
  memset(b->axes, 0, (size_t)b->k * b->k * sizeof *b->axes);
  for (uint32_t d = 0; d < b->k; d++) {
    for (uint32_t i = 0; i < b->n; i++) b->sorted[i] = (double)bez_rows_at(b->r, i)[d];
    qsort(b->sorted, b->n, sizeof *b->sorted, bez_compare_double);
    b->centre[d] = b->sorted[b->n / 2];
    for (uint32_t i = 0; i < b->n; i++) b->sorted[i] = fabs(b->sorted[i] - b->centre[d]);
    qsort(b->sorted, b->n, sizeof *b->sorted, bez_compare_double);
    double spread = 1.4826 * b->sorted[b->n / 2];
    b->axes[(size_t)d * b->k + d] = spread > 0.0 ? 1.0 / spread : 0.0;
  }
}

static void whiten(robust *b) {
  for (uint32_t i = 0; i < b->n; i++) {
    const float *x = bez_rows_at(b->r, i);
    double *to = b->white + (size_t)i * b->k, square = 0.0;
    for (uint32_t a = 0; a < b->k; a++) {
      const double *axis = b->axes + (size_t)a * b->k;
      double sum = 0.0;
      for (uint32_t d = 0; d < b->k; d++) sum += axis[d] * ((double)x[d] - b->centre[d]);
      to[a] = sum;
      square += sum * sum;
    }
    b->distance[i] = square;
  }
  memcpy(b->sorted, b->distance, b->n * sizeof *b->sorted);
  qsort(b->sorted, b->n, sizeof *b->sorted, bez_compare_double);
}

/* Mean and covariance of the rows nearest so far, and the axes that whiten it. */
static bez_status concentrate(robust *b, bez_error *err) {
  uint32_t keep = (uint32_t)(KEPT * b->n), kept = 0;
  double limit = b->sorted[keep ? keep - 1 : 0], mean[MOST];
  for (uint32_t i = 0; i < b->n && kept < keep; i++)
    if (b->distance[i] <= limit) b->core[kept++] = i;
  bez_team team = {.threads = 1, .cpu = BEZ_CPU_PLAIN};
  bez_rows core = {.x = b->r->x, .dim = b->r->dim, .rows = b->core, .n = kept};
  double *full = malloc((size_t)b->r->dim * b->r->dim * sizeof *full);
  if (!full) return bez_fail_memory(err, (size_t)b->r->dim * b->r->dim * sizeof *full);
  bez_rows_mean(&core, mean);
  bez_status st = bez_rows_covariance(&core, mean, NULL, &team, full, err);
  for (uint32_t i = 0; i < b->k; i++)
    memcpy(b->axes + (size_t)i * b->k, full + (size_t)i * b->r->dim, b->k * sizeof *full);
  free(full);
  if (st != BEZ_OK) return st;
  if (!bez_symeig(b->axes, b->k, b->value, b->scratch))
    return bez_fail(err, BEZ_FORMAT, "embeddings", "a covariance is not finite");
  memcpy(b->centre, mean, b->k * sizeof *mean);
  for (uint32_t i = 0; i < b->k; i++) {
    double least = 1e-6 * b->value[0], variance = b->value[i] > least ? b->value[i] : least;
    for (uint32_t d = 0; d < b->k; d++) b->axes[(size_t)i * b->k + d] *= variance > 0.0 ? 1.0 / sqrt(variance) : 0.0;
  }
  return BEZ_OK;
}

/* The median of chi-square with k degrees of freedom (Wilson and Hilferty). */
static double chi_square_median(double k) {
  double t = 1.0 - 2.0 / (9.0 * k);
  return k * t * t * t;
}

static bez_status fit(robust *b, bez_error *err) {
  start(b);
  whiten(b);
  for (uint32_t step = 0; step < STEPS; step++) {
    bez_status st = concentrate(b, err);
    if (st != BEZ_OK) return st;
    whiten(b);
  }
  double scale = b->sorted[b->n / 2] > 0.0 ? sqrt(chi_square_median(b->k) / b->sorted[b->n / 2]) : 0.0;
  for (size_t i = 0; i < (size_t)b->n * b->k; i++) b->white[i] *= scale;
  return BEZ_OK;
}

/* Scores of all rows, their mean, and the projection on the direction that varies most. s: k × k. */
static bool quantum_entropy(robust *b, double *s, double *score, double *value, double *norm, double *mean) {
  uint32_t k = b->k;
  double weight[MOST], trace = 0.0;
  memset(s, 0, (size_t)k * k * sizeof *s);
  for (uint32_t i = 0; i < b->n; i++) {
    const double *h = b->white + (size_t)i * k;
    for (uint32_t a = 0; a < k; a++)
      for (uint32_t c = 0; c <= a; c++) s[(size_t)a * k + c] += h[a] * h[c];
  }
  for (size_t i = 0; i < (size_t)k * k; i++) s[i] /= b->n;
  if (!bez_symeig(s, k, b->value, b->scratch)) return false;
  *norm = b->value[0];
  for (uint32_t a = 0; a < k; a++) {
    weight[a] = *norm > 1.0 ? exp(ALPHA * (b->value[a] - *norm) / (*norm - 1.0)) : 1.0; /* a factor e⁴ cancels */
    trace += weight[a];
  }
  *mean = 0.0;
  for (uint32_t i = 0; i < b->n; i++) {
    const double *h = b->white + (size_t)i * k;
    score[i] = 0.0;
    for (uint32_t a = 0; a < k; a++) {
      double along = 0.0;
      for (uint32_t d = 0; d < k; d++) along += s[(size_t)a * k + d] * h[d];
      if (a == 0) value[i] = along;
      score[i] += weight[a] * along * along / trace;
    }
    *mean += score[i] / b->n;
  }
  return isfinite(*mean);
}

/* The label's rows on its first MOST directions (fewer where there are fewer), about its mean. */
static bez_status project(const bez_rows *rows, float **out, uint32_t *found, bez_error *err) {
  bez_team team = {.threads = 1, .cpu = BEZ_CPU_PLAIN};
  double *room = malloc((size_t)rows->dim * (MOST + 1) * sizeof *room), value[MOST];
  bez_status st = BEZ_OK;
  *out = NULL;
  if (!room) return bez_fail_memory(err, (size_t)rows->dim * (MOST + 1) * sizeof *room);
  BEZ_TRY(bez_embedding_directions(rows, MOST, room, room + rows->dim, value, found, err));
  *out = malloc(((size_t)rows->n * *found + 1) * sizeof **out);
  if (!*out) BEZ_TRY(bez_fail_memory(err, (size_t)rows->n * *found * sizeof **out));
  if (*found) BEZ_TRY(bez_rows_project(rows, room, room + rows->dim, *found, &team, *out, err));
cleanup:
  free(room);
  return st;
}

typedef struct trial {
  double *score, *value, *s;
  double best;
} trial;

static bez_status try_k(robust *b, trial *t, bez_embedding_class *out, bez_error *err) {
  double norm, mean;
  bez_status st = fit(b, err);
  if (st != BEZ_OK) return st;
  if (!quantum_entropy(b, t->s, t->score, t->value, &norm, &mean) || !(mean > t->best)) return BEZ_OK;
  t->best = mean;
  memcpy(out->score, t->score, b->n * sizeof *out->score);
  bez_split_values(t->value, b->n, b->k, out->side, out->along, &out->split);
  out->measure[0] = b->k;
  out->measure[1] = norm;
  return BEZ_OK;
}

static bez_status judge(const bez_space *s, uint32_t k, bez_embedding_class *out, bez_error *err) {
  bez_rows rows = bez_space_class(s, s->x, k), r;
  size_t n = rows.n;
  uint32_t found = 0;
  float *x = NULL;
  robust *b = calloc(1, sizeof *b);
  double *numbers = malloc((4 * n + n * MOST + 2 * (size_t)MOST * MOST) * sizeof *numbers);
  uint32_t *core = malloc(n * sizeof *core);
  bez_status st = BEZ_OK;
  if (!b || !numbers || !core) BEZ_TRY(bez_fail_memory(err, n * (MOST + 5) * 8));
  BEZ_TRY(project(&rows, &x, &found, err));
  r = (bez_rows){.x = x, .dim = found, .n = rows.n};
  *b = (robust){.r = &r, .n = rows.n, .distance = numbers, .sorted = numbers + n, .core = core};
  trial t = {.score = numbers + 2 * n, .value = numbers + 3 * n, .s = numbers + 4 * n};
  b->axes = t.s + (size_t)MOST * MOST;
  b->white = b->axes + (size_t)MOST * MOST;
  for (b->k = 2; b->k <= MOST && b->k <= found && b->k * 8 <= b->n; b->k *= 2) BEZ_TRY(try_k(b, &t, out, err));
cleanup:
  free(b);
  free(numbers);
  free(core);
  free(x);
  return st;
}

static bez_status run(const bez_detect_input *in, bez_report *report, bez_error *err) {
  const bez_embedding_method method = {.rule = &bez_detector_spectre.rule,
                                       .stage = "embeddings, robust spectral scores",
                                       .score_name = "quantum entropy score after robust whitening",
                                       .measure_name = {"directions kept", "largest variance after robust whitening"},
                                       .judge = judge};
  return bez_embedding_detect(in, &method, report, err);
}

const bez_detector bez_detector_spectre = {
    .rule = {.id = "BZ-D017",
             .name = "spectre",
             .title = "Robust spectral scores of embeddings (SPECTRE)",
             .summary =
                 "Rows that stand out from their label's embeddings once these are whitened by a robust covariance "
                 "(quantum entropy score): a finding where they stand apart with a gap, else a ranked list.",
             .remedy = "Look at the group beside other rows of the label; drop it if it shares a mark or belongs to "
                       "another class. Never drop a ranked list whole: rare but honest rows stand at its top too.",
             .taxonomy = "ATLAS:AML.T0020 NIST:NISTAML.013 OWASP:LLM04 OWASP-ML:ML02"},
    .needs = BEZ_NEED_LABEL | BEZ_NEED_VECTORS,
    .null_hypothesis = "Robustly whitened, a label varies alike in all directions, or without an empty gap.",
    .calibration = "Gap and rows between as for BZ-D019: docs/detect/embeddings.md.",
    .cost = "O(rows · components² + 60 · rows · 64²) time",
    .source = "Hayase, Kong, Somani, Oh, SPECTRE, ICML 2021",
    .run = run,
};
