/* Multi-Krum: the mean of the m updates with the best Krum scores. */
#include <math.h>

#include "aggregate/krum.h"
#include "base/error.h"

static uint32_t least(uint32_t f) {
  return f + 3;
}

static bez_status run(const bez_aggregate_input *in, bez_aggregate_rows *out, bez_error *err) {
  uint32_t keep = isnan(in->knob[0]) ? in->n - in->f : (uint32_t)in->knob[0];
  if (keep > in->n) return bez_fail(err, BEZ_USAGE, "multi-krum", "m is %u, but there are %u clients", keep, in->n);
  return bez_krum_select(in, keep, out, err);
}

const bez_aggregator bez_aggregator_multi_krum = {
    .info = {.name = "multi-krum",
             .title = "Multi-Krum",
             .summary = "Mean of the m updates with the best Krum scores.",
             .parameters = "m: how many (n - f)",
             .tolerance = "2 f + 2 < n; works from n = f + 3",
             .cost = "all distances, O(n² d), and one pass",
             .score = "sum of squared distances to the nearest n - f - 2",
             .source = "Blanchard, El Mhamdi, Guerraoui, Stainer, Machine learning with adversaries, NeurIPS 2017"},
    .knobs = {{.name = "m", .fallback = NAN, .least = 1, .most = 1e9, .whole = true}},
    .least = least,
    .run = run};
