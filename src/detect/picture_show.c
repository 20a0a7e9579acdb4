#include "detect/picture_show.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "detect/cells.h"

#define SIDE 96u /* small pictures are enlarged to about this, larger ones made smaller */
#define GAP 4u
#define MOST_CONTRAST 4.0f /* of a difference */

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

/* A place in a tile that a picture is drawn at. */
typedef struct canvas {
  uint8_t *tile;
  uint32_t width; /* of the tile */
  uint32_t x;     /* of the picture's left edge */
  zoom z;
} canvas;

static uint8_t *canvas_at(const canvas *c, uint32_t oy, uint32_t ox) {
  return c->tile + ((size_t)oy * c->width + c->x + ox) * 3;
}

/* The sample of a picture that stands at a pixel of the canvas. */
static size_t source_at(const zoom *z, uint32_t oy, uint32_t ox, uint32_t width, uint32_t channels) {
  return ((size_t)(oy * z->down / z->up) * width + ox * z->down / z->up) * channels;
}

static void draw(const canvas *c, const uint8_t *pixels, uint32_t width, uint32_t channels) {
  for (uint32_t oy = 0; oy < c->z.height; oy++)
    for (uint32_t ox = 0; ox < c->z.width; ox++) {
      const uint8_t *p = pixels + source_at(&c->z, oy, ox, width, channels);
      for (uint32_t k = 0; k < 3; k++) canvas_at(c, oy, ox)[k] = p[channels == 3 ? k : 0];
    }
}

/* Middle grey where the pictures are the same, stretched so that the largest difference is black or white. */
static void draw_difference(const canvas *c, const bez_images *im, const uint8_t *a, const uint8_t *b) {
  int most = 0;
  for (uint64_t i = 0; i < bez_image_bytes(im); i++)
    if (abs(a[i] - b[i]) > most) most = abs(a[i] - b[i]);
  float contrast = most ? fminf(127.0f / (float)most, MOST_CONTRAST) : 1;
  for (uint32_t oy = 0; oy < c->z.height; oy++)
    for (uint32_t ox = 0; ox < c->z.width; ox++) {
      size_t at = source_at(&c->z, oy, ox, im->width, im->channels);
      for (uint32_t k = 0; k < 3; k++) {
        size_t s = at + (im->channels == 3 ? k : 0);
        canvas_at(c, oy, ox)[k] = (uint8_t)(128.0f + contrast * (float)(a[s] - b[s]));
      }
    }
}

/* A red line one pixel outside the box, as far as it lies inside the picture. */
static void draw_frame(const canvas *c, const bez_frame *f) {
  const zoom *z = &c->z;
  int y0 = (int)(f->y * z->up / z->down) - 1, x0 = (int)(f->x * z->up / z->down) - 1;
  int y1 = (int)((f->y + f->height) * z->up / z->down), x1 = (int)((f->x + f->width) * z->up / z->down);
  for (int y = y0; y <= y1; y++)
    for (int x = x0; x <= x1; x++) {
      if (y != y0 && y != y1 && x != x0 && x != x1) continue;
      if (y < 0 || x < 0 || y >= (int)z->height || x >= (int)z->width) continue;
      memcpy(canvas_at(c, (uint32_t)y, (uint32_t)x), "\xe0\x10\x10", 3);
    }
}

/* "Row 17" or, where each picture is a file, the end of its path; and its label. */
static const char *name_of(bez_report *report, const bez_detect_input *in, uint32_t row) {
  const bez_table *t = in->table;
  const char *label = in->label >= 0 ? bez_cells_label(report, in, row) : NULL;
  uint64_t global = bez_global_row(t, row);
  const char *before = label ? ", label " : "";
  size_t lo = 0, hi = t->n_files;
  while (lo < hi) { /* the file whose rows begin last at or before it */
    size_t mid = lo + (hi - lo) / 2;
    if (t->files[mid].first_row + t->files[mid].n_rows <= global)
      lo = mid + 1;
    else
      hi = mid;
  }
  if (lo >= t->n_files || t->n_files < 2 || t->files[lo].n_rows != 1)
    return bez_arena_printf(&report->arena, "row %llu%s%s", (unsigned long long)global, before, label ? label : "");
  const char *slash = strrchr(t->files[lo].path, '/');
  return bez_arena_printf(&report->arena, "%s%s%s", slash ? slash + 1 : t->files[lo].path, before, label ? label : "");
}

