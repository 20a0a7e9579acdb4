/* Blocks of 32 (64) numbers: one scale for all of them, or a scale and a least value. Numbers j and j + half of the
 * block share a byte. */
#include "math/dequant_block.h"

static void q4_0(const uint8_t *b, float *x) {
  const float d = bez_block_half(b);
  for (unsigned j = 0; j < 16; j++) {
    x[j] = (float)((b[2 + j] & 15) - 8) * d;
    x[j + 16] = (float)((b[2 + j] >> 4) - 8) * d;
  }
}

static void q4_1(const uint8_t *b, float *x) {
  const float d = bez_block_half(b), least = bez_block_half(b + 2);
  for (unsigned j = 0; j < 16; j++) {
    x[j] = (float)(b[4 + j] & 15) * d + least;
    x[j + 16] = (float)(b[4 + j] >> 4) * d + least;
  }
}

/* The fifth bits of 32 numbers stand by themselves. */
static int fifth(const uint8_t *bits, unsigned j) {
  return (bits[j / 8] >> j % 8 & 1) << 4;
}

static void q5_0(const uint8_t *b, float *x) {
  const float d = bez_block_half(b);
  for (unsigned j = 0; j < 16; j++) {
    x[j] = (float)(((b[6 + j] & 15) | fifth(b + 2, j)) - 16) * d;
    x[j + 16] = (float)((b[6 + j] >> 4 | fifth(b + 2, j + 16)) - 16) * d;
  }
}

static void q5_1(const uint8_t *b, float *x) {
  const float d = bez_block_half(b), least = bez_block_half(b + 2);
  for (unsigned j = 0; j < 16; j++) {
    x[j] = (float)((b[8 + j] & 15) | fifth(b + 4, j)) * d + least;
    x[j + 16] = (float)(b[8 + j] >> 4 | fifth(b + 4, j + 16)) * d + least;
  }
}

static void q8_0(const uint8_t *b, float *x) {
  const float d = bez_block_half(b);
  for (unsigned j = 0; j < 32; j++) x[j] = (float)(int8_t)b[2 + j] * d;
}

static void q8_1(const uint8_t *b, float *x) { /* behind the scale: the sum, for products */
  const float d = bez_block_half(b);
  for (unsigned j = 0; j < 32; j++) x[j] = (float)(int8_t)b[4 + j] * d;
}

/* Four bits that choose from sixteen values, spaced like a normal distribution … */
static const int8_t normal_levels[16] = {-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113};
/* … or twice what E2M1 stands for. */
static const int8_t e2m1_doubled[16] = {0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12};

static void levels(const int8_t level[16], float d, const uint8_t *q, unsigned half, float *x) {
  for (unsigned j = 0; j < half; j++) {
    x[j] = (float)level[q[j] & 15] * d;
    x[j + half] = (float)level[q[j] >> 4] * d;
  }
}

static void iq4_nl(const uint8_t *b, float *x) {
  levels(normal_levels, bez_block_half(b), b + 2, 16, x);
}

/* 256 numbers in eight blocks; the upper two bits of their scales stand apart. */
static void iq4_xs(const uint8_t *b, float *x) {
  const float d = bez_block_half(b);
  const unsigned upper = bez_block_u16(b + 2);
  for (unsigned k = 0; k < 8; k++) {
    int scale = (b[4 + k / 2] >> 4 * (k % 2) & 15) | (int)(upper >> 2 * k & 3) << 4;
    levels(normal_levels, d * (float)(scale - 32), b + 8 + 16 * (size_t)k, 16, x + 32 * (size_t)k);
  }
}

/* Half of a power of two, since the levels are doubled. */
static void mxfp4(const uint8_t *b, float *x) {
  const float d = bez_bits_float(b[0] < 2 ? 0x00200000u << b[0] : (uint32_t)(b[0] - 1) << 23);
  levels(e2m1_doubled, d, b + 1, 16, x);
}

/* Four blocks of 16, each with a scale of E4M3 without a sign; halved, since the levels are doubled. */
static void nvfp4(const uint8_t *b, float *x) {
  for (unsigned k = 0; k < 4; k++) {
    const float d = b[k] == 0x7f ? 0 : bez_bits_float((b[k] & 0x7fu) << 20) * 0x1p119f;
    levels(e2m1_doubled, d, b + 4 + 8 * (size_t)k, 8, x + 16 * (size_t)k);
  }
}

BEZ_EACH_BLOCK(q4_0, 32, 18)
BEZ_EACH_BLOCK(q4_1, 32, 20)
BEZ_EACH_BLOCK(q5_0, 32, 22)
BEZ_EACH_BLOCK(q5_1, 32, 24)
BEZ_EACH_BLOCK(q8_0, 32, 34)
BEZ_EACH_BLOCK(q8_1, 32, 36)
BEZ_EACH_BLOCK(iq4_nl, 32, 18)
BEZ_EACH_BLOCK(iq4_xs, 256, 136)
BEZ_EACH_BLOCK(mxfp4, 32, 17)
BEZ_EACH_BLOCK(nvfp4, 64, 36)
