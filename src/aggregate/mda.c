/* Minimum-diameter averaging: the mean of the n − f updates whose largest distance from each other is least. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "aggregate/aggregator.h"
#include "base/error.h"

#define MOST_STEPS 50000000u /* of the search, before it is refused */

static uint32_t least(uint32_t f) {
  return 2 * f + 1;
}

/* Depth-first search for n − f rows whose pairs are all closer than the best diameter so far. Rows are tried in an
 * order that does not depend on how the clients are numbered, so ties fall the same way. */
typedef struct search {
  const double *distance;
  const uint32_t *order;
  uint32_t side, n, keep, steps;
  uint32_t *chosen, *best;
  double least;
} search;

static double at(const search *s, uint32_t a, uint32_t b) {
  return s->distance[(size_t)s->order[a] * s->side + s->order[b]];
}

/* chosen[0 … depth − 1] have the diameter; false when the search grew too long. */
static bool extend(search *s, uint32_t depth, uint32_t next, double diameter) {
  if (depth == s->keep) {
    s->least = diameter;
    memcpy(s->best, s->chosen, s->keep * sizeof *s->best);
    return true;
  }
  for (uint32_t i = next; i + (s->keep - depth) <= s->n; i++) {
    double wider = diameter;
    if (++s->steps > MOST_STEPS) return false;
    for (uint32_t k = 0; k < depth && wider < s->least; k++) wider = fmax(wider, at(s, s->chosen[k], i));
    if (!(wider < s->least)) continue;
    s->chosen[depth] = i;
    if (!extend(s, depth + 1, i + 1, wider)) return false;
  }
  return true;
}

static bez_status run(const bez_aggregate_input *in, bez_aggregate_rows *out, bez_error *err) {
  bez_status st = BEZ_OK;
  const uint32_t n = in->n, side = bez_rows_count(in->rows) + 1;
  double *distance = NULL, *scratch = calloc(2 * (size_t)n, sizeof *scratch), *weight = scratch + n;
  uint32_t *list = calloc(3 * (size_t)n, sizeof *list);
  search s = {.side = side, .n = n, .keep = n - in->f, .order = list, .least = INFINITY};
  if (!scratch || !list) BEZ_TRY(bez_fail_memory(err, 3 * (size_t)n * sizeof(double)));
  s.chosen = list + n;
  s.best = s.chosen + n;
  BEZ_TRY(bez_rows_distances(in->rows, &distance, err));
  s.distance = distance;
  /* Rows with near neighbours first: a good diameter is found early, and the rest is cut off. */
  for (uint32_t i = 0; i < n; i++) s.chosen[i] = i;
  bez_krum_scores(distance, side, s.chosen, n, n - in->f - 1, scratch, out->score);
  BEZ_TRY(bez_rows_rank(in->rows, out->score, n, list, err));
  if (!extend(&s, 0, 0, 0))
    BEZ_TRY(bez_fail(err, BEZ_LIMIT, "mda",
                     "the exact search over %u clients with f = %u is too long; use multi-krum or fewer clients", n,
                     in->f));
  if (!isfinite(s.least)) BEZ_TRY(bez_fail(err, BEZ_LIMIT, "mda", "distances between updates are too large to square"));
  for (uint32_t k = 0; k < s.keep; k++) weight[list[s.best[k]]] = 1. / s.keep;
  BEZ_TRY(bez_aggregate_weighted(in, weight, BEZ_NOT_SELECTED, out, err));
cleanup:
  free(distance);
  free(scratch);
  free(list);
  return st;
}

const bez_aggregator bez_aggregator_mda = {
    .info = {.name = "mda",
             .title = "Minimum-diameter averaging",
             .summary = "Mean of the n - f updates whose largest mutual distance is least; exact, refused where the "
                        "search grows too long.",
             .parameters = "",
             .tolerance = "f < n / 2",
             .cost = "all distances, O(n² d), and a search that may grow as n over f",
             .score = "sum of squared distances to the nearest n - f - 1",
             .source = "El Mhamdi, Guerraoui, Guirguis, Rouault, SGD: decentralized Byzantine resilience, 2019; "
                       "Rousseeuw 1985"},
    .least = least,
    .run = run};
