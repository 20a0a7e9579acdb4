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
  bez_builder *builder;
  uint32_t height, width, channels, kept; /* kept: channels that stay */
  bool planar;                            /* N×C×H×W */
  double low, high, scale, shift;         /* pixel = value · scale + shift */
  uint64_t not_a_number;
  uint8_t *block;
  uint64_t rows; /* of a block */
} pixels;

static bool is_channels(uint64_t n) {
  return n == 1 || n == 3 || n == 4;
}

static bez_status axes(pixels *p, bez_error *err) {
  const bez_array *a = p->array;
  uint64_t h = a->dim[1], w = a->dim[2], c = 1;
  if (a->n_dims == 4) {
    p->planar = !is_channels(a->dim[3]) && is_channels(a->dim[1]);
    if (!p->planar && !is_channels(a->dim[3]))
      return bez_fail(err, BEZ_UNSUPPORTED, p->source->path,
                      "%llu × %llu × %llu × %llu: no axis of 1, 3 or 4 channels, these are no pictures",
                      (unsigned long long)a->dim[0], (unsigned long long)a->dim[1], (unsigned long long)a->dim[2],
                      (unsigned long long)a->dim[3]);
    c = p->planar ? a->dim[1] : a->dim[3];
    h = a->dim[p->planar ? 2 : 1];
    w = a->dim[p->planar ? 3 : 2];
  } else if (is_channels(w) && h >= 16 && a->dim[0] >= 16) {
    return bez_fail(err, BEZ_UNSUPPORTED, p->source->path,
                    "%llu × %llu × %llu looks like one colour picture; a data set has a first axis of pictures",
                    (unsigned long long)a->dim[0], (unsigned long long)h, (unsigned long long)w);
  }
  if (h > BEZ_MAX_IMAGE_SIDE || w > BEZ_MAX_IMAGE_SIDE)
    return bez_fail(err, BEZ_LIMIT, p->source->path, "a picture of %llu × %llu pixels is too large",
                    (unsigned long long)h, (unsigned long long)w);
  p->height = (uint32_t)h;
  p->width = (uint32_t)w;
  p->channels = (uint32_t)c;
  p->kept = c == 4 ? 3 : (uint32_t)c;
  if (p->field->kind > BEZ_ITEM_FLOAT)
    return bez_fail(err, BEZ_UNSUPPORTED, p->source->path, "pictures of text or dates");
  return bez_builder_images(p->builder, p->source->path, p->height, p->width, p->kept, err);
}

static bool is_bytes(const pixels *p) {
  return p->field->kind == BEZ_ITEM_UINT && p->field->size == 1;
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
  p->scale = 1;
  if (is_bytes(p)) return BEZ_OK;
  bez_status st = find_range(p, err);
  if (st != BEZ_OK) return st;
  bool real = p->field->kind == BEZ_ITEM_FLOAT;
  if (p->field->kind == BEZ_ITEM_BOOL || (real && p->low >= 0 && p->high <= 1)) {
    p->scale = 255;
  } else if (real && p->low >= -1 && p->high <= 1) {
    p->scale = p->shift = 127.5;
  } else if (!(p->low >= 0 && p->high <= 255) && p->high > p->low) {
    p->scale = 255 / (p->high - p->low);
    p->shift = -p->low * p->scale;
    bez_builder_remark(p->builder, "pixels-scaled", p->source->path, p->array->n_rows, -1,
                       "numbers outside 0 … 255 were scaled from least to largest");
  }
  return BEZ_OK;
}

static uint8_t pixel_of(pixels *p, const uint8_t *item) {
  double v = bez_array_number(p->field, item);
  if (isnan(v)) {
    p->not_a_number++;
    return 0;
  }
  v = v * p->scale + p->shift;
  return v <= 0 ? 0 : v >= 255 ? 255 : (uint8_t)(v + .5);
}

static void convert(pixels *p, const uint8_t *in, uint8_t *out) {
  uint64_t area = (uint64_t)p->height * p->width, size = p->field->size;
  bool bytes = is_bytes(p);
  if (bytes && !p->planar && p->channels == p->kept) {
    memcpy(out, in, area * p->kept);
    return;
  }
  for (uint64_t i = 0; i < area; i++)
    for (uint32_t c = 0; c < p->kept; c++) {
      const uint8_t *item = in + (p->planar ? c * area + i : i * p->channels + c) * size;
      out[i * p->kept + c] = bytes ? *item : pixel_of(p, item);
    }
}

bez_status bez_pixels_push(const bez_source *source, const bez_array *array, bez_builder *builder, bez_error *err) {
  bez_status st = BEZ_OK;
  pixels p = {.source = source, .array = array, .field = &array->fields[0], .builder = builder};
  uint8_t *out;
  BEZ_TRY(axes(&p, err));
  uint64_t each = (uint64_t)p.height * p.width * p.kept;
  if (array->stride > BEZ_MAX_IMAGE_BYTES * 8)
    BEZ_TRY(bez_fail(err, BEZ_LIMIT, source->path, "a picture is too large"));
  p.rows = BLOCK_BYTES / array->stride ? BLOCK_BYTES / array->stride : 1;
  p.block = malloc(p.rows * array->stride);
  if (!p.block) BEZ_TRY(bez_fail_memory(err, p.rows * array->stride));
  BEZ_TRY(choose_scale(&p, err));
  BEZ_TRY(bez_builder_pixels(builder, array->n_rows, &out, err));
  for (uint64_t row = 0; row < array->n_rows; row += p.rows) {
    uint64_t rows = array->n_rows - row < p.rows ? array->n_rows - row : p.rows;
    BEZ_TRY(load(&p, row, rows, err));
    for (uint64_t i = 0; i < rows; i++) convert(&p, p.block + i * array->stride, out + (row + i) * each);
  }
  if (p.channels == 4)
    bez_builder_remark(builder, "alpha-channel", source->path, array->n_rows, -1, "the alpha channel was left out");
  if (p.not_a_number)
    bez_builder_remark(builder, "pixels-nan", source->path, p.not_a_number, -1, "no numbers, read as black");
cleanup:
  free(p.block);
  return st;
}
