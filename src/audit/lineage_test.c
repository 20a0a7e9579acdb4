#include "audit/lineage_test.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/rng.h"

#define ENOUGH 20u /* orders at least as good, after which no more are drawn */
#define LANES 8u

static double dot(const float *x, const float *y, uint32_t d) {
  double sum[LANES] = {0};
  const uint32_t whole = d - d % LANES;
  for (uint32_t i = 0; i < whole; i += LANES)
    for (uint32_t k = 0; k < LANES; k++) sum[k] += (double)x[i + k] * (double)y[i + k];
  for (uint32_t i = whole; i < d; i++) sum[i - whole] += (double)x[i] * (double)y[i];
  return ((sum[0] + sum[4]) + (sum[1] + sum[5])) + ((sum[2] + sum[6]) + (sum[3] + sum[7]));
}

/* 1 / |x| of each row; 0 for rows of zeros and for what is no number, which then are like no other. */
static void inverse_lengths(const float *x, uint32_t n, uint32_t d, double *out) {
  for (uint32_t i = 0; i < n; i++) {
    const double square = dot(x + (size_t)i * d, x + (size_t)i * d, d);
    out[i] = square > 0.0 && isfinite(square) ? 1.0 / sqrt(square) : 0.0;
  }
}

static double cosine(const float *x, double by_x, const float *y, double by_y, uint32_t d) {
  return by_x == 0.0 || by_y == 0.0 ? 0.0 : dot(x, y, d) * by_x * by_y;
}

/* Random orders of the k columns of `score` (k × k) against their own. */
static bez_status draw_orders(const double *score, uint32_t k, uint64_t seed, uint64_t stream, double *p,
                              bez_error *err) {
  uint64_t *order = calloc(k, sizeof *order);
  bez_rng rng = bez_rng_make(seed, stream);
  double own = 0.0;
  uint32_t drawn = 0, as_good = 0;
  if (!order) return bez_fail_memory(err, k * sizeof *order);
  for (uint32_t i = 0; i < k; i++) {
    own += score[(size_t)i * k + i];
    order[i] = i;
  }
  own -= 1e-11 * (double)k; /* sums of the same numbers in another order are equal */
  while (drawn < BEZ_LINEAGE_DRAWS && as_good < ENOUGH) {
    double sum = 0.0;
    bez_rng_shuffle(&rng, order, k);
    for (uint32_t i = 0; i < k; i++) sum += score[(size_t)i * k + order[i]];
    drawn++;
    as_good += sum >= own;
  }
  *p = as_good == ENOUGH ? (double)as_good / drawn : (as_good + 1.0) / (drawn + 1.0);
  free(order);
  return BEZ_OK;
}

bez_status bez_lineage_aligned(const float *a, const float *b, uint32_t k, uint32_t d, uint64_t seed, uint64_t stream,
                               bez_lineage_result *out, bez_error *err) {
  double *score = calloc((size_t)k * k, sizeof *score), *by = calloc(2 * (size_t)k, sizeof *by);
  bez_status st = score && by ? BEZ_OK : bez_fail_memory(err, (size_t)k * (k + 2) * sizeof *score);
  *out = (bez_lineage_result){.p = 1.0};
  if (st != BEZ_OK) goto cleanup;
  inverse_lengths(a, k, d, by);
  inverse_lengths(b, k, d, by + k);
  for (uint32_t i = 0; i < k; i++)
    for (uint32_t j = 0; j < k; j++)
      score[(size_t)i * k + j] = cosine(a + (size_t)i * d, by[i], b + (size_t)j * d, by[k + j], d);
  for (uint32_t i = 0; i < k; i++) out->statistic += score[(size_t)i * k + i] / (double)k;
  BEZ_TRY(draw_orders(score, k, seed, stream, &out->p, err));
cleanup:
  free(score);
  free(by);
  return st;
}

/* ---- units in any order -------------------------------------------------------------------------------------------
 */

static void match(const float *a, const float *b, uint32_t d, uint32_t k, uint32_t n, double *by, uint32_t *best) {
  inverse_lengths(a, k, d, by);
  inverse_lengths(b, n, d, by + k);
  for (uint32_t i = 0; i < k; i++) {
    double most = 0.0;
    best[i] = UINT32_MAX; /* like none */
    for (uint32_t j = 0; j < n; j++) {
      const double c = fabs(cosine(a + (size_t)i * d, by[i], b + (size_t)j * d, by[k + j], d));
      if (c > most) best[i] = j;
      most = fmax(most, c);
    }
  }
}

bez_status bez_lineage_matched(const float *const a[2], const float *const b[2], const uint32_t d[2], uint32_t k,
                               uint32_t n, uint64_t seed, uint64_t stream, bez_lineage_result *out, bez_error *err) {
  double *score = calloc((size_t)k * k, sizeof *score), *by = calloc((size_t)k + n, sizeof *by);
  uint32_t *best = calloc(2 * (size_t)k, sizeof *best);
  bez_status st = score && by && best ? BEZ_OK : bez_fail_memory(err, (size_t)k * k * sizeof *score);
  *out = (bez_lineage_result){.p = 1.0};
  if (st != BEZ_OK) goto cleanup;
  for (unsigned side = 0; side < 2; side++) match(a[side], b[side], d[side], k, n, by, best + (size_t)side * k);
  for (uint32_t i = 0; i < k; i++)
    for (uint32_t j = 0; j < k; j++) score[(size_t)i * k + j] = best[i] != UINT32_MAX && best[i] == best[k + j];
  for (uint32_t i = 0; i < k; i++) out->statistic += score[(size_t)i * k + i] / (double)k;
  BEZ_TRY(draw_orders(score, k, seed, stream, &out->p, err));
cleanup:
  free(score);
  free(by);
  free(best);
  return st;
}