static const char *caption_of(bez_report *report, const bez_detect_input *in, uint32_t row, const char *what,
                              uint32_t mate, const char *mate_is) {
  const char *name = name_of(report, in, row), *other = mate == UINT32_MAX ? "" : name_of(report, in, mate);
  if (!name || !other) return NULL;
  if (mate == UINT32_MAX) return bez_arena_printf(&report->arena, "%s: %s", name, what);
  return bez_arena_printf(&report->arena, "%s: %s | %s: %s | the difference", name, what, other, mate_is);
}

void bez_show_pair(bez_report *report, bez_finding *f, const bez_detect_input *in, uint32_t row, const char *what,
                   const bez_frame *frame, uint32_t mate, const char *mate_is) {
  const bez_images *im = in->table->images;
  canvas c = {.z = zoom_of(im->height, im->width)};
  bool alone = mate == UINT32_MAX;
  const char *caption = caption_of(report, in, row, what, mate, mate_is);
  if (!caption) {
    report->out_of_memory = true;
    return;
  }
  c.width = alone ? c.z.width : 3 * c.z.width + 2 * GAP;
  c.tile = bez_finding_tile(report, f, caption, c.width, c.z.height);
  if (!c.tile) return;
  memset(c.tile, 255, (size_t)c.width * c.z.height * 3);
  draw(&c, bez_image(im, row), im->width, im->channels);
  if (frame) draw_frame(&c, frame);
  if (alone) return;
  c.x += c.z.width + GAP;
  draw(&c, bez_image(im, mate), im->width, im->channels);
  c.x += c.z.width + GAP;
  draw_difference(&c, im, bez_image(im, row), bez_image(im, mate));
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
      if (flagged[k] || k == row) continue;
      if (mate_class && mate_class[row] != UINT32_MAX && class_of[k] != mate_class[row]) continue;
      double cosine = bez_tracks_cosine(tracks, row, k);
      if (cosine > most) most = cosine, best = k;
    }
    bez_show_pair(report, f, in, row, what, NULL, best, mate_is);
  }
  return BEZ_OK;
}

void bez_show_enlarged(bez_report *report, bez_finding *f, const char *caption, const uint8_t *pixels, uint32_t height,
                       uint32_t width, uint32_t channels) {
  canvas c = {.z = zoom_of(height, width)};
  c.width = c.z.width;
  c.tile = bez_finding_tile(report, f, caption, c.z.width, c.z.height);
  if (c.tile) draw(&c, pixels, width, channels);
}

void bez_show_pattern(bez_report *report, bez_finding *f, const char *caption, const float *pattern, uint32_t height,
                      uint32_t width, uint32_t channels) {
  canvas c = {.z = zoom_of(height, width)};
  float most = 0;
  for (size_t i = 0; i < (size_t)height * width * channels; i++)
    if (fabsf(pattern[i]) > most) most = fabsf(pattern[i]);
  c.width = c.z.width;
  c.tile = bez_finding_tile(report, f, caption, c.z.width, c.z.height);
  if (!c.tile) return;
  for (uint32_t oy = 0; oy < c.z.height; oy++)
    for (uint32_t ox = 0; ox < c.z.width; ox++)
      for (uint32_t k = 0; k < 3; k++) {
        size_t at = source_at(&c.z, oy, ox, width, channels) + (channels == 3 ? k : 0);
        float level = 127.5f + (most > 0 ? 127.5f * pattern[at] / most : 0);
        canvas_at(&c, oy, ox)[k] = (uint8_t)(level + .5f > 255 ? 255 : level + .5f);
      }
}
