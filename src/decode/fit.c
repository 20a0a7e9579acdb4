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
  if (!height || !width || !out_height || !out_width) return false;
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
  bez_image_facts *f = &p->facts;
  if (bez_scaled_view_find(p->pixels, f->height, f->width, f->channels, &f->scaled, NULL) != BEZ_OK) return false;
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
