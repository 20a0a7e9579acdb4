/* Other sizes and channels: area average in whole numbers, so that every machine gets the same pixels. */
#include <stdlib.h>
#include <string.h>

#include "decode/picture.h"

/* One row, `width` pixels to out_width: sums of samples times what they cover, in units of 1/out_width of a pixel. Each
 * sum is at most 255 · width. */
static void shrink_row(const uint8_t *in, uint32_t width, uint32_t c, uint32_t *out, uint32_t out_width) {
  uint32_t left = width; /* of the output pixel still uncovered */
  memset(out, 0, (size_t)out_width * c * sizeof *out);
  for (uint32_t x = 0; x < width; x++, in += c) {
    for (uint32_t have = out_width; have > 0;) {
      uint32_t take = have < left ? have : left;
      for (uint32_t k = 0; k < c; k++) out[k] += in[k] * take;
      have -= take;
      left -= take;
      if (left == 0) left = width, out += c;
    }
  }
}

bool bez_picture_area(const uint8_t *in, uint32_t height, uint32_t width, uint32_t c, uint8_t *out, uint32_t out_height,
                      uint32_t out_width) {
  size_t n = (size_t)out_width * c;
  uint64_t area = (uint64_t)height * width;
  uint32_t *row = malloc(n * sizeof *row), left = height;
  uint64_t *sum = calloc(n, sizeof *sum);
  if (!row || !sum) {
    free(row);
    free(sum);
    return false;
  }
  for (uint32_t y = 0; y < height; y++) {
    shrink_row(in + (size_t)y * width * c, width, c, row, out_width);
    for (uint32_t have = out_height; have > 0;) {
      uint32_t take = have < left ? have : left;
      for (size_t i = 0; i < n; i++) sum[i] += (uint64_t)row[i] * take;
      have -= take;
      left -= take;
      if (left) continue;
      left = height;
      for (size_t i = 0; i < n; i++) *out++ = (uint8_t)((sum[i] + area / 2) / area);
      memset(sum, 0, n * sizeof *sum);
    }
  }
  free(row);
  free(sum);
  return true;
}

/* Every n-th pixel against the area average, at `side` × `side`; the two ways to count every n-th (from the first
 * pixel, from the middle of each cell), the larger difference. */
static bool gap_at(const bez_picture *p, uint32_t side, float *out) {
  const bez_image_facts *f = &p->facts;
  uint32_t c = f->channels;
  uint64_t gap[2] = {0, 0};
  if (f->width < 2 * side || f->height < 2 * side) return true;
  uint8_t *mean = malloc((size_t)side * side * c);
  if (!mean) return false;
  bool good = bez_picture_area(p->pixels, f->height, f->width, c, mean, side, side);
  for (uint32_t y = 0; good && y < side; y++)
    for (uint32_t x = 0; x < side; x++)
      for (uint32_t middle = 0; middle < 2; middle++) {
        size_t from_y = (2 * (size_t)y + middle) * f->height / (2 * side);
        size_t from_x = (2 * (size_t)x + middle) * f->width / (2 * side);
        const uint8_t *a = p->pixels + (from_y * f->width + from_x) * c, *b = mean + ((size_t)y * side + x) * c;
        for (uint32_t k = 0; k < c; k++) gap[middle] += (uint64_t)abs((int)a[k] - (int)b[k]);
      }
  free(mean);
  *out = (float)((double)(gap[0] > gap[1] ? gap[0] : gap[1]) / ((double)side * side * c));
  return good;
}

/* ITU-R BT.601 luma. */
static void change_channels(const uint8_t *in, uint32_t from, uint8_t *out, uint32_t to, size_t area) {
  for (size_t i = 0; i < area; i++, in += from, out += to) {
    if (to == 3)
      memset(out, in[0], 3);
    else
      out[0] = (uint8_t)((in[0] * 19595u + in[1] * 38470u + in[2] * 7471u + 0x8000u) >> 16);
  }
}

bool bez_picture_fit(bez_picture *p, uint32_t height, uint32_t width, uint32_t channels, uint8_t *out) {
  static const uint32_t sides[] = {32, 64, 224};
  bez_image_facts *f = &p->facts;
  for (int i = 0; i < 3; i++)
    if (!gap_at(p, sides[i], &f->sampled[i])) return false;
  size_t area = (size_t)height * width;
  bool same = f->channels == channels;
  uint8_t *to = same ? out : malloc(area * f->channels);
  if (!to) return false;
  bool good = true;
  f->resampled = height != f->height || width != f->width;
  if (f->resampled)
    good = bez_picture_area(p->pixels, f->height, f->width, f->channels, to, height, width);
  else
    memcpy(to, p->pixels, area * f->channels);
  if (good && !same) change_channels(to, f->channels, out, channels, area);
  if (!same) free(to);
  return good;
}
