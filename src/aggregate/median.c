/* Coordinate-wise median. */
#include "aggregate/aggregator.h"
#include "math/order.h"

static uint32_t least(uint32_t f) {
  return 2 * f + 1;
}

static bez_status run(const bez_aggregate_input *in, bez_aggregate_rows *out, bez_error *err) {
  return bez_aggregate_ordered(in, NULL, in->n, BEZ_ORDER_RANKS, (in->n - 1) / 2, in->n / 2 + 1, out, err);
}

const bez_aggregator bez_aggregator_median = {
    .info = {.name = "median",
             .title = "Coordinate-wise median",
             .summary =
                 "The middle value of each coordinate; the mean of the middle two for an even number of clients.",
             .parameters = "",
             .tolerance = "f < n / 2",
             .cost = "one pass; O(n log² n) comparisons per coordinate",
             .score = "",
             .source = "Yin, Chen, Ramchandran, Bartlett, Byzantine-robust distributed learning, ICML 2018"},
    .least = least,
    .run = run};
