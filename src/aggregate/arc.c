/* Adaptive robust clipping: the longest updates are scaled down to the length of the longest one left alone. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "aggregate/aggregator.h"
#include "aggregate/norms.h"
#include "base/compare.h"
#include "base/error.h"

static uint32_t least(uint32_t f) {
  return 2 * f + 1;
}

static bez_status mix(const bez_aggregate_input *in, bez_mix *out, uint32_t *f, bez_error *err) {
  bez_status st = BEZ_OK;
  const uint32_t n = in->n, clipped = 2 * in->f * (n - in->f) / n; /* whole numbers: 2 · 33 · 209 / 242 is 57 */
  double *norm = calloc(2 * (size_t)n, sizeof *norm), *sorted = norm + n;
  if (!norm) return bez_fail_memory(err, 2 * (size_t)n * sizeof *norm);
  BEZ_TRY(bez_mix_make(n, n, out, err));
  BEZ_TRY(bez_rows_norms(in->rows, norm, err));
  memcpy(sorted, norm, n * sizeof *norm);
  qsort(sorted, n, sizeof *sorted, bez_compare_double);
  bez_mix_clip(out, norm, sorted[clipped < n ? n - 1 - clipped : 0]);
  *f = in->f;
cleanup:
  free(norm);
  return st;
}

const bez_aggregator bez_aggregator_arc = {
    .info = {.name = "arc",
             .title = "Adaptive robust clipping",
             .summary =
                 "Scales the floor(2 f (n - f) / n) longest updates down to the length of the longest other one.",
             .parameters = "",
             .tolerance = "f < n / 2",
             .cost = "one pass",
             .score = "",
             .source = "Allouah, Guerraoui, Gupta, Jellouli, Rizk, Stephan, Adaptive gradient clipping for robust "
                       "federated learning, ICLR 2025",
             .pre = true},
    .least = least,
    .mix = mix};
