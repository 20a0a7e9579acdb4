/* The reference kernel, and the choice between kernels. */
#include "math/dense.h"

#include "base/cpu.h"

#define WIDTH 4u
#define GROUP 2u
#include "math/dense_body.h"

void bez_dense_plain(const bez_dense *product) {
  multiply(product);
}

bez_dense_fn bez_dense_choose(uint32_t cpu) {
#if defined(__x86_64__)
  if (cpu & BEZ_CPU_AVX512) return bez_dense_avx512;
  if (cpu & BEZ_CPU_AVX2) return bez_dense_avx2;
#endif
  return bez_dense_plain;
}
