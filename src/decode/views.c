/* The two pictures of an exhibit: what a person sees, what a loader gets. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "decode/picture.h"

/* Pixels of one picture, RGB. */
typedef struct rgb {
  uint8_t *pixels; /* owned */
  uint32_t height, width;
} rgb;

/* To RGB; on white where alpha is given. */
static bool to_rgb(const uint8_t *pixels, const uint8_t *alpha, uint32_t height, uint32_t width, uint32_t channels,
                   rgb *out) {
  size_t area = (size_t)height * width;
  *out = (rgb){malloc(area * 3), height, width};
  if (!out->pixels) return false;
  for (size_t i = 0; i < area; i++)
    for (uint32_t k = 0; k < 3; k++) {
      uint32_t v = pixels[i * channels + (channels == 3 ? k : 0)], a = alpha ? alpha[i] : 255;
      out->pixels[i * 3 + k] = (uint8_t)((v * a + 255 * (255 - a) + 127) / 255);
    }
  return true;
}

/* Into the middle of a square tile, enlarged by whole factors or averaged. */
static bool place(const rgb *in, uint8_t *tile) {
  uint32_t longer = in->height > in->width ? in->height : in->width,
           up = longer <= BEZ_VIEW_SIDE ? BEZ_VIEW_SIDE / longer : 1;
  uint32_t h = in->height * up, w = in->width * up;
  uint8_t *small = NULL;
  if (longer > BEZ_VIEW_SIDE) {
    h = in->height * BEZ_VIEW_SIDE / longer, w = in->width * BEZ_VIEW_SIDE / longer;
    if (!h) h = 1;
    if (!w) w = 1;
    small = malloc((size_t)h * w * 3);
    if (!small || !bez_picture_area(in->pixels, in->height, in->width, 3, small, h, w)) {
      free(small);
      return false;
    }
  }
  uint32_t top = (BEZ_VIEW_SIDE - h) / 2, left = (BEZ_VIEW_SIDE - w) / 2;
  memset(tile, 255, BEZ_VIEW_BYTES);
  for (uint32_t y = 0; y < h; y++)
    for (uint32_t x = 0; x < w; x++)
      memcpy(tile + ((size_t)(top + y) * BEZ_VIEW_SIDE + left + x) * 3,
             small ? small + ((size_t)y * w + x) * 3 : in->pixels + ((size_t)(y / up) * in->width + x / up) * 3, 3);
  free(small);
  return true;
}

/* Where pixel (y, x) of the turned tile comes from: EXIF says how the stored picture is to be turned. */
static void turn(uint8_t *tile, uint8_t orientation) {
  uint8_t from[BEZ_VIEW_BYTES];
  uint32_t last = BEZ_VIEW_SIDE - 1;
  if (orientation < 2) return;
  memcpy(from, tile, sizeof from);
  for (uint32_t y = 0; y <= last; y++)
    for (uint32_t x = 0; x <= last; x++) {
      uint32_t v = y, u = x;
      switch (orientation) {
        case 2: u = last - x; break;
        case 3: v = last - y, u = last - x; break;
        case 4: v = last - y; break;
        case 5: v = x, u = y; break;
        case 6: v = last - x, u = y; break;
        case 7: v = last - x, u = last - y; break;
        default: v = x, u = last - y; break;
      }
      memcpy(tile + ((size_t)y * BEZ_VIEW_SIDE + x) * 3, from + ((size_t)v * BEZ_VIEW_SIDE + u) * 3, 3);
    }
}

static bool loader_view(const bez_picture *p, uint8_t *tile) {
  const bez_image_facts *f = &p->facts;
  rgb all = {0};
  const bez_scaled_view *v = &f->scaled;
  uint8_t *small = NULL;
  bool good, scaled = bez_scaled_is_other(v);
  if (scaled) {
    small = malloc((size_t)v->height * v->width * f->channels);
    if (!small) return false;
    bez_scaled_view_draw(p->pixels, f->height, f->width, f->channels, v, small);
  }
  good = scaled ? to_rgb(small, NULL, v->height, v->width, f->channels, &all)
                : to_rgb(p->pixels, NULL, f->height, f->width, f->channels, &all);
  good = good && place(&all, tile);
  free(all.pixels);
  free(small);
  return good;
}

bool bez_picture_views(bez_picture *p, uint8_t *out) {
  bez_image_facts *f = &p->facts;
  rgb all = {0};
  if (bez_scaled_view_find(p->pixels, f->height, f->width, f->channels, &f->scaled, NULL) != BEZ_OK) return false;
  bool good = to_rgb(p->pixels, p->alpha, f->height, f->width, f->channels, &all) && place(&all, out);
  free(all.pixels);
  if (!good) return false;
  turn(out, f->orientation);
  return loader_view(p, out + BEZ_VIEW_BYTES);
}
