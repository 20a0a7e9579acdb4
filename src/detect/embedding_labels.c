/* BZ-D020, label disagreement on embeddings: rows whose label neither the ten nearest rows nor a ridge classifier that
 * never saw them would give. Both are weak judges of different kinds: neighbours follow films and copies, the
 * classifier sees only straight borders. The list is ordered by their mean; always a note, because ambiguous
 * and mislabelled rows look the same. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/rng.h"
#include "detect/cells.h"
#include "detect/shared.h"
#include "fit/knn.h"
#include "math/spd.h"

#define NEIGHBOURS 10u
#define POINTS 20000u /* candidates for neighbours; a sample above */
#define FOLDS 5u
#define RIDGE 3e-3 /* of the rows, on whitened coordinates */
#define STREAM 0x656d6c61u
#define OWN_VOTE 0.1
#define MARGIN 0.7
#define LIST_SHARE 0.1
#define LIST_ROWS 20000u

typedef struct judge {
  const bez_detect_input *in;
  const bez_space *s;
  uint8_t *fold;    /* per row of the space */
  float *vote;      /* n × classes: shares of the neighbours */
  float *ridge;     /* n × classes: least squares on one-hot labels, out of fold */
  uint32_t sampled; /* candidates, where not all rows */
} judge;

/* Shares of the labels among the nearest rows, in principal components. */
static bez_status neighbours(judge *j, bez_error *err) {
  const bez_space *s = j->s;
  uint32_t n = s->n, kept = 0, want = n < POINTS ? n : POINTS;
  bez_rng rng = bez_rng_make(j->in->seed, STREAM);
  float *points = malloc((size_t)want * s->dim * sizeof *points);
  uint32_t *self = malloc(n * sizeof *self), *at = malloc(want * sizeof *at);
  uint32_t *index = malloc((size_t)n * NEIGHBOURS * sizeof *index);
  float *distance = malloc((size_t)n * NEIGHBOURS * sizeof *distance);
  bez_status st = BEZ_OK;
  if (!points || !self || !at || !index || !distance) BEZ_TRY(bez_fail_memory(err, (size_t)n * NEIGHBOURS * 8));
  for (uint32_t i = 0; i < n; i++) { /* selection sampling: Knuth, volume 2, algorithm S */
    bool take = want == n || bez_rng_unit(&rng) * (n - i) < want - kept;
    self[i] = take ? kept : BEZ_KNN_NONE;
    if (!take) continue;
    memcpy(points + (size_t)kept * s->dim, s->x + (size_t)i * s->dim, s->dim * sizeof *points);
    at[kept++] = i;
  }
  j->sampled = kept < n ? kept : 0;
  bez_watch watch = bez_detect_watch(j->in, "embeddings, nearest rows", "tiles");
  bez_points all = {.n = n, .n_num = s->dim, .num = s->x, .watch = &watch};
  bez_points some = {.n = kept, .n_num = s->dim, .num = points};
  BEZ_TRY(bez_knn_search(&some, &all, self, NEIGHBOURS, j->in->threads, j->in->cpu, index, distance, err));
  for (size_t i = 0; i < (size_t)n * NEIGHBOURS; i++)
    if (index[i] != BEZ_KNN_NONE)
      j->vote[i / NEIGHBOURS * s->n_classes + s->class_of[at[index[i]]]] += 1.0f / NEIGHBOURS;
cleanup:
  free(points);
  free(self);
  free(at);
  free(index);
  free(distance);
  return st;
}

/* Means, labels' sums and covariance of the rows outside one fold; then weights and scores inside it. */
typedef struct ridge {
  uint32_t *rows, n;                 /* outside */
  double *mean, *a, *weight, *share; /* dim; dim²; classes × dim; classes */
} ridge;

static void label_sums(const judge *j, ridge *r) {
  const bez_space *s = j->s;
  memset(r->weight, 0, (size_t)s->n_classes * s->dim * sizeof *r->weight);
  memset(r->share, 0, s->n_classes * sizeof *r->share);
  for (uint32_t i = 0; i < r->n; i++) {
    const float *z = s->z + (size_t)r->rows[i] * s->dim;
    double *sum = r->weight + (size_t)s->class_of[r->rows[i]] * s->dim;
    r->share[s->class_of[r->rows[i]]] += 1.0 / r->n;
    for (uint32_t d = 0; d < s->dim; d++) sum[d] += ((double)z[d] - r->mean[d]) / r->n;
  }
}

