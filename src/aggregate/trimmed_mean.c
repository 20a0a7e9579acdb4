/* Coordinate-wise trimmed mean: the f largest and the f smallest values of each coordinate are left out. */
#include <math.h>

#include "aggregate/aggregator.h"
#include "base/error.h"
#include "math/order.h"

static uint32_t least(uint32_t f) {
  return 2 * f + 1;
}

/* floor(beta · n), with room for the rounding of beta: 0.29 of 100 is 29. */
static uint32_t per_side(const bez_aggregate_input *in) {
  return isnan(in->knob[0]) ? in->f : (uint32_t)floor(in->knob[0] * in->n + 1e-9);
}

static bez_status run(const bez_aggregate_input *in, bez_aggregate_rows *out, bez_error *err) {
  uint32_t cut = per_side(in);
  if (2 * cut >= in->n)
    return bez_fail(err, BEZ_USAGE, "trimmed-mean", "beta %g of %u clients leaves none: it is to be below %g",
                    in->knob[0], in->n, .5);
  return bez_aggregate_ordered(in, NULL, in->n, BEZ_ORDER_RANKS, cut, in->n - cut, out, err);
}

const bez_aggregator bez_aggregator_trimmed_mean = {
    .info = {.name = "trimmed-mean",
             .title = "Trimmed mean",
             .summary = "Mean of each coordinate without its f largest and f smallest values.",
             .parameters = "beta: share cut per side, in place of f",
             .tolerance = "f < n / 2",
             .cost = "one pass; O(n log² n) comparisons per coordinate",
             .score = "",
             .source = "Yin, Chen, Ramchandran, Bartlett, Byzantine-robust distributed learning, ICML 2018"},
    .knobs = {{.name = "beta", .fallback = NAN, .least = 0, .most = .5}},
    .least = least,
    .run = run};
