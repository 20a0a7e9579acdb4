/* Static clipping: an update longer than tau is scaled down to it. */
#include <math.h>
#include <stdlib.h>

#include "aggregate/aggregator.h"
#include "aggregate/norms.h"
#include "base/error.h"

static uint32_t least(uint32_t f) {
  return f + 1;
}

static bez_status mix(const bez_aggregate_input *in, bez_mix *out, uint32_t *f, bez_error *err) {
  bez_status st = BEZ_OK;
  double *norm = calloc(in->n, sizeof *norm);
  if (!norm) return bez_fail_memory(err, in->n * sizeof *norm);
  BEZ_TRY(bez_mix_make(in->n, in->n, out, err));
  BEZ_TRY(bez_rows_norms(in->rows, norm, err));
  bez_mix_clip(out, norm, in->knob[0]);
  *f = in->f;
cleanup:
  free(norm);
  return st;
}

const bez_aggregator bez_aggregator_clipping = {
    .info = {.name = "clipping",
             .title = "Static clipping",
             .summary = "Scales updates longer than tau down to that length.",
             .parameters = "clip_tau: length (10)",
             .tolerance = "",
             .cost = "one pass",
             .score = "",
             .source =
                 "Sun, Kairouz, Suresh, McMahan, Can you really backdoor federated learning?, 2019, arXiv:1911.07963",
             .pre = true},
    .knobs = {{.name = "clip_tau", .fallback = 10, .least = 1e-300, .most = 1e300}},
    .least = least,
    .mix = mix};
