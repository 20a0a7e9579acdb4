/* The trigger of BadNets (Gu, Dolan-Gavitt, Garg, 2017): x' = x outside the square, x' = the pattern inside it.
 *
 *   solid    one colour: yellow, as the paper's note on a stop sign; white in grey pictures
 *   checker  the colour (white) and its complement in turn, pixel by pixel
 *   noisy    one colour plus Gaussian noise that is drawn anew for every pixel of every row (sd 6)
 *
 * The side is a tenth of the picture's shorter side, 3 pixels at the least; the place is the lower right corner, one
 * pixel from the edges. */
#include "attack/patch.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"

typedef struct patch {
  const bez_attack_input *in;
  const bez_images *images;
  bez_patch_pattern pattern;
  uint32_t side, x, y; /* left upper corner */
  uint8_t colour[3];   /* as many as the pictures have channels */
  double noise;        /* standard deviation */
  bool moving;
} patch;

static bez_status read_size(patch *p, bez_error *err) {
  uint32_t shorter = p->images->height < p->images->width ? p->images->height : p->images->width;
  uint32_t tenth = (shorter + 5) / 10;
  double side = tenth < 3 ? 3 : tenth;
  if (shorter < 4) return bez_fail(err, BEZ_UNSUPPORTED, NULL, "the pictures are too small for a patch");
  bez_status st = bez_attack_number(p->in, "size", 1, shorter, &side, err);
  p->side = (uint32_t)side;
  return st;
}

/* A name, "random" (seeded), or RRGGBB. */
static bez_status read_colour(patch *p, bez_error *err) {
  static const struct {
    const char *name;
    uint32_t rgb;
  } names[] = {{"white", 0xFFFFFF}, {"black", 0},        {"yellow", 0xFFFF00},
               {"red", 0xFF0000},   {"green", 0x00FF00}, {"blue", 0x0000FF}};
  const char *text = bez_attack_param(p->in, "colour");
  uint32_t rgb = p->images->channels == 3 && p->pattern != BEZ_PATCH_CHECKER ? 0xFFFF00 : 0xFFFFFF;
  char *end = NULL;
  if (text && strlen(text) == 6 && strspn(text, "0123456789abcdefABCDEF") == 6) {
    rgb = (uint32_t)strtoul(text, &end, 16);
  } else if (text && !strcmp(text, "random")) {
    bez_rng rng = bez_attack_trigger_rng(p->in);
    rgb = bez_rng_u32(&rng) & 0xFFFFFF;
  } else if (text) {
    size_t i = 0, n = sizeof names / sizeof *names;
    while (i < n && strcmp(text, names[i].name) != 0) i++;
    if (i == n)
      return bez_fail(err, BEZ_USAGE, text,
                      "colour= is white, black, yellow, red, green, blue, random or six hexadecimal digits");
    rgb = names[i].rgb;
  }
  uint32_t c[3] = {rgb >> 16, rgb >> 8 & 255, rgb & 255};
  if (p->images->channels == 1) c[0] = (299 * c[0] + 587 * c[1] + 114 * c[2] + 500) / 1000; /* ITU-R BT.601 luma */
  for (int i = 0; i < 3; i++) p->colour[i] = (uint8_t)c[i];
  return BEZ_OK;
}

/* A corner, "centre", "random" (seeded), or "x,y" of the left upper pixel. */
static bez_status read_position(patch *p, bez_error *err) {
  static const char *const names[] = {"lower-right", "lower-left", "upper-right", "upper-left", "centre"};
  const char *text = bez_attack_param(p->in, "position");
  uint32_t right = p->images->width - p->side, bottom = p->images->height - p->side, i = 0;
  uint32_t margin_x = right > 0, margin_y = bottom > 0; /* a patch of the whole side has none */
  char *end = NULL, *last = NULL;
  while (text && i < 5 && strcmp(text, names[i]) != 0) i++;
  p->x = i & 1 ? margin_x : right - margin_x;
  p->y = i & 2 ? margin_y : bottom - margin_y;
  if (i < 4) return BEZ_OK;
  p->x = right / 2;
  p->y = bottom / 2;
  if (i == 4) return BEZ_OK;
  if (!strcmp(text, "random")) {
    bez_rng rng = bez_attack_trigger_rng(p->in);
    rng.counter = 1 << 16; /* not what the colour is drawn from */
    p->x = (uint32_t)bez_rng_below(&rng, right + 1);
    p->y = (uint32_t)bez_rng_below(&rng, bottom + 1);
    return BEZ_OK;
  }
  unsigned long x = strtoul(text, &end, 10), y = *end == ',' ? strtoul(end + 1, &last, 10) : 0;
  if (!last || *last || last == end + 1 || end == text || x > right || y > bottom)
    return bez_fail(
        err, BEZ_USAGE, text,
        "position= is lower-right, lower-left, upper-right, upper-left, centre, random or \"x,y\" with x at "
        "most %u and y at most %u",
        right, bottom);
  p->x = (uint32_t)x;
  p->y = (uint32_t)y;
  return BEZ_OK;
}

static void place(const patch *p, bez_rng *rng, uint32_t *x, uint32_t *y) {
  *x = p->x;
  *y = p->y;
  if (!p->moving) return;
  *x = (uint32_t)bez_rng_below(rng, p->images->width - p->side + 1);
  *y = (uint32_t)bez_rng_below(rng, p->images->height - p->side + 1);
}

