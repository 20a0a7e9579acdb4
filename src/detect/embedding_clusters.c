/* BZ-D018, activation clustering: B. Chen et al., "Detecting backdoor attacks on deep neural networks by activation
 * clustering", SafeAI 2019. The vectors of a label are reduced to ten dimensions and parted by 2-means; poison makes
 * the smaller part small and the silhouette high.
 *
 * The paper reduces by independent component analysis. That is whitening of the principal components and a rotation,
 * and 2-means does not see rotations: ten whitened principal components give the same clusters. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "detect/embedding_classes.h"

#define DIM 10u
#define ROUNDS 100u
#define MORE_GAP 0.3          /* whitening inside the label stretches the line between natural clusters too */
#define SILHOUETTE_ROWS 1000u /* each n-th row beyond */

typedef struct clusters {
  uint32_t n, dim;
  double *point; /* n × dim, white */
  uint8_t *side, *best_side;
  double centre[2 * DIM], best_centre[2 * DIM];
  double best; /* inertia */
} clusters;

static double square_distance(const double *a, const double *b, uint32_t dim) {
  double sum = 0.0;
  for (uint32_t d = 0; d < dim; d++) sum += (a[d] - b[d]) * (a[d] - b[d]);
  return sum;
}

static bool centres(clusters *c) {
  uint32_t count[2] = {0, 0};
  memset(c->centre, 0, sizeof c->centre);
  for (uint32_t i = 0; i < c->n; i++) {
    count[c->side[i]]++;
    for (uint32_t d = 0; d < c->dim; d++) c->centre[c->side[i] * DIM + d] += c->point[(size_t)i * c->dim + d];
  }
  for (uint32_t g = 0; g < 2; g++)
    for (uint32_t d = 0; d < c->dim && count[g]; d++) c->centre[g * DIM + d] /= count[g];
  return count[0] && count[1];
}

/* Lloyd's steps from the sign of one component. */
static void settle(clusters *c, uint32_t component) {
  double inertia = INFINITY;
  for (uint32_t i = 0; i < c->n; i++) c->side[i] = c->point[(size_t)i * c->dim + component] > 0.0;
  for (uint32_t round = 0; round < ROUNDS; round++) {
    double before = inertia;
    if (!centres(c)) return;
    inertia = 0.0;
    for (uint32_t i = 0; i < c->n; i++) {
      const double *x = c->point + (size_t)i * c->dim;
      double a = square_distance(x, c->centre, c->dim), b = square_distance(x, c->centre + DIM, c->dim);
      c->side[i] = b < a;
      inertia += b < a ? b : a;
    }
    if (!(inertia < before)) break;
  }
  if (!(inertia < c->best) || !centres(c)) return;
  c->best = inertia;
  memcpy(c->best_side, c->side, c->n);
  memcpy(c->best_centre, c->centre, sizeof c->centre);
}

/* Rousseeuw 1987, on a fixed selection of rows. */
static double silhouette(const clusters *c) {
  uint32_t step = (c->n + SILHOUETTE_ROWS - 1) / SILHOUETTE_ROWS, judged = 0;
  double total = 0.0;
  for (uint32_t i = 0; i < c->n; i += step) {
    double sum[2] = {0, 0};
    uint32_t count[2] = {0, 0};
    for (uint32_t j = 0; j < c->n; j += step) {
      if (j == i) continue;
      sum[c->best_side[j]] +=
          sqrt(square_distance(c->point + (size_t)i * c->dim, c->point + (size_t)j * c->dim, c->dim));
      count[c->best_side[j]]++;
    }
    uint8_t own = c->best_side[i];
    judged++;
    if (!count[own] || !count[!own]) continue;
    double a = sum[own] / count[own], b = sum[!own] / count[!own];
    total += a < b ? 1.0 - a / b : a > b ? b / a - 1.0 : 0.0;
  }
  return judged ? total / judged : 0.0;
}

