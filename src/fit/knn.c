#include "fit/knn.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/threads.h"
#include "math/near.h"

#define TILE 64u           /* queries per tile */
#define CHUNK_BYTES 16384u /* points that stay in the first-level cache while a tile's queries pass over them */

typedef struct search {
  const bez_points *points, *queries;
  const uint32_t *self;
  uint32_t k, n_blocks, chunk;
  float *num;    /* blocked: n_blocks × n_num × 16 */
  uint32_t *cat; /* blocked: n_blocks × n_cat × 16 */
  bez_near_fn near;
  uint32_t *index;
  float *distance;
} search;

/* The last block is filled up with NaN, which is below no bound (or, without numbers, cut off by the point count). */
static bez_status block_points(search *s, bez_error *err) {
  const bez_points *p = s->points;
  size_t lanes = (size_t)s->n_blocks * BEZ_NEAR_LANES;
  s->num = malloc((lanes * p->n_num + 1) * sizeof *s->num);
  s->cat = malloc((lanes * p->n_cat + 1) * sizeof *s->cat);
  if (!s->num || !s->cat) return bez_fail_memory(err, lanes * (p->n_num + p->n_cat) * 4);
  for (size_t i = 0; i < lanes; i++) {
    size_t block = i / BEZ_NEAR_LANES, lane = i % BEZ_NEAR_LANES;
    for (uint32_t d = 0; d < p->n_num; d++)
      s->num[(block * p->n_num + d) * BEZ_NEAR_LANES + lane] = i < p->n ? p->num[i * p->n_num + d] : NAN;
    for (uint32_t c = 0; c < p->n_cat; c++)
      s->cat[(block * p->n_cat + c) * BEZ_NEAR_LANES + lane] = i < p->n ? p->cat[i * p->n_cat + c] : 0;
  }
  return BEZ_OK;
}

/* Points come in ascending index, so that "less" alone keeps the lower index among equals. */
static void insert(uint32_t *index, float *distance, uint32_t k, uint32_t at, float d) {
  uint32_t i = k - 1;
  for (; i > 0 && distance[i - 1] > d; i--) {
    distance[i] = distance[i - 1];
    index[i] = index[i - 1];
  }
  distance[i] = d;
  index[i] = at;
}

/* Queries [first, first + n), n ≤ 8, against blocks [from, to). */
static void sweep(const search *s, uint32_t first, uint32_t n, bez_near_queries *q, uint32_t from, uint32_t to) {
  const bez_points *p = s->points;
  float out[BEZ_NEAR_QUERIES * BEZ_NEAR_LANES];
  uint16_t below[BEZ_NEAR_QUERIES];
  for (uint32_t b = from; b < to; b++) {
    bez_near_block block = {p->n_num, p->n_cat, s->num + (size_t)b * p->n_num * BEZ_NEAR_LANES,
                            s->cat + (size_t)b * p->n_cat * BEZ_NEAR_LANES, p->cat_weight};
    if (!s->near(&block, q, out, below)) continue;
    for (uint32_t j = 0; j < n; j++) {
      for (uint32_t mask = below[j]; mask; mask &= mask - 1) {
        uint32_t lane = (uint32_t)__builtin_ctz(mask), at = b * BEZ_NEAR_LANES + lane;
        float d = out[j * BEZ_NEAR_LANES + lane];
        if (at >= p->n || (s->self && s->self[first + j] == at) || !(d < q->bound[j])) continue;
        size_t base = (size_t)(first + j) * s->k;
        insert(s->index + base, s->distance + base, s->k, at, d);
        q->bound[j] = s->distance[base + s->k - 1];
      }
    }
  }
}

