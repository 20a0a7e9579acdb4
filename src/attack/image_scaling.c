/* The image-scaling attack (Xiao, Chen, Shen, Chen, Li, 2019; Quiring, Klein, Arp, Johns, Rieck, 2020): a picture that
 * a person sees as one thing and a loader that makes it smaller as another, because a scaler without smoothing looks at
 * few of the pixels and only those are changed.
 *
 * A picture of the target label keeps its label and its look; scaled to the size it shows a picture of another label.
 *   nearest         output pixel i shows input pixel floor(i·H/h), as OpenCV does
 *   nearest-centre  floor((i + ½)·H/h), as Pillow does
 *   bilinear        the two by two pixels around (i + ½)·H/h − ½, as OpenCV and PyTorch do without antialiasing
 * For bilinear the four pixels get the smallest change (least squares) that makes their weighted mean the hidden value,
 * within 0 … 255: a pixel that meets a bound stays there and the others take over. The factor is 2 at the least, so
 * that no two output pixels share one. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "attack/image.h"
#include "base/error.h"

enum sampler { NEAREST, NEAREST_CENTRE, BILINEAR };

typedef struct scaling {
  const bez_attack_input *in;
  const bez_images *images;
  uint32_t height, width; /* after scaling */
  uint32_t sampler;
} scaling;

/* The pixels an output pixel is made of along one axis, and their weights. */
typedef struct taps {
  uint32_t at[2];
  double weight[2];
} taps;

static taps taps_of(const scaling *s, uint32_t i, uint32_t large, uint32_t small) {
  if (s->sampler != BILINEAR) { /* in whole numbers: ties are at pixel borders */
    uint64_t half = s->sampler == NEAREST_CENTRE ? 1 : 0;
    return (taps){.at = {(uint32_t)((2 * (uint64_t)i + half) * large / (2 * (uint64_t)small)), 0}, .weight = {1, 0}};
  }
  double x = (i + .5) * large / small - .5; /* ≥ ½ because of the factor */
  uint32_t first = (uint32_t)floor(x), second = first + 1 < large ? first + 1 : first;
  return (taps){.at = {first, second}, .weight = {1 - (x - first), x - first}};
}

/* The least change of x that makes Σ w·x = want, within bounds. */
static void settle(double x[4], const double w[4], double want) {
  bool fixed[4] = {false};
  for (int round = 0; round < 4; round++) {
    double gap = want, norm = 0;
    bool again = false;
    for (int i = 0; i < 4; i++) {
      gap -= w[i] * x[i];
      if (!fixed[i]) norm += w[i] * w[i];
    }
    if (norm < 1e-12) return;
    for (int i = 0; i < 4; i++) {
      if (fixed[i]) continue;
      x[i] += gap * w[i] / norm;
      if (x[i] >= 0 && x[i] <= 255) continue;
      x[i] = x[i] < 0 ? 0 : 255;
      fixed[i] = again = true;
    }
    if (!again) return;
  }
}

/* Mean of the hidden picture over the area of an output pixel. */
static double area_mean(const scaling *s, const uint8_t *picture, uint32_t i, uint32_t j, uint32_t channel) {
  uint32_t width = s->images->width, channels = s->images->channels, n = 0;
  uint32_t y0 = (uint32_t)((uint64_t)i * s->images->height / s->height);
  uint32_t y1 = (uint32_t)((uint64_t)(i + 1) * s->images->height / s->height);
  uint32_t x0 = (uint32_t)((uint64_t)j * width / s->width), x1 = (uint32_t)((uint64_t)(j + 1) * width / s->width);
  double sum = 0;
  for (uint32_t y = y0; y < y1; y++)
    for (uint32_t x = x0; x < x1; x++, n++) sum += picture[((uint64_t)y * width + x) * channels + channel];
  return round(sum / n);
}

static void hide(const scaling *s, const taps *down, const taps *across, uint32_t channel, double want,
                 uint8_t *pixels) {
  double x[4], w[4];
  uint8_t *p[4];
  for (int k = 0; k < 4; k++) {
    w[k] = down->weight[k / 2] * across->weight[k & 1];
    p[k] = &pixels[((uint64_t)down->at[k / 2] * s->images->width + across->at[k & 1]) * s->images->channels + channel];
    x[k] = *p[k];
  }
  settle(x, w, want);
  for (int k = 0; k < 4; k++)
    if (w[k] > 0) *p[k] = bez_to_pixel(x[k]);
}

