/* Four queries at a time against 2 × 8 lanes; the bits are those of the plain kernel. */
#include "math/near.h"

#if defined(__x86_64__)
#include <immintrin.h>

#define GROUP 4u

static unsigned four(const bez_near_block *block, const bez_near_queries *queries, unsigned from, float *out,
                     uint16_t *below) {
  __m256 low[GROUP], high[GROUP];
  for (unsigned q = 0; q < GROUP; q++) low[q] = high[q] = _mm256_setzero_ps();
  const float *query = queries->num + from;
  for (uint32_t d = 0; d < block->n_num; d++, query += BEZ_NEAR_QUERIES) {
    const float *at = block->num + (uint64_t)d * BEZ_NEAR_LANES;
    __m256 x0 = _mm256_loadu_ps(at), x1 = _mm256_loadu_ps(at + 8);
#pragma GCC unroll 4
    for (unsigned q = 0; q < GROUP; q++) {
      __m256 y = _mm256_set1_ps(query[q]);
      __m256 s0 = _mm256_sub_ps(x0, y), s1 = _mm256_sub_ps(x1, y);
      low[q] = _mm256_add_ps(low[q], _mm256_mul_ps(s0, s0));
      high[q] = _mm256_add_ps(high[q], _mm256_mul_ps(s1, s1));
    }
  }
  const uint32_t *code = queries->cat + from;
  for (uint32_t c = 0; c < block->n_cat; c++, code += BEZ_NEAR_QUERIES) {
    const uint32_t *at = block->cat + (uint64_t)c * BEZ_NEAR_LANES;
    __m256i x0 = _mm256_loadu_si256((const __m256i *)at), x1 = _mm256_loadu_si256((const __m256i *)(at + 8));
    __m256 weight = _mm256_set1_ps(block->cat_weight[c]);
#pragma GCC unroll 4
    for (unsigned q = 0; q < GROUP; q++) {
      __m256i y = _mm256_set1_epi32((int)code[q]);
      __m256 same0 = _mm256_castsi256_ps(_mm256_cmpeq_epi32(x0, y));
      __m256 same1 = _mm256_castsi256_ps(_mm256_cmpeq_epi32(x1, y));
      low[q] = _mm256_blendv_ps(_mm256_add_ps(low[q], weight), low[q], same0);
      high[q] = _mm256_blendv_ps(_mm256_add_ps(high[q], weight), high[q], same1);
    }
  }
  unsigned any = 0;
  for (unsigned q = 0; q < GROUP; q++) {
    __m256 bound = _mm256_set1_ps(queries->bound[from + q]);
    unsigned m0 = (unsigned)_mm256_movemask_ps(_mm256_cmp_ps(low[q], bound, _CMP_LT_OQ));
    unsigned m1 = (unsigned)_mm256_movemask_ps(_mm256_cmp_ps(high[q], bound, _CMP_LT_OQ));
    below[from + q] = (uint16_t)(m0 | m1 << 8);
    any |= m0 | m1;
    _mm256_storeu_ps(out + (from + q) * BEZ_NEAR_LANES, low[q]);
    _mm256_storeu_ps(out + (from + q) * BEZ_NEAR_LANES + 8, high[q]);
  }
  return any;
}

int bez_near_avx2(const bez_near_block *block, const bez_near_queries *queries, float *out, uint16_t *below) {
  unsigned any = four(block, queries, 0, out, below);
  any |= four(block, queries, GROUP, out, below);
  return any != 0;
}
#endif
