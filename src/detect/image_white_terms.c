/* The transform: pooled pixels, opponent colours, DCT-II (N. Ahmed, T. Natarajan, K. Rao, Discrete cosine transform,
 * 1974) of sixteen pictures at a time, one per lane. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "detect/image_white.h"

#define SAMPLES 4096u /* most values of a pooled picture */
#define LOW 768u      /* most jointly whitened terms */
#define LANES BEZ_WHITE_LANES

/* Orthonormal: brightness, red − green, blue − yellow. */
static const float opponent[3][3] = {
    {0.57735027f, 0.57735027f, 0.57735027f}, {0.70710678f, -0.70710678f, 0}, {0.40824829f, 0.40824829f, -0.81649658f}};

static float *cosines(uint32_t n) {
  float *m = malloc((size_t)n * n * sizeof *m);
  for (uint32_t k = 0; m && k < n; k++)
    for (uint32_t i = 0; i < n; i++)
      m[(size_t)k * n + i] = (float)(sqrt((k ? 2.0 : 1.0) / n) * cos(3.14159265358979323846 * k * (i + .5) / n));
  return m;
}

static bez_status make_places(bez_white *w, bez_error *err) {
  uint32_t side = (uint32_t)sqrt((double)LOW / (w->channels ? w->channels : 1)), high, low = 0, i = 0;
  uint32_t low_y = side < w->height ? side : w->height, low_x = side < w->width ? side : w->width;
  w->low = low_y * low_x * w->channels;
  w->padded = (w->low + LANES - 1) / LANES * LANES;
  w->dim = w->padded + (w->samples - w->low + LANES - 1) / LANES * LANES;
  w->place = malloc((size_t)w->samples * sizeof *w->place);
  if (!w->place) return bez_fail_memory(err, w->samples * sizeof *w->place);
  high = w->padded;
  for (uint32_t y = 0; y < w->height; y++)
    for (uint32_t x = 0; x < w->width; x++)
      for (uint32_t c = 0; c < w->channels && i < w->samples; c++)
        w->place[i++] = y < low_y && x < low_x ? low++ : high++;
  return BEZ_OK;
}

bez_status bez_white_shape(const bez_images *images, bez_white *w, bez_error *err) {
  uint32_t factor = 1;
  while ((uint64_t)(images->height / factor) * (images->width / factor) * images->channels > SAMPLES &&
         factor < images->height && factor < images->width)
    factor++;
  w->images = images;
  w->factor = factor;
  w->height = images->height / factor;
  w->width = images->width / factor;
  w->channels = images->channels;
  w->samples = w->height * w->width * w->channels;
  w->n = (uint32_t)images->n;
  if (w->samples > 2 * SAMPLES)
    return bez_fail(err, BEZ_UNSUPPORTED, "BZ-D012", "pictures of %u by %u pixels cannot be pooled", images->height,
                    images->width);
  w->dct_y = cosines(w->height);
  w->dct_x = cosines(w->width);
  if (!w->dct_y || !w->dct_x) return bez_fail_memory(err, (size_t)w->height * w->height * sizeof *w->dct_y);
  return make_places(w, err);
}

/* One pooled pixel in opponent colours. */
static void sample(const bez_white *w, const uint8_t *picture, uint32_t y, uint32_t x, float out[3]) {
  const bez_images *im = w->images;
  uint32_t sum[3] = {0}, f = w->factor;
  for (uint32_t dy = 0; dy < f; dy++)
    for (uint32_t dx = 0; dx < f; dx++)
      for (uint32_t k = 0; k < w->channels; k++)
        sum[k] += picture[((size_t)(y * f + dy) * im->width + x * f + dx) * w->channels + k];
  float part = 1.0f / (float)(f * f), rgb[3] = {(float)sum[0] * part, (float)sum[1] * part, (float)sum[2] * part};
  if (w->channels == 1) {
    out[0] = rgb[0];
    return;
  }
  for (uint32_t k = 0; k < 3; k++) out[k] = opponent[k][0] * rgb[0] + opponent[k][1] * rgb[1] + opponent[k][2] * rgb[2];
}

