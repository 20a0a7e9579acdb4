/* Mean around the median: at each coordinate the n − f values nearest to the median. */
#include "aggregate/aggregator.h"
#include "math/order.h"

static uint32_t least(uint32_t f) {
  return 2 * f + 1;
}

static bez_status run(const bez_aggregate_input *in, bez_aggregate_rows *out, bez_error *err) {
  return bez_aggregate_ordered(in, NULL, in->n, BEZ_ORDER_NEAR, 0, in->n - in->f, out, err);
}

const bez_aggregator bez_aggregator_meamed = {
    .info = {.name = "meamed",
             .title = "Mean around the median",
             .summary = "Mean of the n - f values of each coordinate that lie nearest to its median.",
             .parameters = "",
             .tolerance = "f < n / 2",
             .cost = "one pass; O(n log² n) comparisons per coordinate",
             .score = "",
             .source = "Xie, Koyejo, Gupta, Generalized Byzantine-tolerant SGD, 2018, arXiv:1802.10116"},
    .least = least,
    .run = run};
