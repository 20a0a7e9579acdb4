#include "fit/hog.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"

#define CELLS 8u
#define DIRECTIONS 9u
#define SIDE 64u  /* most pixels of a side, after pooling */
#define REACH 255 /* largest difference of two luma values */
#define SPAN (2 * REACH + 1)
#define CLIP 0.2f
#define FLOOR 0.065f /* added to a block's energy: (.001 · 255)² per pixel */
#define PARTS 64u    /* a gradient's direction lies so many steps between two directions */

/* What a gradient adds: `low` to direction `at`, `high` to the next one. */
typedef struct gradient {
  float low, high;
  uint32_t at;
} gradient;

struct bez_hog {
  const bez_images *images;
  uint32_t factor, height, width; /* after pooling */
  gradient *table;                /* SPAN × SPAN, by dy and dx */
};

/* The table makes the direction of a gradient a matter of integers: rounded to steps, so that the last bit of a
 * library's arc tangent decides nothing. */
static void fill_table(gradient *table) {
  const double full = 6.283185307179586;
  for (int dy = -REACH; dy <= REACH; dy++)
    for (int dx = -REACH; dx <= REACH; dx++) {
      double turn = atan2(dy, dx) / full, size = sqrt((double)(dy * dy + dx * dx));
      uint32_t step = (uint32_t)lrint((turn < 0 ? turn + 1 : turn) * DIRECTIONS * PARTS) % (DIRECTIONS * PARTS);
      double part = (double)(step % PARTS) / PARTS;
      table[(dy + REACH) * SPAN + dx + REACH] =
          (gradient){.low = (float)(size * (1 - part)), .high = (float)(size * part), .at = step / PARTS};
    }
}

bez_status bez_hog_create(const bez_images *images, bez_hog **out, bez_error *err) {
  bez_hog *hog = calloc(1, sizeof *hog);
  *out = NULL;
  if (!hog) return bez_fail_memory(err, sizeof *hog);
  uint32_t longer = images->height > images->width ? images->height : images->width;
  hog->images = images;
  hog->factor = (longer + SIDE - 1) / SIDE;
  hog->height = images->height / hog->factor ? images->height / hog->factor : 1;
  hog->width = images->width / hog->factor ? images->width / hog->factor : 1;
  hog->table = malloc(SPAN * SPAN * sizeof *hog->table);
  if (!hog->table) {
    free(hog);
    return bez_fail_memory(err, SPAN * SPAN * sizeof *hog->table);
  }
  fill_table(hog->table);
  *out = hog;
  return BEZ_OK;
}

void bez_hog_destroy(bez_hog *hog) {
  if (!hog) return;
  free(hog->table);
  free(hog);
}

/* Mean luma (Rec. 601) of a factor × factor box, to the nearest level. */
static uint8_t luma(const bez_hog *hog, const uint8_t *picture, uint32_t y, uint32_t x) {
  const bez_images *im = hog->images;
  uint64_t sum = 0, n = 0;
  for (uint32_t dy = 0; dy < hog->factor && y * hog->factor + dy < im->height; dy++)
    for (uint32_t dx = 0; dx < hog->factor && x * hog->factor + dx < im->width; dx++, n++) {
      const uint8_t *p = picture + ((size_t)(y * hog->factor + dy) * im->width + x * hog->factor + dx) * im->channels;
      sum += im->channels == 1 ? 1000u * p[0] : 299u * p[0] + 587u * p[1] + 114u * p[2];
    }
  assert(n > 0); /* boxes begin inside the picture */
  return (uint8_t)((sum + 500 * n) / (1000 * n));
}

static void add_gradients(const bez_hog *hog, const uint8_t *grey, float cell[CELLS][CELLS][DIRECTIONS]) {
  uint32_t h = hog->height, w = hog->width;
  for (uint32_t y = 0; y < h; y++) {
    const uint8_t *up = grey + (y ? y - 1 : 0) * w, *down = grey + (y + 1 < h ? y + 1 : y) * w, *here = grey + y * w;
    for (uint32_t x = 0; x < w; x++) {
      int dy = down[x] - up[x], dx = here[x + 1 < w ? x + 1 : x] - here[x ? x - 1 : 0];
      const gradient *g = &hog->table[(dy + REACH) * SPAN + dx + REACH];
      float *to = cell[y * CELLS / h][x * CELLS / w];
      to[g->at] += g->low;
      to[g->at + 1 == DIRECTIONS ? 0 : g->at + 1] += g->high;
    }
  }
}

static float energy(float cell[CELLS][CELLS][DIRECTIONS], int y, int x) {
  if (y < 0 || x < 0 || y >= (int)CELLS || x >= (int)CELLS) return 0.0f;
  float sum = 0.0f;
  for (unsigned b = 0; b < DIRECTIONS; b++) sum += cell[y][x][b] * cell[y][x][b];
  return sum;
}

/* A cell, normalised by its four blocks. */
static void normalise(float cell[CELLS][CELLS][DIRECTIONS], int y, int x, float floor_energy, float *out) {
  for (unsigned b = 0; b < DIRECTIONS; b++) out[b] = 0.0f;
  for (int dy = -1; dy <= 0; dy++)
    for (int dx = -1; dx <= 0; dx++) {
      float sum = energy(cell, y + dy, x + dx) + energy(cell, y + dy, x + dx + 1) + energy(cell, y + dy + 1, x + dx) +
                  energy(cell, y + dy + 1, x + dx + 1);
      float scale = 1.0f / sqrtf(sum + floor_energy);
      for (unsigned b = 0; b < DIRECTIONS; b++) {
        float v = cell[y][x][b] * scale;
        out[b] += v < CLIP ? v : CLIP;
      }
    }
}

void bez_hog_row(const bez_hog *hog, uint64_t row, float *out) {
  uint8_t grey[SIDE * SIDE];
  float cell[CELLS][CELLS][DIRECTIONS] = {0};
  const uint8_t *picture = bez_image(hog->images, row);
  for (uint32_t y = 0; y < hog->height; y++)
    for (uint32_t x = 0; x < hog->width; x++) grey[y * hog->width + x] = luma(hog, picture, y, x);
  add_gradients(hog, grey, cell);
  float per_cell = (float)(hog->height * hog->width) / (CELLS * CELLS);
  for (unsigned y = 0; y < CELLS; y++)
    for (unsigned x = 0; x < CELLS; x++)
      normalise(cell, (int)y, (int)x, FLOOR * per_cell * per_cell, out + (y * CELLS + x) * DIRECTIONS);
  float length = 0.0f;
  for (unsigned i = 0; i < BEZ_HOG_DIM; i++) length += out[i] * out[i];
  if (length > 0.0f) length = 1.0f / sqrtf(length);
  for (unsigned i = 0; i < BEZ_HOG_DIM; i++) out[i] *= length;
}
