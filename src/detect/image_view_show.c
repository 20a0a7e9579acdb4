/* Exhibits of BZ-D030: at the left what a person sees, at its right what a loader gets. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "detect/cells.h"
#include "detect/image_view.h"

#define GAP 4u
#define TILE_WIDTH (2 * BEZ_VIEW_SIDE + GAP)

static uint8_t *tile_of(const bez_detect_input *in, bez_report *report, bez_finding *f, uint64_t row,
                        const char *person, const char *loader) {
  const char *caption = bez_arena_printf(&report->arena, "Row %llu, %s; at its right %s",
                                         (unsigned long long)bez_global_row(in->table, row), person, loader);
  if (!caption) {
    report->out_of_memory = true;
    return NULL;
  }
  uint8_t *tile = bez_finding_tile(report, f, caption, TILE_WIDTH, BEZ_VIEW_SIDE);
  if (tile) memset(tile, 255, (size_t)TILE_WIDTH * BEZ_VIEW_SIDE * 3);
  return tile;
}

void bez_view_show(const bez_detect_input *in, bez_report *report, bez_finding *f, uint32_t odd, const char *person,
                   const char *loader) {
  uint32_t shown = 0;
  const size_t line = (size_t)BEZ_VIEW_SIDE * 3;
  for (const bez_image_views *v = in->table->images->views; v && shown < BEZ_VIEWS_KEPT; v = v->next) {
    if (!(v->odd & odd)) continue;
    uint8_t *tile = tile_of(in, report, f, v->row, person, loader);
    if (!tile) return;
    for (uint32_t y = 0; y < BEZ_VIEW_SIDE; y++, tile += (size_t)TILE_WIDTH * 3) {
      memcpy(tile, v->person + y * line, line);
      memcpy(tile + line + (size_t)GAP * 3, v->loader + y * line, line);
    }
    shown++;
  }
}

/* Pixels of a picture into a square: each is the mean of what it covers, at least one pixel. */
static void draw(uint8_t *tile, uint32_t left, const uint8_t *pixels, uint32_t height, uint32_t width,
                 uint32_t channels) {
  uint32_t longer = height > width ? height : width, h = height * BEZ_VIEW_SIDE / longer,
           w = width * BEZ_VIEW_SIDE / longer;
  for (uint32_t y = 0; y < h; y++)
    for (uint32_t x = 0; x < w; x++) {
      uint32_t y0 = y * height / h, x0 = x * width / w, y1 = (y + 1) * height / h, x1 = (x + 1) * width / w;
      uint32_t end_y = y1 > y0 ? y1 : y0 + 1, end_x = x1 > x0 ? x1 : x0 + 1, n = (end_y - y0) * (end_x - x0);
      for (uint32_t k = 0; k < 3; k++) {
        uint32_t sum = 0;
        for (uint32_t v = y0; v < end_y; v++)
          for (uint32_t u = x0; u < end_x; u++)
            sum += pixels[((size_t)v * width + u) * channels + (channels == 3 ? k : 0)];
        tile[((size_t)y * TILE_WIDTH + left + x) * 3 + k] = (uint8_t)((sum + n / 2) / n);
      }
    }
}

bez_status bez_view_show_scaled(const bez_detect_input *in, bez_report *report, bez_finding *f, uint32_t row,
                                const bez_scaled_view *view, bez_error *err) {
  const bez_images *im = in->table->images;
  uint8_t *small = malloc((size_t)view->height * view->width * im->channels);
  if (!small) return bez_fail_memory(err, (size_t)view->height * view->width * im->channels);
  bez_scaled_view_draw(bez_image(im, row), im->height, im->width, im->channels, view, small);
  uint8_t *tile = tile_of(in, report, f, row, "as a person sees it", "as a loader that makes it smaller sees it");
  if (tile) {
    draw(tile, 0, bez_image(im, row), im->height, im->width, im->channels);
    draw(tile, BEZ_VIEW_SIDE + GAP, small, view->height, view->width, im->channels);
  }
  free(small);
  return BEZ_OK;
}