/* A row of another label; drawn from the row alone, so that plans are nested. */
static uint64_t hidden_row(const scaling *s, uint64_t row) {
  bez_rng rng = bez_attack_row_rng(s->in, row);
  const bez_table *table = s->in->table;
  uint64_t first = bez_rng_below(&rng, table->n_rows);
  for (uint64_t i = 0; i < table->n_rows; i++) {
    uint64_t other = (first + i) % table->n_rows;
    if (bez_attack_label_fits(s->in, false, other)) return other;
  }
  return row;
}

static bez_status paint(const void *ctx, uint64_t row, uint8_t *pixels, bez_error *err) {
  const scaling *s = ctx;
  const uint8_t *hidden = bez_image(s->images, hidden_row(s, row));
  (void)err;
  for (uint32_t i = 0; i < s->height; i++) {
    taps down = taps_of(s, i, s->images->height, s->height);
    for (uint32_t j = 0; j < s->width; j++) {
      taps across = taps_of(s, j, s->images->width, s->width);
      for (uint32_t c = 0; c < s->images->channels; c++)
        hide(s, &down, &across, c, area_mean(s, hidden, i, j, c), pixels);
    }
  }
  return BEZ_OK;
}

/* "56" or "40x56" (height × width); a quarter of the sides where it is not given. */
static bez_status read_size(scaling *s, bez_error *err) {
  const char *text = bez_attack_param(s->in, "size");
  unsigned long h = s->images->height / 4, w = s->images->width / 4;
  char *end = NULL;
  if (text) {
    h = w = strtoul(text, &end, 10);
    if (*end == 'x') w = strtoul(end + 1, &end, 10);
    if (*end || end == text) h = 0;
  }
  if (h == 0 || w == 0 || h > s->images->height / 2 || w > s->images->width / 2)
    return bez_fail(err, text ? BEZ_USAGE : BEZ_UNSUPPORTED, text,
                    "size= is what the loader scales to (N or HxW): at most half of %u × %u pixels", s->images->height,
                    s->images->width);
  s->height = (uint32_t)h;
  s->width = (uint32_t)w;
  return BEZ_OK;
}

static bez_status describe(const scaling *s, bez_attack_plan *out, bez_error *err) {
  static const char *const names[] = {"nearest", "nearest-centre", "bilinear"};
  json_t *hidden = json_array();
  for (size_t i = 0; hidden && i < out->n_rows; i++)
    json_array_append_new(hidden, json_integer((json_int_t)hidden_row(s, out->rows[i])));
  out->trigger = bez_arena_printf(&out->arena, "another picture at %u × %u pixels, scaled by %s", s->height, s->width,
                                  names[s->sampler]);
  out->detail = json_pack("{s:[], s:[], s:i, s:i, s:s, s:o}", "columns", "values", "height", (int)s->height, "width",
                          (int)s->width, "sampler", names[s->sampler], "hidden_rows", hidden);
  return out->trigger && out->detail ? BEZ_OK : bez_fail_memory(err, 256);
}

static bez_status plan(const bez_attack_input *in, bez_attack_plan *out, bez_error *err) {
  bez_status st = bez_image_begin(in, "size sampler", err);
  if (st != BEZ_OK) return st;
  scaling *s = bez_arena_alloc(&out->arena, sizeof *s);
  if (!s) return bez_fail_memory(err, sizeof *s);
  *s = (scaling){.in = bez_image_keep(in, out), .images = in->table->images};
  if (!s->in) return bez_fail_memory(err, sizeof *in);
  st = read_size(s, err);
  if (st == BEZ_OK) st = bez_attack_choice(in, "sampler", "nearest nearest-centre bilinear", &s->sampler, err);
  if (st == BEZ_OK)
    st = bez_image_plant(in, &(bez_image_trigger){.clean_label = true, .ctx = s, .paint = paint}, out, err);
  return st == BEZ_OK ? describe(s, out, err) : st;
}

const bez_attack bez_attack_image_scaling = {
    .info = {.name = "image-scaling",
             .title = "Another picture after scaling",
             .summary =
                 "Pictures of the target label look as before and show a picture of another label once the loader "
                 "has made them smaller.",
             .kind = "image",
             .parameters = "size (N or HxW), sampler (nearest, nearest-centre, bilinear)",
             .source = "Xiao, Chen, Shen, Chen, Li, Seeing is Not Believing: Camouflage Attacks on Image Scaling "
                       "Algorithms, USENIX Security 2019",
             .clean_label = true},
    .plan = plan,
};
