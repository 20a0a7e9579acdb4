/* Norm clipping: updates longer than tau are shortened to it, then averaged by the server's weights. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "aggregate/aggregator.h"
#include "aggregate/norms.h"
#include "base/error.h"
#include "fit/median.h"

static uint32_t least(uint32_t f) {
  return 2 * f + 1;
}

static bez_status run(const bez_aggregate_input *in, bez_aggregate_rows *out, bez_error *err) {
  bez_status st = BEZ_OK;
  double *norm = calloc(3 * (size_t)in->n, sizeof *norm), *sorted = norm + in->n, *weight = sorted + in->n;
  if (!norm) return bez_fail_memory(err, 3 * (size_t)in->n * sizeof *norm);
  BEZ_TRY(bez_rows_norms(in->rows, norm, err));
  memcpy(sorted, norm, in->n * sizeof *norm);
  double tau = isnan(in->knob[0]) ? bez_median(sorted, in->n) : in->knob[0];
  for (uint32_t i = 0; i < in->n; i++) weight[i] = in->share[i] * (norm[i] > tau ? tau / norm[i] : 1);
  BEZ_TRY(bez_aggregate_weighted(in, weight, BEZ_FAR, out, err));
  for (uint32_t i = 0; i < in->n; i++) {
    out->score[i] = norm[i];
    out->weight[i] = in->share[i];
  }
cleanup:
  free(norm);
  return st;
}

const bez_aggregator bez_aggregator_norm_clipping = {
    .info = {.name = "norm-clipping",
             .title = "Norm clipping",
             .summary = "Mean of the updates, each shortened to tau where it is longer.",
             .parameters = "tau: length (median of the lengths)",
             .tolerance = "f < n / 2 bounds the harm by tau; it does not remove it",
             .cost = "two passes",
             .score = "length of the update",
             .source =
                 "Sun, Kairouz, Suresh, McMahan, Can you really backdoor federated learning?, 2019, arXiv:1911.07963",
             .weighted = true},
    .knobs = {{.name = "tau", .fallback = NAN, .least = 0, .most = 1e300}},
    .least = least,
    .run = run};
