/* The DCT hash of a picture, in whole numbers. */
#include "math/phash.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define SIDE BEZ_PHASH_SIDE
#define LOW 8u    /* frequencies a side; the constant one is left out, which is the brightness */
#define FLAT 4u   /* variance of the levels below which a hash would be a hash of noise */
#define ONE 16384 /* the basis in units of 2^-14: no two mathematics libraries round it differently */

/* cos((2x + 1) u π / 64) for u = 1 … 8. */
static void make_basis(int32_t basis[LOW][SIDE]) {
  const double step = 3.14159265358979323846 / (2.0 * SIDE);
  for (unsigned u = 0; u < LOW; u++)
    for (unsigned x = 0; x < SIDE; x++) basis[u][x] = (int32_t)lround(ONE * cos((2 * x + 1) * (u + 1) * step));
}

static bool is_flat(const uint8_t *grey) {
  const uint64_t n = (uint64_t)SIDE * SIDE;
  uint64_t sum = 0, squares = 0;
  for (unsigned i = 0; i < n; i++) {
    sum += grey[i];
    squares += (uint64_t)grey[i] * grey[i];
  }
  return n * squares - sum * sum < n * n * FLAT;
}

static int by_value(const void *a, const void *b) {
  int64_t x, y;
  memcpy(&x, a, sizeof x);
  memcpy(&y, b, sizeof y);
  return (x > y) - (x < y);
}

bool bez_phash(const uint8_t grey[SIDE * SIDE], uint64_t *out) {
  int32_t basis[LOW][SIDE];
  int64_t rows[SIDE][LOW] = {{0}}, value[LOW * LOW] = {0}, sorted[LOW * LOW];
  *out = 0;
  if (is_flat(grey)) return false;
  make_basis(basis);
  for (unsigned y = 0; y < SIDE; y++)
    for (unsigned u = 0; u < LOW; u++)
      for (unsigned x = 0; x < SIDE; x++) rows[y][u] += (int64_t)grey[y * SIDE + x] * basis[u][x];
  for (unsigned v = 0; v < LOW; v++)
    for (unsigned u = 0; u < LOW; u++)
      for (unsigned y = 0; y < SIDE; y++) value[v * LOW + u] += rows[y][u] * basis[v][y];
  memcpy(sorted, value, sizeof sorted);
  qsort(sorted, LOW * LOW, sizeof *sorted, by_value);
  for (unsigned i = 0; i < LOW * LOW; i++)
    if (value[i] > sorted[LOW * LOW / 2 - 1]) *out |= UINT64_C(1) << i;
  return true;
}