/* Queries laid out dimension-major in groups of eight; a short last group repeats its last query. */
static void load_queries(const search *s, uint32_t first, uint32_t n, float *num, uint32_t *cat) {
  const bez_points *q = s->queries;
  for (uint32_t j = 0; j < BEZ_NEAR_QUERIES; j++) {
    size_t row = first + (j < n ? j : n - 1);
    for (uint32_t d = 0; d < q->n_num; d++) num[d * BEZ_NEAR_QUERIES + j] = q->num[row * q->n_num + d];
    for (uint32_t c = 0; c < q->n_cat; c++) cat[c * BEZ_NEAR_QUERIES + j] = q->cat[row * q->n_cat + c];
  }
}

static bez_status search_tile(void *ctx, uint64_t tile, unsigned worker, bez_error *err) {
  const search *s = ctx;
  uint32_t n_num = s->queries->n_num, n_cat = s->queries->n_cat;
  uint32_t from = (uint32_t)tile * TILE, to = from + TILE < s->queries->n ? from + TILE : s->queries->n;
  bez_near_queries group[TILE / BEZ_NEAR_QUERIES];
  size_t per_num = (size_t)n_num * BEZ_NEAR_QUERIES, per_cat = (size_t)n_cat * BEZ_NEAR_QUERIES;
  float *num = malloc((per_num * (TILE / BEZ_NEAR_QUERIES) + 1) * sizeof *num);
  uint32_t *cat = malloc((per_cat * (TILE / BEZ_NEAR_QUERIES) + 1) * sizeof *cat);
  if (!num || !cat) {
    free(num);
    free(cat);
    return bez_fail_memory(err, (per_num + per_cat) * TILE / 2);
  }
  for (uint32_t at = from, g = 0; at < to; at += BEZ_NEAR_QUERIES, g++) {
    uint32_t n = to - at < BEZ_NEAR_QUERIES ? to - at : BEZ_NEAR_QUERIES;
    group[g].num = num + g * per_num;
    group[g].cat = cat + g * per_cat;
    load_queries(s, at, n, num + g * per_num, cat + g * per_cat);
    for (uint32_t j = 0; j < BEZ_NEAR_QUERIES; j++) group[g].bound[j] = j < n ? INFINITY : -1.0f;
  }
  for (uint32_t b = 0; b < s->n_blocks; b += s->chunk) {
    uint32_t end = b + s->chunk < s->n_blocks ? b + s->chunk : s->n_blocks;
    for (uint32_t at = from, g = 0; at < to; at += BEZ_NEAR_QUERIES, g++)
      sweep(s, at, to - at < BEZ_NEAR_QUERIES ? to - at : BEZ_NEAR_QUERIES, &group[g], b, end);
  }
  free(num);
  free(cat);
  return BEZ_OK;
}

bez_status bez_knn_search(const bez_points *points, const bez_points *queries, const uint32_t *self, uint32_t k,
                          unsigned threads, uint32_t cpu, uint32_t *index, float *distance, bez_error *err) {
  if (k == 0 || k > BEZ_KNN_MAX_K || points->n_num != queries->n_num || points->n_cat != queries->n_cat)
    return bez_fail(err, BEZ_USAGE, "nearest neighbours", "k must lie between 1 and %u, and shapes agree",
                    BEZ_KNN_MAX_K);
  search s = {.points = points,
              .queries = queries,
              .self = self,
              .k = k,
              .n_blocks = points->n / BEZ_NEAR_LANES + (points->n % BEZ_NEAR_LANES != 0),
              .near = bez_near_choose(cpu),
              .index = index,
              .distance = distance};
  s.chunk = CHUNK_BYTES / (4 * BEZ_NEAR_LANES * (points->n_num + points->n_cat + 1));
  if (s.chunk == 0) s.chunk = 1;
  for (size_t i = 0; i < (size_t)queries->n * k; i++) {
    index[i] = BEZ_KNN_NONE;
    distance[i] = INFINITY;
  }
  bez_status st = block_points(&s, err);
  if (st == BEZ_OK)
    st = bez_parallel_watched(queries->n / TILE + (queries->n % TILE != 0), threads, queries->watch, search_tile, &s,
                              err);
  free(s.num);
  free(s.cat);
  return st;
}
