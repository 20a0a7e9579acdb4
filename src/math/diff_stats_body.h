/* The body of the three kernels. Sixteen floats are one value of the compiler's, whatever registers it is kept in. */
#include <string.h>

#include "math/diff_stats.h"
#include "math/lanes.h"

#define LANES 16u
#define RUN 4096u /* items whose sums are kept as floats */

typedef float floats __attribute__((vector_size(64)));
typedef int32_t ints __attribute__((vector_size(64)));

static inline __attribute__((always_inline)) void diff_run(float *a, const float *b, size_t n, float *columns,
                                                           bez_diff_sums *s, double *row) {
  floats base2 = {0}, diff2 = {0}, diff4 = {0};
  ints changed = {0}, odd = {0};
  for (size_t i = 0; i < n; i += LANES) {
    floats x = {0}, y = {0}, c = {0};
    const size_t left = n - i < LANES ? n - i : LANES;
    if (left == LANES) {
      memcpy(&x, a + i, sizeof x);
      memcpy(&y, b + i, sizeof y);
      memcpy(&c, columns + i, sizeof c);
    } else {
      memcpy(&x, a + i, left * sizeof *a);
      memcpy(&y, b + i, left * sizeof *b);
      memcpy(&c, columns + i, left * sizeof *columns);
    }
    floats d = x - y;
    const ints whole = ((ints)d & 0x7fffffff) < 0x7f800000, finite = ((ints)y & 0x7fffffff) < 0x7f800000;
    const ints differ = (ints)x != (ints)y;
    changed = changed + differ;
    odd = odd - (differ & ~whole);
    d = (floats)((ints)d & whole);
    y = (floats)((ints)y & finite);
    const floats square = d * d, scaled = square * 0x1p40f;
    base2 = base2 + y * y;
    diff2 = diff2 + square;
    diff4 = diff4 + scaled * scaled;
    c = c + square;
    memcpy(a + i, &d, left == LANES ? sizeof d : left * sizeof *a);
    memcpy(columns + i, &c, left == LANES ? sizeof c : left * sizeof *columns);
  }
  const double total = bez_lanes_f32(&diff2);
  *row += total;
  s->base2 += bez_lanes_f32(&base2);
  s->diff2 += total;
  s->diff4 += bez_lanes_f32(&diff4);
  s->changed += (uint64_t) - (int64_t)bez_lanes_i32(&changed);
  s->odd += bez_lanes_i32(&odd);
}

static double diff_row(float *a, const float *b, size_t n, float *columns, bez_diff_sums *sums) {
  double row = 0;
  for (size_t i = 0; i < n; i += RUN) diff_run(a + i, b + i, n - i < RUN ? n - i : RUN, columns + i, sums, &row);
  return row;
}