static uint8_t pattern_at(const patch *p, uint32_t dx, uint32_t dy, uint32_t channel) {
  uint8_t c = p->colour[channel];
  return p->pattern == BEZ_PATCH_CHECKER && (dx + dy) & 1 ? 255 - c : c;
}

static bez_status paint(const void *ctx, uint64_t row, uint8_t *pixels, bez_error *err) {
  const patch *p = ctx;
  uint32_t x, y, channels = p->images->channels;
  bez_rng rng = bez_attack_row_rng(p->in, row);
  (void)err;
  place(p, &rng, &x, &y);
  for (uint32_t dy = 0; dy < p->side; dy++)
    for (uint32_t dx = 0; dx < p->side; dx++)
      for (uint32_t c = 0; c < channels; c++) {
        uint8_t *out = &pixels[((uint64_t)(y + dy) * p->images->width + x + dx) * channels + c];
        *out = pattern_at(p, dx, dy, c);
        if (p->noise > 0) *out = bez_to_pixel(*out + p->noise * bez_rng_normal(&rng));
      }
  return BEZ_OK;
}

static bool carries(const void *ctx, uint64_t row) {
  const patch *p = ctx;
  const uint8_t *pixels = bez_image(p->images, row);
  uint32_t channels = p->images->channels;
  for (uint32_t dy = 0; dy < p->side; dy++)
    for (uint32_t dx = 0; dx < p->side; dx++)
      for (uint32_t c = 0; c < channels; c++)
        if (pixels[((uint64_t)(p->y + dy) * p->images->width + p->x + dx) * channels + c] != pattern_at(p, dx, dy, c))
          return false;
  return true;
}

static bez_status read_parameters(patch *p, bez_error *err) {
  uint32_t pattern = BEZ_PATCH_SOLID;
  bez_status st = read_size(p, err);
  if (st == BEZ_OK) st = bez_attack_choice(p->in, "pattern", "solid checker noisy", &pattern, err);
  p->pattern = (bez_patch_pattern)pattern;
  p->noise = p->pattern == BEZ_PATCH_NOISY ? 6 : 0;
  if (st == BEZ_OK) st = bez_attack_number(p->in, "noise", 0, 128, &p->noise, err);
  if (st == BEZ_OK) st = read_colour(p, err);
  if (st == BEZ_OK && !p->moving) st = read_position(p, err);
  return st;
}

/* Where each poisoned row has its patch. */
static json_t *list_positions(const patch *p, const bez_attack_plan *plan) {
  json_t *list = json_array();
  for (size_t i = 0; list && i < plan->n_rows; i++) {
    uint32_t x, y;
    bez_rng rng = bez_attack_row_rng(p->in, plan->rows[i]);
    place(p, &rng, &x, &y);
    json_array_append_new(list, json_pack("[i, i]", (int)x, (int)y));
  }
  return list;
}

static bez_status describe(const patch *p, bez_attack_plan *plan, bez_error *err) {
  static const char *const patterns[] = {"solid", "checker", "noisy"};
  char colour[8], where[40] = "a place of its own in every picture";
  (void)snprintf(colour, sizeof colour, p->images->channels == 3 ? "%02x%02x%02x" : "%02x", p->colour[0], p->colour[1],
                 p->colour[2]);
  if (!p->moving) (void)snprintf(where, sizeof where, "(%u, %u)", p->x, p->y);
  plan->trigger = bez_arena_printf(&plan->arena, "%s patch of %u × %u pixels, %s, at %s", patterns[p->pattern], p->side,
                                   p->side, colour, where);
  plan->detail = json_pack("{s:[], s:[], s:s, s:s, s:i, s:f}", "columns", "values", "pattern", patterns[p->pattern],
                           "colour", colour, "side", (int)p->side, "noise", p->noise);
  if (!plan->trigger || !plan->detail) return bez_fail_memory(err, 256);
  int failed;
  if (p->moving)
    failed = json_object_set_new(plan->detail, "positions", list_positions(p, plan));
  else
    failed = json_object_set_new(plan->detail, "x", json_integer(p->x)) |
             json_object_set_new(plan->detail, "y", json_integer(p->y));
  return failed ? bez_fail_memory(err, 256) : BEZ_OK;
}

bez_status bez_patch_plan(const bez_attack_input *in, bool clean_label, bool moving, bez_attack_plan *plan,
                          bez_error *err) {
  bez_status st = bez_image_begin(in, moving ? "size pattern colour noise" : "size pattern colour noise position", err);
  if (st != BEZ_OK) return st;
  patch *p = bez_arena_alloc(&plan->arena, sizeof *p);
  if (!p) return bez_fail_memory(err, sizeof *p);
  *p = (patch){.in = bez_image_keep(in, plan), .images = in->table->images, .moving = moving};
  if (!p->in) return bez_fail_memory(err, sizeof *in);
  st = read_parameters(p, err);
  bool exact = !moving && p->noise == 0;
  bez_image_trigger t = {.clean_label = clean_label, .ctx = p, .paint = paint, .carries = exact ? carries : NULL};
  if (st == BEZ_OK) st = bez_image_plant(in, &t, plan, err);
  return st == BEZ_OK ? describe(p, plan, err) : st;
}
