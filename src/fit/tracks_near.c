/* The nearest thumbs: all pairs of small sets; of large ones those pairs that share a leaf in one of a few random
 * projection trees (Dasgupta and Freund, Random projection trees and low dimensional manifolds, 2008). A node is cut at
 * the median of the projection on the difference of two of its own members, so that cuts follow the data. */
#include <stdlib.h>

#include "base/error.h"
#include "base/rng.h"
#include "base/threads.h"
#include "fit/tracks_internal.h"

#define TILE 64u
#define TREES 10u
#define LEAF 96u
#define STREAM 0x747261636b73ull

typedef struct search {
  const bez_tracks *tracks;
  bez_nearest *near;
  const uint32_t *order; /* rows, leaf after leaf */
  const uint32_t *begin; /* first of each leaf, and the end */
} search;

static const int16_t *thumb(const bez_tracks *t, uint32_t row) {
  return t->thumb + (size_t)row * BEZ_TRACKS_DIM;
}

static bez_status exact_tile(void *ctx, uint64_t tile, unsigned worker, bez_error *err) {
  (void)worker;
  (void)err;
  const search *s = ctx;
  uint32_t n = s->tracks->n_rows, first = (uint32_t)tile * TILE, end = n - first < TILE ? n : first + TILE;
  for (uint32_t other = 0; other < n; other++)
    for (uint32_t i = first; i < end; i++) {
      int32_t product = bez_thumb_product(thumb(s->tracks, i), thumb(s->tracks, other));
      if (product > s->near[i].product[BEZ_NEAR_K - 1] && i != other)
        bez_nearest_offer(&s->near[i], product, other); /* others come in ascending order: ties stay with the first */
    }
  return BEZ_OK;
}

bez_status bez_tracks_near_exact(const bez_tracks *tracks, unsigned threads, bez_nearest *near, bez_error *err) {
  search s = {.tracks = tracks, .near = near};
  return bez_parallel((tracks->n_rows + TILE - 1) / TILE, threads, exact_tile, &s, err);
}

typedef struct projected {
  int64_t value;
  uint32_t row;
} projected;

static bool less(projected a, projected b) {
  return a.value != b.value ? a.value < b.value : a.row < b.row;
}

static void swap(projected *a, projected *b) {
  projected t = *a;
  *a = *b;
  *b = t;
}

/* Moves the `half` least to the front (quickselect, pivots by the median of three). */
static void select_least(projected *v, size_t n, size_t half) {
  while (n > 2) {
    projected *mid = &v[n / 2], *last = &v[n - 1];
    if (less(*mid, v[0])) swap(mid, v);
    if (less(*last, v[0])) swap(last, v);
    if (less(*last, *mid)) swap(last, mid);
    projected pivot = *mid;
    size_t i = 0, j = n - 1;
    for (;; i++, j--) {
      while (less(v[i], pivot)) i++;
      while (less(pivot, v[j])) j--;
      if (i >= j) break;
      swap(&v[i], &v[j]);
    }
    /* v[0 … j] ≤ pivot ≤ v[j + 1 …] */
    if (half <= j) {
      n = j + 1;
    } else {
      v += j + 1;
      n -= j + 1;
      half -= j + 1;
    }
  }
  if (n == 2 && less(v[1], v[0])) swap(&v[0], &v[1]);
}

/* Cuts each node of one tree until leaves hold LEAF rows at most; returns the number of leaves. Nodes lie side by side
 * in `rows`; a node's direction is drawn from (tree, level, position). */
static uint32_t grow(const bez_tracks *t, uint64_t seed, uint32_t tree, projected *rows, uint32_t *begin,
                     uint32_t *next) {
  uint32_t nodes = 1;
  begin[0] = 0;
  begin[1] = t->n_rows;
  for (uint32_t level = 0;; level++) {
    uint32_t made = 0;
    for (uint32_t node = 0; node < nodes; node++) {
      uint32_t lo = begin[node], n = begin[node + 1] - lo;
      next[made++] = lo;
      if (n <= LEAF) continue;
      bez_rng rng = bez_rng_make(seed ^ STREAM, ((uint64_t)tree << 40) | ((uint64_t)level << 32) | node);
      const int16_t *a = thumb(t, rows[lo + bez_rng_below(&rng, n)].row);
      const int16_t *b = thumb(t, rows[lo + bez_rng_below(&rng, n)].row);
      for (uint32_t i = lo; i < lo + n; i++)
        rows[i].value =
            (int64_t)bez_thumb_product(thumb(t, rows[i].row), a) - bez_thumb_product(thumb(t, rows[i].row), b);
      select_least(rows + lo, n, n / 2);
      next[made++] = lo + n / 2;
    }
    next[made] = t->n_rows;
    bool done = made == nodes;
    for (uint32_t i = 0; i <= made; i++) begin[i] = next[i];
    nodes = made;
    if (done) return nodes;
  }
}

static bez_status leaf_tile(void *ctx, uint64_t leaf, unsigned worker, bez_error *err) {
  (void)worker;
  (void)err;
  const search *s = ctx;
  for (uint32_t i = s->begin[leaf]; i < s->begin[leaf + 1]; i++)
    for (uint32_t j = i + 1; j < s->begin[leaf + 1]; j++) {
      uint32_t a = s->order[i], b = s->order[j];
      int32_t product = bez_thumb_product(thumb(s->tracks, a), thumb(s->tracks, b));
      bez_nearest_offer(&s->near[a], product, b);
      bez_nearest_offer(&s->near[b], product, a);
    }
  return BEZ_OK;
}

bez_status bez_tracks_near_forest(const bez_tracks *tracks, uint64_t seed, unsigned threads, bez_nearest *near,
                                  bez_error *err) {
  bez_status st = BEZ_OK;
  size_t n = tracks->n_rows, most = 4 * (n / LEAF) + 8;
  projected *rows = calloc(n, sizeof *rows);
  uint32_t *order = malloc(n * sizeof *order), *begin = calloc(most, sizeof *begin), *next = calloc(most, sizeof *next);
  if (!rows || !order || !begin || !next) {
    st = bez_fail_memory(err, n * sizeof *rows);
    goto cleanup;
  }
  for (uint32_t tree = 0; tree < TREES; tree++) {
    for (uint32_t i = 0; i < n; i++) rows[i].row = i;
    uint32_t leaves = grow(tracks, seed, tree, rows, begin, next);
    for (uint32_t i = 0; i < n; i++) order[i] = rows[i].row;
    search s = {tracks, near, order, begin};
    BEZ_TRY(bez_parallel(leaves, threads, leaf_tile, &s, err));
  }
cleanup:
  free(rows);
  free(order);
  free(begin);
  free(next);
  return st;
}
