#include "fit/picture_labels.h"

#include <stdlib.h>
#include <string.h>

#include "base/compare.h"
#include "base/error.h"
#include "base/hash.h"
#include "fit/knn.h"
#include "math/dense.h"
#include "math/spd.h"

#define DIM BEZ_PICTURE_DIM
#define LANES BEZ_DENSE_LANES
#define FOLDS 5u
#define NEAREST 40u /* kept, so that ten are left when disputed ones do not vote */
#define VOTERS 10u
#define PENALTY 3.0
#define ROUNDS 4u
#define BLOCK 256u
#define TILE 256u
#define NOT_JUDGED 9.0f
#define STRICT (-1.0f)    /* the score below which rows are disputed in every round */
#define LENIENT (-0.5f)   /* at the end the line moves up to here at most … */
#define LENIENT_PART 400u /* … and takes in one row of so many, because what it takes in may all be sound */

typedef struct judge {
  bez_picture_labels *labels;
  const uint32_t *class_of;
  uint32_t n, classes, padded; /* padded: classes up to a multiple of 16 */
  float *feature;              /* n × DIM */
  uint32_t *nearest;           /* n × NEAREST */
  uint8_t *out;                /* per row: neither votes nor trains */
  double *gram;                /* FOLDS × DIM × DIM */
  double *target;              /* FOLDS × classes × DIM: sums of rows of a class */
  float *weight;               /* FOLDS × DIM × padded */
  bez_dense_fn dense;
} judge;

static uint32_t fold_of(uint32_t row) {
  return (uint32_t)(bez_mix64(row) % FOLDS);
}

static bool trains(const judge *j, uint32_t row) {
  return j->class_of[row] != BEZ_PICTURE_NONE && !j->out[row];
}

/* Sixteen columns of one fold's Σ x·xᵀ. */
static bez_status gram_tile(void *ctx, uint64_t tile, unsigned worker, bez_error *err) {
  (void)worker;
  const judge *j = ctx;
  uint32_t fold = (uint32_t)(tile / (DIM / LANES)), column = (uint32_t)(tile % (DIM / LANES)) * LANES, held = 0;
  double *out = j->gram + (size_t)fold * DIM * DIM + column;
  float *rows = malloc((size_t)(BLOCK + LANES) * DIM * sizeof *rows), *part = rows + (size_t)BLOCK * DIM;
  if (!rows) return bez_fail_memory(err, (size_t)(BLOCK + LANES) * DIM * sizeof *rows);
  for (uint32_t r = 0; r < DIM; r++) memset(out + (size_t)r * DIM, 0, LANES * sizeof *out);
  for (uint32_t i = 0; i < j->n; i++) {
    if (fold_of(i) == fold && trains(j, i))
      memcpy(rows + (size_t)held++ * DIM, j->feature + (size_t)i * DIM, DIM * sizeof *rows);
    if (held != BLOCK && i + 1 < j->n) continue;
    j->dense(&(bez_dense){.rows = DIM,
                          .depth = held,
                          .a = rows,
                          .a_row = 1,
                          .a_step = DIM,
                          .b = rows + column,
                          .b_step = DIM,
                          .out = part,
                          .out_row = LANES});
    for (uint32_t r = 0; r < DIM; r++)
      for (unsigned l = 0; l < LANES; l++) out[(size_t)r * DIM + l] += (double)part[r * LANES + l];
    held = 0;
  }
  free(rows);
  return BEZ_OK;
}

static void sum_classes(const judge *j) {
  memset(j->target, 0, (size_t)FOLDS * j->classes * DIM * sizeof *j->target);
  for (uint32_t i = 0; i < j->n; i++) {
    if (!trains(j, i)) continue;
    double *to = j->target + ((size_t)fold_of(i) * j->classes + j->class_of[i]) * DIM;
    for (uint32_t d = 0; d < DIM; d++) to[d] += (double)j->feature[(size_t)i * DIM + d];
  }
}

/* The weights for rows of one fold, from the other four: (G + λI)⁻¹ (2·Σ of the class − Σ of all), per class. */
static bez_status solve_tile(void *ctx, uint64_t fold, unsigned worker, bez_error *err) {
  (void)worker;
  const judge *j = ctx;
  size_t cells = (size_t)DIM * DIM;
  double *g = calloc(cells + 2 * DIM, sizeof *g), *all = g + cells, *b = all + DIM;
  if (!g) return bez_fail_memory(err, cells * sizeof *g);
  for (uint32_t f = 0; f < FOLDS; f++) {
    if (f == fold) continue;
    for (size_t i = 0; i < cells; i++) g[i] += j->gram[f * cells + i];
    for (uint32_t c = 0; c < j->classes; c++)
      for (uint32_t d = 0; d < DIM; d++) all[d] += j->target[((size_t)f * j->classes + c) * DIM + d];
  }
  for (uint32_t d = 0; d < DIM; d++) g[(size_t)d * DIM + d] += PENALTY;
  bool solved = bez_spd_factor(g, DIM);
  for (uint32_t c = 0; c < j->classes; c++) {
    for (uint32_t d = 0; d < DIM; d++) {
      b[d] = -all[d];
      for (uint32_t f = 0; f < FOLDS; f++)
        if (f != fold) b[d] += 2 * j->target[((size_t)f * j->classes + c) * DIM + d];
    }
    if (solved) bez_spd_solve(g, DIM, b);
    for (uint32_t d = 0; d < DIM; d++)
      j->weight[((size_t)fold * DIM + d) * j->padded + c] = solved ? (float)b[d] : 0.0f;
  }
  free(g);
  return BEZ_OK;
}

