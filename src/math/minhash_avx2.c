/* MinHash, 32 entries in four registers. */
#include "math/minhash.h"

#if defined(__x86_64__)
#include <immintrin.h>

static __m256i load(const uint32_t *p) {
  return _mm256_loadu_si256((const __m256i *)(const void *)p);
}

static __m256i step(__m256i x, __m256i add, __m256i mul, __m256i mul2) {
  __m256i h = _mm256_mullo_epi32(_mm256_add_epi32(x, add), mul);
  return _mm256_mullo_epi32(_mm256_xor_si256(h, _mm256_srli_epi32(h, 15)), mul2);
}

void bez_minhash_lane_avx2(const bez_minhash *m, uint32_t first, const uint32_t *set, size_t n_set, uint32_t *out) {
  for (uint32_t i = 0; i < BEZ_MINHASH_LANE; i += 16) {
    const uint32_t at = first + i;
    __m256i a0 = load(m->add + at), a1 = load(m->add + at + 8), m0 = load(m->mul + at), m1 = load(m->mul + at + 8),
            n0 = load(m->mul2 + at), n1 = load(m->mul2 + at + 8), l0 = _mm256_set1_epi32(-1), l1 = l0;
    for (size_t k = 0; k < n_set; k++) {
      __m256i x = _mm256_set1_epi32((int)set[k]);
      l0 = _mm256_min_epu32(l0, step(x, a0, m0, n0));
      l1 = _mm256_min_epu32(l1, step(x, a1, m1, n1));
    }
    _mm256_storeu_si256((__m256i *)(void *)(out + i), l0);
    _mm256_storeu_si256((__m256i *)(void *)(out + i + 8), l1);
  }
}
#endif
