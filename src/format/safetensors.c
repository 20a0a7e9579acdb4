/* safetensors: eight bytes of header length, a JSON object {name: {dtype, shape, data_offsets}}, then the tensors, one
 * behind the other without gaps (huggingface/safetensors, "Format"). A file that breaks a rule is refused: loaders
 * disagree on what they make of it. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "base/limits.h"
#include "format/tensors.h"

typedef struct extent {
  uint64_t begin, end;
  const char *name;
} extent;

static uint64_t little_endian(const uint8_t *bytes) {
  uint64_t value = 0;
  for (unsigned i = 0; i < 8; i++) value |= (uint64_t)bytes[i] << (8 * i);
  return value;
}

static bez_status bad(const bez_tensors *t, const char *name, const char *what, bez_error *err) {
  return bez_fail(err, BEZ_FORMAT, t->path, "tensor \"%s\": %s", name, what);
}

static bool whole_number(const json_t *value, uint64_t *out) {
  if (!json_is_integer(value) || json_integer_value(value) < 0) return false;
  *out = (uint64_t)json_integer_value(value);
  return true;
}

static bez_status read_shape(bez_tensors *t, const char *name, const json_t *shape, bez_layer *layer, bez_error *err) {
  size_t n = json_array_size(shape);
  if (!json_is_array(shape)) return bad(t, name, "has no shape", err);
  if (n > BEZ_MAX_TENSOR_DIMS) return bad(t, name, "has too many dimensions", err);
  uint64_t *dim = bez_arena_alloc(&t->arena, (n + 1) * sizeof *dim);
  if (!dim) return bez_fail_memory(err, n * sizeof *dim);
  for (size_t k = 0; k < n; k++)
    if (!whole_number(json_array_get(shape, k), &dim[k])) return bad(t, name, "a dimension is no whole number", err);
  layer->n_dims = (uint32_t)n;
  layer->shape = dim;
  return BEZ_OK;
}

static bez_status read_tensor(bez_tensors *t, const char *name, const json_t *entry, uint64_t data_at, bez_layer *layer,
                              extent *where, bez_error *err) {
  const char *dtype = json_string_value(json_object_get(entry, "dtype"));
  const json_t *offsets = json_object_get(entry, "data_offsets");
  uint64_t bytes;
  *where = (extent){.name = layer->name};
  if (!dtype) return bad(t, name, "has no dtype", err);
  if (!bez_dtype_find(dtype, &layer->dtype))
    return bez_fail(err, BEZ_UNSUPPORTED, t->path, "tensor \"%s\": items of type %.16s cannot be read", name, dtype);
  bez_status st = read_shape(t, name, json_object_get(entry, "shape"), layer, err);
  if (st != BEZ_OK) return st;
  if (json_array_size(offsets) != 2 || !whole_number(json_array_get(offsets, 0), &where->begin) ||
      !whole_number(json_array_get(offsets, 1), &where->end))
    return bad(t, name, "data_offsets is not a pair of whole numbers", err);
  if (where->begin > where->end || where->end > t->size - data_at)
    return bad(t, name, "lies beyond the end of the file", err);
  uint64_t items = bez_layer_items(layer);
  if (items == UINT64_MAX || __builtin_mul_overflow(items, bez_dtype_size(layer->dtype), &bytes) ||
      bytes != where->end - where->begin)
    return bad(t, name, "its bytes do not fit its shape", err);
  return bez_tensors_place(t, layer, data_at + where->begin, bytes, err);
}

static int by_begin(const void *a, const void *b) {
  const extent *x = a, *y = b;
  if (x->begin != y->begin) return x->begin < y->begin ? -1 : 1;
  return (x->end > y->end) - (x->end < y->end);
}

/* One behind the other, from the first byte of data to the last of the file. */
static bez_status check_extents(const bez_tensors *t, extent *where, uint64_t data, bez_error *err) {
  uint64_t at = 0;
  qsort(where, t->n, sizeof *where, by_begin);
  for (uint32_t i = 0; i < t->n; i++) {
    if (where[i].begin != at)
      return bad(t, where[i].name, where[i].begin < at ? "overlaps another tensor" : "leaves a gap before it", err);
    at = where[i].end;
  }
  return at == data
             ? BEZ_OK
             : bez_fail(err, BEZ_FORMAT, t->path, "%llu bytes behind the last tensor", (unsigned long long)(data - at));
}

