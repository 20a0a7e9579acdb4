#include "math/isolation.h"

#if defined(__x86_64__)
#include <immintrin.h>

#define LANES BEZ_ISOLATION_LANES
#define GROUP 4u /* halves of blocks that go down side by side */

static inline __m256i step(__m256 threshold, __m256i feature, const float *x, __m256i lane, __m256i place) {
  __m256 value = _mm256_i32gather_ps(x, _mm256_add_epi32(feature, lane), 4);
  __m256i right = _mm256_castps_si256(_mm256_cmp_ps(value, threshold, _CMP_GT_OQ));
  return _mm256_sub_epi32(_mm256_add_epi32(place, place), right);
}

/* Levels of up to 8 nodes stand in registers, the others are gathered. */
static inline void descend(const bez_isolation_tree *tree, const float *const *x, __m256i *place) {
  const __m256i lane = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
  uint32_t level = 0;
  for (; level < tree->levels && level < 4; level++) {
    __m256 threshold = _mm256_loadu_ps(tree->threshold + (1u << level));
    __m256i feature = _mm256_loadu_si256((const __m256i *)(tree->feature + (1u << level)));
    for (uint32_t g = 0; g < GROUP; g++)
      place[g] = step(_mm256_permutevar8x32_ps(threshold, place[g]), _mm256_permutevar8x32_epi32(feature, place[g]),
                      x[g], lane, place[g]);
  }
  for (; level < tree->levels; level++)
    for (uint32_t g = 0; g < GROUP; g++)
      place[g] = step(_mm256_i32gather_ps(tree->threshold + (1u << level), place[g], 4),
                      _mm256_i32gather_epi32(tree->feature + (1u << level), place[g], 4), x[g], lane, place[g]);
}

static inline void add_depth(const float *depth, __m256i place, double *sum) {
  __m256 d = _mm256_i32gather_ps(depth, place, 4);
  __m256d low = _mm256_cvtps_pd(_mm256_castps256_ps128(d)), high = _mm256_cvtps_pd(_mm256_extractf128_ps(d, 1));
  _mm256_storeu_pd(sum, _mm256_add_pd(_mm256_loadu_pd(sum), low));
  _mm256_storeu_pd(sum + 4, _mm256_add_pd(_mm256_loadu_pd(sum + 4), high));
}

void bez_isolation_avx2(const bez_isolation_tree *tree, const float *x, uint32_t n_blocks, uint32_t n_cols,
                        double *sum) {
  for (uint32_t half = 0; half < 2 * n_blocks; half += GROUP) {
    const float *from[GROUP];
    __m256i place[GROUP];
    for (uint32_t g = 0; g < GROUP; g++) { /* behind the last block its last half once more, and not added */
      uint32_t h = half + g < 2 * n_blocks ? half + g : 2 * n_blocks - 1;
      from[g] = x + (uint64_t)(h / 2) * n_cols * LANES + (h % 2) * 8;
      place[g] = _mm256_setzero_si256();
    }
    descend(tree, from, place);
    for (uint32_t g = 0; g < GROUP && half + g < 2 * n_blocks; g++)
      add_depth(tree->depth, place[g], sum + (uint64_t)(half + g) * 8);
  }
}
#else
typedef int bez_isolation_avx2_is_for_x86_64;
#endif
