/* The body of the three kernels: WIDTH doubles per register. Included once by each of them. */
#include <stddef.h>
#include <string.h>

#include "math/gram.h"

#define PARTS (BEZ_GRAM_LANES / WIDTH)
#define GROUP 4u
typedef double lanes __attribute__((vector_size(WIDTH * sizeof(double))));

/* n ≤ GROUP columns from `first` against the eight from `at`. */
static inline __attribute__((always_inline)) void block(const double *x, uint32_t rows, uint32_t width, uint32_t first,
                                                        unsigned n, uint32_t at, double *out) {
  lanes sum[GROUP][PARTS];
  for (unsigned i = 0; i < n; i++) memcpy(sum[i], out + (size_t)i * width + at, sizeof sum[i]);
  for (uint32_t k = 0; k < rows; k++, x += width) {
    lanes y[PARTS];
    memcpy(y, x + at, sizeof y);
#pragma GCC unroll 4
    for (unsigned i = 0; i < n; i++) {
      double factor = x[first + i];
#pragma GCC unroll 4
      for (unsigned p = 0; p < PARTS; p++) sum[i][p] = sum[i][p] + y[p] * factor;
    }
  }
  for (unsigned i = 0; i < n; i++) memcpy(out + (size_t)i * width + at, sum[i], sizeof sum[i]);
}

static void accumulate(const double *x, uint32_t rows, uint32_t width, uint32_t first, uint32_t n, uint32_t last,
                       double *out) {
  for (uint32_t at = 0; at < last; at += BEZ_GRAM_LANES) {
    uint32_t i = 0;
    for (; i + GROUP <= n; i += GROUP) block(x, rows, width, first + i, GROUP, at, out + (size_t)i * width);
    for (; i < n; i++) block(x, rows, width, first + i, 1, at, out + (size_t)i * width);
  }
}
