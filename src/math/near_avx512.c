/* Eight queries at a time against 16 lanes: one load of the block serves eight accumulators. No fused multiply-add,
 * so that the bits are those of the plain kernel. */
#include "math/near.h"

#if defined(__x86_64__)
#include <immintrin.h>

int bez_near_avx512(const bez_near_block *block, const bez_near_queries *queries, float *out, uint16_t *below) {
  __m512 sum[BEZ_NEAR_QUERIES];
  for (unsigned q = 0; q < BEZ_NEAR_QUERIES; q++) sum[q] = _mm512_setzero_ps();
  const float *query = queries->num;
  for (uint32_t d = 0; d < block->n_num; d++, query += BEZ_NEAR_QUERIES) {
    __m512 x = _mm512_loadu_ps(block->num + (uint64_t)d * BEZ_NEAR_LANES);
#pragma GCC unroll 8
    for (unsigned q = 0; q < BEZ_NEAR_QUERIES; q++) {
      __m512 step = _mm512_sub_ps(x, _mm512_set1_ps(query[q]));
      sum[q] = _mm512_add_ps(sum[q], _mm512_mul_ps(step, step));
    }
  }
  const uint32_t *code = queries->cat;
  for (uint32_t c = 0; c < block->n_cat; c++, code += BEZ_NEAR_QUERIES) {
    __m512i x = _mm512_loadu_si512(block->cat + (uint64_t)c * BEZ_NEAR_LANES);
    __m512 weight = _mm512_set1_ps(block->cat_weight[c]);
#pragma GCC unroll 8
    for (unsigned q = 0; q < BEZ_NEAR_QUERIES; q++) {
      __mmask16 differs = _mm512_cmpneq_epi32_mask(x, _mm512_set1_epi32((int)code[q]));
      sum[q] = _mm512_mask_add_ps(sum[q], differs, sum[q], weight);
    }
  }
  unsigned any = 0;
#pragma GCC unroll 8
  for (unsigned q = 0; q < BEZ_NEAR_QUERIES; q++) {
    below[q] = _mm512_cmp_ps_mask(sum[q], _mm512_set1_ps(queries->bound[q]), _CMP_LT_OQ);
    any |= below[q];
    if (below[q]) _mm512_storeu_ps(out + q * BEZ_NEAR_LANES, sum[q]);
  }
  return any != 0;
}
#endif
