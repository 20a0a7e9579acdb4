/* Half precision (IEEE 754 binary16) and bfloat16 as their bits; rounding to nearest, ties to even. Thread safe. */
#ifndef BEZ_MATH_HALF_H
#define BEZ_MATH_HALF_H

#include <stdint.h>
#include <string.h>

static inline float bez_bits_float(uint32_t bits) {
  float x;
  memcpy(&x, &bits, sizeof x);
  return x;
}

static inline uint32_t bez_float_bits(float x) {
  uint32_t bits;
  memcpy(&bits, &x, sizeof bits);
  return bits;
}

static inline float bez_half_float(uint16_t h) {
  uint32_t sign = (uint32_t)(h & 0x8000u) << 16, rest = (uint32_t)(h & 0x7fffu) << 13;
  if ((h & 0x7c00u) == 0x7c00u) return bez_bits_float(sign | rest | 0x7f800000u); /* infinity, NaN */
  float x = bez_bits_float(rest) * 0x1p112f;                                      /* exact, for subnormal numbers too */
  return bez_bits_float(sign | bez_float_bits(x));
}

/* Values beyond the largest half become infinity. */
static inline uint16_t bez_float_half(float x) {
  uint32_t bits = bez_float_bits(x), sign = bits >> 16 & 0x8000u, magnitude = bits & 0x7fffffffu;
  if (magnitude > 0x7f800000u) return (uint16_t)(sign | 0x7e00u);
  if (magnitude >= 0x477ff000u) return (uint16_t)(sign | 0x7c00u);
  if (magnitude < 0x38800000u) { /* a subnormal half: adding a half lets the sum round at its last place */
    float sum = bez_bits_float(magnitude) + .5f;
    return (uint16_t)(sign | (bez_float_bits(sum) - 0x3f000000u));
  }
  uint32_t odd = magnitude >> 13 & 1;
  return (uint16_t)(sign | ((magnitude - 0x38000000u + 0xfffu + odd) >> 13));
}

static inline float bez_bfloat_float(uint16_t b) {
  return bez_bits_float((uint32_t)b << 16);
}

static inline uint16_t bez_float_bfloat(float x) {
  uint32_t bits = bez_float_bits(x);
  if ((bits & 0x7fffffffu) > 0x7f800000u) return (uint16_t)(bits >> 16 | 0x40u);
  return (uint16_t)((bits + 0x7fffu + (bits >> 16 & 1)) >> 16);
}

#endif
