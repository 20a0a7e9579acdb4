/* Box means of large pictures, and the labels as an array. */
#include <assert.h>
#include <stdlib.h>

#include "base/error.h"
#include "base/threads.h"
#include "detect/image_patch.h"

#define TILE 64u

typedef struct pooling {
  const bez_images *from;
  const bez_view *to;
  uint8_t *pixels;
} pooling;

static void pool_one(const pooling *p, uint64_t row) {
  const bez_images *to = &p->to->images;
  uint32_t s = p->to->scale, c = to->channels;
  size_t stride = (size_t)p->from->width * c;
  assert(s > 0);
  const uint8_t *in = bez_image(p->from, row);
  uint8_t *out = p->pixels + row * bez_image_bytes(to);
  for (uint32_t y = 0; y < to->height; y++)
    for (uint32_t x = 0; x < to->width; x++)
      for (uint32_t k = 0; k < c; k++) {
        uint64_t sum = 0;
        for (uint32_t dy = 0; dy < s; dy++)
          for (uint32_t dx = 0; dx < s; dx++) sum += in[(y * s + dy) * stride + (x * s + dx) * c + k];
        *out++ = (uint8_t)((sum + (uint64_t)s * s / 2) / ((uint64_t)s * s));
      }
}

static bez_status pool_tile(void *ctx, uint64_t tile, unsigned worker, bez_error *err) {
  (void)worker;
  (void)err;
  const pooling *p = ctx;
  uint64_t end = (tile + 1) * TILE < p->from->n ? (tile + 1) * TILE : p->from->n;
  for (uint64_t row = tile * TILE; row < end; row++) pool_one(p, row);
  return BEZ_OK;
}

bez_status bez_view_pool(const bez_images *images, uint32_t scale, unsigned threads, bez_view *out, bez_error *err) {
  *out = (bez_view){.images = *images, .scale = scale};
  bez_store_init(&out->store, NULL);
  if (scale <= 1) return BEZ_OK;
  out->images.height = images->height / scale; /* what is left over at the lower and right edge stays outside */
  out->images.width = images->width / scale;
  bez_status st = bez_store_grow(&out->store, (size_t)(images->n * bez_image_bytes(&out->images)), err);
  if (st != BEZ_OK) return st;
  out->images.pixels = out->store.data;
  pooling p = {images, out, out->store.data};
  return bez_parallel((images->n + TILE - 1) / TILE, threads, pool_tile, &p, err);
}

void bez_view_free(bez_view *view) {
  if (view->scale > 1) bez_store_free(&view->store);
}

bez_status bez_patch_data_make(const bez_detect_input *in, bez_patch_data *out, bez_error *err) {
  const bez_column *col = &in->table->cols[in->label];
  *out = (bez_patch_data){.in = in, .n_rows = (uint32_t)in->table->n_rows, .n_labels = col->n_values};
  bez_status st = bez_shared_tracks(in, &out->tracks, err);
  if (st != BEZ_OK) return st;
  out->label = malloc(((size_t)out->n_rows + 1) * sizeof *out->label);
  out->count = calloc((size_t)out->n_labels + 1, sizeof *out->count);
  if (!out->label || !out->count) {
    bez_patch_data_free(out);
    return bez_fail_memory(err, (size_t)out->n_rows * sizeof *out->label);
  }
  for (uint32_t i = 0; i < out->n_rows; i++) {
    out->label[i] = bez_code(col, i);
    out->count[out->label[i]]++;
  }
  return BEZ_OK;
}

void bez_patch_data_free(bez_patch_data *data) {
  free(data->label);
  free(data->count);
  data->label = data->count = NULL;
}
