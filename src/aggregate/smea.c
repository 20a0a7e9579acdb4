/* Smallest maximum eigenvalue averaging: of all choices of n − f updates the one with the least largest variance. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "aggregate/aggregator.h"
#include "aggregate/gram.h"
#include "base/error.h"

#define MOST_CHOICES 100000.

static uint32_t least(uint32_t f) {
  return 2 * f + 1;
}

static double choices(uint32_t n, uint32_t f) {
  double count = 1;
  for (uint32_t k = 1; k <= f; k++) count *= (double)(n - f + k) / k;
  return count;
}

/* The next set of `keep` ascending numbers below n; false after the last. */
static bool next_choice(uint32_t *set, uint32_t keep, uint32_t n) {
  uint32_t k = keep;
  while (k > 0 && set[k - 1] == n - keep + k - 1) k--;
  if (!k) return false;
  set[k - 1]++;
  for (; k < keep; k++) set[k] = set[k - 1] + 1;
  return true;
}

/* order: rows in an order of their own, so that ties do not depend on the clients' numbers. */
static bez_status search(const bez_aggregate_input *in, const double *distance, uint32_t side, const uint32_t *order,
                         uint32_t *best, bez_error *err) {
  const uint32_t n = in->n, keep = n - in->f;
  bez_status st = BEZ_OK;
  uint32_t *set = calloc(2 * (size_t)keep, sizeof *set), *list = set + keep;
  double *gram = calloc((size_t)keep * keep + bez_gram_scratch(keep) + 2 * (size_t)keep, sizeof *gram),
         lowest = INFINITY, value;
  if (!set || !gram) BEZ_TRY(bez_fail_memory(err, 2 * (size_t)keep * keep * sizeof *gram));
  double *scratch = gram + (size_t)keep * keep, *weight = scratch + bez_gram_scratch(keep), *projection = weight + keep;
  for (uint32_t k = 0; k < keep; k++) {
    set[k] = k;
    weight[k] = 1;
  }
  do {
    for (uint32_t k = 0; k < keep; k++) list[k] = order[set[k]];
    bez_gram_centred(distance, side, list, keep, weight, scratch, gram);
    bool finite = bez_gram_top(gram, keep, weight, scratch, &value, projection);
    if (finite && value < lowest) memcpy(best, list, keep * sizeof *best);
    if (finite) lowest = fmin(lowest, value);
  } while (next_choice(set, keep, n));
  if (isinf(lowest)) st = bez_fail(err, BEZ_LIMIT, "smea", "distances between updates are too large to square");
cleanup:
  free(set);
  free(gram);
  return st;
}

static bez_status run(const bez_aggregate_input *in, bez_aggregate_rows *out, bez_error *err) {
  bez_status st = BEZ_OK;
  const uint32_t n = in->n, side = bez_rows_count(in->rows) + 1, keep = n - in->f;
  double *distance = NULL, *weight = calloc(n, sizeof *weight);
  uint32_t *order = calloc(2 * (size_t)n, sizeof *order), *best = order + n;
  if (!weight || !order) BEZ_TRY(bez_fail_memory(err, 3 * (size_t)n * sizeof(double)));
  if (choices(n, in->f) > MOST_CHOICES)
    BEZ_TRY(bez_fail(err, BEZ_LIMIT, "smea", "%u of %u updates can be chosen in %g ways, more than %g; use caf", keep,
                     n, choices(n, in->f), MOST_CHOICES));
  BEZ_TRY(bez_rows_distances(in->rows, &distance, err));
  for (uint32_t i = 0; i < n; i++) weight[i] = distance[(size_t)i * side + side - 1];
  BEZ_TRY(bez_rows_rank(in->rows, weight, n, order, err)); /* by length: any order that the contents decide */
  memset(weight, 0, n * sizeof *weight);
  BEZ_TRY(search(in, distance, side, order, best, err));
  for (uint32_t k = 0; k < keep; k++) weight[best[k]] = 1. / keep;
  BEZ_TRY(bez_aggregate_weighted(in, weight, BEZ_NOT_SELECTED, out, err));
cleanup:
  free(distance);
  free(weight);
  free(order);
  return st;
}

const bez_aggregator bez_aggregator_smea = {
    .info = {.name = "smea",
             .title = "Smallest maximum eigenvalue averaging",
             .summary = "Mean of the n - f updates whose covariance has the least largest eigenvalue; exact, refused "
                        "above 100,000 choices.",
             .parameters = "",
             .tolerance = "f < n / 2",
             .cost = "all distances, O(n² d), and n over f eigenproblems",
             .score = "",
             .source = "Allouah, Guerraoui, Gupta, Pinot, Stephan, On the privacy-robustness-utility trilemma in "
                       "distributed learning, ICML 2023"},
    .least = least,
    .run = run};
