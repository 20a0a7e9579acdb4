#define DISTANCES bez_mahalanobis_plain
#define PRODUCTS bez_products_plain
#include "math/mahalanobis_body.h"

#include "base/cpu.h"

bez_mahalanobis bez_mahalanobis_choose(uint32_t cpu) {
#if defined(__x86_64__)
  if (cpu & BEZ_CPU_AVX512) return (bez_mahalanobis){bez_mahalanobis_avx512, bez_products_avx512};
  if (cpu & BEZ_CPU_AVX2) return (bez_mahalanobis){bez_mahalanobis_avx2, bez_products_avx2};
#endif
  return (bez_mahalanobis){bez_mahalanobis_plain, bez_products_plain};
}
