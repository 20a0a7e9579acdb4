#include "math/isolation.h"

#if defined(__x86_64__)
#include <immintrin.h>

#define LANES BEZ_ISOLATION_LANES
#define GROUP 4u /* blocks that go down side by side */

static inline __m512i step(__m512 threshold, __m512i feature, const float *x, __m512i lane, __m512i place) {
  __m512 value = _mm512_i32gather_ps(_mm512_add_epi32(feature, lane), x, 4);
  __mmask16 right = _mm512_cmp_ps_mask(value, threshold, _CMP_GT_OQ);
  __m512i left = _mm512_add_epi32(place, place);
  return _mm512_mask_add_epi32(left, right, left, _mm512_set1_epi32(1));
}

/* A level of up to 16 nodes stands in one register … */
static inline void level_of_16(const float *threshold, const int32_t *feature, const float *const *x, __m512i lane,
                               __m512i *place) {
  __m512 t = _mm512_loadu_ps(threshold);
  __m512i f = _mm512_loadu_si512(feature);
  for (uint32_t g = 0; g < GROUP; g++)
    place[g] = step(_mm512_permutexvar_ps(place[g], t), _mm512_permutexvar_epi32(place[g], f), x[g], lane, place[g]);
}

/* … of 32 in two, of 64 in four. */
static inline void level_of_32(const float *threshold, const int32_t *feature, const float *const *x, __m512i lane,
                               __m512i *place) {
  __m512 t0 = _mm512_loadu_ps(threshold), t1 = _mm512_loadu_ps(threshold + 16);
  __m512i f0 = _mm512_loadu_si512(feature), f1 = _mm512_loadu_si512(feature + 16);
  for (uint32_t g = 0; g < GROUP; g++)
    place[g] = step(_mm512_permutex2var_ps(t0, place[g], t1), _mm512_permutex2var_epi32(f0, place[g], f1), x[g], lane,
                    place[g]);
}

static inline void level_of_64(const float *threshold, const int32_t *feature, const float *const *x, __m512i lane,
                               __m512i *place) {
  __m512 t0 = _mm512_loadu_ps(threshold), t1 = _mm512_loadu_ps(threshold + 16);
  __m512 t2 = _mm512_loadu_ps(threshold + 32), t3 = _mm512_loadu_ps(threshold + 48);
  __m512i f0 = _mm512_loadu_si512(feature), f1 = _mm512_loadu_si512(feature + 16);
  __m512i f2 = _mm512_loadu_si512(feature + 32), f3 = _mm512_loadu_si512(feature + 48);
  for (uint32_t g = 0; g < GROUP; g++) {
    __m512i p = place[g];
    __mmask16 upper = _mm512_test_epi32_mask(p, _mm512_set1_epi32(32));
    __m512 t = _mm512_mask_blend_ps(upper, _mm512_permutex2var_ps(t0, p, t1), _mm512_permutex2var_ps(t2, p, t3));
    __m512i f =
        _mm512_mask_blend_epi32(upper, _mm512_permutex2var_epi32(f0, p, f1), _mm512_permutex2var_epi32(f2, p, f3));
    place[g] = step(t, f, x[g], lane, p);
  }
}

static inline void descend(const bez_isolation_tree *tree, const float *const *x, __m512i *place) {
  const __m512i lane = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
  for (uint32_t level = 0; level < tree->levels; level++) {
    const float *threshold = tree->threshold + (1u << level);
    const int32_t *feature = tree->feature + (1u << level);
    if (level <= 4) {
      level_of_16(threshold, feature, x, lane, place);
    } else if (level == 5) {
      level_of_32(threshold, feature, x, lane, place);
    } else if (level == 6) {
      level_of_64(threshold, feature, x, lane, place);
    } else {
      for (uint32_t g = 0; g < GROUP; g++)
        place[g] = step(_mm512_i32gather_ps(place[g], threshold, 4), _mm512_i32gather_epi32(place[g], feature, 4), x[g],
                        lane, place[g]);
    }
  }
}

static inline void add_depth(const float *depth, __m512i place, double *sum) {
  __m512 d = _mm512_i32gather_ps(place, depth, 4);
  __m512d low = _mm512_cvtps_pd(_mm512_castps512_ps256(d)), high = _mm512_cvtps_pd(_mm512_extractf32x8_ps(d, 1));
  _mm512_storeu_pd(sum, _mm512_add_pd(_mm512_loadu_pd(sum), low));
  _mm512_storeu_pd(sum + 8, _mm512_add_pd(_mm512_loadu_pd(sum + 8), high));
}

void bez_isolation_avx512(const bez_isolation_tree *tree, const float *x, uint32_t n_blocks, uint32_t n_cols,
                          double *sum) {
  for (uint32_t block = 0; block < n_blocks; block += GROUP) {
    const float *from[GROUP];
    __m512i place[GROUP];
    for (uint32_t g = 0; g < GROUP; g++) { /* behind the last block that one once more, and not added */
      uint32_t b = block + g < n_blocks ? block + g : n_blocks - 1;
      from[g] = x + (uint64_t)b * n_cols * LANES;
      place[g] = _mm512_setzero_si512();
    }
    descend(tree, from, place);
    for (uint32_t g = 0; g < GROUP && block + g < n_blocks; g++)
      add_depth(tree->depth, place[g], sum + (uint64_t)(block + g) * LANES);
  }
}
#else
typedef int bez_isolation_avx512_is_for_x86_64;
#endif