static bez_status fit_fold(judge *j, uint32_t fold, ridge *r, bez_error *err) {
  const bez_space *s = j->s;
  bez_watch watch = bez_detect_watch(j->in, "embeddings, ridge classifier", "tiles");
  bez_team team = {.threads = j->in->threads, .cpu = j->in->cpu, .watch = &watch};
  r->n = 0;
  for (uint32_t i = 0; i < s->n; i++)
    if (j->fold[i] != fold) r->rows[r->n++] = i;
  if (!r->n) return BEZ_OK;
  bez_rows outside = {.x = s->z, .dim = s->dim, .rows = r->rows, .n = r->n};
  bez_rows_mean(&outside, r->mean);
  bez_status st = bez_rows_covariance(&outside, r->mean, NULL, &team, r->a, err);
  if (st != BEZ_OK) return st;
  for (uint32_t d = 0; d < s->dim; d++) r->a[(size_t)d * s->dim + d] += RIDGE;
  if (!bez_spd_factor(r->a, s->dim)) return bez_fail(err, BEZ_FORMAT, "embeddings", "a covariance is not finite");
  label_sums(j, r);
  for (uint32_t k = 0; k < s->n_classes; k++) bez_spd_solve(r->a, s->dim, r->weight + (size_t)k * s->dim);
  for (uint32_t i = 0; i < s->n; i++) {
    if (j->fold[i] != fold) continue;
    const float *z = s->z + (size_t)i * s->dim;
    for (uint32_t k = 0; k < s->n_classes; k++) {
      const double *w = r->weight + (size_t)k * s->dim;
      double sum = r->share[k];
      for (uint32_t d = 0; d < s->dim; d++) sum += w[d] * ((double)z[d] - r->mean[d]);
      j->ridge[(size_t)i * s->n_classes + k] = (float)sum;
    }
  }
  return BEZ_OK;
}

static bez_status classify(judge *j, bez_error *err) {
  const bez_space *s = j->s;
  ridge r = {.rows = malloc(s->n * sizeof *r.rows), .mean = malloc(s->dim * sizeof *r.mean)};
  bez_status st = BEZ_OK;
  r.a = malloc((size_t)s->dim * s->dim * sizeof *r.a);
  r.weight = malloc((size_t)s->n_classes * s->dim * sizeof *r.weight);
  r.share = malloc(s->n_classes * sizeof *r.share);
  if (!r.rows || !r.mean || !r.a || !r.weight || !r.share) BEZ_TRY(bez_fail_memory(err, (size_t)s->n * 4));
  bez_rng rng = bez_rng_make(j->in->seed, STREAM + 1);
  for (uint32_t i = 0; i < s->n; i++) j->fold[i] = (uint8_t)bez_rng_below(&rng, FOLDS);
  for (uint32_t fold = 0; fold < FOLDS; fold++) BEZ_TRY(fit_fold(j, fold, &r, err));
cleanup:
  free(r.rows);
  free(r.mean);
  free(r.a);
  free(r.weight);
  free(r.share);
  return st;
}

typedef struct listed {
  double score;
  uint32_t at, other;
} listed;

static int most_first(const void *x, const void *y) {
  const listed *a = x, *b = y;
  if (a->score != b->score) return a->score > b->score ? -1 : 1;
  return a->at < b->at ? -1 : a->at > b->at;
}

/* The best other label by the sum of both judges, and how far it is ahead (half the sum of both leads). */
static listed judge_row(const judge *j, uint32_t i, bool *wrong) {
  uint32_t classes = j->s->n_classes, own = j->s->class_of[i], other = own ? 0 : 1;
  const float *vote = j->vote + (size_t)i * classes, *score = j->ridge + (size_t)i * classes;
  for (uint32_t k = other + 1; k < classes; k++)
    if (k != own && vote[k] + score[k] > vote[other] + score[other]) other = k;
  double votes = (double)vote[other] - (double)vote[own], margin = (double)score[other] - (double)score[own];
  *wrong = ((double)vote[own] < OWN_VOTE && votes > 0.0) || margin > MARGIN;
  return (listed){(votes + margin) / 2.0, i, other};
}

