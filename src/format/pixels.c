/* Arrays as pictures (pixels.h): one pass for the range where items are no bytes, one for the pixels. */
#include "format/pixels.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/limits.h"

#define BLOCK_BYTES ((uint64_t)4 << 20)

typedef struct pixels {
  const bez_source *source;
  const bez_array *array;
  const bez_field *field;
  bez_pixel_layout *layout;
  double low, high;
  uint8_t *block;
  uint64_t rows; /* of a block */
} pixels;

static bool is_channels(uint64_t n) {
  return n == 1 || n == 3 || n == 4;
}

static bez_status axes(pixels *p, bez_error *err) {
  const bez_array *a = p->array;
  bez_pixel_layout *l = p->layout;
  uint64_t h = a->dim[1], w = a->dim[2], c = 1;
  if (a->n_dims == 4) {
    l->planar = !is_channels(a->dim[3]) && is_channels(a->dim[1]);
    if (!l->planar && !is_channels(a->dim[3]))
      return bez_fail(err, BEZ_UNSUPPORTED, p->source->path,
                      "%llu × %llu × %llu × %llu: no axis of 1, 3 or 4 channels, these are no pictures",
                      (unsigned long long)a->dim[0], (unsigned long long)a->dim[1], (unsigned long long)a->dim[2],
                      (unsigned long long)a->dim[3]);
    c = l->planar ? a->dim[1] : a->dim[3];
    h = a->dim[l->planar ? 2 : 1];
    w = a->dim[l->planar ? 3 : 2];
  } else if (is_channels(w) && h >= 16 && a->dim[0] >= 16) {
    return bez_fail(err, BEZ_UNSUPPORTED, p->source->path,
                    "%llu × %llu × %llu looks like one colour picture; a data set has a first axis of pictures",
                    (unsigned long long)a->dim[0], (unsigned long long)h, (unsigned long long)w);
  }
  if (h > BEZ_MAX_IMAGE_SIDE || w > BEZ_MAX_IMAGE_SIDE)
    return bez_fail(err, BEZ_LIMIT, p->source->path, "a picture of %llu × %llu pixels is too large",
                    (unsigned long long)h, (unsigned long long)w);
  l->height = (uint32_t)h;
  l->width = (uint32_t)w;
  l->channels = (uint32_t)c;
  l->kept = c == 4 ? 3 : (uint32_t)c;
  if (p->field->kind > BEZ_ITEM_FLOAT)
    return bez_fail(err, BEZ_UNSUPPORTED, p->source->path, "pictures of text or dates");
  if (a->stride > BEZ_MAX_IMAGE_BYTES * 8) return bez_fail(err, BEZ_LIMIT, p->source->path, "a picture is too large");
  return BEZ_OK;
}

static bool is_bytes(const bez_field *field) {
  return field->kind == BEZ_ITEM_UINT && field->size == 1;
}

static bez_status load(const pixels *p, uint64_t row, uint64_t rows, bez_error *err) {
  const bez_array *a = p->array;
  size_t got = 0, want = (size_t)(rows * a->stride);
  if (a->bytes) {
    memcpy(p->block, a->bytes + row * a->stride, want);
    return BEZ_OK;
  }
  bez_status st = bez_source_read(p->source, a->data_at + row * a->stride, p->block, want, &got, err);
  if (st == BEZ_OK && got != want)
    st = bez_fail(err, BEZ_IO, p->source->path, "the file became shorter while it was read");
  return st;
}

static bez_status find_range(pixels *p, bez_error *err) {
  const bez_array *a = p->array;
  p->low = INFINITY;
  p->high = -INFINITY;
  for (uint64_t row = 0; row < a->n_rows; row += p->rows) {
    uint64_t rows = a->n_rows - row < p->rows ? a->n_rows - row : p->rows;
    bez_status st = load(p, row, rows, err);
    if (st != BEZ_OK) return st;
    for (uint64_t i = 0; i < rows * a->stride; i += p->field->size) {
      double v = bez_array_number(p->field, p->block + i);
      if (!isfinite(v)) continue;
      p->low = fmin(p->low, v);
      p->high = fmax(p->high, v);
    }
  }
  return BEZ_OK;
}

static bez_status choose_scale(pixels *p, bez_error *err) {
  bez_pixel_layout *l = p->layout;
  l->scale = 1;
  if (is_bytes(p->field)) return BEZ_OK;
  bez_status st = find_range(p, err);
  if (st != BEZ_OK) return st;
  bool real = p->field->kind == BEZ_ITEM_FLOAT;
  if (p->field->kind == BEZ_ITEM_BOOL || (real && p->low >= 0 && p->high <= 1)) {
    l->scale = 255;
  } else if (real && p->low >= -1 && p->high <= 1) {
    l->scale = l->shift = 127.5;
  } else if (!(p->low >= 0 && p->high <= 255) && p->high > p->low) {
    l->scale = 255 / (p->high - p->low);
    l->shift = -p->low * l->scale;
    l->stretched = true;
  }
  return BEZ_OK;
}

