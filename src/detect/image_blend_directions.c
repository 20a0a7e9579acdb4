/* Leading directions of a class: subspace iteration on the Gram matrix of its whitened rows with the entries of
 * near-duplicates (and of rows with themselves) set to zero, without ever forming it: G·V = X·(Xᵀ·V) less, per track,
 * X_t·(X_tᵀ·V_t). Then the best cut of the rows along each. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/rng.h"
#include "detect/image_blend.h"
#include "fit/subspace.h"
#include "math/jacobi.h"

#define LANES BEZ_DENSE_LANES
#define ROWS 4096u /* of a class, at most */
#define ITERATIONS 8u
#define BLOCK 64u
#define LEAST 8u /* rows on either side of a cut */
#define STREAM 0x626c656eull

typedef struct work {
  const bez_blend_data *d;
  uint32_t n, dim;
  uint32_t *row;   /* rows, tracks side by side */
  float *x;        /* n × dim */
  float *v, *y;    /* n × 16 */
  float *t, *part; /* dim × 16 */
} work;

static void work_free(work *w) {
  free(w->row);
  free(w->x);
  free(w->v);
  free(w->y);
  free(w->t);
  free(w->part);
}

static bez_status load(work *w, uint32_t class_id, bez_error *err) {
  const bez_white *white = w->d->white;
  uint32_t count = w->d->classes->count[class_id], seen = 0;
  w->n = count < ROWS ? count : ROWS;
  w->dim = white->dim;
  w->row = calloc((size_t)count + 1, sizeof *w->row);
  w->x = malloc(((size_t)w->n * w->dim + 1) * sizeof *w->x);
  w->v = malloc(((size_t)w->n + 1) * LANES * sizeof *w->v);
  w->y = malloc(((size_t)w->n + 1) * LANES * sizeof *w->y);
  w->t = malloc((size_t)w->dim * LANES * sizeof *w->t);
  w->part = malloc((size_t)w->dim * LANES * sizeof *w->part);
  if (!w->row || !w->x || !w->v || !w->y || !w->t || !w->part)
    return bez_fail_memory(err, (size_t)w->n * w->dim * sizeof *w->x);
  for (uint32_t i = 0; i < white->n; i++)
    if (w->d->classes->of_row[i] == class_id) w->row[seen++] = i;
  for (uint32_t i = 0; i < w->n; i++) w->row[i] = w->row[(uint64_t)i * seen / w->n];
  bez_status st = bez_tracks_sort_rows(w->d->tracks, w->row, w->n, err);
  for (uint32_t i = 0; st == BEZ_OK && i < w->n; i++) {
    const int8_t *value = white->value + (size_t)w->row[i] * w->dim;
    for (uint32_t d = 0; d < w->dim; d++) w->x[(size_t)i * w->dim + d] = (float)value[d] * white->scale[w->row[i]];
  }
  return st;
}

/* to (dim × 16) = xᵀ·v of rows [first, first + n). */
static void gather(const work *w, uint32_t first, uint32_t n, const float *v, float *to) {
  memset(to, 0, (size_t)w->dim * LANES * sizeof *to);
  for (uint32_t i = first; i < first + n; i += BLOCK) {
    w->d->white->dense(&(bez_dense){.rows = w->dim,
                                    .depth = first + n - i < BLOCK ? first + n - i : BLOCK,
                                    .a = w->x + (size_t)i * w->dim,
                                    .a_row = 1,
                                    .a_step = w->dim,
                                    .b = v + (size_t)i * LANES,
                                    .b_step = LANES,
                                    .out = w->part,
                                    .out_row = LANES});
    for (size_t k = 0; k < (size_t)w->dim * LANES; k++) to[k] += w->part[k];
  }
}

static void spread(const work *w, uint32_t first, uint32_t n, const float *t, float *y) {
  w->d->white->dense(&(bez_dense){.rows = n,
                                  .depth = w->dim,
                                  .a = w->x + (size_t)first * w->dim,
                                  .a_row = w->dim,
                                  .a_step = 1,
                                  .b = t,
                                  .b_step = LANES,
                                  .out = y + (size_t)first * LANES,
                                  .out_row = LANES});
}

/* y −= what rows of one track say about each other. */
static void take_out(work *w, uint32_t first, uint32_t n) {
  float own[LANES];
  if (n == 1) {
    const float *x = w->x + (size_t)first * w->dim;
    double square = 0;
    for (uint32_t d = 0; d < w->dim; d++) square += (double)x[d] * (double)x[d];
    for (uint32_t l = 0; l < LANES; l++) w->y[first * LANES + l] -= (float)square * w->v[first * LANES + l];
    return;
  }
  gather(w, first, n, w->v, w->t);
  for (uint32_t i = first; i < first + n; i++) {
    memcpy(own, w->y + (size_t)i * LANES, sizeof own);
    spread(w, i, 1, w->t, w->y);
    for (uint32_t l = 0; l < LANES; l++) w->y[(size_t)i * LANES + l] = own[l] - w->y[(size_t)i * LANES + l];
  }
}

static bez_status apply(work *w, bez_watch *watch, unsigned worker, bez_error *err) {
  if (!bez_watch_ask(watch, worker)) return bez_watch_fail(err);
  gather(w, 0, w->n, w->v, w->t);
  spread(w, 0, w->n, w->t, w->y);
  for (uint32_t i = 0, end; i < w->n; i = end) {
    uint32_t group = w->d->tracks->group[w->row[i]];
    for (end = i + 1; end < w->n && w->d->tracks->group[w->row[end]] == group;) end++;
    take_out(w, i, end - i);
  }
  return BEZ_OK;
}

