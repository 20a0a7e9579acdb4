/* Sixteen floats or eight doubles per register. */
#include "math/distance.h"

#if defined(__x86_64__)
#include <immintrin.h>

/* Lanes added pairwise, in double: the order of distance_body.h. */
static inline __attribute__((always_inline)) double f32_quick(__m512 sum) {
  const __m512d low = _mm512_cvtps_pd(_mm512_castps512_ps256(sum));
  const __m512d high = _mm512_cvtps_pd(_mm512_extractf32x8_ps(sum, 1)), eight = _mm512_add_pd(low, high);
  const __m256d four = _mm256_add_pd(_mm512_castpd512_pd256(eight), _mm512_extractf64x4_pd(eight, 1));
  const __m128d two = _mm_add_pd(_mm256_castpd256_pd128(four), _mm256_extractf128_pd(four, 1));
  return two[0] + two[1];
}
#define REAL float
#define WIDTH 16u
#define SIDE 4u
#define LANES 16u
#define KERNEL bez_distance_f32_avx512
#define FMA(a, b, c) _mm512_fmadd_ps(a, b, c)
#define TOTAL(sum) f32_quick(sum[0])
#define PAIR bez_distance_pair_f32
#define NAME(x) f32_##x
#define LOW 1e-25
#define HIGH 1e30
#include "math/distance_body.h"

#define REAL double
#define WIDTH 8u
#define SIDE 4u
#define LANES 8u
#define KERNEL bez_distance_f64_avx512
#define FMA(a, b, c) _mm512_fmadd_pd(a, b, c)
#define TOTAL(sum) f64_total(sum)
#define PAIR bez_distance_pair_f64
#define NAME(x) f64_##x
#define LOW 1e-280
#define HIGH 1e300
#include "math/distance_body.h"
#endif
