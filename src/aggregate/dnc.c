/* Divide and conquer: on drawn coordinates, the updates that lie farthest along the direction of the largest variance
 * leave; who was good in every draw is averaged. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "aggregate/aggregator.h"
#include "aggregate/gram.h"
#include "base/compare.h"
#include "base/error.h"
#include "base/rng.h"
#include "math/distance.h"

#define MOST_CELLS 4000000u /* n × coordinates drawn */

enum { ROUNDS, COORDINATES, SHARE };

static uint32_t least(uint32_t f) {
  return 2 * f + 1;
}

typedef struct draw {
  uint32_t n, m;
  uint64_t *coordinate; /* m, ascending */
  double *value;        /* n × m */
  bez_update_rows *rows;
} draw;

static bez_status gather(void *ctx, const bez_tile *tile, uint32_t block, unsigned worker, bez_error *err) {
  draw *d = ctx;
  (void)block, (void)worker, (void)err;
  const uint64_t begin = tile->layer->first_coordinate + tile->at, end = begin + tile->len;
  uint32_t low = 0, high = d->m;
  while (low < high) {
    uint32_t middle = (low + high) / 2;
    if (d->coordinate[middle] < begin)
      low = middle + 1;
    else
      high = middle;
  }
  for (; low < d->m && d->coordinate[low] < end; low++)
    for (uint32_t i = 0; i < d->n; i++) {
      size_t c = (size_t)(d->coordinate[low] - begin);
      double x = tile->wide ? ((const double *)tile->row[i])[c] : (double)((const float *)tile->row[i])[c];
      d->value[(size_t)i * d->m + low] = x;
      if (!isfinite(x)) d->rows->odd = true;
    }
  return BEZ_OK;
}

/* Coordinates without repetition, in order: one of each of m stretches of about d / m, counted from a drawn place on,
 * so that all have the same chance; every one when m is d. */
static void draw_coordinates(uint64_t seed, uint64_t d, uint32_t m, uint64_t *coordinate) {
  bez_rng rng = bez_rng_make(seed, 0x646e6300u);
  const uint64_t first = bez_rng_below(&rng, d), width = d / m, rest = d % m;
  uint64_t begin = first;
  for (uint32_t k = 0; k < m; k++) {
    uint64_t here = width + (k < rest);
    coordinate[k] = (begin + bez_rng_below(&rng, here)) % d;
    begin += here;
  }
  qsort(coordinate, m, sizeof *coordinate, bez_compare_u64);
}

/* Squared projections of the rows on the direction of the largest variance of one draw. */
static bez_status project(const bez_aggregate_input *in, draw *d, uint32_t round, double *work, const uint32_t *list,
                          double *projection, bez_error *err) {
  const uint32_t n = d->n;
  double *distance = work, *gram = distance + (size_t)n * n, *weight = gram + (size_t)n * n,
         *scratch = weight + 2 * (size_t)n, value; /* the projections of all rounds lie between */
  draw_coordinates(in->seed + round, in->rows->d, d->m, d->coordinate);
  bez_status st = bez_rows_pass(in->rows, bez_rows_blocks(1), gather, d, err);
  if (st != BEZ_OK) return st;
  for (uint32_t i = 0; i < n; i++) {
    weight[i] = 1;
    for (uint32_t j = 0; j < n; j++)
      distance[(size_t)i * n + j] =
          bez_distance_pair_f64(d->value + (size_t)i * d->m, d->value + (size_t)j * d->m, d->m);
  }
  bez_gram_centred(distance, n, list, n, weight, scratch, gram);
  return bez_gram_top(gram, n, weight, scratch, &value, projection)
             ? BEZ_OK
             : bez_fail(err, BEZ_LIMIT, "dnc", "updates are too large to square");
}