static bez_status begin(pixels *p, bez_error *err) {
  bez_status st = axes(p, err);
  if (st != BEZ_OK) return st;
  p->rows = p->array->stride && BLOCK_BYTES / p->array->stride ? BLOCK_BYTES / p->array->stride : 1;
  p->block = malloc(p->rows * p->array->stride + 1);
  return p->block ? BEZ_OK : bez_fail_memory(err, p->rows * p->array->stride);
}

bez_status bez_pixel_layout_find(const bez_source *source, const bez_array *array, bez_pixel_layout *layout,
                                 bez_error *err) {
  *layout = (bez_pixel_layout){0};
  pixels p = {.source = source, .array = array, .field = &array->fields[0], .layout = layout};
  bez_status st = begin(&p, err);
  if (st == BEZ_OK) st = choose_scale(&p, err);
  free(p.block);
  return st;
}

static uint8_t pixel_of(const bez_pixel_layout *l, const bez_field *field, const uint8_t *item, uint64_t *n_nan) {
  double v = bez_array_number(field, item);
  if (isnan(v)) {
    ++*n_nan;
    return 0;
  }
  v = v * l->scale + l->shift;
  return v <= 0 ? 0 : v >= 255 ? 255 : (uint8_t)(((int)(2 * v) + 1) / 2); /* to the nearest */
}

static uint64_t item_at(const bez_pixel_layout *l, uint64_t pixel, uint32_t channel) {
  return l->planar ? channel * ((uint64_t)l->height * l->width) + pixel : pixel * l->channels + channel;
}

uint64_t bez_pixels_get(const bez_pixel_layout *l, const bez_field *field, const uint8_t *items, uint8_t *out) {
  uint64_t area = (uint64_t)l->height * l->width, n_nan = 0;
  bool bytes = is_bytes(field);
  if (bytes && !l->planar && l->channels == l->kept) {
    memcpy(out, items, area * l->kept);
    return 0;
  }
  for (uint64_t i = 0; i < area; i++)
    for (uint32_t c = 0; c < l->kept; c++) {
      const uint8_t *item = items + item_at(l, i, c) * field->size;
      out[i * l->kept + c] = bytes ? *item : pixel_of(l, field, item, &n_nan);
    }
  return n_nan;
}

void bez_pixels_put(const bez_pixel_layout *l, const bez_field *field, const uint8_t *before, const uint8_t *after,
                    uint8_t *items) {
  uint64_t area = (uint64_t)l->height * l->width;
  for (uint64_t i = 0; i < area; i++)
    for (uint32_t c = 0; c < l->kept; c++) {
      uint8_t pixel = after[i * l->kept + c];
      if (pixel != before[i * l->kept + c])
        bez_array_set_number(field, (pixel - l->shift) / l->scale, items + item_at(l, i, c) * field->size);
    }
}

/* What the reader says of numbers that were not plain pixels. */
static void remark(const bez_pixel_layout *l, const char *path, uint64_t n_rows, uint64_t n_nan, bez_builder *builder) {
  if (l->stretched)
    bez_builder_remark(builder, "pixels-scaled", path, n_rows, -1,
                       "numbers outside 0 … 255 were scaled from least to largest");
  if (l->channels == 4)
    bez_builder_remark(builder, "alpha-channel", path, n_rows, -1, "the alpha channel was left out");
  if (n_nan) bez_builder_remark(builder, "pixels-nan", path, n_nan, -1, "no numbers, read as black");
}

bez_status bez_pixels_push(const bez_source *source, const bez_array *array, bez_builder *builder, bez_error *err) {
  bez_status st = BEZ_OK;
  bez_pixel_layout l = {0};
  pixels p = {.source = source, .array = array, .field = &array->fields[0], .layout = &l};
  uint64_t n_nan = 0, first, end;
  uint8_t *out;
  BEZ_TRY(begin(&p, err));
  BEZ_TRY(bez_builder_images(builder, source->path, l.height, l.width, l.kept, err));
  BEZ_TRY(choose_scale(&p, err));
  bez_builder_range(builder, array->n_rows, &first, &end);
  BEZ_TRY(bez_builder_pixels(builder, end - first, &out, err));
  uint64_t each = (uint64_t)l.height * l.width * l.kept;
  for (uint64_t row = first; row < end; row += p.rows) {
    uint64_t rows = end - row < p.rows ? end - row : p.rows;
    BEZ_TRY(load(&p, row, rows, err));
    for (uint64_t i = 0; i < rows; i++)
      n_nan += bez_pixels_get(&l, p.field, p.block + i * array->stride, out + (row - first + i) * each);
  }
  if (end > first) remark(&l, source->path, end - first, n_nan, builder);
cleanup:
  free(p.block);
  return st;
}
