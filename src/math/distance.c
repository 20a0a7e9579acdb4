/* The careful pair, and the choice between kernels. */
#include "math/distance.h"

#include "base/cpu.h"

double bez_distance_pair_f32(const float *x, const float *y, size_t len) {
  double sum = 0;
  for (size_t c = 0; c < len; c++) {
    double d = (double)x[c] - (double)y[c];
    sum += d * d;
  }
  return sum;
}

double bez_distance_pair_f64(const double *x, const double *y, size_t len) {
  double sum = 0;
  for (size_t c = 0; c < len; c++) {
    double d = x[c] - y[c];
    sum += d * d;
  }
  return sum;
}

bez_distance_f32_fn bez_distance_f32(uint32_t cpu) {
#if defined(__x86_64__)
  if (cpu & BEZ_CPU_AVX512) return bez_distance_f32_avx512;
  if (cpu & BEZ_CPU_AVX2) return bez_distance_f32_avx2;
#endif
  return bez_distance_f32_plain;
}

bez_distance_f64_fn bez_distance_f64(uint32_t cpu) {
#if defined(__x86_64__)
  if (cpu & BEZ_CPU_AVX512) return bez_distance_f64_avx512;
  if (cpu & BEZ_CPU_AVX2) return bez_distance_f64_avx2;
#endif
  return bez_distance_f64_plain;
}
