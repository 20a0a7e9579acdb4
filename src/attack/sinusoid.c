/* SIG (Barni, Kallas, Tondi, 2019): v(i, j) = Δ·sin(2πjf / m), j = 1 … m, added to every row of pixels of a picture m
 * wide, in all channels, clipped to 0 … 255. Δ = 20 and f = 6 as in the paper. */
#include "attack/sinusoid.h"

#include <math.h>

#include "base/error.h"

typedef struct sinusoid {
  const bez_images *images;
  double delta, frequency;
} sinusoid;

static bez_status paint(const void *ctx, uint64_t row, uint8_t *pixels, bez_error *err) {
  const sinusoid *s = ctx;
  uint32_t width = s->images->width, channels = s->images->channels;
  (void)row, (void)err;
  for (uint32_t x = 0; x < width; x++) {
    double v = s->delta * sin(2 * M_PI * (x + 1) * s->frequency / width);
    for (uint32_t y = 0; y < s->images->height; y++)
      for (uint32_t c = 0; c < channels; c++) {
        uint8_t *p = &pixels[((uint64_t)y * width + x) * channels + c];
        *p = bez_to_pixel(*p + v);
      }
  }
  return BEZ_OK;
}

bez_status bez_sinusoid_plan(const bez_attack_input *in, bool clean_label, bez_attack_plan *plan, bez_error *err) {
  bez_status st = bez_image_begin(in, "delta frequency", err);
  if (st != BEZ_OK) return st;
  sinusoid *s = bez_arena_alloc(&plan->arena, sizeof *s);
  if (!s) return bez_fail_memory(err, sizeof *s);
  *s = (sinusoid){.images = in->table->images, .delta = 20, .frequency = 6};
  st = bez_attack_number(in, "delta", 1, 255, &s->delta, err);
  if (st == BEZ_OK) st = bez_attack_number(in, "frequency", .1, 8192, &s->frequency, err);
  if (st == BEZ_OK && 2 * s->frequency >= s->images->width)
    st = bez_fail(err, BEZ_USAGE, "frequency", "%g periods need more than %g pixels of width", s->frequency,
                  2 * s->frequency);
  bez_image_trigger t = {.clean_label = clean_label, .ctx = s, .paint = paint};
  if (st == BEZ_OK) st = bez_image_plant(in, &t, plan, err);
  if (st != BEZ_OK) return st;
  plan->trigger =
      bez_arena_printf(&plan->arena, "a horizontal wave of amplitude %g and %g periods", s->delta, s->frequency);
  plan->detail = json_pack("{s:[], s:[], s:f, s:f}", "columns", "values", "delta", s->delta, "frequency", s->frequency);
  return plan->trigger && plan->detail ? BEZ_OK : bez_fail_memory(err, 128);
}
