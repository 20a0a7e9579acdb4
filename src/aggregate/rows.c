/* Passes over all rows: distances, weighted sums, a look for NaN and infinity. */
#include "aggregate/rows.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/rng.h"
#include "math/distance.h"

#define MOST_BLOCKS 64u
#define SUM_BYTES (32u << 20)

uint32_t bez_rows_blocks(size_t bytes) {
  size_t fit = SUM_BYTES / (bytes ? bytes : 1);
  return fit > MOST_BLOCKS ? MOST_BLOCKS : fit ? (uint32_t)fit : 1;
}

/* ---- distances -------------------------------------------------------------------------------------------------- */

typedef struct distance_pass {
  uint32_t n;       /* rows, the zero row included */
  double *part;     /* blocks × n × n */
  const void **row; /* workers × n */
  const double *zero;
  bez_distance_f32_fn narrow;
  bez_distance_f64_fn wide;
} distance_pass;

static bez_status distance_tile(void *ctx, const bez_tile *tile, uint32_t block, unsigned worker, bez_error *err) {
  distance_pass *p = ctx;
  (void)err;
  double *out = p->part + (size_t)block * p->n * p->n;
  const void **row = p->row + (size_t)worker * p->n;
  memcpy(row, tile->row, (p->n - 1) * sizeof *row);
  row[p->n - 1] = p->zero;
  if (tile->wide)
    p->wide((const double *const *)row, p->n, tile->len, out);
  else
    p->narrow((const float *const *)row, p->n, tile->len, out);
  for (uint32_t i = 0; i + 1 < p->n; i++) /* the zero row is the last one */
    if (!isfinite(out[(size_t)i * p->n + p->n - 1])) *tile->odd = true;
  return BEZ_OK;
}

/* out comes in as zeros. */
static void fold(const double *part, uint32_t n_blocks, uint32_t n, double *out) {
  for (uint32_t b = 0; b < n_blocks; b++)
    for (size_t i = 0; i < (size_t)n * n; i++) out[i] += part[(size_t)b * n * n + i];
  for (uint32_t i = 0; i < n; i++)
    for (uint32_t j = 0; j < i; j++) out[(size_t)i * n + j] = out[(size_t)j * n + i];
}

bez_status bez_rows_distances(bez_update_rows *rows, double **out, bez_error *err) {
  bez_status st = BEZ_OK;
  const uint32_t n = bez_rows_count(rows) + 1;
  const size_t square = (size_t)n * n * sizeof(double);
  const uint32_t n_blocks = bez_rows_blocks(square);
  double *zero = calloc(rows->tile, sizeof *zero);
  distance_pass p = {.n = n,
                     .part = calloc(n_blocks, square),
                     .row = calloc((size_t)n * rows->threads, sizeof *p.row),
                     .zero = zero,
                     .narrow = bez_distance_f32(rows->cpu),
                     .wide = bez_distance_f64(rows->cpu)};
  double *sum = calloc((size_t)n * n, sizeof *sum);
  if (!zero || !p.part || !p.row || !sum) BEZ_TRY(bez_fail_memory(err, n_blocks * square));
  BEZ_TRY(bez_rows_pass_finite(rows, true, n_blocks, distance_tile, &p, err));
  fold(p.part, n_blocks, n, sum);
  *out = sum;
  sum = NULL;
cleanup:
  free(sum);
  free(zero);
  free(p.part);
  free(p.row);
  return st;
}

/* ---- weighted sums ---------------------------------------------------------------------------------------------- */

typedef struct combine_pass {
  const bez_update_rows *rows;
  uint32_t n;
  const double *weight;
  bool store;
  double *z;    /* workers × tile, twice: the sum, and its narrow form */
  double *part; /* blocks × n, NULL: no distances */
  const bez_weighted *kernels;
} combine_pass;

/* A coordinate's noise depends on the seed and its place alone. */
static void add_noise(const bez_update_rows *rows, const bez_tile *tile, double *z) {
  for (size_t c = 0; c < tile->len; c++) {
    bez_rng rng = bez_rng_make(rows->noise_seed, tile->layer->first_coordinate + tile->at + c);
    z[c] += rows->noise * bez_rng_normal(&rng);
  }
}

static bool all_finite(const double *z, size_t len) {
  double odd = 0;
  for (size_t c = 0; c < len; c++) odd += z[c] * 0;
  return odd == 0;
}

static bez_status combine_tile(void *ctx, const bez_tile *tile, uint32_t block, unsigned worker, bez_error *err) {
  combine_pass *p = ctx;
  (void)err;
  double *z = p->z + (size_t)worker * 2 * p->rows->tile, *narrowed = z + p->rows->tile;
  bez_tile_sum(p->kernels, tile->row, p->weight, p->n, tile->len, tile->wide, z);
  if (p->store && p->rows->noise > 0) add_noise(p->rows, tile, z); /* distances are to what is written */
  for (uint32_t i = 0; p->part && i < p->n; i++)
    p->part[(size_t)block * p->n + i] += tile->wide ? p->kernels->distance_f64(tile->row[i], z, tile->len)
                                                    : p->kernels->distance_f32(tile->row[i], z, tile->len);
  if (!p->part && !all_finite(z, tile->len)) *tile->odd = true;
  for (uint32_t i = 0; p->part && i < p->n; i++)
    if (!isfinite(p->part[(size_t)block * p->n + i])) *tile->odd = true;
  if (!p->store) return BEZ_OK;
  if (!tile->wide) p->kernels->narrow(z, tile->len, (float *)narrowed);
  bez_tile_store(tile, tile->wide ? (const void *)z : narrowed);
  return BEZ_OK;
}

bez_status bez_rows_combine(bez_update_rows *rows, const double *weight, bool store, double *to, bez_error *err) {
  bez_status st = BEZ_OK;
  const uint32_t n = bez_rows_count(rows), n_blocks = bez_rows_blocks(n * sizeof(double));
  combine_pass p = {.rows = rows,
                    .n = n,
                    .weight = weight,
                    .store = store,
                    .z = calloc((size_t)rows->threads * 2 * rows->tile, sizeof(double)),
                    .part = to ? calloc((size_t)n_blocks * n, sizeof(double)) : NULL,
                    .kernels = bez_weighted_choose(rows->cpu)};
  if (!p.z || (to && !p.part)) BEZ_TRY(bez_fail_memory(err, (size_t)n_blocks * n * sizeof(double)));
  uint32_t weighty = 0;
  for (uint32_t i = 0; i < n; i++) weighty += weight[i] != 0;
  const bool all = to || weighty == n; /* a row without weight shows in its distance alone */
  BEZ_TRY(bez_rows_pass_finite(rows, all, n_blocks, combine_tile, &p, err));
  if (to) memset(to, 0, n * sizeof *to);
  for (uint32_t b = 0; to && b < n_blocks; b++)
    for (uint32_t i = 0; i < n; i++) to[i] += p.part[(size_t)b * n + i];
cleanup:
  free(p.z);
  free(p.part);
  return st;
}
