/* Bulyan: Krum again and again without the winner, until n − 2f are chosen; then, at each coordinate, the mean of the n
 * − 4f chosen values nearest to their median. */
#include <stdlib.h>
#include <string.h>

#include "aggregate/aggregator.h"
#include "base/error.h"
#include "math/order.h"

static uint32_t least(uint32_t f) {
  return 4 * f + 3;
}

/* Moves the winners to the front of list, in the order in which they were chosen. */
static void choose(const bez_aggregate_input *in, const double *distance, uint32_t side, uint32_t theta, uint32_t *list,
                   double *scratch, const uint32_t *rank) {
  double *score = scratch + in->n;
  for (uint32_t k = 0; k < theta; k++) {
    uint32_t left = in->n - k, best = k;
    uint32_t neighbours = left > in->f + 2 ? left - in->f - 2 : 1;
    bez_krum_scores(distance, side, list + k, left, neighbours, scratch, score);
    for (uint32_t i = 0; i < left; i++)
      if (score[i] < score[best - k] || (score[i] == score[best - k] && rank[list[k + i]] < rank[list[best]]))
        best = k + i;
    uint32_t winner = list[best];
    list[best] = list[k];
    list[k] = winner;
  }
}

static bez_status run(const bez_aggregate_input *in, bez_aggregate_rows *out, bez_error *err) {
  bez_status st = BEZ_OK;
  const uint32_t n = in->n, side = bez_rows_count(in->rows) + 1, theta = n - 2 * in->f;
  double *distance = NULL, *scratch = calloc(3 * (size_t)n, sizeof *scratch), *length = scratch + 2 * (size_t)n;
  uint32_t *list = calloc(3 * (size_t)n, sizeof *list), *order = list + n, *rank = order + n;
  if (!scratch || !list) BEZ_TRY(bez_fail_memory(err, 3 * (size_t)n * sizeof(double)));
  BEZ_TRY(bez_rows_distances(in->rows, &distance, err));
  for (uint32_t i = 0; i < n; i++) length[i] = distance[(size_t)i * side + side - 1];
  BEZ_TRY(bez_rows_rank(in->rows, length, n, order, err)); /* by contents alone: what decides between equal scores */
  for (uint32_t i = 0; i < n; i++) {
    list[i] = i;
    rank[order[i]] = i;
  }
  bez_krum_scores(distance, side, list, n, n - in->f - 2, scratch, out->score);
  choose(in, distance, side, theta, list, scratch, rank);
  BEZ_TRY(bez_aggregate_ordered(in, list, theta, BEZ_ORDER_NEAR, 0, theta - 2 * in->f, out, err));
  for (uint32_t k = theta; k < n; k++) out->reason[list[k]] = BEZ_NOT_SELECTED;
cleanup:
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
