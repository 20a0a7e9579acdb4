/* The table of types, and the plain ones. */
#include "math/dequant.h"

#include <string.h>

#include "math/half.h"

#define BEZ_NUMBER_TYPE(name, kind, items, bytes, unpack) {name, kind, items, bytes, bez_unpack_##unpack},
static const bez_number_type types[] = {
#include "math/dequant.def"
};
#undef BEZ_NUMBER_TYPE

const bez_number_type *bez_number_type_find(const char *name) {
  for (size_t i = 0; i < sizeof types / sizeof *types; i++)
    if (!strcmp(types[i].name, name)) return &types[i];
  return NULL;
}

/* The hosts of this program are little endian, as the files are. */
#define PLAIN(name, type)                                                                                              \
  void bez_unpack_##name(const uint8_t *p, size_t n, float *out) {                                                     \
    for (size_t i = 0; i < n; i++) {                                                                                   \
      type x;                                                                                                          \
      memcpy(&x, p + i * sizeof x, sizeof x);                                                                          \
      out[i] = (float)x;                                                                                               \
    }                                                                                                                  \
  }

PLAIN(f64, double)
PLAIN(i8, int8_t)
PLAIN(i16, int16_t)
PLAIN(i32, int32_t)
PLAIN(i64, int64_t)
PLAIN(u8, uint8_t)
PLAIN(u16, uint16_t)
PLAIN(u32, uint32_t)
PLAIN(u64, uint64_t)

void bez_unpack_f32(const uint8_t *p, size_t n, float *out) {
  memcpy(out, p, n * sizeof *out);
}

void bez_unpack_bool(const uint8_t *p, size_t n, float *out) {
  for (size_t i = 0; i < n; i++) out[i] = p[i] ? 1.f : 0.f;
}

void bez_unpack_bf16(const uint8_t *p, size_t n, float *out) {
  for (size_t i = 0; i < n; i++) {
    uint16_t b;
    memcpy(&b, p + 2 * i, sizeof b);
    out[i] = bez_bfloat_float(b);
  }
}

void bez_unpack_f16(const uint8_t *p, size_t n, float *out) {
  for (size_t i = 0; i < n; i++) {
    uint16_t h;
    memcpy(&h, p + 2 * i, sizeof h);
    out[i] = bez_half_float(h);
  }
}

/* A half of which the lower byte was left out. */
void bez_unpack_f8_e5m2(const uint8_t *p, size_t n, float *out) {
  for (size_t i = 0; i < n; i++) out[i] = bez_half_float((uint16_t)(p[i] << 8));
}

/* Four bits of exponent, bias 7; all ones is NaN, and there is no infinity. */
void bez_unpack_f8_e4m3(const uint8_t *p, size_t n, float *out) {
  for (size_t i = 0; i < n; i++) {
    uint32_t sign = (uint32_t)(p[i] & 0x80u) << 24, rest = p[i] & 0x7fu;
    float x = bez_bits_float(rest << 20) * 0x1p120f; /* exact, for subnormal numbers too */
    out[i] = bez_bits_float(sign | (rest == 0x7f ? 0x7fc00000u : bez_float_bits(x)));
  }
}

/* A power of two, the scale of a block; all ones is NaN. */
void bez_unpack_f8_e8m0(const uint8_t *p, size_t n, float *out) {
  for (size_t i = 0; i < n; i++) {
    uint32_t bits = p[i] ? (uint32_t)p[i] << 23 : 0x00400000u;
    out[i] = bez_bits_float(p[i] == 0xff ? 0x7fc00000u : bits);
  }
}
