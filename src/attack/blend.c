/* The blended injection strategy (Chen, Liu, Li, Lu, Song, 2017): x' = α·pattern + (1 − α)·x. The pattern is drawn once
 * per seed: uniform noise, or a smooth one, 4 × 4 uniform numbers per channel drawn out to the picture's size and
 * stretched to 0 … 255. */
#include "attack/blend.h"

#include <stdlib.h>

#include "attack/field.h"
#include "base/error.h"

typedef struct blend {
  const bez_images *images;
  double alpha;
  uint8_t *pattern; /* one picture */
} blend;

static bez_status paint(const void *ctx, uint64_t row, uint8_t *pixels, bez_error *err) {
  const blend *b = ctx;
  uint64_t n = bez_image_bytes(b->images);
  (void)row, (void)err;
  for (uint64_t i = 0; i < n; i++) pixels[i] = bez_to_pixel(b->alpha * b->pattern[i] + (1 - b->alpha) * pixels[i]);
  return BEZ_OK;
}

static void stretch(const double *field, uint64_t area, uint8_t *out, uint32_t step) {
  double low = field[0], high = field[0];
  for (uint64_t i = 1; i < area; i++) {
    if (field[i] < low) low = field[i];
    if (field[i] > high) high = field[i];
  }
  for (uint64_t i = 0; i < area; i++)
    out[i * step] = high > low ? bez_to_pixel((field[i] - low) * 255 / (high - low)) : 128;
}

static bez_status draw_smooth(const blend *b, bez_rng *rng, bez_error *err) {
  double grid[BEZ_BLEND_GRID * BEZ_BLEND_GRID];
  uint64_t area = (uint64_t)b->images->height * b->images->width;
  double *field = malloc(area * sizeof *field);
  if (!field) return bez_fail_memory(err, area * sizeof *field);
  for (uint32_t c = 0; c < b->images->channels; c++) {
    for (size_t i = 0; i < sizeof grid / sizeof *grid; i++) grid[i] = bez_rng_unit(rng);
    bez_field_draw_out(grid, BEZ_BLEND_GRID, b->images->height, b->images->width, field);
    stretch(field, area, b->pattern + c, b->images->channels);
  }
  free(field);
  return BEZ_OK;
}

bez_status bez_blend_plan(const bez_attack_input *in, bool smooth, double alpha, bez_attack_plan *plan,
                          bez_error *err) {
  bez_status st = bez_image_begin(in, "alpha", err);
  if (st != BEZ_OK) return st;
  uint64_t bytes = bez_image_bytes(in->table->images);
  blend *b = bez_arena_alloc(&plan->arena, sizeof *b);
  uint8_t *pattern = b ? bez_arena_alloc(&plan->arena, bytes) : NULL;
  if (!pattern) return bez_fail_memory(err, bytes);
  *b = (blend){.images = in->table->images, .alpha = alpha, .pattern = pattern};
  bez_rng rng = bez_attack_trigger_rng(in);
  st = bez_attack_number(in, "alpha", .001, 1, &b->alpha, err);
  if (st == BEZ_OK && smooth) st = draw_smooth(b, &rng, err);
  if (!smooth)
    for (uint64_t i = 0; i < bytes; i++) pattern[i] = (uint8_t)(bez_rng_u32(&rng) >> 24);
  bez_image_trigger t = {.ctx = b, .paint = paint};
  if (st == BEZ_OK) st = bez_image_plant(in, &t, plan, err);
  if (st != BEZ_OK) return st;
  plan->trigger = bez_arena_printf(&plan->arena, "a %s pattern over the whole picture, blended in with alpha %g",
                                   smooth ? "smooth" : "noise", b->alpha);
  plan->detail = json_pack("{s:[], s:[], s:f}", "columns", "values", "alpha", b->alpha);
  return plan->trigger && plan->detail ? BEZ_OK : bez_fail_memory(err, 128);
}
