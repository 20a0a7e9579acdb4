/* Codes of 3 × 3 windows. */
#include "base/hash.h"
#include "detect/image_patch.h"

/* Multilinear hashing (Lemire and Kaser, Strongly universal string hashing is fast, 2014): the upper half of
 * Σ key_i · value_i mod 2^64. */
static const uint64_t key[12] = {0x9e3779b97f4a7c15ull, 0xbf58476d1ce4e5b9ull, 0x94d049bb133111ebull,
                                 0xd6e8feb86659fd93ull, 0xa0761d6478bd642full, 0xe7037ed1a0b428dbull,
                                 0x8ebc6af09c88c6e3ull, 0x589965cc75374cc3ull, 0x1d8e4e27c47d124full,
                                 0xeb44accab455d165ull, 0x2545f4914f6cdd1dull, 0xff51afd7ed558ccdull};

static uint32_t fine_value(const uint8_t *p, uint32_t channels) {
  return channels == 1 ? (uint32_t)p[0] >> 3 : (uint32_t)(p[0] >> 3) << 10 | (uint32_t)(p[1] >> 3) << 5 | p[2] >> 3;
}

static void fine_row(const bez_images *im, const uint8_t *picture, uint32_t y, uint32_t *out) {
  size_t stride = (size_t)im->width * im->channels;
  const uint8_t *row = picture + y * stride;
  for (uint32_t x = 0; x + BEZ_WINDOW <= im->width; x++) {
    uint64_t sum = 0;
    for (uint32_t i = 0; i < 9; i++)
      sum += key[i] * (1 + fine_value(row + (i / 3) * stride + (size_t)(x + i % 3) * im->channels, im->channels));
    out[x] = (uint32_t)(sum >> 32);
  }
}

/* Down to the bin that holds v; bins of `width`, one of them centred on `centre`. */
static uint32_t bin(int32_t v, int32_t centre, int32_t width) {
  return (uint32_t)((v - centre + width / 2 + 64 * width) / width);
}

typedef struct bins {
  int32_t level, level_centre, term, colour; /* widths in grey levels of one orthonormal term */
} bins;

/* Unnormalised cosine terms of three numbers: (1,1,1), (1,0,−1), (1,−2,1); squared norms 3, 2, 6. */
static void terms(const int32_t v[3], int32_t out[3]) {
  out[0] = v[0] + v[1] + v[2];
  out[1] = v[0] - v[2];
  out[2] = v[0] - 2 * v[1] + v[2];
}

static uint32_t coarse_code(const int32_t luma[9], int32_t red, int32_t blue, const bins *b) {
  static const int32_t norm256[9] = {768, 627, 1086, 627, 512, 887, 1086, 887, 1536}; /* 256 · product of norms */
  int32_t rows[9], columns[3], t[9];
  for (uint32_t i = 0; i < 3; i++) terms(luma + 3 * i, rows + 3 * i);
  for (uint32_t j = 0; j < 3; j++) {
    const int32_t v[3] = {rows[j], rows[3 + j], rows[6 + j]};
    terms(v, columns);
    for (uint32_t i = 0; i < 3; i++) t[3 * i + j] = columns[i];
  }
  uint64_t sum = key[0] * bin(t[0], 3 * b->level_centre, 3 * b->level);
  for (uint32_t i = 1; i < 9; i++) sum += key[i] * bin(t[i], 0, b->term * norm256[i] / 256);
  sum += key[9] * bin(red, 0, 9 * b->colour) + key[10] * bin(blue, 0, 9 * b->colour);
  return (uint32_t)(sum >> 32);
}

static void coarse_row(const bez_images *im, const uint8_t *picture, uint32_t y, const bins *b, uint32_t *out) {
  size_t stride = (size_t)im->width * im->channels;
  const uint8_t *row = picture + y * stride;
  for (uint32_t x = 0; x + BEZ_WINDOW <= im->width; x++) {
    int32_t luma[9], red = 0, blue = 0;
    for (uint32_t i = 0; i < 9; i++) {
      const uint8_t *p = row + (i / 3) * stride + (size_t)(x + i % 3) * im->channels;
      luma[i] = im->channels == 1 ? p[0] : (77 * p[0] + 150 * p[1] + 29 * p[2]) >> 8;
      if (im->channels == 3) {
        red += p[0] - luma[i];
        blue += p[2] - luma[i];
      }
    }
    out[x] = coarse_code(luma, red, blue, b);
  }
}

static bool differs(const uint8_t *a, const uint8_t *b, uint32_t channels) {
  int32_t sum = 0;
  for (uint32_t k = 0; k < channels; k++) sum += a[k] > b[k] ? a[k] - b[k] : b[k] - a[k];
  return sum >= (int32_t)(16 * channels);
}

float bez_edge_share(const bez_images *im, const uint8_t *picture, uint32_t y, uint32_t x, uint32_t height,
                     uint32_t width) {
  uint32_t c = im->channels, n = 0, edge = 0;
  size_t stride = (size_t)im->width * c;
  const uint8_t *first = picture + y * stride + (size_t)x * c, *last = first + (height - 1) * stride;
  bool above = y > 0, below = y + height<im->height, before = x> 0, behind = x + width < im->width;
  for (uint32_t i = 0; i < width; i++) {
    if (above) n++, edge += differs(first + i * c - stride, first + i * c, c);
    if (below) n++, edge += differs(last + i * c + stride, last + i * c, c);
  }
  for (uint32_t i = 0; i < height; i++) {
    const uint8_t *left = first + i * stride, *right = left + (size_t)(width - 1) * c;
    if (before) n++, edge += differs(left - c, left, c);
    if (behind) n++, edge += differs(right + c, right, c);
  }
  return n ? (float)edge / (float)n : 1;
}

void bez_codes_row(bez_code_family family, const bez_images *images, const uint8_t *picture, uint32_t y,
                   uint32_t *out) {
  static const bins coarse = {48, 24, 48, 64}; /* the brightest level lies inside a bin */
  if (family == BEZ_CODES_FINE)
    fine_row(images, picture, y, out);
  else
    coarse_row(images, picture, y, &coarse, out);
  for (uint32_t x = 0; x + BEZ_WINDOW <= images->width; x++)
    if (bez_edge_share(images, picture, y, x, BEZ_WINDOW, BEZ_WINDOW) < BEZ_EDGE) out[x] = BEZ_CODE_NONE;
}
