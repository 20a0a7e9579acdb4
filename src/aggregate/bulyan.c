/* Bulyan: Krum again and again without the winner, until n − 2f are chosen; then, at each coordinate, the mean of the n
 * − 4f chosen values nearest to their median. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "aggregate/aggregator.h"
#include "base/error.h"
#include "math/order.h"

static uint32_t least(uint32_t f) {
  return 4 * f + 3;
}

typedef struct neighbour {
  double distance;
  uint32_t row;
} neighbour;

static int by_distance(const void *a, const void *b) {
  const neighbour *x = a, *y = b;
  if (x->distance != y->distance) return x->distance < y->distance ? -1 : 1;
  return (x->row > y->row) - (x->row < y->row);
}

/* The others of each row, nearest first: n × (n − 1). Sorted once, because rows only ever leave. */
static neighbour *sort_neighbours(const double *distance, uint32_t side, uint32_t n) {
  neighbour *all = calloc((size_t)n * n, sizeof *all);
  for (uint32_t i = 0; all && i < n; i++) {
    neighbour *list = all + (size_t)i * (n - 1);
    uint32_t count = 0;
    for (uint32_t j = 0; j < n; j++)
      if (j != i) list[count++] = (neighbour){distance[(size_t)i * side + j], j};
    qsort(list, count, sizeof *list, by_distance);
  }
  return all;
}

/* Krum's score among the rows that are not taken: the sum of the `wanted` smallest distances. */
static double score_of(const neighbour *list, uint32_t count, uint32_t wanted, const bool *taken) {
  double sum = 0;
  for (uint32_t k = 0; k < count && wanted; k++) {
    if (taken[list[k].row]) continue;
    sum += list[k].distance;
    wanted--;
  }
  return sum;
}

/* Moves the winners to the front of list, in the order in which they were chosen. */
static bez_status choose(const bez_aggregate_input *in, const neighbour *near, uint32_t theta, uint32_t *list,
                         bool *taken, const uint32_t *rank, bez_error *err) {
  const uint32_t n = in->n;
  for (uint32_t k = 0; k < theta; k++) {
    const uint32_t left = n - k, wanted = left > in->f + 2 ? left - in->f - 2 : 1;
    double lowest = INFINITY;
    uint32_t best = k;
    if (!bez_watch_ask(in->rows->watch, 0)) return bez_watch_fail(err);
    for (uint32_t i = k; i < n; i++) {
      double score = score_of(near + (size_t)list[i] * (n - 1), n - 1, wanted, taken);
      if (!(score <= lowest) || (score == lowest && rank[list[i]] > rank[list[best]])) continue;
      lowest = score;
      best = i;
    }
    uint32_t winner = list[best];
    taken[winner] = true;
    list[best] = list[k];
    list[k] = winner;
  }
  return BEZ_OK;
}

static bez_status run(const bez_aggregate_input *in, bez_aggregate_rows *out, bez_error *err) {
  bez_status st = BEZ_OK;
  const uint32_t n = in->n, side = bez_rows_count(in->rows) + 1, theta = n - 2 * in->f;
  double *distance = NULL, *scratch = calloc(3 * (size_t)n, sizeof *scratch), *length = scratch + 2 * (size_t)n;
  uint32_t *list = calloc(3 * (size_t)n, sizeof *list), *order = list + n, *rank = order + n;
  bool *taken = calloc(n, sizeof *taken);
  neighbour *near = NULL;
  if (!scratch || !list || !taken) BEZ_TRY(bez_fail_memory(err, 3 * (size_t)n * sizeof(double)));
  BEZ_TRY(bez_rows_distances(in->rows, &distance, err));
  for (uint32_t i = 0; i < n; i++) length[i] = distance[(size_t)i * side + side - 1];
  BEZ_TRY(bez_rows_rank(in->rows, length, n, order, err)); /* by contents alone: what decides between equal scores */
  for (uint32_t i = 0; i < n; i++) {
    list[i] = i;
    rank[order[i]] = i;
  }
  bez_krum_scores(distance, side, list, n, n - in->f - 2, scratch, out->score);
  near = sort_neighbours(distance, side, n);
  if (!near) BEZ_TRY(bez_fail_memory(err, (size_t)n * n * sizeof *near));
  free(distance); /* n × n, and not needed any more */
  distance = NULL;
  BEZ_TRY(choose(in, near, theta, list, taken, rank, err));
  BEZ_TRY(bez_aggregate_ordered(in, list, theta, BEZ_ORDER_NEAR, 0, theta - 2 * in->f, out, err));
  for (uint32_t k = theta; k < n; k++) out->reason[list[k]] = BEZ_NOT_SELECTED;
cleanup:
  free(near);
  free(taken);
  free(distance);
  free(scratch);
  free(list);
  return st;
}

const bez_aggregator bez_aggregator_bulyan = {
    .info = {.name = "bulyan",
             .title = "Bulyan over Krum",
             .summary = "Chooses n - 2 f updates by Krum one after another, then takes the mean of the n - 4 f values "
                        "of each coordinate nearest to the median of the chosen.",
             .parameters = "",
             .tolerance = "4 f + 3 <= n",
             .cost = "all distances, O(n² d), O(n³), and one pass",
             .score = "Krum's, among all clients",
             .source = "El Mhamdi, Guerraoui, Rouault, The hidden vulnerability of distributed learning in "
                       "Byzantium, ICML 2018"},
    .least = least,
    .run = run};
