/* Items of arrays as numbers. */
#include <math.h>
#include <string.h>

#include "format/array.h"

static double half_value(uint16_t bits) {
  int exponent = bits >> 10 & 31, fraction = bits & 1023;
  double v = exponent == 31 ? (fraction ? NAN : INFINITY)
                            : ldexp(exponent ? fraction + 1024 : fraction, (exponent ? exponent : 1) - 25);
  return bits >> 15 ? -v : v;
}

double bez_array_number(const bez_field *f, const uint8_t *item) {
  uint64_t bits = 0;
  memcpy(&bits, item, f->size);
  if (f->swap) bits = __builtin_bswap64(bits) >> (64 - 8 * f->size);
  if (f->kind == BEZ_ITEM_INT) {
    unsigned shift = 64 - 8 * (unsigned)f->size;
    return (double)((int64_t)(bits << shift) >> shift);
  }
  if (f->kind == BEZ_ITEM_BOOL) return bits ? 1 : 0;
  if (f->kind != BEZ_ITEM_FLOAT) return (double)bits;
  if (f->size == 2) return half_value((uint16_t)bits);
  double value;
  if (f->size == 4) {
    uint32_t low = (uint32_t)bits;
    float single;
    memcpy(&single, &low, sizeof single);
    return (double)single;
  }
  memcpy(&value, &bits, sizeof value);
  return value;
}