static bez_status filter(const bez_aggregate_input *in, draw *d, double *work, uint32_t *list, bool *good,
                         double *score, bez_error *err) {
  const uint32_t n = in->n;
  double leave = floor(in->knob[SHARE] * in->f + 1e-9);
  uint32_t keep = leave < n ? n - (uint32_t)leave : 0, *order = list + n;
  double *projection = work + 2 * (size_t)n * n + n;
  for (uint32_t i = 0; i < n; i++) {
    list[i] = i;
    good[i] = true;
    score[i] = 0;
  }
  for (uint32_t round = 0; round < (uint32_t)in->knob[ROUNDS]; round++) {
    bez_status st = project(in, d, round, work, list, projection, err);
    if (st == BEZ_OK) st = bez_rows_rank(in->rows, projection, n, order, err);
    if (st != BEZ_OK) return st;
    for (uint32_t k = keep; k < n; k++) good[order[k]] = false;
    for (uint32_t i = 0; i < n; i++) score[i] = fmax(score[i], projection[i]);
  }
  return BEZ_OK;
}

static bez_status run(const bez_aggregate_input *in, bez_aggregate_rows *out, bez_error *err) {
  bez_status st = BEZ_OK;
  const uint32_t n = in->n;
  uint32_t kept = 0;
  double most = fmin(fmin(in->knob[COORDINATES], (double)in->rows->d), fmax(1, floor((double)MOST_CELLS / n)));
  draw d = {.n = n, .rows = in->rows, .m = most > 1 ? (uint32_t)most : 1};
  double *work = calloc(2 * (size_t)n * n + 2 * (size_t)n + bez_gram_scratch(n), sizeof *work),
         *weight = calloc(n, sizeof *weight);
  uint32_t *list = calloc(2 * (size_t)n, sizeof *list);
  bool *good = calloc(n, sizeof *good);
  d.coordinate = calloc(d.m, sizeof *d.coordinate);
  d.value = calloc((size_t)n * d.m, sizeof *d.value);
  if (!work || !weight || !list || !good || !d.coordinate || !d.value)
    BEZ_TRY(bez_fail_memory(err, ((size_t)n * d.m + 3 * (size_t)n * n) * sizeof *work));
  if (in->rows->d) BEZ_TRY(filter(in, &d, work, list, good, out->score, err));
  for (uint32_t i = 0; i < n; i++) kept += good[i] || !in->rows->d;
  if (!kept)
    BEZ_TRY(bez_fail(err, BEZ_USAGE, "dnc", "no update was good in all rounds; fewer rounds, or a smaller share"));
  for (uint32_t i = 0; i < n; i++) weight[i] = good[i] || !in->rows->d ? 1. / kept : 0;
  BEZ_TRY(bez_aggregate_weighted(in, weight, BEZ_FAR, out, err));
cleanup:
  free(work);
  free(weight);
  free(list);
  free(good);
  free(d.coordinate);
  free(d.value);
  return st;
}

const bez_aggregator bez_aggregator_dnc = {
    .info = {.name = "dnc",
             .title = "Divide and conquer",
             .summary = "On drawn coordinates the updates farthest along the direction of the largest variance leave; "
                        "mean of those that stayed in every round.",
             .parameters = "rounds (1); coordinates drawn (10000, fewer above 400 clients); share of f that leaves (1)",
             .tolerance =
                 "f < n / 2 that send the same; no bound for attackers in directions or at lengths of their own",
             .cost = "per round one pass over the drawn coordinates' tiles and one eigenproblem; one pass",
             .score = "largest squared projection",
             .source = "Shejwalkar, Houmansadr, Manipulating the Byzantine, NDSS 2021"},
    .knobs = {{.name = "rounds", .fallback = 1, .least = 1, .most = 1000, .whole = true},
              {.name = "coordinates", .fallback = 10000, .least = 1, .most = 1e9, .whole = true},
              {.name = "share", .fallback = 1, .least = 0, .most = 1e6}},
    .least = least,
    .run = run};
