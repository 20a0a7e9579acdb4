/* MinHash, 32 entries in two registers. */
#include "math/minhash.h"

#if defined(__x86_64__)
#include <immintrin.h>

static __m512i step(__m512i x, __m512i add, __m512i mul, __m512i mul2) {
  __m512i h = _mm512_mullo_epi32(_mm512_add_epi32(x, add), mul);
  return _mm512_mullo_epi32(_mm512_xor_si512(h, _mm512_srli_epi32(h, 15)), mul2);
}

void bez_minhash_lane_avx512(const bez_minhash *m, uint32_t first, const uint32_t *set, size_t n_set, uint32_t *out) {
  __m512i a0 = _mm512_loadu_si512(m->add + first), a1 = _mm512_loadu_si512(m->add + first + 16),
          m0 = _mm512_loadu_si512(m->mul + first), m1 = _mm512_loadu_si512(m->mul + first + 16),
          n0 = _mm512_loadu_si512(m->mul2 + first), n1 = _mm512_loadu_si512(m->mul2 + first + 16),
          l0 = _mm512_set1_epi32(-1), l1 = l0;
  for (size_t k = 0; k < n_set; k++) {
    __m512i x = _mm512_set1_epi32((int)set[k]);
    l0 = _mm512_min_epu32(l0, step(x, a0, m0, n0));
    l1 = _mm512_min_epu32(l1, step(x, a1, m1, n1));
  }
  _mm512_storeu_si512(out, l0);
  _mm512_storeu_si512(out + 16, l1);
}
#endif
