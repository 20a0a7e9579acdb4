/* What the functions that unpack blocks share. For dequant*.c alone. */
#ifndef BEZ_MATH_DEQUANT_BLOCK_H
#define BEZ_MATH_DEQUANT_BLOCK_H

#include "math/dequant.h"
#include "math/half.h"

/* bez_unpack_NAME from `static void NAME(const uint8_t *block, float *out)`. */
#define BEZ_EACH_BLOCK(name, items, bytes)                                                                             \
  void bez_unpack_##name(const uint8_t *blocks, size_t n, float *out) {                                                \
    for (; n; n--, blocks += (bytes), out += (items)) name(blocks, out);                                               \
  }

static inline uint16_t bez_block_u16(const uint8_t *p) {
  return (uint16_t)(p[0] | p[1] << 8);
}

static inline float bez_block_half(const uint8_t *p) {
  return bez_half_float(bez_block_u16(p));
}

#endif
