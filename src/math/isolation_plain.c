#include "base/cpu.h"
#include "math/isolation.h"

#define LANES BEZ_ISOLATION_LANES

/* Sixteen rows at a time, so that the loads of one hide behind those of the others. */
void bez_isolation_plain(const bez_isolation_tree *tree, const float *x, uint32_t n_blocks, uint32_t n_cols,
                         double *sum) {
  for (uint32_t b = 0; b < n_blocks; b++, x += (uint64_t)n_cols * LANES, sum += LANES) {
    uint32_t place[LANES] = {0};
    for (uint32_t level = 0; level < tree->levels; level++) {
      const float *threshold = tree->threshold + (1u << level);
      const int32_t *feature = tree->feature + (1u << level);
      for (uint32_t k = 0; k < LANES; k++) {
        uint32_t p = place[k];
        place[k] = 2 * p + (x[(uint32_t)feature[p] + k] > threshold[p]);
      }
    }
    for (uint32_t k = 0; k < LANES; k++) sum[k] += (double)tree->depth[place[k]];
  }
}

bez_isolation_fn bez_isolation_choose(uint32_t cpu) {
#if defined(__x86_64__)
  if (cpu & BEZ_CPU_AVX512) return bez_isolation_avx512;
  if (cpu & BEZ_CPU_AVX2) return bez_isolation_avx2;
#endif
  return bez_isolation_plain;
}