static bez_status read_header(bez_tensors *t, const json_t *header, uint64_t data_at, bez_error *err) {
  bez_status st = BEZ_OK;
  const char *name;
  json_t *entry;
  const size_t entries = json_object_size(header);
  extent *where = calloc(entries + 1, sizeof *where);
  t->layers = bez_arena_alloc(&t->arena, (entries + 1) * sizeof *t->layers);
  if (!where || !t->layers) BEZ_TRY(bez_fail_memory(err, entries * sizeof *where));
  json_object_foreach((json_t *)(uintptr_t)header, name, entry) {
    if (!strcmp(name, "__metadata__")) continue;
    bez_layer *layer = &t->layers[t->n];
    *layer = (bez_layer){.name = bez_arena_strndup(&t->arena, name, strlen(name))};
    if (!layer->name) BEZ_TRY(bez_fail_memory(err, strlen(name)));
    BEZ_TRY(read_tensor(t, name, entry, data_at, layer, &where[t->n], err));
    t->n++;
  }
  st = check_extents(t, where, t->size - data_at, err);
cleanup:
  free(where);
  return st;
}

bez_status bez_safetensors_read(bez_tensors *t, bez_error *err) {
  json_t *header = NULL;
  uint64_t len = t->size >= 8 ? little_endian(t->bytes) : 0;
  if (t->size < 9 || t->bytes[8] != '{')
    return bez_fail(err, BEZ_FORMAT, t->path, "is neither safetensors nor npy nor npz");
  if (len > t->size - 8 || len > BEZ_MAX_TENSOR_HEADER)
    return bez_fail_at(err, BEZ_FORMAT, t->path, -1, 0, "the header is to have %llu bytes, the file has %zu",
                       (unsigned long long)len, t->size);
  bez_status st = bez_json_parse((const char *)t->bytes + 8, (size_t)len, t->path, &header, err);
  if (st == BEZ_OK && !json_is_object(header)) st = bez_fail(err, BEZ_FORMAT, t->path, "the header is no object");
  if (st == BEZ_OK) st = read_header(t, header, 8 + len, err);
  json_decref(header);
  return st;
}

/* ---- writing ---------------------------------------------------------------------------------------------------- */

static void put_header(const bez_layer *layers, uint32_t n, bez_buf *out) {
  bez_json j = bez_json_make(out, false);
  uint64_t at = 0;
  bez_json_open(&j, '{');
  for (uint32_t l = 0; l < n; l++) {
    uint64_t bytes = bez_layer_items(&layers[l]) * bez_dtype_size(layers[l].dtype);
    bez_json_key(&j, layers[l].name);
    bez_json_open(&j, '{');
    bez_json_kstr(&j, "dtype", bez_dtype_name(layers[l].dtype));
    bez_json_key(&j, "shape");
    bez_json_open(&j, '[');
    for (uint32_t k = 0; k < layers[l].n_dims; k++) bez_json_uint(&j, layers[l].shape[k]);
    bez_json_close(&j, ']');
    bez_json_key(&j, "data_offsets");
    bez_json_open(&j, '[');
    bez_json_uint(&j, at);
    bez_json_uint(&j, at + bytes);
    bez_json_close(&j, ']');
    bez_json_close(&j, '}');
    at += bytes;
  }
  bez_json_close(&j, '}');
  while (out->len % 8) bez_buf_putc(out, ' ');
}

bez_status bez_tensors_write(const char *path, const bez_layer *layers, uint32_t n, bez_error *err) {
  bez_status st = BEZ_OK;
  bez_outfile *file = NULL;
  bez_buf header = {0};
  uint8_t head[8];
  put_header(layers, n, &header);
  BEZ_TRY(bez_buf_status(&header, err));
  for (unsigned i = 0; i < 8; i++) head[i] = (uint8_t)((uint64_t)header.len >> (8 * i));
  BEZ_TRY(bez_outfile_open(path, &file, err));
  BEZ_TRY(bez_outfile_write(file, head, sizeof head, err));
  BEZ_TRY(bez_outfile_write(file, header.data, header.len, err));
  for (uint32_t l = 0; l < n; l++)
    BEZ_TRY(
        bez_outfile_write(file, layers[l].data, bez_layer_items(&layers[l]) * bez_dtype_size(layers[l].dtype), err));
  st = bez_outfile_commit(file, err);
  file = NULL;
cleanup:
  bez_outfile_abandon(file);
  bez_buf_free(&header);
  return st;
}
