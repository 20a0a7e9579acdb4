/* Krum: the one update whose nearest n − f − 2 neighbours are nearest. */
#include <math.h>
#include <stdlib.h>

#include "aggregate/krum.h"
#include "base/error.h"

static uint32_t least(uint32_t f) {
  return f + 3;
}

bez_status bez_krum_select(const bez_aggregate_input *in, uint32_t keep, bez_aggregate_rows *out, bez_error *err) {
  bez_status st = BEZ_OK;
  const uint32_t n = in->n, side = bez_rows_count(in->rows) + 1;
  double *distance = NULL, *scratch = calloc(2 * (size_t)n, sizeof *scratch), *weight = scratch + n;
  uint32_t *order = calloc(2 * (size_t)n, sizeof *order), *list = order + n;
  if (!scratch || !order) BEZ_TRY(bez_fail_memory(err, 3 * (size_t)n * sizeof(double)));
  BEZ_TRY(bez_rows_distances(in->rows, &distance, err));
  for (uint32_t i = 0; i < n; i++) list[i] = i;
  bez_krum_scores(distance, side, list, n, n - in->f - 2, scratch, out->score);
  BEZ_TRY(bez_rows_rank(in->rows, out->score, n, order, err));
  for (uint32_t k = 0; k < n; k++) weight[order[k]] = k < keep ? 1. / keep : 0;
  BEZ_TRY(bez_aggregate_weighted(in, weight, BEZ_NOT_SELECTED, out, err));
cleanup:
  free(distance);
  free(scratch);
  free(order);
  return st;
}

static bez_status run(const bez_aggregate_input *in, bez_aggregate_rows *out, bez_error *err) {
  return bez_krum_select(in, 1, out, err);
}

const bez_aggregator bez_aggregator_krum = {
    .info = {.name = "krum",
             .title = "Krum",
             .summary = "The one update with the smallest sum of squared distances to its n - f - 2 nearest others.",
             .parameters = "",
             .tolerance = "2 f + 2 < n; works from n = f + 3",
             .cost = "all distances, O(n² d), and one pass",
             .score = "sum of squared distances to the nearest n - f - 2",
             .source = "Blanchard, El Mhamdi, Guerraoui, Stainer, Machine learning with adversaries, NeurIPS 2017"},
    .least = least,
    .run = run};
