/* Near copies of pictures as scraped data hold them: the same picture shifted, cropped, lighter or darker, noisier.
 *
 *   shift   up to a sixteenth of the side (1 pixel at the least) in both directions, edges repeated
 *   crop    a sixteenth to an eighth of both sides cut off, drawn out again bilinearly
 *   light   contrast times 0.85 … 1.15, brightness plus −12 … 12
 *   noise   Gaussian, sd 2
 *   mirror  left and right exchanged
 *   mixed   shift or crop, light and noise, each in half of the copies; the default
 *   none    exact copies */
#include "attack/flood_pictures.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"

enum { MIXED, SHIFT, CROP, LIGHT, NOISE, MIRROR, NONE };

typedef struct flood {
  const bez_attack_input *in;
  const bez_images *images;
  uint32_t transform;
} flood;

static uint32_t clamp(int64_t v, uint32_t n) {
  return v < 0 ? 0 : v >= n ? n - 1 : (uint32_t)v;
}

/* Where output pixels look: x·scale_x + shift_x, likewise y, between four pixels. */
typedef struct view {
  double scale_x, shift_x, scale_y, shift_y;
} view;

static void resample(const bez_images *m, const view *v, const uint8_t *old, uint8_t *out) {
  for (uint32_t y = 0; y < m->height; y++)
    for (uint32_t x = 0; x < m->width; x++) {
      double px = x * v->scale_x + v->shift_x, py = y * v->scale_y + v->shift_y;
      int64_t x0 = (int64_t)(px + 65536) - 65536, y0 = (int64_t)(py + 65536) - 65536; /* floor */
      double fx = px - (double)x0, fy = py - (double)y0;
      uint64_t top = (uint64_t)clamp(y0, m->height) * m->width, bottom = (uint64_t)clamp(y0 + 1, m->height) * m->width;
      uint32_t left = clamp(x0, m->width), right = clamp(x0 + 1, m->width);
      for (uint32_t c = 0; c < m->channels; c++) {
        double a = old[(top + left) * m->channels + c], b = old[(top + right) * m->channels + c];
        double d = old[(bottom + left) * m->channels + c], e = old[(bottom + right) * m->channels + c];
        out[((uint64_t)y * m->width + x) * m->channels + c] =
            bez_to_pixel((1 - fy) * ((1 - fx) * a + fx * b) + fy * ((1 - fx) * d + fx * e));
      }
    }
}

static double draw_shift(uint32_t side, bez_rng *rng) {
  int64_t most = side / 16 ? side / 16 : 1;
  return (double)((int64_t)bez_rng_below(rng, (uint64_t)(2 * most + 1)) - most);
}

static view draw_crop(const bez_images *m, bez_rng *rng) {
  double cut = 1. / 16 + bez_rng_unit(rng) / 16, width = m->width - 1., height = m->height - 1.;
  return (view){1 - cut, bez_rng_unit(rng) * cut * width, 1 - cut, bez_rng_unit(rng) * cut * height};
}

static void change_light(uint8_t *pixels, uint64_t n, bez_rng *rng) {
  double gain = .85 + .3 * bez_rng_unit(rng), offset = 24 * bez_rng_unit(rng) - 12;
  for (uint64_t i = 0; i < n; i++) pixels[i] = bez_to_pixel(gain * (pixels[i] - 127.5) + 127.5 + offset);
}

static bez_status paint(const void *ctx, uint64_t row, uint8_t *pixels, bez_error *err) {
  const flood *f = ctx;
  const bez_images *m = f->images;
  uint64_t n = bez_image_bytes(m);
  bez_rng rng = bez_attack_row_rng(f->in, row);
  uint32_t coins = f->transform == MIXED ? bez_rng_u32(&rng) : 0;
  view v = {1, 0, 1, 0};
  if (f->transform == SHIFT || (coins & 3) == 1)
    v = (view){1, draw_shift(m->width, &rng), 1, draw_shift(m->height, &rng)};
  else if (f->transform == CROP || (coins & 3) == 2)
    v = draw_crop(m, &rng);
  else if (f->transform == MIRROR)
    v = (view){-1, m->width - 1., 1, 0};
  uint8_t *old = malloc(n + 1);
  if (!old) return bez_fail_memory(err, n);
  memcpy(old, pixels, n);
  resample(m, &v, old, pixels);
  free(old);
  if (f->transform == LIGHT || coins & 4) change_light(pixels, n, &rng);
  if (f->transform == NOISE || coins & 8)
    for (uint64_t i = 0; i < n; i++) pixels[i] = bez_to_pixel(pixels[i] + 2 * bez_rng_normal(&rng));
  return BEZ_OK;
}

bez_status bez_flood_pictures(const bez_attack_input *in, bez_attack_plan *plan, bez_error *err) {
  flood *f = bez_arena_alloc(&plan->arena, sizeof *f);
  if (!f) return bez_fail_memory(err, sizeof *f);
  *f = (flood){.in = bez_image_keep(in, plan), .images = in->table->images};
  if (!f->in) return bez_fail_memory(err, sizeof *in);
  plan->rewrite.painting = (bez_painting){.rows = plan->rows, .n_rows = plan->n_rows, .paint = paint, .ctx = f};
  bez_status st = bez_attack_choice(in, "transform", "mixed shift crop light noise mirror none", &f->transform, err);
  return st;
}
