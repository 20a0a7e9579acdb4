/* The reference kernel, and the choice between kernels. */
#include "math/gram.h"

#include "base/cpu.h"

#define WIDTH 2u
#include "math/gram_body.h"

void bez_gram_plain(const double *x, uint32_t rows, uint32_t width, uint32_t first, uint32_t n, uint32_t last,
                    double *out) {
  accumulate(x, rows, width, first, n, last, out);
}

bez_gram_fn bez_gram_choose(uint32_t cpu) {
#if defined(__x86_64__)
  if (cpu & BEZ_CPU_AVX512) return bez_gram_avx512;
  if (cpu & BEZ_CPU_AVX2) return bez_gram_avx2;
#endif
  return bez_gram_plain;
}