/* Ridge plus vote of every class, −1 … 2 or so. */
static void add_votes(const judge *j, uint32_t row, float *value) {
  uint32_t vote[VOTERS], n = 0;
  for (uint32_t k = 0; k < NEAREST && n < VOTERS; k++) {
    uint32_t other = j->nearest[(size_t)row * NEAREST + k];
    if (other == BEZ_KNN_NONE) break;
    if (trains(j, other)) vote[n++] = j->class_of[other];
  }
  for (uint32_t k = 0; k < n; k++) value[vote[k]] += 1.0f / (float)n;
}

static void judge_row(const judge *j, uint32_t row, float *value) {
  uint32_t own = j->class_of[row], best = own == 0 ? 1 : 0;
  for (uint32_t c = 0; c < j->padded; c += LANES)
    j->dense(&(bez_dense){.rows = 1,
                          .depth = DIM,
                          .a = j->feature + (size_t)row * DIM,
                          .a_step = 1,
                          .b = j->weight + (size_t)fold_of(row) * DIM * j->padded + c,
                          .b_step = j->padded,
                          .out = value + c});
  add_votes(j, row, value);
  for (uint32_t c = 0; c < j->classes; c++)
    if (c != own && value[c] > value[best]) best = c;
  j->labels->score[row] = value[own] - value[best];
  j->labels->other[row] = best;
}

static bez_status judge_tile(void *ctx, uint64_t tile, unsigned worker, bez_error *err) {
  (void)worker;
  const judge *j = ctx;
  float *value = malloc(j->padded * sizeof *value);
  if (!value) return bez_fail_memory(err, j->padded * sizeof *value);
  uint32_t first = (uint32_t)tile * TILE, end = j->n - first < TILE ? j->n : first + TILE;
  for (uint32_t i = first; i < end; i++)
    if (j->class_of[i] != BEZ_PICTURE_NONE) judge_row(j, i, value);
  free(value);
  return BEZ_OK;
}

/* Judges all rows; says whether other rows are disputed than before. */
static bez_status one_round(judge *j, unsigned threads, bez_watch *watch, bool *changed, bez_error *err) {
  bez_status st;
  BEZ_TRY(bez_parallel_watched((uint64_t)FOLDS * (DIM / LANES), threads, watch, gram_tile, j, err));
  sum_classes(j);
  BEZ_TRY(bez_parallel(FOLDS, threads, solve_tile, j, err));
  BEZ_TRY(bez_parallel_watched((j->n + TILE - 1) / TILE, threads, watch, judge_tile, j, err));
  *changed = false;
  for (uint32_t i = 0; i < j->n; i++) {
    uint8_t out = bez_picture_disputed(j->labels, i);
    *changed |= out != j->out[i];
    j->out[i] = out;
  }
cleanup:
  return st;
}

static bez_status find_nearest(const judge *j, unsigned threads, uint32_t cpu, bez_watch *watch, bez_error *err) {
  bez_status st = BEZ_OK;
  uint32_t most = j->n < BEZ_PICTURE_SAMPLE ? j->n : BEZ_PICTURE_SAMPLE;
  uint32_t *rows = malloc(((size_t)most + 1) * sizeof *rows), *self = malloc(((size_t)j->n + 1) * sizeof *self);
  float *points = malloc(((size_t)most * DIM + 1) * sizeof *points),
        *distance = malloc(((size_t)j->n * NEAREST + 1) * sizeof *distance);
  if (!rows || !self || !points || !distance) {
    st = bez_fail_memory(err, (size_t)j->n * NEAREST * sizeof *distance);
    goto cleanup;
  }
  uint32_t n = bez_picture_sample(j->n, most, rows);
  for (uint32_t i = 0; i < j->n; i++) self[i] = BEZ_KNN_NONE;
  for (uint32_t s = 0; s < n; s++) {
    self[rows[s]] = s;
    memcpy(points + (size_t)s * DIM, j->feature + (size_t)rows[s] * DIM, DIM * sizeof *points);
  }
  bez_points among = {.n = n, .n_num = DIM, .num = points};
  bez_points queries = {.n = j->n, .n_num = DIM, .num = j->feature, .watch = watch};
  BEZ_TRY(bez_knn_search(&among, &queries, self, NEAREST, threads, cpu, j->nearest, distance, err));
  for (size_t i = 0; i < (size_t)j->n * NEAREST; i++)
    if (j->nearest[i] != BEZ_KNN_NONE) j->nearest[i] = rows[j->nearest[i]];
cleanup:
  free(rows);
  free(self);
  free(points);
  free(distance);
  return st;
}

