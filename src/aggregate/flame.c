/* FLAME: the majority that points one way, shortened to the median length, averaged, with noise. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "aggregate/aggregator.h"
#include "aggregate/cosine.h"
#include "aggregate/norms.h"
#include "base/error.h"
#include "fit/median.h"

static uint32_t least(uint32_t f) {
  return 2 * f + 1;
}

typedef struct edge {
  double distance;
  uint32_t a, b;
} edge;

static int shorter(const void *a, const void *b) {
  const edge *x = a, *y = b;
  return (x->distance > y->distance) - (x->distance < y->distance);
}

static uint32_t root_of(uint32_t *parent, uint32_t i) {
  while (parent[i] != i) i = parent[i] = parent[parent[i]];
  return i;
}

/* The paper clusters with HDBSCAN and a least cluster size of n / 2 + 1. With such a size there is one cluster at most:
 * the first component of single linkage that holds a majority, with whatever joins at the same distance. */
static void majority(edge *edges, size_t n_edges, uint32_t n, uint32_t *parent, uint32_t *size, bool *in_majority) {
  uint32_t winner = UINT32_MAX;
  double level = INFINITY;
  qsort(edges, n_edges, sizeof *edges, shorter);
  for (uint32_t i = 0; i < n; i++) {
    parent[i] = i;
    size[i] = 1;
    if (n == 1) winner = 0;
  }
  for (size_t e = 0; e < n_edges && edges[e].distance <= level; e++) {
    uint32_t a = root_of(parent, edges[e].a), b = root_of(parent, edges[e].b);
    if (a == b) continue;
    parent[b] = a;
    size[a] += size[b];
    if (2 * size[a] > n) {
      winner = a;
      level = edges[e].distance;
    }
  }
  for (uint32_t i = 0; i < n; i++)
    in_majority[i] = winner != UINT32_MAX && root_of(parent, i) == root_of(parent, winner);
}

/* square: squared lengths; two updates without length are the same. */
static void choose(uint32_t n, const double *square, const double *cosine, uint32_t side, edge *edges, uint32_t *work,
                   bool *chosen, double *score) {
  size_t m = 0;
  for (uint32_t i = 0; i < n; i++) {
    score[i] = INFINITY;
    for (uint32_t j = 0; j < n; j++) {
      if (i == j) continue;
      double d = square[i] == 0 && square[j] == 0 ? 0 : 1 - cosine[(size_t)i * side + j];
      score[i] = fmin(score[i], d);
      if (i < j) edges[m++] = (edge){d, i, j};
    }
  }
  majority(edges, m, n, work, work + n, chosen);
  if (n == 1) score[0] = NAN; /* nobody else */
}

static bez_status run(const bez_aggregate_input *in, bez_aggregate_rows *out, bez_error *err) {
  bez_status st = BEZ_OK;
  const uint32_t n = in->n, rows = bez_rows_count(in->rows), side = rows + 1;
  double *distance = NULL, *weight = calloc(2 * (size_t)n, sizeof *weight), *norm = weight + n, kept = 0;
  double *cosine = calloc((size_t)rows * rows, sizeof *cosine);
  edge *edges = calloc((size_t)n * n / 2 + 1, sizeof *edges);
  uint32_t *work = calloc(2 * (size_t)n, sizeof *work);
  bool *chosen = calloc(n, sizeof *chosen);
  if (!weight || !cosine || !edges || !work || !chosen) BEZ_TRY(bez_fail_memory(err, (size_t)n * n * sizeof(edge)));
  BEZ_TRY(bez_rows_distances(in->rows, &distance, err));
  BEZ_TRY(bez_rows_cosines(in->rows, distance, cosine, err));
  for (uint32_t i = 0; i < n; i++) norm[i] = distance[(size_t)i * side + side - 1];
  choose(n, norm, cosine, rows, edges, work, chosen, out->score);
  for (uint32_t i = 0; i < n; i++) {
    norm[i] = sqrt(norm[i]);
    kept += chosen[i];
  }
  for (uint32_t i = 0; i < n; i++) weight[i] = norm[i];
  if (!(kept > 0)) BEZ_TRY(bez_fail(err, BEZ_LIMIT, "flame", "updates are too large to square"));
  double median = bez_median(weight, n);
  for (uint32_t i = 0; i < n; i++) weight[i] = chosen[i] ? (norm[i] > median ? median / norm[i] : 1) / kept : 0;
  in->rows->noise = in->knob[0] * median;
  in->rows->noise_seed = in->seed;
  BEZ_TRY(bez_aggregate_weighted(in, weight, BEZ_FAR, out, err));
  for (uint32_t i = 0; i < n; i++) out->weight[i] = chosen[i] ? 1 / kept : 0;
cleanup:
  in->rows->noise = 0;
  free(distance);
  free(weight);
  free(cosine);
  free(edges);
  free(work);
  free(chosen);
  return st;
}

const bez_aggregator bez_aggregator_flame = {
    .info =
        {.name = "flame",
         .title = "FLAME",
         .summary =
             "Mean of the majority that points one way (cosine), shortened to the median length, with Gaussian noise.",
         .parameters = "lambda: noise as a share of the median length (0.001)",
         .tolerance = "f < n / 2",
         .cost = "all distances, O(n² d), O(n² log n), and one pass",
         .score = "cosine distance to the nearest other",
         .source = "Nguyen and others, FLAME: taming backdoors in federated learning, USENIX Security 2022"},
    .knobs = {{.name = "lambda", .fallback = .001, .least = 0, .most = 1e6}},
    .least = least,
    .run = run};
