/* Geometric median: the point with the least sum of (weighted) distances, by Weiszfeld's iteration smoothed near the
 * data. */
#include <math.h>
#include <stdlib.h>

#include "aggregate/aggregator.h"
#include "base/error.h"

enum { NU, ITERATIONS, TOLERANCE };

static uint32_t least(uint32_t f) {
  return 2 * f + 1;
}

/* Weights for the next point from squared distances to this one; the sum of weighted distances. */
static double reweigh(const bez_aggregate_input *in, const double *square, double *weight) {
  double total = 0, objective = 0;
  for (uint32_t i = 0; i < in->n; i++) {
    double distance = sqrt(square[i]);
    objective += in->share[i] * distance;
    weight[i] = in->share[i] / fmax(in->knob[NU], distance);
    total += weight[i];
  }
  for (uint32_t i = 0; i < in->n; i++) weight[i] /= total;
  return objective;
}

/* Starts from the coordinate-wise median, which no minority moves far: from a mean that attackers pulled away the steps
 * would take long to come back. One pass per step. */
static bez_status run(const bez_aggregate_input *in, bez_aggregate_rows *out, bez_error *err) {
  bez_status st = BEZ_OK;
  const uint32_t rows = bez_rows_count(in->rows);
  double *weight = calloc(2 * (size_t)rows, sizeof *weight), *square = weight + rows, before = INFINITY;
  if (!weight) return bez_fail_memory(err, 2 * (size_t)rows * sizeof *weight);
  BEZ_TRY(bez_median_distances(in, square, err));
  reweigh(in, square, weight);
  for (uint32_t k = 0; k < (uint32_t)in->knob[ITERATIONS]; k++) {
    BEZ_TRY(bez_rows_combine(in->rows, weight, false, square, err));
    double objective = reweigh(in, square, weight);
    if (before - objective <= in->knob[TOLERANCE] * objective) break;
    before = objective;
  }
  BEZ_TRY(bez_aggregate_weighted(in, weight, BEZ_FAR, out, err));
  for (uint32_t i = 0; i < in->n; i++) out->score[i] = out->distance[i];
cleanup:
  free(weight);
  return st;
}

const bez_aggregator bez_aggregator_geometric_median = {
    .info =
        {.name = "geometric-median",
         .title = "Geometric median",
         .summary =
             "The point with the least weighted sum of distances to the updates (RFA), by smoothed Weiszfeld steps.",
         .parameters = "nu: smoothing (1e-6); iterations: most steps (100); tolerance: relative gain at which to "
                       "stop (1e-6)",
         .tolerance = "less than half of the weight",
         .cost = "one pass per step",
         .score = "distance to the aggregate",
         .source = "Pillutla, Kakade, Harchaoui, Robust aggregation for federated learning, IEEE TSP 2022; "
                   "Weiszfeld 1937",
         .weighted = true},
    .knobs = {{.name = "nu", .fallback = 1e-6, .least = 1e-300, .most = 1e300},
              {.name = "iterations", .fallback = 100, .least = 1, .most = 1e6, .whole = true},
              {.name = "tolerance", .fallback = 1e-6, .least = 0, .most = 1}},
    .least = least,
    .run = run};
