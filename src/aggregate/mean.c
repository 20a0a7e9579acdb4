/* The weighted mean: what every other rule replaces. One attacker moves it anywhere. */
#include "aggregate/aggregator.h"

static uint32_t least(uint32_t f) {
  return f + 1;
}

static bez_status run(const bez_aggregate_input *in, bez_aggregate_rows *out, bez_error *err) {
  return bez_aggregate_weighted(in, in->share, BEZ_NOT_SELECTED, out, err);
}

const bez_aggregator bez_aggregator_mean = {
    .info = {.name = "mean",
             .title = "Mean",
             .summary = "Average by the server's weights. No protection: for comparison, or after clipping.",
             .parameters = "",
             .tolerance = "f = 0",
             .cost = "one pass",
             .score = "",
             .source = "McMahan and others, Communication-efficient learning of deep networks from decentralized data, "
                       "AISTATS 2017",
             .weighted = true},
    .least = least,
    .run = run};