/* Ten whitened principal components of the label. */
static bez_status reduce(const bez_rows *r, clusters *c, bez_error *err) {
  double *room = malloc((size_t)r->dim * (DIM + 1) * sizeof *room), value[DIM];
  if (!room) return bez_fail_memory(err, (size_t)r->dim * (DIM + 1) * sizeof *room);
  bez_status st = bez_embedding_directions(r, DIM, room, room + r->dim, value, &c->dim, err);
  while (c->dim && value[c->dim - 1] < 1e-9 * value[0]) c->dim--;
  for (uint32_t i = 0; st == BEZ_OK && i < r->n; i++) {
    const float *x = bez_rows_at(r, i);
    for (uint32_t k = 0; k < c->dim; k++) {
      const double *direction = room + (size_t)(k + 1) * r->dim;
      double sum = 0.0;
      for (uint32_t d = 0; d < r->dim; d++) sum += ((double)x[d] - room[d]) * direction[d];
      c->point[(size_t)i * c->dim + k] = sum / sqrt(value[k]);
    }
  }
  free(room);
  return st;
}

/* Position on the line through both centres, and the score: how much nearer the smaller cluster's centre is. */
static void place(const clusters *c, double *value, bez_embedding_class *out) {
  double difference[DIM];
  for (uint32_t d = 0; d < c->dim; d++) difference[d] = c->best_centre[DIM + d] - c->best_centre[d];
  for (uint32_t i = 0; i < c->n; i++) {
    value[i] = 0.0;
    for (uint32_t d = 0; d < c->dim; d++) value[i] += c->point[(size_t)i * c->dim + d] * difference[d];
  }
  memcpy(out->side, c->best_side, c->n);
  bez_split_measure(value, c->n, out->side, &out->split);
  bez_split_along(value, c->n, out->side, out->along);
  out->split.dim = c->dim;
  out->split.more = MORE_GAP;
  if (out->split.n_small < bez_split_least(c->n)) out->split.n_small = 0;
  for (uint32_t i = 0; i < c->n; i++) out->score[i] = out->along[i] * out->split.gap;
}

static bez_status judge(const bez_space *s, uint32_t k, bez_embedding_class *out, bez_error *err) {
  bez_rows r = bez_space_class(s, s->x, k);
  size_t n = r.n;
  clusters c = {.n = r.n, .best = INFINITY, .point = malloc(n * DIM * sizeof *c.point)};
  double *value = malloc(n * sizeof *value);
  bez_status st = BEZ_OK;
  c.side = malloc(n);
  c.best_side = malloc(n);
  if (!c.point || !value || !c.side || !c.best_side) BEZ_TRY(bez_fail_memory(err, n * (DIM * 8 + 10)));
  BEZ_TRY(reduce(&r, &c, err));
  for (uint32_t d = 0; d < c.dim; d++) settle(&c, d);
  if (!isfinite(c.best)) goto cleanup; /* nothing to part */
  place(&c, value, out);
  uint32_t small = 0;
  for (size_t i = 0; i < n; i++) small += out->side[i];
  out->measure[0] = silhouette(&c);
  out->measure[1] = (double)small / (double)n;
cleanup:
  free(c.point);
  free(value);
  free(c.side);
  free(c.best_side);
  return st;
}

static bez_status run(const bez_detect_input *in, bez_report *report, bez_error *err) {
  const bez_embedding_method method = {.rule = &bez_detector_activation_clustering.rule,
                                       .stage = "embeddings, activation clustering",
                                       .score_name =
                                           "position between the centres of the label's two clusters, times their gap",
                                       .measure_name = {"silhouette", "relative size of the smaller cluster"},
                                       .judge = judge};
  return bez_embedding_detect(in, &method, report, err);
}

const bez_detector bez_detector_activation_clustering = {
    .rule = {.id = "BZ-D018",
             .name = "activation-clustering",
             .title = "Activation clustering",
             .summary =
                 "Each label's embeddings parted into two clusters (2-means on ten whitened components): a finding "
                 "where the clusters stand apart with a gap, else a ranked list.",
             .remedy = "Look at rows of both clusters side by side; drop the smaller if it shares a mark or belongs to "
                       "another class. Two natural kinds of one class make two clusters as well.",
             .taxonomy = "ATLAS:AML.T0020 NIST:NISTAML.013 OWASP:LLM04 OWASP-ML:ML02"},
    .needs = BEZ_NEED_LABEL | BEZ_NEED_VECTORS,
    .null_hypothesis = "The two clusters of a label are halves of one cloud, without an empty gap between.",
    .calibration = "Gap and rows between as for BZ-D019; silhouette and size are shown and decide nothing: "
                   "docs/detect/embeddings.md.",
    .cost = "O(rows · components² + rows · 10 · steps) time",
    .source = "Chen et al., Detecting backdoor attacks on deep neural networks by activation clustering, SafeAI 2019",
    .run = run,
};
