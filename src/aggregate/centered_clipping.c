/* Centered clipping: from the last aggregate, a step by the mean of the clipped differences to it. */
#include <math.h>
#include <stdlib.h>

#include "aggregate/aggregator.h"
#include "aggregate/state.h"
#include "base/error.h"

enum { TAU, ITERATIONS };

static uint32_t least(uint32_t f) {
  return 2 * f + 1;
}

/* The point stays a weighted sum of the rows and of the remembered vector: a step changes weights only. */
static void step(const bez_aggregate_input *in, const double *square, double *weight, double *factor) {
  double total = 0;
  for (uint32_t i = 0; i < in->n; i++) {
    double distance = sqrt(square[i]);
    factor[i] = (distance > in->knob[TAU] ? in->knob[TAU] / distance : 1) / in->n;
    total += factor[i];
  }
  for (uint32_t i = 0; i < in->n; i++) weight[i] = weight[i] * (1 - total) + factor[i];
  if (in->memory >= 0) weight[in->memory] *= 1 - total;
}

/* What was written, less the reference, becomes the remembered vector. */
static bez_status remember(const bez_aggregate_input *in, bez_error *err) {
  const bez_update_rows *rows = in->rows;
  const bez_update *memory = NULL;
  bez_status st = bez_state_stage(in->state, "", in->layout, &memory, err);
  for (uint32_t l = 0; st == BEZ_OK && l < rows->n_layers; l++) {
    const bez_rows_layer *layer = &rows->layers[l];
    bez_rows_difference(layer, (void *)(uintptr_t)memory->layers[l].data);
  }
  return st;
}

static bez_status run(const bez_aggregate_input *in, bez_aggregate_rows *out, bez_error *err) {
  bez_status st = BEZ_OK;
  const uint32_t count = bez_rows_count(in->rows);
  double *weight = calloc(3 * (size_t)count, sizeof *weight), *square = weight + count, *factor = square + count;
  if (!weight) return bez_fail_memory(err, 3 * (size_t)count * sizeof *weight);
  if (in->memory >= 0) weight[in->memory] = 1;
  for (uint32_t k = 0; k < (uint32_t)in->knob[ITERATIONS]; k++) {
    BEZ_TRY(bez_rows_combine(in->rows, weight, false, square, err));
    step(in, square, weight, factor);
  }
  for (uint32_t i = 0; i < in->n; i++) {
    out->score[i] = sqrt(square[i]);
    out->weight[i] = 1. / in->n;
  }
  BEZ_TRY(bez_rows_combine(in->rows, weight, true, in->judged ? square : NULL, err));
  for (uint32_t i = 0; in->judged && i < in->n; i++) out->distance[i] = sqrt(square[i]);
  BEZ_TRY(remember(in, err));
cleanup:
  free(weight);
  return st;
}

const bez_aggregator bez_aggregator_centered_clipping = {
    .info = {.name = "centered-clipping",
             .title = "Centered clipping",
             .summary =
                 "From the last round's aggregate, steps by the mean of the differences to it, each clipped to tau.",
             .parameters = "tau: radius (10); iterations (1)",
             .tolerance = "f < n / 2 bounds the harm of a round by tau",
             .cost = "one pass per iteration and one more",
             .score = "distance to the point before the last step",
             .source = "Karimireddy, He, Jaggi, Learning from history for Byzantine robust optimization, ICML 2021",
             .stateful = true},
    .knobs = {{.name = "tau", .fallback = 10, .least = 1e-300, .most = 1e300},
              {.name = "iterations", .fallback = 1, .least = 1, .most = 10000, .whole = true}},
    .least = least,
    .remembers = true,
    .run = run};