static bez_status emit(const judge *j, bez_report *report, bez_error *err) {
  const bez_space *s = j->s;
  const char **names = bez_cells_labels(report, j->in);
  listed *all = malloc((size_t)s->n * sizeof *all);
  bez_row_hit *hits = malloc((size_t)s->n * sizeof *hits);
  uint32_t n = 0, n_wrong = 0,
           most = (uint32_t)(LIST_SHARE * s->n) < LIST_ROWS ? (uint32_t)(LIST_SHARE * s->n) : LIST_ROWS;
  bez_status st = BEZ_OK;
  if (!all || !hits || !names) BEZ_TRY(bez_fail_memory(err, (size_t)s->n * (sizeof *all + sizeof *hits)));
  for (uint32_t i = 0; i < s->n; i++) {
    bool wrong;
    listed l = judge_row(j, i, &wrong);
    n_wrong += wrong;
    if (l.score > 0.0) all[n++] = l;
  }
  qsort(all, n, sizeof *all, most_first);
  if (n > most) n = most;
  if (!n) goto cleanup;
  for (uint32_t i = 0; i < n; i++)
    hits[i] = (bez_row_hit){.row = bez_global_row(j->in->table, s->row[all[i].at]),
                            .score = all[i].score,
                            .q = NAN,
                            .label = names[s->code[s->class_of[all[i].at]]],
                            .suggested = names[s->code[all[i].other]]};
  bez_finding *f =
      bez_report_add_list(report, &bez_detector_label_disagreement_embeddings.rule, (double)n_wrong / s->n);
  if (!f) goto cleanup;
  bez_finding_title(report, f, "%u of %u labels look wrong in the embeddings; %u rows to review, most disputed first",
                    n_wrong, s->n, n);
  bez_finding_subject(report, f, j->in->table->cols[j->in->label].name, NULL);
  bez_finding_number(report, f, "rows judged", s->n);
  bez_finding_number(report, f, "labels that look wrong", n_wrong);
  bez_finding_text(report, f, "judges", "10 nearest rows (%s) and a ridge classifier out of 5 folds, %u components",
                   j->sampled ? "among a sample of 20,000" : "exact", s->dim);
  bez_finding_rows(report, f, hits, n);
cleanup:
  free(all);
  free(hits);
  return st;
}

static bez_status run(const bez_detect_input *in, bez_report *report, bez_error *err) {
  judge j = {.in = in};
  bez_status st;
  BEZ_TRY(bez_shared_space(in, &j.s, err));
  if (!j.s->dim || j.s->n_classes < 2) {
    bez_report_not_checked(report, false, "BZ-D020", "fewer than two labels, or vectors that do not vary");
    goto cleanup;
  }
  size_t cells = (size_t)j.s->n * j.s->n_classes;
  j.fold = malloc(j.s->n);
  j.vote = calloc(cells, sizeof *j.vote);
  j.ridge = calloc(cells, sizeof *j.ridge);
  if (!j.fold || !j.vote || !j.ridge) BEZ_TRY(bez_fail_memory(err, cells * 8));
  BEZ_TRY(neighbours(&j, err));
  BEZ_TRY(classify(&j, err));
  BEZ_TRY(emit(&j, report, err));
  st = bez_report_status(report, err);
cleanup:
  free(j.fold);
  free(j.vote);
  free(j.ridge);
  return st;
}

const bez_detector bez_detector_label_disagreement_embeddings = {
    .rule = {.id = "BZ-D020",
             .name = "label-disagreement-embeddings",
             .title = "Label disagreement on embeddings",
             .summary =
                 "Rows whose label neither their nearest rows in the embeddings nor a classifier that never saw them "
                 "would give, as a ranked list with a suggested label each.",
             .remedy =
                 "Review from the top of the list; correct or drop what is wrong. Ambiguous rows and honest noise "
                 "stand in the same list: do not drop it whole.",
             .taxonomy = "ATLAS:AML.T0020 NIST:NISTAML.013 OWASP:LLM04 OWASP-ML:ML02"},
    .needs = BEZ_NEED_LABEL | BEZ_NEED_VECTORS,
    .null_hypothesis = "Rows that lie together carry the same label, except for ambiguous ones.",
    .calibration = "None claimed: always a note. Own vote below .1 or a ridge margin above .7 counts as looking wrong; "
                   "measured with flips: docs/detect/label-disagreement-embeddings.md.",
    .cost = "O(rows · min(rows, 20,000) · components + rows · components²) time, 8 · rows · labels bytes",
    .source = "Bezoar, docs/detect/label-disagreement-embeddings.md",
    .run = run,
};
