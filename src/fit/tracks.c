/* Thumbs, the graph of near ones, its components. */
#include "fit/tracks.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/threads.h"
#include "fit/tracks_internal.h"

#define TILE 256u
#define JOIN 0.98 /* cosine above which two pictures are of one track */

typedef struct thumbs {
  const bez_images *images;
  bez_tracks *tracks;
} thumbs;

/* Rec. 601 luma in thousandths. */
static uint32_t grey(const uint8_t *pixel, uint32_t channels) {
  return channels == 1 ? 1000u * pixel[0] : 299u * pixel[0] + 587u * pixel[1] + 114u * pixel[2];
}

static double block_mean(const thumbs *t, const uint8_t *picture, uint32_t by, uint32_t bx) {
  const bez_images *im = t->images;
  uint32_t y0 = by * im->height / t->tracks->side_y, y1 = (by + 1) * im->height / t->tracks->side_y;
  uint32_t x0 = bx * im->width / t->tracks->side_x, x1 = (bx + 1) * im->width / t->tracks->side_x;
  uint64_t sum = 0;
  for (uint32_t y = y0; y < y1; y++)
    for (uint32_t x = x0; x < x1; x++) sum += grey(picture + ((size_t)y * im->width + x) * im->channels, im->channels);
  return (double)sum / (1000.0 * (y1 - y0) * (x1 - x0));
}

static void make_thumb(const thumbs *t, uint32_t row) {
  double v[BEZ_TRACKS_DIM] = {0}, mean = 0, square = 0;
  const uint8_t *picture = bez_image(t->images, row);
  int16_t *out = t->tracks->thumb + (size_t)row * BEZ_TRACKS_DIM;
  uint32_t dim = t->tracks->dim;
  for (uint32_t d = 0; d < dim; d++)
    mean += v[d] = block_mean(t, picture, d / t->tracks->side_x, d % t->tracks->side_x);
  mean /= dim;
  for (uint32_t d = 0; d < dim; d++) square += (v[d] - mean) * (v[d] - mean);
  if (square < 1e-6) return; /* without contrast: zeros */
  double scale = BEZ_TRACKS_UNIT / sqrt(square);
  for (uint32_t d = 0; d < dim; d++) out[d] = (int16_t)lrint((v[d] - mean) * scale);
}

static bez_status thumb_tile(void *ctx, uint64_t tile, unsigned worker, bez_error *err) {
  (void)worker;
  (void)err;
  const thumbs *t = ctx;
  uint64_t end = (tile + 1) * TILE < t->images->n ? (tile + 1) * TILE : t->images->n;
  for (uint64_t row = tile * TILE; row < end; row++) make_thumb(t, (uint32_t)row);
  return BEZ_OK;
}

double bez_tracks_cosine(const bez_tracks *tracks, uint32_t a, uint32_t b) {
  return (double)bez_thumb_product(tracks->thumb + (size_t)a * BEZ_TRACKS_DIM,
                                   tracks->thumb + (size_t)b * BEZ_TRACKS_DIM) /
         ((double)BEZ_TRACKS_UNIT * BEZ_TRACKS_UNIT);
}

static uint32_t root(uint32_t *parent, uint32_t i) {
  while (parent[i] != i) i = parent[i] = parent[parent[i]];
  return i;
}

/* The lower row becomes the root, so that a root is its group's first row. */
static void join(uint32_t *parent, uint32_t a, uint32_t b) {
  a = root(parent, a);
  b = root(parent, b);
  if (a < b) parent[b] = a;
  if (b < a) parent[a] = b;
}

static bool has_contrast(const bez_tracks *t, uint32_t row) {
  static const int16_t zero[BEZ_TRACKS_DIM] = {0};
  return memcmp(t->thumb + (size_t)row * BEZ_TRACKS_DIM, zero, sizeof zero) != 0;
}

