/* Cosines between rows. As a rule they come from lengths and distances, which are there already. The product of a very
 * long row and a short one drowns in the square of the long one, so that an attacker could take any cosine by sending
 * 1e16 times the honest length; such pairs are multiplied out. */
#include "aggregate/cosine.h"

#include <math.h>
#include <stdlib.h>

#include "base/error.h"

#define MOST_RATIO 1e4 /* of squared lengths */
#define LANES 8u

bool bez_cosine_of(double a, double b, double apart, double *cosine) {
  *cosine = a > 0 && b > 0 ? fmax(-1, fmin(1, (a + b - apart) / 2 / sqrt(a) / sqrt(b))) : 0;
  return !(a > 0 && b > 0) || (a <= MOST_RATIO * b && b <= MOST_RATIO * a);
}

typedef struct product_pass {
  const bez_row_pair *pairs;
  size_t n_pairs;
  const double *inverse; /* of each row's length */
  double *part;          /* blocks × pairs */
} product_pass;

/* Both rows at length 1, so that nothing overflows; lanes in fixed order. */
static double product_f32(const float *a, const float *b, double by_a, double by_b, size_t len) {
  double lane[LANES] = {0}, sum = 0;
  for (size_t c = 0; c < len; c++) lane[c % LANES] += (double)a[c] * by_a * ((double)b[c] * by_b);
  for (uint32_t l = 0; l < LANES; l++) sum += lane[l];
  return sum;
}

static double product_f64(const double *a, const double *b, double by_a, double by_b, size_t len) {
  double lane[LANES] = {0}, sum = 0;
  for (size_t c = 0; c < len; c++) lane[c % LANES] += a[c] * by_a * (b[c] * by_b);
  for (uint32_t l = 0; l < LANES; l++) sum += lane[l];
  return sum;
}

static bez_status product_tile(void *ctx, const bez_tile *tile, uint32_t block, unsigned worker, bez_error *err) {
  const product_pass *p = ctx;
  double *out = p->part + (size_t)block * p->n_pairs;
  (void)worker, (void)err;
  for (size_t k = 0; k < p->n_pairs; k++) {
    const uint32_t a = p->pairs[k].a, b = p->pairs[k].b;
    out[k] += tile->wide ? product_f64(tile->row[a], tile->row[b], p->inverse[a], p->inverse[b], tile->len)
                         : product_f32(tile->row[a], tile->row[b], p->inverse[a], p->inverse[b], tile->len);
  }
  return BEZ_OK;
}

bez_status bez_rows_cosine_pairs(bez_update_rows *rows, const bez_row_pair *pairs, size_t n_pairs, const double *square,
                                 double *cosine, bez_error *err) {
  if (!n_pairs) return BEZ_OK;
  bez_status st = BEZ_OK;
  const uint32_t n = bez_rows_count(rows), n_blocks = bez_rows_blocks(n_pairs * sizeof(double));
  double *inverse = calloc(n, sizeof *inverse), *part = calloc(n_blocks, n_pairs * sizeof *part);
  if (!inverse || !part) BEZ_TRY(bez_fail_memory(err, n_blocks * n_pairs * sizeof *part));
  for (uint32_t i = 0; i < n; i++) inverse[i] = square[i] > 0 ? 1 / sqrt(square[i]) : 0;
  product_pass p = {.pairs = pairs, .n_pairs = n_pairs, .inverse = inverse, .part = part};
  BEZ_TRY(bez_rows_pass(rows, n_blocks, product_tile, &p, err));
  for (size_t k = 0; k < n_pairs; k++) {
    double sum = 0;
    for (uint32_t b = 0; b < n_blocks; b++) sum += part[(size_t)b * n_pairs + k];
    cosine[k] = fmax(-1, fmin(1, sum));
  }
cleanup:
  free(inverse);
  free(part);
  return st;
}

bez_status bez_rows_cosines(bez_update_rows *rows, const double *distance, double *cosine, bez_error *err) {
  bez_status st = BEZ_OK;
  const uint32_t n = bez_rows_count(rows), side = n + 1;
  size_t doubtful = 0;
  double *square = calloc(side, sizeof *square), *exact = calloc((size_t)n * n / 2 + 1, sizeof *exact);
  bez_row_pair *pairs = calloc((size_t)n * n / 2 + 1, sizeof *pairs);
  if (!square || !exact || !pairs) BEZ_TRY(bez_fail_memory(err, (size_t)n * n * sizeof *pairs));
  for (uint32_t i = 0; i < n; i++) square[i] = distance[(size_t)i * side + n];
  for (uint32_t i = 0; i < n; i++) {
    cosine[(size_t)i * n + i] = 1;
    for (uint32_t j = 0; j < i; j++) {
      double value;
      if (!bez_cosine_of(square[i], square[j], distance[(size_t)i * side + j], &value))
        pairs[doubtful++] = (bez_row_pair){i, j};
      cosine[(size_t)i * n + j] = cosine[(size_t)j * n + i] = value;
    }
  }
  BEZ_TRY(bez_rows_cosine_pairs(rows, pairs, doubtful, square, exact, err));
  for (size_t k = 0; k < doubtful; k++)
    cosine[(size_t)pairs[k].a * n + pairs[k].b] = cosine[(size_t)pairs[k].b * n + pairs[k].a] = exact[k];
cleanup:
  free(square);
  free(exact);
  free(pairs);
  return st;
}
