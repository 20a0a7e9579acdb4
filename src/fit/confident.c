#include "fit/confident.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/threads.h"

#define TILE 16384u
#define SLACK 1e-6

void bez_confident_add(const float *p, const uint32_t *label, uint64_t n, uint32_t n_classes, double *sum,
                       uint64_t *count) {
  for (uint64_t i = 0; i < n; i++) {
    uint32_t k = label[i];
    if (k == BEZ_CONFIDENT_NONE) continue;
    sum[k] += (double)p[i * n_classes + k];
    count[k]++;
  }
}

void bez_confident_thresholds(const double *sum, const uint64_t *count, uint32_t n_classes, double *threshold) {
  for (uint32_t k = 0; k < n_classes; k++) threshold[k] = count[k] ? sum[k] / (double)count[k] : 2.0;
}

uint32_t bez_confident_guess(const float *p, uint32_t n_classes, const double *threshold) {
  uint32_t reached = 0, first = BEZ_CONFIDENT_NONE, best = 0;
  for (uint32_t k = 0; k < n_classes; k++) {
    if ((double)p[k] >= threshold[k] - SLACK) {
      if (reached++ == 0) first = k;
    }
    if (p[k] > p[best]) best = k;
  }
  return reached > 1 ? best : first;
}

bool bez_confident_is_issue(const float *p, uint32_t n_classes, uint32_t label, uint32_t guess) {
  if (guess == BEZ_CONFIDENT_NONE || guess == label || label == BEZ_CONFIDENT_NONE) return false;
  for (uint32_t k = 0; k < n_classes; k++)
    if (p[k] > p[label]) return true;
  return false;
}

typedef struct work {
  const float *p;
  const uint32_t *label;
  uint64_t n, n_tiles;
  uint32_t n_classes;
  const double *threshold;
  double *sum;     /* per tile × class */
  uint64_t *count; /* per tile × class, then per worker × class² */
  uint32_t *suggested;
  bool want_joint;
} work;

static uint64_t tile_rows(const work *w, uint64_t tile) {
  uint64_t left = w->n - tile * TILE;
  return left < TILE ? left : TILE;
}

static bez_status add_tile(void *ctx, uint64_t tile, unsigned worker, bez_error *err) {
  work *w = ctx;
  uint64_t first = tile * TILE;
  bez_confident_add(w->p + first * w->n_classes, w->label + first, tile_rows(w, tile), w->n_classes,
                    w->sum + tile * w->n_classes, w->count + tile * w->n_classes);
  return BEZ_OK;
}

static bez_status guess_tile(void *ctx, uint64_t tile, unsigned worker, bez_error *err) {
  work *w = ctx;
  uint32_t k = w->n_classes;
  uint64_t first = tile * TILE, n = tile_rows(w, tile);
  uint64_t *joint = w->want_joint ? w->count + (uint64_t)worker * k * k : NULL;
  for (uint64_t i = first; i < first + n; i++) {
    const float *p = w->p + i * k;
    uint32_t label = w->label[i];
    uint32_t guess = label == BEZ_CONFIDENT_NONE ? BEZ_CONFIDENT_NONE : bez_confident_guess(p, k, w->threshold);
    if (joint && guess != BEZ_CONFIDENT_NONE) joint[(uint64_t)label * k + guess]++;
    if (w->suggested) w->suggested[i] = bez_confident_is_issue(p, k, label, guess) ? guess : BEZ_CONFIDENT_NONE;
  }
  return BEZ_OK;
}

/* Pass one: sums per tile, added in tile order. */
static bez_status find_thresholds(work *w, unsigned threads, double *threshold, bez_error *err) {
  size_t cells = (size_t)w->n_tiles * w->n_classes;
  uint64_t *count = NULL;
  bez_status st = BEZ_OK;
  w->sum = calloc(cells + 1, sizeof *w->sum);
  w->count = calloc(cells + 1, sizeof *w->count);
  count = calloc(w->n_classes, sizeof *count);
  if (!w->sum || !w->count || !count) {
    st = bez_fail_memory(err, cells * 16);
    goto cleanup;
  }
  BEZ_TRY(bez_parallel(w->n_tiles, threads, add_tile, w, err));
  memset(threshold, 0, w->n_classes * sizeof *threshold);
  for (size_t i = 0; i < cells; i++) {
    threshold[i % w->n_classes] += w->sum[i];
    count[i % w->n_classes] += w->count[i];
  }
  bez_confident_thresholds(threshold, count, w->n_classes, threshold);
cleanup:
  free(w->sum);
  free(w->count);
  free(count);
  return st;
}

bez_status bez_confident_find(const float *p, const uint32_t *label, uint64_t n, uint32_t n_classes, unsigned threads,
                              double *threshold, uint64_t *joint, uint32_t *suggested, bez_error *err) {
  if (n_classes == 0 || n_classes > 65536) return bez_fail(err, BEZ_USAGE, "confident learning", "1 to 65536 classes");
  if (threads == 0) threads = bez_cpu_count();
  work w = {.p = p, .label = label, .n = n, .n_tiles = n / TILE + (n % TILE != 0), .n_classes = n_classes};
  bez_status st = find_thresholds(&w, threads, threshold, err);
  if (st != BEZ_OK) return st;
  size_t cells = (size_t)n_classes * n_classes;
  w.threshold = threshold;
  w.suggested = suggested;
  w.want_joint = joint != NULL;
  w.count = joint ? calloc(cells * threads, sizeof *w.count) : NULL;
  if (joint && !w.count) return bez_fail_memory(err, cells * threads * sizeof *w.count);
  st = bez_parallel(w.n_tiles, threads, guess_tile, &w, err);
  if (joint) memset(joint, 0, cells * sizeof *joint);
  for (size_t t = 0; joint && t < threads; t++) /* whole numbers: the order of threads does not show */
    for (size_t i = 0; i < cells; i++) joint[i] += w.count[t * cells + i];
  free(w.count);
  return st;
}