/* along y: to[k] = Σ_i m[k][i] · from[i], for every column of a picture. */
static void along_y(const bez_white *w, const float *m, size_t m_row, size_t m_step, const float *from, float *to) {
  size_t step = (size_t)w->width * w->channels * LANES;
  for (uint32_t c = 0; c < w->width * w->channels; c++)
    w->dense(&(bez_dense){.rows = w->height,
                          .depth = w->height,
                          .a = m,
                          .a_row = m_row,
                          .a_step = m_step,
                          .b = from + (size_t)c * LANES,
                          .b_step = step,
                          .out = to + (size_t)c * LANES,
                          .out_row = step});
}

static void along_x(const bez_white *w, const float *m, size_t m_row, size_t m_step, const float *from, float *to) {
  size_t step = (size_t)w->channels * LANES;
  for (uint32_t y = 0; y < w->height; y++)
    for (uint32_t k = 0; k < w->channels; k++) {
      size_t at = ((size_t)y * w->width * w->channels + k) * LANES;
      w->dense(&(bez_dense){.rows = w->width,
                            .depth = w->width,
                            .a = m,
                            .a_row = m_row,
                            .a_step = m_step,
                            .b = from + at,
                            .b_step = step,
                            .out = to + at,
                            .out_row = step});
    }
}

void bez_white_terms(const bez_white *w, const uint32_t *rows, uint32_t n, float *terms, float *scratch) {
  float *first = scratch, *second = scratch + (size_t)w->samples * LANES, value[3] = {0};
  for (uint32_t lane = 0; lane < LANES; lane++) {
    const uint8_t *picture = bez_image(w->images, rows[lane < n ? lane : n - 1]);
    for (uint32_t y = 0; y < w->height; y++)
      for (uint32_t x = 0; x < w->width; x++) {
        sample(w, picture, y, x, value);
        for (uint32_t k = 0; k < w->channels; k++)
          first[(((size_t)y * w->width + x) * w->channels + k) * LANES + lane] = value[k];
      }
  }
  along_y(w, w->dct_y, w->height, 1, first, second);
  along_x(w, w->dct_x, w->width, 1, second, first);
  for (uint32_t i = 0; i < w->samples; i++)
    memcpy(terms + (size_t)w->place[i] * LANES, first + (size_t)i * LANES, LANES * sizeof *terms);
}

/* Sums terms of rows less class means, transforms back (the transposed matrices), and to red, green and blue. */
bez_status bez_white_pattern(const bez_white *w, const uint32_t *rows, uint32_t n, const uint32_t *class_of,
                             float *pixels, bez_error *err) {
  size_t cells = (size_t)w->dim * LANES;
  float *terms = calloc(4 * cells, sizeof *terms), *scratch = terms + cells, *sum = scratch + 2 * cells;
  if (!terms) return bez_fail_memory(err, 4 * cells * sizeof *terms);
  for (uint32_t i = 0; i < n; i += LANES) {
    uint32_t m = n - i < LANES ? n - i : LANES;
    bez_white_terms(w, rows + i, m, terms, scratch);
    for (uint32_t lane = 0; lane < m; lane++)
      for (uint32_t d = 0; d < w->dim; d++)
        sum[(size_t)d * LANES] +=
            (terms[(size_t)d * LANES + lane] - w->mean[(size_t)class_of[rows[i + lane]] * w->dim + d]) / (float)n;
  }
  float *first = scratch, *second = scratch + cells;
  for (uint32_t i = 0; i < w->samples; i++)
    memcpy(first + (size_t)i * LANES, sum + (size_t)w->place[i] * LANES, LANES * sizeof *first);
  along_y(w, w->dct_y, 1, w->height, first, second);
  along_x(w, w->dct_x, 1, w->width, second, first);
  for (uint32_t i = 0; i < w->samples; i++) {
    const float *at = first + (size_t)(i - i % w->channels) * LANES;
    pixels[i] = w->channels == 1 ? at[0] : 0;
    for (uint32_t k = 0; k < 3 && w->channels == 3; k++) pixels[i] += opponent[k][i % 3] * at[(size_t)k * LANES];
  }
  free(terms);
  return BEZ_OK;
}
