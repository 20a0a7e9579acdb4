#include "detect/picture_show.h"

#include <math.h>
#include <string.h>

#include "base/error.h"

#define SIDE 96u /* small pictures are enlarged to about this, larger ones made smaller */
#define GAP 4u

/* out = in · up / down. */
typedef struct zoom {
  uint32_t up, down, height, width;
} zoom;

static zoom zoom_of(uint32_t height, uint32_t width) {
  uint32_t side = height > width ? height : width;
  zoom z = {1, 1, 0, 0};
  if (side && side < SIDE) z.up = SIDE / side;
  if (side > SIDE) z.down = (side + SIDE - 1) / SIDE;
  z.height = height * z.up / z.down ? height * z.up / z.down : 1;
  z.width = width * z.up / z.down ? width * z.up / z.down : 1;
  return z;
}

static void draw(uint8_t *tile, uint32_t tile_width, uint32_t x, const uint8_t *pixels, uint32_t width,
                 uint32_t channels, zoom z) {
  for (uint32_t oy = 0; oy < z.height; oy++)
    for (uint32_t ox = 0; ox < z.width; ox++) {
      const uint8_t *p = pixels + ((size_t)(oy * z.down / z.up) * width + ox * z.down / z.up) * channels;
      uint8_t *out = tile + ((size_t)oy * tile_width + x + ox) * 3;
      for (uint32_t k = 0; k < 3; k++) out[k] = p[channels == 3 ? k : 0];
    }
}

void bez_show_pair(bez_report *report, bez_finding *f, const bez_detect_input *in, uint32_t row, const char *what,
                   uint32_t mate, const char *mate_is) {
  const bez_images *im = in->table->images;
  zoom z = zoom_of(im->height, im->width);
  bool alone = mate == UINT32_MAX;
  unsigned long long at = bez_global_row(in->table, row), other = alone ? 0 : bez_global_row(in->table, mate);
  const char *caption =
      alone ? bez_arena_printf(&report->arena, "Row %llu, %s", at, what)
            : bez_arena_printf(&report->arena, "Row %llu, %s; at its right row %llu, %s", at, what, other, mate_is);
  if (!caption) {
    report->out_of_memory = true;
    return;
  }
  uint32_t width = alone ? z.width : 2 * z.width + GAP;
  uint8_t *tile = bez_finding_tile(report, f, caption, width, z.height);
  if (!tile) return;
  memset(tile, 255, (size_t)width * z.height * 3);
  draw(tile, width, 0, bez_image(im, row), im->width, im->channels, z);
  if (!alone) draw(tile, width, z.width + GAP, bez_image(im, mate), im->width, im->channels, z);
}

bez_status bez_show_rows_beside(bez_report *report, bez_finding *f, const bez_detect_input *in, const uint32_t *rows,
                                uint32_t n, const char *what, const uint32_t *class_of, const uint32_t *mate_class,
                                const uint8_t *flagged, const char *mate_is, bez_error *err) {
  const bez_tracks *tracks;
  bez_status st = bez_shared_tracks(in, &tracks, err);
  if (st != BEZ_OK) return st;
  for (uint32_t i = 0; i < n && i < BEZ_PICTURES_SHOWN; i++) {
    uint32_t best = UINT32_MAX, row = rows[(uint64_t)i * n / (n < BEZ_PICTURES_SHOWN ? n : BEZ_PICTURES_SHOWN)];
    double most = -2;
    for (uint32_t k = 0; k < tracks->n_rows; k++) {
      if (flagged[k] || k == row || (mate_class && class_of[k] != mate_class[row])) continue;
      double cosine = bez_tracks_cosine(tracks, row, k);
      if (cosine > most) most = cosine, best = k;
    }
    bez_show_pair(report, f, in, row, what, best, mate_is);
  }
  return BEZ_OK;
}

void bez_show_pattern(bez_report *report, bez_finding *f, const char *caption, const float *pattern, uint32_t height,
                      uint32_t width, uint32_t channels) {
  zoom z = zoom_of(height, width);
  float most = 0;
  for (size_t i = 0; i < (size_t)height * width * channels; i++)
    if (fabsf(pattern[i]) > most) most = fabsf(pattern[i]);
  uint8_t *tile = bez_finding_tile(report, f, caption, z.width, z.height);
  if (!tile) return;
  for (uint32_t y = 0; y < z.height; y++)
    for (uint32_t x = 0; x < z.width; x++)
      for (uint32_t k = 0; k < 3; k++) {
        size_t at = ((size_t)(y * z.down / z.up) * width + x * z.down / z.up) * channels + (channels == 3 ? k : 0);
        float level = 127.5f + (most > 0 ? 127.5f * pattern[at] / most : 0);
        tile[((size_t)y * z.width + x) * 3 + k] = (uint8_t)(level + .5f > 255 ? 255 : level + .5f);
      }
}