static bez_status allocate(judge *j, bez_error *err) {
  bez_picture_labels *l = calloc(1, sizeof *l);
  if (!l) return bez_fail_memory(err, sizeof *l);
  size_t n = (size_t)j->n + 1;
  j->labels = l;
  l->n_rows = j->n;
  l->n_classes = j->classes;
  l->threshold = STRICT;
  l->score = malloc(n * sizeof *l->score);
  l->other = calloc(n, sizeof *l->other);
  j->feature = malloc(n * DIM * sizeof *j->feature);
  j->nearest = malloc(n * NEAREST * sizeof *j->nearest);
  j->out = calloc(n, 1);
  j->gram = malloc((size_t)FOLDS * DIM * DIM * sizeof *j->gram);
  j->target = malloc(((size_t)FOLDS * j->classes * DIM + 1) * sizeof *j->target);
  j->weight = calloc((size_t)FOLDS * DIM * j->padded + 1, sizeof *j->weight);
  if (!l->score || !l->other || !j->feature || !j->nearest || !j->out || !j->gram || !j->target || !j->weight)
    return bez_fail_memory(err, n * (DIM + NEAREST) * 4);
  for (uint32_t i = 0; i < j->n; i++) l->score[i] = NOT_JUDGED;
  return BEZ_OK;
}

/* Moves the line up by a fixed share of the rows: clear data has few rows in between, and loses no flips to a line that
 * ambiguous data needs. */
static bez_status relax(bez_picture_labels *l, bez_error *err) {
  uint32_t n = 0, most = l->n_rows / LENIENT_PART;
  for (uint32_t i = 0; i < l->n_rows; i++) n += l->score[i] >= STRICT && l->score[i] < LENIENT;
  float *between = malloc(((size_t)n + 1) * sizeof *between);
  if (!between) return bez_fail_memory(err, n * sizeof *between);
  n = 0;
  for (uint32_t i = 0; i < l->n_rows; i++)
    if (l->score[i] >= STRICT && l->score[i] < LENIENT) between[n++] = l->score[i];
  qsort(between, n, sizeof *between, bez_compare_float);
  l->threshold = n <= most ? LENIENT : between[most];
  free(between);
  return BEZ_OK;
}

static void agreement(bez_picture_labels *l, const uint32_t *class_of) {
  uint64_t judged = 0, right = 0;
  for (uint32_t i = 0; i < l->n_rows; i++) {
    judged += class_of[i] != BEZ_PICTURE_NONE;
    right += class_of[i] != BEZ_PICTURE_NONE && l->score[i] >= 0;
  }
  l->agreement = judged ? (double)right / (double)judged : 0;
}

void bez_picture_labels_destroy(bez_picture_labels *labels) {
  if (!labels) return;
  free(labels->score);
  free(labels->other);
  free(labels);
}

bez_status bez_picture_labels_fit(const bez_images *images, const uint32_t *class_of, uint32_t n_classes,
                                  unsigned threads, uint32_t cpu, bez_watch *watch, bez_picture_labels **out,
                                  bez_error *err) {
  *out = NULL;
  if (n_classes < 2 || images->n >= UINT32_MAX) return bez_fail(err, BEZ_USAGE, "picture labels", "shape");
  judge j = {.class_of = class_of,
             .n = (uint32_t)images->n,
             .classes = n_classes,
             .padded = (n_classes + LANES - 1) / LANES * LANES,
             .dense = bez_dense_choose(cpu)};
  bez_status st;
  bool changed = true;
  BEZ_TRY(allocate(&j, err));
  BEZ_TRY(bez_picture_features(images, threads, cpu, watch, j.feature, err));
  BEZ_TRY(find_nearest(&j, threads, cpu, watch, err));
  for (uint32_t round = 0; round < ROUNDS && changed; round++) {
    BEZ_TRY(one_round(&j, threads, watch, &changed, err));
    j.labels->rounds = round + 1;
  }
  BEZ_TRY(relax(j.labels, err));
  agreement(j.labels, class_of);
  *out = j.labels;
  j.labels = NULL;
cleanup:
  bez_picture_labels_destroy(j.labels);
  free(j.feature);
  free(j.nearest);
  free(j.out);
  free(j.gram);
  free(j.target);
  free(j.weight);
  return st;
}
