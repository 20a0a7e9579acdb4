/* Covariance-bound-agnostic filter: updates lose weight by how far they lie along the direction of the largest
 * variance; of all weighted means on the way, the one with the smallest largest variance is taken. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "aggregate/aggregator.h"
#include "aggregate/gram.h"
#include "base/error.h"

static uint32_t least(uint32_t f) {
  return 2 * f + 1;
}

typedef struct filter {
  double *distance, *gram, *scratch, *factor, *best, *projection;
  uint32_t *list;
} filter;

static bez_status allocate(uint32_t n, filter *w, bez_error *err) {
  w->gram = calloc((size_t)n * n, sizeof(double));
  w->scratch = calloc(bez_gram_scratch(n), sizeof(double));
  w->factor = calloc(3 * (size_t)n, sizeof(double));
  w->list = calloc(n, sizeof *w->list);
  if (!w->gram || !w->scratch || !w->factor || !w->list)
    return bez_fail_memory(err, 2 * (size_t)n * n * sizeof(double));
  w->best = w->factor + n;
  w->projection = w->best + n;
  return BEZ_OK;
}

/* Every step takes all weight from one row at least, so that n steps are the most. The first one always runs: with
 * f = 0 it leaves the plain mean. */
static bez_status reweigh(const bez_aggregate_input *in, filter *w, uint32_t side, bez_error *err) {
  const uint32_t n = in->n;
  double lowest = INFINITY, left = n, value;
  for (uint32_t i = 0; i < n; i++) w->factor[i] = 1;
  for (uint32_t step = 0; step < n && (!step || left > n - 2. * in->f); step++) {
    double most = 0;
    bez_gram_centred(w->distance, side, w->list, n, w->factor, w->scratch, w->gram);
    if (!bez_gram_top(w->gram, n, w->factor, w->scratch, &value, w->projection))
      return bez_fail(err, BEZ_LIMIT, "caf", "distances between updates are too large to square");
    if (value < lowest) memcpy(w->best, w->factor, n * sizeof *w->best);
    lowest = fmin(lowest, value);
    for (uint32_t i = 0; i < n; i++)
      if (w->factor[i] > 0) most = fmax(most, w->projection[i]);
    if (most <= 0) break; /* all that have weight are one point */
    left = 0;
    for (uint32_t i = 0; i < n; i++) {
      w->factor[i] *= fmax(0, 1 - w->projection[i] / most);
      left += w->factor[i];
    }
  }
  return BEZ_OK;
}

static bez_status run(const bez_aggregate_input *in, bez_aggregate_rows *out, bez_error *err) {
  bez_status st = BEZ_OK;
  const uint32_t side = bez_rows_count(in->rows) + 1;
  double total = 0;
  filter w = {0};
  BEZ_TRY(allocate(in->n, &w, err));
  BEZ_TRY(bez_rows_distances(in->rows, &w.distance, err));
  for (uint32_t i = 0; i < in->n; i++) w.list[i] = i;
  BEZ_TRY(reweigh(in, &w, side, err));
  for (uint32_t i = 0; i < in->n; i++) total += w.best[i];
  for (uint32_t i = 0; i < in->n; i++) {
    out->score[i] = w.best[i];
    w.best[i] /= total;
  }
  BEZ_TRY(bez_aggregate_weighted(in, w.best, BEZ_FAR, out, err));
cleanup:
  free(w.distance);
  free(w.gram);
  free(w.scratch);
  free(w.factor);
  free(w.list);
  return st;
}

const bez_aggregator bez_aggregator_caf = {
    .info = {.name = "caf",
             .title = "Covariance-bound-agnostic filter",
             .summary = "Takes weight from updates by their distance along the direction of the largest variance, and "
                        "returns the weighted mean whose largest variance was smallest.",
             .parameters = "",
             .tolerance = "f < n / 2",
             .cost = "all distances, O(n² d), the largest of n eigenvalues up to n times, and one pass",
             .score = "weight left, 0 to 1",
             .source = "Allouah, Guerraoui, Stephan, Towards trustworthy federated learning with untrusted "
                       "participants, ICML 2025"},
    .least = least,
    .run = run};
