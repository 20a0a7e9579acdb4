/* Sums of the lanes that a kernel kept side by side: 64 bytes, added pairwise from the far half on, so that every
 * instruction set gives the same bits. */
#ifndef BEZ_MATH_LANES_H
#define BEZ_MATH_LANES_H

#include <stdint.h>
#include <string.h>

#if defined(__AVX512F__) && defined(__AVX512DQ__)
#include <immintrin.h>

static inline double bez_lanes_of_eight(__m512d eight) {
  const __m256d four = _mm256_add_pd(_mm512_castpd512_pd256(eight), _mm512_extractf64x4_pd(eight, 1));
  const __m128d two = _mm_add_pd(_mm256_castpd256_pd128(four), _mm256_extractf128_pd(four, 1));
  return two[0] + two[1];
}

/* Sixteen floats, in double. */
static inline double bez_lanes_f32(const void *lanes) {
  const __m512 sum = _mm512_loadu_ps(lanes);
  return bez_lanes_of_eight(
      _mm512_add_pd(_mm512_cvtps_pd(_mm512_castps512_ps256(sum)), _mm512_cvtps_pd(_mm512_extractf32x8_ps(sum, 1))));
}

static inline double bez_lanes_f64(const void *lanes) {
  return bez_lanes_of_eight(_mm512_loadu_pd(lanes));
}

static inline uint64_t bez_lanes_i32(const void *lanes) {
  return (uint64_t)_mm512_reduce_add_epi32(_mm512_loadu_si512(lanes));
}

static inline uint64_t bez_lanes_i64(const void *lanes) {
  return (uint64_t)_mm512_reduce_add_epi64(_mm512_loadu_si512(lanes));
}

#else

/* Eight doubles. */
static inline double bez_lanes_f64(const void *lanes) {
  double d[8];
  memcpy(d, lanes, sizeof d);
  return ((d[0] + d[4]) + (d[2] + d[6])) + ((d[1] + d[5]) + (d[3] + d[7]));
}

/* Sixteen floats, in double. */
static inline double bez_lanes_f32(const void *lanes) {
  float f[16];
  double d[8];
  memcpy(f, lanes, sizeof f);
  for (unsigned i = 0; i < 8; i++) d[i] = (double)f[i] + (double)f[i + 8];
  return bez_lanes_f64(d);
}

/* Sixteen, eight counts. */
static inline uint64_t bez_lanes_i32(const void *lanes) {
  int32_t n[16];
  int64_t sum = 0;
  memcpy(n, lanes, sizeof n);
  for (unsigned i = 0; i < 16; i++) sum += n[i];
  return (uint64_t)sum;
}

static inline uint64_t bez_lanes_i64(const void *lanes) {
  int64_t n[8], sum = 0;
  memcpy(n, lanes, sizeof n);
  for (unsigned i = 0; i < 8; i++) sum += n[i];
  return (uint64_t)sum;
}

#endif
#endif
