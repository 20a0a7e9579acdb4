/* The body of the three kernels: WIDTH floats per register, GROUP rows at a time. Included once by each of them. */
#include <string.h>

#include "math/dense.h"

#define PARTS (BEZ_DENSE_LANES / WIDTH)
typedef float lanes __attribute__((vector_size(WIDTH * sizeof(float))));

static inline void load(const float *from, lanes to[PARTS]) {
  for (unsigned p = 0; p < PARTS; p++) memcpy(&to[p], from + p * WIDTH, sizeof to[p]);
}

static inline __attribute__((always_inline)) void rows_of(const bez_dense *d, uint32_t first, unsigned n) {
  lanes sum[GROUP][PARTS];
  for (unsigned i = 0; i < n; i++)
    for (unsigned p = 0; p < PARTS; p++) sum[i][p] = (lanes){0};
  const float *a = d->a + first * d->a_row, *b = d->b;
  for (uint32_t k = 0; k < d->depth; k++, a += d->a_step, b += d->b_step) {
    lanes x[PARTS];
    load(b, x);
#pragma GCC unroll 8
    for (unsigned i = 0; i < n; i++) {
      float factor = a[i * d->a_row];
#pragma GCC unroll 4
      for (unsigned p = 0; p < PARTS; p++) sum[i][p] = sum[i][p] + x[p] * factor;
    }
  }
  for (unsigned i = 0; i < n; i++)
    for (unsigned p = 0; p < PARTS; p++)
      memcpy(d->out + (first + i) * d->out_row + p * WIDTH, &sum[i][p], sizeof sum[i][p]);
}

static void multiply(const bez_dense *d) {
  uint32_t i = 0;
  for (; i + GROUP <= d->rows; i += GROUP) rows_of(d, i, GROUP);
  for (; i < d->rows; i++) rows_of(d, i, 1);
}
