/* The reference kernels, and the choice between kernels. */
#include "math/weighted.h"

#include "base/cpu.h"

#define WIDTH 2u
#define KERNELS bez_weighted_plain
#include "math/weighted_body.h"

const bez_weighted *bez_weighted_choose(uint32_t cpu) {
#if defined(__x86_64__)
  if (cpu & BEZ_CPU_AVX512) return &bez_weighted_avx512;
  if (cpu & BEZ_CPU_AVX2) return &bez_weighted_avx2;
#endif
  return &bez_weighted_plain;
}
