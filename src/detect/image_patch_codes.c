/* Codes of 3 × 3 windows. */
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/limits.h"
#include "detect/image_patch.h"

/* Multilinear hashing (Lemire and Kaser, Strongly universal string hashing is fast, 2014): the upper half of
 * Σ key_i · value_i mod 2^64. */
static const uint64_t key[12] = {0x9e3779b97f4a7c15ull, 0xbf58476d1ce4e5b9ull, 0x94d049bb133111ebull,
                                 0xd6e8feb86659fd93ull, 0xa0761d6478bd642full, 0xe7037ed1a0b428dbull,
                                 0x8ebc6af09c88c6e3ull, 0x589965cc75374cc3ull, 0x1d8e4e27c47d124full,
                                 0xeb44accab455d165ull, 0x2545f4914f6cdd1dull, 0xff51afd7ed558ccdull};

/* The brightest level is a bin of its own: painted patches are that, strokes and skies mostly a little less. */
static uint32_t fine_level(uint8_t v) {
  return v == 255 ? 32 : v >> 3;
}

static uint32_t fine_value(const uint8_t *p, uint32_t channels) {
  return channels == 1 ? fine_level(p[0]) : fine_level(p[0]) << 12 | fine_level(p[1]) << 6 | fine_level(p[2]);
}

/* Both write the codes of windows with an edge: out[x] is not BEZ_CODE_NONE there. */
static void fine_row(const bez_images *im, const uint8_t *picture, uint32_t y, uint32_t *out) {
  size_t stride = (size_t)im->width * im->channels;
  const uint8_t *row = picture + y * stride;
  for (uint32_t x = 0; x + BEZ_WINDOW <= im->width; x++) {
    uint64_t sum = 0;
    if (out[x] == BEZ_CODE_NONE) continue;
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
    if (out[x] == BEZ_CODE_NONE) continue;
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

/* Adds 1 to sum[i] where pixels i of two lines differ. Plain loops, so that compilers make vectors of them. */
static void add_differing(const uint8_t *a, const uint8_t *b, uint32_t n, uint32_t channels, uint8_t *sum) {
  if (channels == 1)
    for (uint32_t i = 0; i < n; i++) sum[i] += (uint8_t)(abs(a[i] - b[i]) >= 16);
  else
    for (uint32_t i = 0; i < n; i++, a += 3, b += 3)
      sum[i] += (uint8_t)(abs(a[0] - b[0]) + abs(a[1] - b[1]) + abs(a[2] - b[2]) >= 48);
}

/* Marks (1, else BEZ_CODE_NONE) the windows of a row of places whose outline is an edge on half its length: the same as
 * bez_edge_share ≥ BEZ_EDGE, each pair of neighbours compared once. */
static void edges_row(const bez_images *im, const uint8_t *picture, uint32_t y, uint32_t *out) {
  uint32_t c = im->channels, w = im->width, places = w - BEZ_WINDOW + 1;
  size_t stride = (size_t)w * c;
  const uint8_t *row = picture + y * stride, *last = row + (BEZ_WINDOW - 1) * stride;
  uint8_t up_down[BEZ_MAX_IMAGE_SIDE], sideways[BEZ_MAX_IMAGE_SIDE]; /* sideways[x]: between x and x + 1 */
  bool above = y > 0, below = y + BEZ_WINDOW < im->height;
  memset(up_down, 0, w);
  memset(sideways, 0, w);
  if (above) add_differing(row - stride, row, w, c, up_down);
  if (below) add_differing(last, last + stride, w, c, up_down);
  for (uint32_t i = 0; i < BEZ_WINDOW; i++) add_differing(row + i * stride, row + i * stride + c, w - 1, c, sideways);
  for (uint32_t x = 0; x < places; x++) {
    uint32_t pairs = BEZ_WINDOW * (above + below + (x > 0) + (x + BEZ_WINDOW < w));
    uint32_t edge = up_down[x] + up_down[x + 1] + up_down[x + 2];
    if (x > 0) edge += sideways[x - 1];
    if (x + BEZ_WINDOW < w) edge += sideways[x + 2];
    out[x] = 2 * edge >= pairs ? 1 : BEZ_CODE_NONE;
  }
}

void bez_codes_row(bez_code_family family, const bez_images *images, const uint8_t *picture, uint32_t y,
                   uint32_t *out) {
  static const bins coarse = {48, 24, 48, 64}; /* the brightest level lies inside a bin */
  edges_row(images, picture, y, out);
  if (family == BEZ_CODES_FINE)
    fine_row(images, picture, y, out);
  else
    coarse_row(images, picture, y, &coarse, out);
}
