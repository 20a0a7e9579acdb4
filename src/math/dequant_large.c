/* Blocks of 256 numbers: parts of 16 or 32 with small scales of their own, which one or two halves scale in turn; and
 * the ternary types. */
#include "math/dequant_block.h"

static void q2_k(const uint8_t *b, float *x) {
  const uint8_t *scales = b, *q = b + 16;
  const float d = bez_block_half(b + 80), least = bez_block_half(b + 82);
  for (unsigned part = 0; part < 16; part++, x += 16) {
    const float scale = d * (float)(scales[part] & 15), low = least * (float)(scales[part] >> 4);
    const unsigned from = part / 8 * 32 + part % 2 * 16, shift = part % 8 / 2 * 2;
    for (unsigned j = 0; j < 16; j++) x[j] = scale * (float)(q[from + j] >> shift & 3) - low;
  }
}

/* Six bits: four of them in bytes 0 … 7, two in bytes 8 … 11. */
static int q3_scale(const uint8_t *s, unsigned part) {
  return ((s[part % 8] >> part / 8 * 4 & 15) | (s[8 + part % 4] >> part / 4 * 2 & 3) << 4) - 32;
}

static void q3_k(const uint8_t *b, float *x) {
  const uint8_t *third = b, *q = b + 32;
  const float d = bez_block_half(b + 108);
  for (unsigned part = 0; part < 16; part++, x += 16) {
    const float scale = d * (float)q3_scale(b + 96, part);
    const unsigned in = part % 2 * 16, from = part / 8 * 32 + in, shift = part % 8 / 2 * 2;
    for (unsigned j = 0; j < 16; j++) { /* the third bit says that nothing is taken off */
      int off = third[in + j] >> part / 2 & 1 ? 0 : 4;
      x[j] = scale * (float)((q[from + j] >> shift & 3) - off);
    }
  }
}

/* Six bits each: scale and least value of part k of eight. */
static void k_scales(const uint8_t *s, unsigned k, int *scale, int *low) {
  if (k < 4) {
    *scale = s[k] & 63;
    *low = s[k + 4] & 63;
  } else {
    *scale = (s[k + 4] & 15) | s[k - 4] >> 6 << 4;
    *low = s[k + 4] >> 4 | s[k] >> 6 << 4;
  }
}

static void q4_k(const uint8_t *b, float *x) {
  const float d = bez_block_half(b), least = bez_block_half(b + 2);
  for (unsigned k = 0; k < 8; k++, x += 32) {
    int scale, low;
    k_scales(b + 4, k, &scale, &low);
    const float by = d * (float)scale, less = least * (float)low;
    const uint8_t *q = b + 16 + 32 * (size_t)(k / 2);
    for (unsigned j = 0; j < 32; j++) x[j] = by * (float)(q[j] >> 4 * (k % 2) & 15) - less;
  }
}

static void q5_k(const uint8_t *b, float *x) {
  const float d = bez_block_half(b), least = bez_block_half(b + 2);
  const uint8_t *fifth = b + 16;
  for (unsigned k = 0; k < 8; k++, x += 32) {
    int scale, low;
    k_scales(b + 4, k, &scale, &low);
    const float by = d * (float)scale, less = least * (float)low;
    const uint8_t *q = b + 48 + 32 * (size_t)(k / 2);
    for (unsigned j = 0; j < 32; j++) {
      int level = (q[j] >> 4 * (k % 2) & 15) | (fifth[j] >> k & 1) << 4;
      x[j] = by * (float)level - less;
    }
  }
}

static void q6_k(const uint8_t *b, float *x) {
  const uint8_t *lower = b, *upper = b + 128, *scales = b + 192;
  const float d = bez_block_half(b + 208);
  for (unsigned k = 0; k < 8; k++, x += 32) { /* 32 numbers, two scales */
    const uint8_t *l = lower + k / 4 * 64 + k % 2 * 32, *u = upper + k / 4 * 32;
    for (unsigned j = 0; j < 32; j++) {
      int level = (l[j] >> k % 4 / 2 * 4 & 15) | (u[j] >> k % 4 * 2 & 3) << 4;
      x[j] = d * (float)(int8_t)scales[2 * k + j / 16] * (float)(level - 32);
    }
  }
}

static void q8_k(const uint8_t *b, float *x) { /* behind the numbers: sums, for products */
  float d;
  bez_unpack_f32(b, 1, &d);
  for (unsigned j = 0; j < 256; j++) x[j] = d * (float)(int8_t)b[4 + j];
}

/* Five ternary digits in a byte that stands for a fraction: times 3 ^ digit, the digit is what passes 1. */
static void trits(const uint8_t *q, unsigned n, unsigned digits, float d, float *x) {
  static const uint8_t power[5] = {1, 3, 9, 27, 81};
  for (unsigned k = 0; k < digits; k++)
    for (unsigned j = 0; j < n; j++) {
      const uint8_t fraction = (uint8_t)(q[j] * power[k]);
      x[k * n + j] = d * (float)((fraction * 3 >> 8) - 1);
    }
}

static void tq1_0(const uint8_t *b, float *x) {
  const float d = bez_block_half(b + 52);
  trits(b, 32, 5, d, x);
  trits(b + 32, 16, 5, d, x + 160);
  trits(b + 48, 4, 4, d, x + 240);
}

static void tq2_0(const uint8_t *b, float *x) {
  const float d = bez_block_half(b + 64);
  for (unsigned k = 0; k < 8; k++, x += 32)
    for (unsigned j = 0; j < 32; j++) x[j] = d * (float)((b[k / 4 * 32 + j] >> k % 4 * 2 & 3) - 1);
}

BEZ_EACH_BLOCK(q2_k, 256, 84)
BEZ_EACH_BLOCK(q3_k, 256, 110)
BEZ_EACH_BLOCK(q4_k, 256, 144)
BEZ_EACH_BLOCK(q5_k, 256, 176)
BEZ_EACH_BLOCK(q6_k, 256, 210)
BEZ_EACH_BLOCK(q8_k, 256, 292)
BEZ_EACH_BLOCK(tq1_0, 256, 54)
BEZ_EACH_BLOCK(tq2_0, 256, 66)
