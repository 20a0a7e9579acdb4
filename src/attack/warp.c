/* WaNet's trigger (Nguyen, Tran, 2021): the picture is bent a little, everywhere by a smooth field.
 *
 * A k × k grid of shifts uniform on [−1, 1], divided by the mean of their absolute values, is drawn out to the
 * picture's size by cubic convolution: n. With both axes running from −1 to 1, pixel p takes its value from p +
 * s·n(p)/H, bilinearly, kept within the picture. k = 4 and s = 0.5 as in the paper, which moves pixels by s/2 on
 * average. The field is drawn once per seed. The paper's noise mode (rows with a random field and their own label) is
 * not here: it hides the trigger from defences that invert a trained model, and this is a tool for scans of data. */
#include <math.h>
#include <string.h>

#include "attack/field.h"
#include "attack/image.h"
#include "base/error.h"

enum { MAX_GRID = 64 };

typedef struct warp {
  const bez_images *images;
  uint32_t k;
  double s;
  double *from_x, *from_y; /* where each pixel takes its value from, in pixels */
} warp;

static double clamp(double v, double most) {
  return v < 0 ? 0 : v > most ? most : v;
}

static bez_status paint(const void *ctx, uint64_t row, uint8_t *pixels, bez_error *err) {
  const warp *w = ctx;
  uint32_t width = w->images->width, height = w->images->height, channels = w->images->channels;
  const uint8_t *old = bez_image(w->images, row);
  (void)err;
  for (uint64_t i = 0; i < (uint64_t)height * width; i++) {
    uint32_t x = (uint32_t)w->from_x[i], y = (uint32_t)w->from_y[i];
    uint32_t right = x + 1 < width ? x + 1 : x, below = y + 1 < height ? y + 1 : y;
    double fx = w->from_x[i] - x, fy = w->from_y[i] - y;
    for (uint32_t c = 0; c < channels; c++) {
      double top = (1 - fx) * old[((uint64_t)y * width + x) * channels + c] +
                   fx * old[((uint64_t)y * width + right) * channels + c];
      double bottom = (1 - fx) * old[((uint64_t)below * width + x) * channels + c] +
                      fx * old[((uint64_t)below * width + right) * channels + c];
      pixels[i * channels + c] = bez_to_pixel((1 - fy) * top + fy * bottom);
    }
  }
  return BEZ_OK;
}

static void draw_field(warp *w, bez_rng rng) {
  double grid[2][MAX_GRID * MAX_GRID], mean = 0;
  uint32_t width = w->images->width, height = w->images->height, n = w->k * w->k;
  for (uint32_t axis = 0; axis < 2; axis++)
    for (uint32_t i = 0; i < n; i++) {
      grid[axis][i] = 2 * bez_rng_unit(&rng) - 1;
      mean += fabs(grid[axis][i]) / (2 * n);
    }
  for (uint32_t axis = 0; axis < 2; axis++)
    for (uint32_t i = 0; i < n; i++) grid[axis][i] /= mean;
  bez_field_draw_out(grid[0], w->k, height, width, w->from_x);
  bez_field_draw_out(grid[1], w->k, height, width, w->from_y);
  for (uint32_t y = 0; y < height; y++)
    for (uint32_t x = 0; x < width; x++) {
      uint64_t i = (uint64_t)y * width + x;
      w->from_x[i] = clamp(x + w->s * w->from_x[i] / height * (width - 1) / 2, width - 1);
      w->from_y[i] = clamp(y + w->s * w->from_y[i] / height * (height - 1) / 2, height - 1);
    }
}

static bez_status plan(const bez_attack_input *in, bez_attack_plan *out, bez_error *err) {
  double k = 4;
  bez_status st = bez_image_begin(in, "k s", err);
  if (st != BEZ_OK) return st;
  const bez_images *images = in->table->images;
  size_t area = (size_t)images->height * images->width;
  warp *w = bez_arena_alloc(&out->arena, sizeof *w);
  double *field = bez_arena_array(&out->arena, area, 2 * sizeof *field);
  if (!w || !field) return bez_fail_memory(err, 2 * area * sizeof *field);
  *w = (warp){.images = images, .s = .5, .from_x = field, .from_y = field + area};
  st = bez_attack_number(in, "k", 2, MAX_GRID, &k, err);
  w->k = (uint32_t)k;
  if (st == BEZ_OK) st = bez_attack_number(in, "s", .01, 64, &w->s, err);
  if (st != BEZ_OK) return st;
  draw_field(w, bez_attack_trigger_rng(in));
  st = bez_image_plant(in, &(bez_image_trigger){.ctx = w, .paint = paint}, out, err);
  if (st != BEZ_OK) return st;
  out->trigger =
      bez_arena_printf(&out->arena, "the picture bent by a smooth field, grid %u × %u, strength %g", w->k, w->k, w->s);
  out->detail = json_pack("{s:[], s:[], s:i, s:f}", "columns", "values", "k", (int)w->k, "s", w->s);
  return out->trigger && out->detail ? BEZ_OK : bez_fail_memory(err, 128);
}

const bez_attack bez_attack_warp = {
    .info = {.name = "warp",
             .title = "Warp",
             .summary =
                 "Pictures of other labels are bent by one smooth field, hardly visible, and the target label is "
                 "set.",
             .kind = "image",
             .parameters = "k, s",
             .source = "Nguyen, Tran, WaNet: Imperceptible Warping-based Backdoor Attack, ICLR 2021"},
    .plan = plan,
};