/* v: the Ritz vectors of the last subspace, by falling eigenvalue (which may be below zero: the diagonal is). */
static void ritz(work *w) {
  double small[LANES * LANES] = {0}, vectors[LANES * LANES];
  uint32_t order[LANES];
  for (uint32_t i = 0; i < w->n; i++)
    for (uint32_t a = 0; a < LANES; a++)
      for (uint32_t b = 0; b < LANES; b++)
        small[a * LANES + b] += .5 * ((double)w->v[i * LANES + a] * (double)w->y[i * LANES + b] +
                                      (double)w->v[i * LANES + b] * (double)w->y[i * LANES + a]);
  bez_jacobi(small, LANES, vectors);
  for (uint32_t a = 0; a < LANES; a++) {
    uint32_t at = a;
    for (; at > 0 && small[order[at - 1] * (LANES + 1)] < small[a * (LANES + 1)]; at--) order[at] = order[at - 1];
    order[at] = a;
  }
  for (uint32_t i = 0; i < w->n; i++) {
    double to[LANES] = {0};
    for (uint32_t a = 0; a < LANES; a++)
      for (uint32_t b = 0; b < LANES; b++) to[a] += (double)w->v[i * LANES + b] * vectors[b * LANES + order[a]];
    for (uint32_t a = 0; a < LANES; a++) w->y[i * LANES + a] = (float)to[a];
  }
  memcpy(w->v, w->y, (size_t)w->n * LANES * sizeof *w->v);
}

typedef struct along {
  float value;
  uint32_t row;
} along;

static int by_value(const void *x, const void *y) {
  const along *a = x, *b = y;
  if (a->value != b->value) return a->value < b->value ? -1 : 1;
  return a->row < b->row ? -1 : a->row > b->row;
}

/* Where two normal distributions, each with its own mean and spread, fit the sorted values best. */
static uint32_t best_cut(const along *list, uint32_t n) {
  double sum = 0, square = 0, left = 0, left_square = 0, best = -INFINITY;
  uint32_t at = 0;
  for (uint32_t i = 0; i < n; i++) {
    sum += (double)list[i].value;
    square += (double)list[i].value * (double)list[i].value;
  }
  double least = 1e-3 * (square / n - sum / n * (sum / n)) + 1e-12;
  for (uint32_t i = 0; i + LEAST < n; i++) {
    left += (double)list[i].value;
    left_square += (double)list[i].value * (double)list[i].value;
    double a = i + 1, b = n - a;
    if (i + 1 < LEAST) continue;
    double va = left_square / a - left / a * (left / a);
    double vb = (square - left_square) / b - (sum - left) / b * ((sum - left) / b);
    double fit = -.5 * (a * log(va + least) + b * log(vb + least)) + a * log(a / n) + b * log(b / n);
    if (fit > best) best = fit, at = i + 1;
  }
  return at;
}

static bez_status cut(const work *w, uint32_t k, uint32_t **rows, uint32_t *n, bez_error *err) {
  along *list = malloc((size_t)w->n * sizeof *list);
  *rows = malloc((size_t)w->n * sizeof **rows);
  if (!list || !*rows) {
    free(list);
    return bez_fail_memory(err, (size_t)w->n * sizeof *list);
  }
  for (uint32_t i = 0; i < w->n; i++) list[i] = (along){w->v[i * LANES + k], w->row[i]};
  qsort(list, w->n, sizeof *list, by_value);
  uint32_t at = best_cut(list, w->n);
  bool low = at < w->n - at;
  *n = low ? at : w->n - at;
  for (uint32_t i = 0; i < *n; i++) (*rows)[i] = list[low ? i : at + i].row;
  free(list);
  return BEZ_OK;
}

bez_status bez_blend_candidates(const bez_blend_data *data, uint32_t class_id, uint32_t *rows[BEZ_BLEND_DIRECTIONS],
                                uint32_t n[BEZ_BLEND_DIRECTIONS], bez_error *err) {
  work w = {.d = data};
  bez_status st;
  for (uint32_t k = 0; k < BEZ_BLEND_DIRECTIONS; k++) rows[k] = NULL, n[k] = 0;
  BEZ_TRY(load(&w, class_id, err));
  if (w.n < 2 * LEAST + 1 || w.n < LANES) goto cleanup;
  bez_rng rng = bez_rng_make(data->in->seed ^ STREAM, class_id);
  for (size_t i = 0; i < (size_t)w.n * LANES; i++) w.v[i] = (float)(bez_rng_unit(&rng) - .5);
  for (unsigned i = 0; i < ITERATIONS; i++) {
    bez_orthonormal(w.v, w.n, LANES);
    BEZ_TRY(apply(&w, NULL, 0, err));
    if (i + 1 < ITERATIONS) memcpy(w.v, w.y, (size_t)w.n * LANES * sizeof *w.v);
  }
  ritz(&w);
  for (uint32_t k = 0; k < BEZ_BLEND_DIRECTIONS; k++) BEZ_TRY(cut(&w, k, &rows[k], &n[k], err));
cleanup:
  work_free(&w);
  return st;
}
