/* Rules that work coordinate by coordinate, over tiles. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "aggregate/aggregator.h"
#include "base/error.h"
#include "math/distance.h"
#include "math/order.h"

typedef struct order_pass {
  bez_update_rows *rows;
  bool store;
  bez_order order;
  uint32_t *place;      /* the row behind each of the order's n, then those that take no part */
  uint32_t judge;       /* rows whose distances are wanted, 0 none */
  size_t scratch_bytes; /* of a worker */
  char *scratch;
  uint64_t *outside; /* blocks × n, NULL: not counted */
  double *square;    /* blocks × judge, in the order of place */
  bez_order_f32_fn narrow;
  bez_order_f64_fn wide;
} order_pass;

/* Rows beside the list have a distance to the result, too. */
static void judge_others(const order_pass *p, const bez_tile *tile, uint32_t block, const void *result) {
  const uint32_t n = p->order.n;
  for (uint32_t i = n; i < p->judge; i++)
    p->square[(size_t)block * p->judge + i] += tile->wide
                                                   ? bez_distance_pair_f64(tile->row[p->place[i]], result, tile->len)
                                                   : bez_distance_pair_f32(tile->row[p->place[i]], result, tile->len);
}

/* A worker's scratch: the kernel's, the result, row pointers. */
static bez_status order_tile(void *ctx, const bez_tile *tile, uint32_t block, unsigned worker, bez_error *err) {
  order_pass *p = ctx;
  const uint32_t n = p->order.n;
  (void)err;
  char *kernel = p->scratch + worker * p->scratch_bytes, *end = kernel + p->scratch_bytes;
  const void **row = (const void **)end - n;
  double *result = (double *)(end - n * sizeof *row) - p->rows->tile;
  bez_order_judge judge;
  if (p->judge) judge = (bez_order_judge){p->outside + (size_t)block * n, p->square + (size_t)block * p->judge};
  const bez_order_judge *asked = p->judge ? &judge : NULL;
  for (uint32_t i = 0; i < n; i++) row[i] = tile->row[p->place[i]];
  bool finite = tile->wide ? p->wide(&p->order, (const double *const *)row, tile->len, result, asked, kernel)
                           : p->narrow(&p->order, (const float *const *)row, tile->len, (float *)result, asked, kernel);
  if (!finite) *tile->odd = true;
  if (p->store) bez_tile_store(tile, result);
  judge_others(p, tile, block, result);
  return BEZ_OK;
}

static void sum_squares(const order_pass *p, uint32_t n_blocks, double *square) {
  for (uint32_t i = 0; i < p->judge; i++) {
    square[p->place[i]] = 0;
    for (uint32_t b = 0; b < n_blocks; b++) square[p->place[i]] += p->square[(size_t)b * p->judge + i];
  }
}

static void fill(const order_pass *p, uint32_t n_blocks, bez_aggregate_rows *out) {
  const uint32_t n = p->order.n;
  for (uint32_t i = 0; i < n; i++) {
    uint32_t row = p->place[i];
    uint64_t outside = 0;
    for (uint32_t b = 0; p->outside && b < n_blocks; b++) outside += p->outside[(size_t)b * n + i];
    out->weight[row] = 1. / n;
    if (p->outside && p->rows->d) out->trimmed[row] = (double)outside / (double)p->rows->d;
  }
  sum_squares(p, n_blocks, out->distance);
  for (uint32_t i = 0; i < p->judge; i++) out->distance[i] = sqrt(out->distance[i]); /* by row: judge is all of them */
}

/* The listed rows (NULL: the first n), then the others; the caller's to free, NULL: no memory. */
static uint32_t *places(const uint32_t *list, uint32_t n, uint32_t all) {
  uint32_t *place = calloc(2 * (size_t)all, sizeof *place), *taken = place + all, count = n;
  if (!place) return NULL;
  for (uint32_t i = 0; i < n; i++) {
    place[i] = list ? list[i] : i;
    taken[place[i]] = 1;
  }
  for (uint32_t i = 0; i < all; i++)
    if (!taken[i]) place[count++] = i;
  return place;
}

static bez_status ordered(const bez_aggregate_input *in, const uint32_t *list, uint32_t n, int kind, uint32_t lo,
                          uint32_t hi, bool judged, bez_aggregate_rows *out, double *square, bez_error *err) {
  bez_status st = BEZ_OK;
  const uint32_t judge = judged ? in->n : 0, n_blocks = bez_rows_blocks(2 * (size_t)in->n * sizeof(double));
  const unsigned workers = in->rows->threads;
  order_pass p = {.rows = in->rows,
                  .store = out != NULL,
                  .place = places(list, n, in->n),
                  .judge = judge,
                  .narrow = bez_order_f32(in->rows->cpu),
                  .wide = bez_order_f64(in->rows->cpu)};
  BEZ_TRY(bez_order_make((bez_order_kind)kind, n, lo, hi, &p.order, err));
  p.scratch_bytes = bez_order_scratch(&p.order) + ((size_t)in->rows->tile + n) * sizeof(double);
  p.scratch_bytes = (p.scratch_bytes + 63) / 64 * 64;
  p.scratch = aligned_alloc(64, workers * p.scratch_bytes);
  if (judge) p.outside = calloc((size_t)n_blocks * n, sizeof *p.outside);
  if (judge) p.square = calloc((size_t)n_blocks * judge, sizeof *p.square);
  if (!p.place || !p.scratch || (judge && (!p.outside || !p.square)))
    BEZ_TRY(bez_fail_memory(err, workers * p.scratch_bytes + 2 * (size_t)n_blocks * n * sizeof(double)));
  BEZ_TRY(bez_rows_pass_finite(in->rows, n == bez_rows_count(in->rows), n_blocks, order_tile, &p, err));
  if (out) fill(&p, n_blocks, out);
  if (square) sum_squares(&p, n_blocks, square);
cleanup:
  bez_order_free(&p.order);
  free(p.place);
  free(p.scratch);
  free(p.outside);
  free(p.square);
  return st;
}

bez_status bez_aggregate_ordered(const bez_aggregate_input *in, const uint32_t *list, uint32_t n, int kind, uint32_t lo,
                                 uint32_t hi, bez_aggregate_rows *out, bez_error *err) {
  return ordered(in, list, n, kind, lo, hi, in->judged, out, NULL, err);
}

bez_status bez_median_distances(const bez_aggregate_input *in, double *square, bez_error *err) {
  return ordered(in, NULL, in->n, BEZ_ORDER_RANKS, (in->n - 1) / 2, in->n / 2 + 1, true, NULL, square, err);
}
