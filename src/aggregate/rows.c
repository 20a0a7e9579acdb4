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
  uint32_t n, n_used;
  double *weight; /* of the rows that have one, then the same over the largest … */
  uint32_t *used; /* … and which rows they are; n_used each */
  double most;
  bool store;
  size_t scratch_bytes; /* of a worker */
  char *scratch;
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

static bool all_finite(const combine_pass *p, const double *z, size_t len, const double *part) {
  bool finite = p->kernels->finite_f64(z, len);
  for (uint32_t i = 0; part && i < p->n; i++) finite &= isfinite(part[i]) != 0;
  return finite;
}

/* Distances are to what is written: behind the noise. */
static void add_distances(uint32_t n, const bez_tile *tile, const double *z, double *square) {
  for (uint32_t i = 0; i < n; i++)
    for (size_t c = 0; c < tile->len; c++) {
      double d = (tile->wide ? ((const double *)tile->row[i])[c] : (double)((const float *)tile->row[i])[c]) - z[c];
      square[i] += d * d;
    }
}

/* A worker's scratch: the sum, its narrow form, lanes of the distances, rows. */
static bez_status combine_tile(void *ctx, const bez_tile *tile, uint32_t block, unsigned worker, bez_error *err) {
  combine_pass *p = ctx;
  (void)err;
  double *z = (double *)(p->scratch + worker * p->scratch_bytes), *narrowed = z + p->rows->tile;
  double *lanes = narrowed + p->rows->tile, *part = p->part ? p->part + (size_t)block * p->n : NULL;
  const void **used = (const void **)(lanes + (size_t)p->n * BEZ_WEIGHTED_LANES);
  const bool noisy = p->store && p->rows->noise > 0;
  for (uint32_t k = 0; k < p->n_used; k++) used[k] = tile->row[p->used[k]];
  const bez_weighted_sum sum = {.used = used,
                                .weight = tile->wide ? p->weight : p->weight + p->n,
                                .n_used = p->n_used,
                                .scale = tile->wide ? 1 : p->most,
                                .row = tile->row,
                                .n = part && !noisy ? p->n : 0,
                                .lanes = lanes};
  if (tile->wide)
    p->kernels->combine_f64(&sum, tile->len, z, part);
  else
    p->kernels->combine_f32(&sum, tile->len, z, part);
  if (noisy) add_noise(p->rows, tile, z);
  if (noisy && part) add_distances(p->n, tile, z, part);
  if (!all_finite(p, z, tile->len, part)) *tile->odd = true;
  if (!p->store) return BEZ_OK;
  if (!tile->wide) p->kernels->narrow(z, tile->len, (float *)narrowed);
  bez_tile_store(tile, tile->wide ? (const void *)z : narrowed);
  return BEZ_OK;
}

/* Floats are summed before the largest weight is multiplied in: with equal weights the sum is exact as a rule, and so
 * the same for any order of the rows. */
static void list_weights(combine_pass *p, const double *weight) {
  for (uint32_t i = 0; i < p->n; i++) p->most = fmax(p->most, fabs(weight[i]));
  for (uint32_t i = 0; i < p->n; i++) {
    if (weight[i] == 0) continue;
    p->weight[p->n_used] = weight[i];
    p->weight[p->n + p->n_used] = weight[i] / p->most;
    p->used[p->n_used++] = i;
  }
}

bez_status bez_rows_combine(bez_update_rows *rows, const double *weight, bool store, double *to, bez_error *err) {
  bez_status st = BEZ_OK;
  const uint32_t n = bez_rows_count(rows), n_blocks = bez_rows_blocks(n * sizeof(double));
  combine_pass p = {.rows = rows,
                    .n = n,
                    .store = store,
                    .weight = calloc(2 * (size_t)n + 1, sizeof *p.weight),
                    .used = calloc(n + 1u, sizeof *p.used),
                    .scratch_bytes = (2 * (size_t)rows->tile + (size_t)n * (BEZ_WEIGHTED_LANES + 1)) * sizeof(double),
                    .part = to ? calloc((size_t)n_blocks * n, sizeof(double)) : NULL,
                    .kernels = bez_weighted_choose(rows->cpu)};
  p.scratch = calloc(rows->threads, p.scratch_bytes);
  if (!p.weight || !p.used || !p.scratch || (to && !p.part))
    BEZ_TRY(bez_fail_memory(err, (size_t)n_blocks * n * sizeof(double)));
  list_weights(&p, weight);
  const bool all = to || p.n_used == n; /* a row without weight shows in its distance alone */
  BEZ_TRY(bez_rows_pass_finite(rows, all, n_blocks, combine_tile, &p, err));
  if (to) memset(to, 0, n * sizeof *to);
  for (uint32_t b = 0; to && b < n_blocks; b++)
    for (uint32_t i = 0; i < n; i++) to[i] += p.part[(size_t)b * n + i];
cleanup:
  free(p.weight);
  free(p.used);
  free(p.scratch);
  free(p.part);
  return st;
}
