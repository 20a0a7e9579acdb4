/* The reference kernel, and the choice between kernels. */
#include "math/near.h"

#include "base/cpu.h"

int bez_near_plain(const bez_near_block *block, const bez_near_queries *queries, float *out, uint16_t *below) {
  int any = 0;
  for (unsigned q = 0; q < BEZ_NEAR_QUERIES; q++) {
    float *sum = out + q * BEZ_NEAR_LANES;
    for (unsigned l = 0; l < BEZ_NEAR_LANES; l++) sum[l] = 0.0f;
    for (uint32_t d = 0; d < block->n_num; d++)
      for (unsigned l = 0; l < BEZ_NEAR_LANES; l++) {
        float step = block->num[d * BEZ_NEAR_LANES + l] - queries->num[d * BEZ_NEAR_QUERIES + q];
        sum[l] += step * step;
      }
    for (uint32_t c = 0; c < block->n_cat; c++)
      for (unsigned l = 0; l < BEZ_NEAR_LANES; l++)
        if (block->cat[c * BEZ_NEAR_LANES + l] != queries->cat[c * BEZ_NEAR_QUERIES + q])
          sum[l] += block->cat_weight[c];
    below[q] = 0;
    for (unsigned l = 0; l < BEZ_NEAR_LANES; l++)
      if (sum[l] < queries->bound[q]) below[q] |= (uint16_t)(1u << l);
    any |= below[q];
  }
  return any != 0;
}

bez_near_fn bez_near_choose(uint32_t cpu) {
#if defined(__x86_64__)
  if (cpu & BEZ_CPU_AVX512) return bez_near_avx512;
  if (cpu & BEZ_CPU_AVX2) return bez_near_avx2;
#endif
  return bez_near_plain;
}
