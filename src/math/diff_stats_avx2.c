/* The kernel for AVX2; the bits are those of the plain one. */
#include "math/diff_stats.h"

#if defined(__x86_64__)
#include "math/diff_stats_body.h"

double bez_diff_row_avx2(float *a, const float *b, size_t n, float *columns, bez_diff_sums *sums) {
  return diff_row(a, b, n, columns, sums);
}
#endif
