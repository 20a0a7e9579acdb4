/* Nearest-neighbour mixing: each update becomes the mean of its n − f nearest, itself among them. */
#include <stdlib.h>

#include "aggregate/aggregator.h"
#include "base/error.h"

static uint32_t least(uint32_t f) {
  return 2 * f + 1;
}

static bez_status mix(const bez_aggregate_input *in, bez_mix *out, uint32_t *f, bez_error *err) {
  bez_status st = BEZ_OK;
  const uint32_t n = in->n, side = bez_rows_count(in->rows) + 1, keep = n - in->f;
  double *distance = NULL, *length = calloc(n, sizeof *length);
  uint32_t *order = calloc(2 * (size_t)n, sizeof *order), *place = order + n;
  if (!length || !order) BEZ_TRY(bez_fail_memory(err, 2 * (size_t)n * sizeof(double)));
  BEZ_TRY(bez_mix_make(n, n, out, err));
  BEZ_TRY(bez_rows_distances(in->rows, &distance, err));
  /* Equally near: settled once, by length and then contents, for copies would be equally near to everybody. */
  for (uint32_t i = 0; i < n; i++) length[i] = distance[(size_t)i * side + side - 1];
  BEZ_TRY(bez_rows_rank(in->rows, length, n, order, err));
  for (uint32_t i = 0; i < n; i++) place[order[i]] = i;
  for (uint32_t i = 0; i < n; i++) {
    BEZ_TRY(bez_rank_placed(distance + (size_t)i * side, place, n, order, err));
    for (uint32_t k = 0; k < keep; k++) out->weight[(size_t)i * n + order[k]] = 1. / keep;
  }
  *f = in->f;
cleanup:
  free(distance);
  free(length);
  free(order);
  return st;
}

const bez_aggregator bez_aggregator_nnm = {
    .info = {.name = "nnm",
             .title = "Nearest-neighbour mixing",
             .summary = "Replaces each update by the mean of its n - f nearest, itself included.",
             .parameters = "",
             .tolerance = "f < n / 2",
             .cost = "all distances, O(n² d), and O(n² d) for the means",
             .score = "",
             .source = "Allouah, Farhadkhani, Guerraoui, Gupta, Pinot, Stephan, Fixing by mixing, AISTATS 2023",
             .pre = true},
    .least = least,
    .mix = mix};