static bez_status components(bez_tracks *t, const bez_nearest *near, bez_error *err) {
  const int32_t least = (int32_t)lrint(JOIN * BEZ_TRACKS_UNIT * BEZ_TRACKS_UNIT);
  uint32_t *parent = t->group, flat = UINT32_MAX;
  for (uint32_t i = 0; i < t->n_rows; i++) parent[i] = i;
  for (uint32_t i = 0; i < t->n_rows; i++) {
    if (!has_contrast(t, i)) {
      if (flat == UINT32_MAX) flat = i;
      join(parent, flat, i);
      continue;
    }
    for (unsigned k = 0; k < BEZ_NEAR_K && near[i].row[k] != UINT32_MAX; k++)
      if (near[i].product[k] > least) join(parent, i, near[i].row[k]);
  }
  for (uint32_t i = 0; i < t->n_rows; i++) t->n_groups += root(parent, i) == i;
  t->size = calloc((size_t)t->n_groups + 1, sizeof *t->size);
  if (!t->size) return bez_fail_memory(err, (size_t)t->n_groups * sizeof *t->size);
  for (uint32_t i = 0; i < t->n_rows; i++) parent[i] = root(parent, i); /* each a first row … */
  uint32_t next = 0;
  for (uint32_t i = 0; i < t->n_rows; i++) { /* … whose number was given before its members are met */
    t->group[i] = parent[i] == i ? next++ : t->group[parent[i]];
    t->size[t->group[i]]++;
  }
  return BEZ_OK;
}

typedef struct placed {
  uint32_t group, row;
} placed;

static int by_track(const void *x, const void *y) {
  const placed *a = x, *b = y;
  if (a->group != b->group) return a->group < b->group ? -1 : 1;
  return a->row < b->row ? -1 : a->row > b->row;
}

bez_status bez_tracks_sort_rows(const bez_tracks *tracks, uint32_t *rows, uint32_t n, bez_error *err) {
  placed *list = malloc(((size_t)n + 1) * sizeof *list);
  if (!list) return bez_fail_memory(err, n * sizeof *list);
  for (uint32_t i = 0; i < n; i++) list[i] = (placed){tracks->group[rows[i]], rows[i]};
  qsort(list, n, sizeof *list, by_track);
  for (uint32_t i = 0; i < n; i++) rows[i] = list[i].row;
  free(list);
  return BEZ_OK;
}

void bez_tracks_destroy(bez_tracks *tracks) {
  if (!tracks) return;
  free(tracks->group);
  free(tracks->size);
  free(tracks->thumb);
  free(tracks);
}

static bez_status allocate(const bez_images *images, bez_tracks **out, bez_error *err) {
  if (images->n >= UINT32_MAX) return bez_fail(err, BEZ_LIMIT, NULL, "more than 4,294,967,294 pictures");
  bez_tracks *t = calloc(1, sizeof *t);
  if (!t) return bez_fail_memory(err, sizeof *t);
  t->n_rows = (uint32_t)images->n;
  t->side_y = images->height < 8 ? images->height : 8;
  t->side_x = images->width < 8 ? images->width : 8;
  t->dim = t->side_y * t->side_x;
  t->group = malloc((images->n + 1) * sizeof *t->group);
  t->thumb = calloc(images->n + 1, BEZ_TRACKS_DIM * sizeof *t->thumb);
  *out = t;
  return t->group && t->thumb ? BEZ_OK : bez_fail_memory(err, images->n * BEZ_TRACKS_DIM * sizeof *t->thumb);
}

bez_status bez_tracks_fit(const bez_images *images, uint64_t seed, unsigned threads, bez_tracks **out, bez_error *err) {
  bez_status st = BEZ_OK;
  bez_tracks *t = NULL;
  bez_nearest *near = NULL;
  *out = NULL;
  BEZ_TRY(allocate(images, &t, err));
  BEZ_TRY(bez_parallel((images->n + TILE - 1) / TILE, threads, thumb_tile, &(thumbs){images, t}, err));
  near = malloc((images->n + 1) * sizeof *near);
  if (!near) {
    st = bez_fail_memory(err, images->n * sizeof *near);
    goto cleanup;
  }
  for (uint32_t i = 0; i < t->n_rows; i++)
    for (unsigned k = 0; k < BEZ_NEAR_K; k++) near[i].product[k] = INT32_MIN, near[i].row[k] = UINT32_MAX;
  BEZ_TRY(t->n_rows <= BEZ_TRACKS_EXACT ? bez_tracks_near_exact(t, threads, near, err)
                                        : bez_tracks_near_forest(t, seed, threads, near, err));
  BEZ_TRY(components(t, near, err));
  *out = t;
  t = NULL;
cleanup:
  free(near);
  bez_tracks_destroy(t);
  return st;
}
