/* Pictures for the report: enlarged by whole factors (nearest pixel), or made smaller by leaving pixels out. */
#include "detect/image_patch_show.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "detect/cells.h"

#define TILE_SIDE 96u /* what small pictures are enlarged to, about */
#define PATCH_SIDE 64u
#define GAP 4u

/* A picture on its way into a tile: out = in · up / down. */
typedef struct zoom {
  uint32_t up, down;
} zoom;

static zoom zoom_to(uint32_t side, uint32_t want) {
  zoom z = {1, 1};
  if (side && side < want) z.up = want / side;
  if (side > want) z.down = (side + want - 1) / want;
  return z;
}

static uint32_t zoomed(uint32_t side, zoom z) {
  uint32_t out = side * z.up / z.down;
  return out ? out : 1;
}

/* Draws a picture with its left upper corner at x of a tile. */
static void draw(uint8_t *tile, uint32_t tile_width, uint32_t x, const uint8_t *pixels, uint32_t height, uint32_t width,
                 uint32_t channels, zoom z) {
  for (uint32_t oy = 0; oy < zoomed(height, z); oy++)
    for (uint32_t ox = 0; ox < zoomed(width, z); ox++) {
      const uint8_t *p = pixels + ((size_t)(oy * z.down / z.up) * width + ox * z.down / z.up) * channels;
      uint8_t *out = tile + ((size_t)oy * tile_width + x + ox) * 3;
      for (uint32_t k = 0; k < 3; k++) out[k] = p[channels == 3 ? k : 0];
    }
}

/* A red line one pixel outside the box, as far as it lies inside the picture. */
static void frame(uint8_t *tile, uint32_t tile_width, uint32_t height, uint32_t width, const bez_patch_spot *at,
                  zoom z) {
  int y0 = (int)(at->y * z.up / z.down) - 1, x0 = (int)(at->x * z.up / z.down) - 1;
  int y1 = (int)((at->y + at->height) * z.up / z.down), x1 = (int)((at->x + at->width) * z.up / z.down);
  for (int y = y0; y <= y1; y++)
    for (int x = x0; x <= x1; x++) {
      if ((y != y0 && y != y1 && x != x0 && x != x1) || y < 0 || x < 0 || y >= (int)height || x >= (int)width) continue;
      memcpy(tile + ((size_t)y * tile_width + (size_t)x) * 3, "\xe0\x10\x10", 3);
    }
}

void bez_show_patch(bez_report *report, bez_finding *f, const uint8_t *pixels, uint32_t height, uint32_t width,
                    uint32_t channels) {
  zoom z = zoom_to(height > width ? height : width, PATCH_SIDE);
  uint32_t h = zoomed(height, z), w = zoomed(width, z);
  uint8_t *tile = bez_finding_tile(report, f, "The patch, enlarged", w, h);
  if (tile) draw(tile, w, 0, pixels, height, width, channels, z);
}

/* The row of the label outside `rows` whose thumb is nearest; UINT32_MAX: none. */
static uint32_t nearest_clean(const bez_patch_data *data, const uint32_t *rows, uint32_t n_rows, uint32_t label,
                              uint32_t row) {
  uint32_t best = UINT32_MAX, next = 0;
  double most = -2;
  for (uint32_t i = 0; i < data->n_rows; i++) {
    while (next < n_rows && rows[next] < i) next++;
    if (data->label[i] != label || (next < n_rows && rows[next] == i)) continue;
    double cosine = bez_tracks_cosine(data->tracks, row, i);
    if (cosine > most) most = cosine, best = i;
  }
  return best;
}

bez_status bez_show_rows(const bez_patch_data *data, bez_report *report, bez_finding *f, const uint32_t *rows,
                         uint32_t n_rows, uint32_t label, const bez_patch_spot *at, uint32_t n, bez_error *err) {
  const bez_images *im = data->in->table->images;
  zoom z = zoom_to(im->height > im->width ? im->height : im->width, TILE_SIDE);
  uint32_t h = zoomed(im->height, z), w = zoomed(im->width, z);
  for (uint32_t i = 0; i < n; i++) {
    uint32_t clean = nearest_clean(data, rows, n_rows, label, at[i].row);
    uint32_t width = clean == UINT32_MAX ? w : 2 * w + GAP;
    const char *caption = bez_arena_printf(
        &report->arena,
        clean == UINT32_MAX
            ? "Row %llu, the patch framed"
            : "Row %llu, the patch framed; at its right the nearest picture of the label without the patch, row %llu",
        (unsigned long long)bez_global_row(data->in->table, at[i].row),
        (unsigned long long)(clean == UINT32_MAX ? 0 : bez_global_row(data->in->table, clean)));
    if (!caption) report->out_of_memory = true;
    uint8_t *tile = caption ? bez_finding_tile(report, f, caption, width, h) : NULL;
    if (!tile) return bez_report_status(report, err);
    memset(tile, 255, (size_t)width * h * 3);
    draw(tile, width, 0, bez_image(im, at[i].row), im->height, im->width, im->channels, z);
    frame(tile, width, h, w, &at[i], z);
    if (clean != UINT32_MAX) draw(tile, width, w + GAP, bez_image(im, clean), im->height, im->width, im->channels, z);
  }
  return BEZ_OK;
}
