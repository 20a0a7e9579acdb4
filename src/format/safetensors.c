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

typedef struct walk {
  const uint8_t *bytes;
  uint64_t size, data_at;
  const char *path;
  const bez_safetensors_visit *visit;
} walk;

static uint64_t little_endian(const uint8_t *bytes) {
  uint64_t value = 0;
  for (unsigned i = 0; i < 8; i++) value |= (uint64_t)bytes[i] << (8 * i);
  return value;
}

static bez_status bad(const walk *w, const char *name, const char *what, bez_error *err) {
  return bez_fail(err, BEZ_FORMAT, w->path, "tensor \"%s\": %s", name, what);
}

static bool whole_number(const json_t *value, uint64_t *out) {
  if (!json_is_integer(value) || json_integer_value(value) < 0) return false;
  *out = (uint64_t)json_integer_value(value);
  return true;
}

unsigned bez_safetensors_bits(const char *dtype) {
  static const struct {
    const char *name;
    unsigned bits;
  } types[] = {{"F32", 32},    {"BF16", 16},   {"F16", 16},        {"F64", 64},        {"I64", 64},  {"I32", 32},
               {"I16", 16},    {"I8", 8},      {"U8", 8},          {"U16", 16},        {"U32", 32},  {"U64", 64},
               {"BOOL", 8},    {"F8_E4M3", 8}, {"F8_E5M2", 8},     {"F8_E8M0", 8},     {"C64", 64},  {"F4", 4},
               {"F6_E2M3", 6}, {"F6_E3M2", 6}, {"F8_E4M3FNUZ", 8}, {"F8_E5M2FNUZ", 8}, {"C128", 128}};
  for (size_t i = 0; i < sizeof types / sizeof *types; i++)
    if (!strcmp(types[i].name, dtype)) return types[i].bits;
  return 0;
}

/* Bytes of that many items of so many bits; false: too many, or no whole number of bytes. */
static bool bytes_of(uint64_t items, unsigned bits, uint64_t *out) {
  uint64_t all;
  if (__builtin_mul_overflow(items, bits, &all)) {
    return bits % 8 == 0 && !__builtin_mul_overflow(items, bits / 8, out);
  }
  *out = all / 8;
  return all % 8 == 0;
}

static bez_status read_shape(const walk *w, const char *name, const json_t *shape, bez_safetensors_tensor *t,
                             uint64_t *items, bez_error *err) {
  const size_t n = json_array_size(shape);
  bool countable = true;
  if (!json_is_array(shape)) return bad(w, name, "has no shape", err);
  if (n > BEZ_MAX_TENSOR_DIMS) return bad(w, name, "has too many dimensions", err);
  *items = 1;
  for (size_t k = 0; k < n; k++) {
    if (!whole_number(json_array_get(shape, k), &t->shape[k]))
      return bad(w, name, "a dimension is no whole number", err);
    countable &= !__builtin_mul_overflow(*items, t->shape[k], items);
  }
  t->n_dims = (uint32_t)n;
  return countable ? BEZ_OK : bad(w, name, "its bytes do not fit its shape", err);
}

static bez_status read_tensor(const walk *w, const json_t *entry, bez_safetensors_tensor *t, extent *where,
                              bez_error *err) {
  const json_t *offsets = json_object_get(entry, "data_offsets");
  uint64_t items = 0, bytes = 0;
  t->dtype = json_string_value(json_object_get(entry, "dtype"));
  if (!t->dtype) return bad(w, t->name, "has no dtype", err);
  t->bits = bez_safetensors_bits(t->dtype);
  bez_status st = read_shape(w, t->name, json_object_get(entry, "shape"), t, &items, err);
  if (st != BEZ_OK) return st;
  if (json_array_size(offsets) != 2 || !whole_number(json_array_get(offsets, 0), &where->begin) ||
      !whole_number(json_array_get(offsets, 1), &where->end))
    return bad(w, t->name, "data_offsets is not a pair of whole numbers", err);
  if (where->begin > where->end || where->end > w->size - w->data_at)
    return bad(w, t->name, "lies beyond the end of the file", err);
  t->at = w->data_at + where->begin;
  t->bytes = where->end - where->begin;
  if (t->bits && (!bytes_of(items, t->bits, &bytes) || bytes != t->bytes))
    return bad(w, t->name, "its bytes do not fit its shape", err);
  return w->visit->tensor(w->visit->ctx, t, err);
}

static int by_begin(const void *a, const void *b) {
  const extent *x = a, *y = b;
  if (x->begin != y->begin) return x->begin < y->begin ? -1 : 1;
  return (x->end > y->end) - (x->end < y->end);
}

/* One behind the other, from the first byte of data to the last of the file. */
static bez_status check_extents(const walk *w, extent *where, size_t n, bez_error *err) {
  const uint64_t data = w->size - w->data_at;
  uint64_t at = 0;
  qsort(where, n, sizeof *where, by_begin);
  for (size_t i = 0; i < n; i++) {
    if (where[i].begin != at)
      return bad(w, where[i].name, where[i].begin < at ? "overlaps another tensor" : "leaves a gap before it", err);
    at = where[i].end;
  }
  return at == data
             ? BEZ_OK
             : bez_fail(err, BEZ_FORMAT, w->path, "%llu bytes behind the last tensor", (unsigned long long)(data - at));
}

static bez_status read_metadata(const walk *w, const json_t *says, bez_error *err) {
  const char *key;
  json_t *value;
  if (!w->visit->says) return BEZ_OK;
  if (!json_is_object(says)) return bez_fail(err, BEZ_FORMAT, w->path, "__metadata__ is no object");
  json_object_foreach((json_t *)(uintptr_t)says, key, value) {
    if (!json_is_string(value)) return bez_fail(err, BEZ_FORMAT, w->path, "__metadata__ holds more than texts");
    w->visit->says(w->visit->ctx, key, json_string_value(value), json_string_length(value));
  }
  return BEZ_OK;
}

static bez_status read_header(const walk *w, const json_t *header, bez_error *err) {
  bez_status st = BEZ_OK;
  const char *name;
  json_t *entry;
  size_t n = 0;
  const size_t entries = json_object_size(header);
  extent *where = calloc(entries + 1, sizeof *where);
  if (!where) return bez_fail_memory(err, entries * sizeof *where);
  json_object_foreach((json_t *)(uintptr_t)header, name, entry) {
    if (!strcmp(name, "__metadata__")) {
      BEZ_TRY(read_metadata(w, entry, err));
      continue;
    }
    bez_safetensors_tensor t = {.name = name, .of = entries};
    where[n].name = name;
    BEZ_TRY(read_tensor(w, entry, &t, &where[n], err));
    n++;
  }
  st = check_extents(w, where, n, err);
cleanup:
  free(where);
  return st;
}

bez_status bez_safetensors_walk(const uint8_t *bytes, size_t size, const char *path, const bez_safetensors_visit *visit,
                                bez_error *err) {
  json_t *header = NULL;
  uint64_t len = size >= 8 ? little_endian(bytes) : 0;
  if (size < 9 || bytes[8] != '{') return bez_fail(err, BEZ_FORMAT, path, "is neither safetensors nor npy nor npz");
  if (len > size - 8 || len > BEZ_MAX_TENSOR_HEADER)
    return bez_fail_at(err, BEZ_FORMAT, path, -1, 0, "the header is to have %llu bytes, the file has %zu",
                       (unsigned long long)len, size);
  const walk w = {.bytes = bytes, .size = size, .data_at = 8 + len, .path = path, .visit = visit};
  bez_status st = bez_json_parse((const char *)bytes + 8, (size_t)len, path, &header, err);
  if (st == BEZ_OK && !json_is_object(header)) st = bez_fail(err, BEZ_FORMAT, path, "the header is no object");
  if (st == BEZ_OK) st = read_header(&w, header, err);
  json_decref(header);
  return st;
}

/* ---- as layers -------------------------------------------------------------------------------------------------- */

static bez_status take_layer(void *ctx, const bez_safetensors_tensor *from, bez_error *err) {
  bez_tensors *t = ctx;
  if (!t->layers) t->layers = bez_arena_array(&t->arena, from->of, sizeof *t->layers);
  if (!t->layers) return bez_fail_memory(err, from->of * sizeof *t->layers);
  bez_layer *layer = &t->layers[t->n];
  uint64_t *dim = bez_arena_alloc(&t->arena, (from->n_dims + 1) * sizeof *dim);
  *layer = (bez_layer){
      .name = bez_arena_strndup(&t->arena, from->name, strlen(from->name)), .n_dims = from->n_dims, .shape = dim};
  if (!layer->name || !dim) return bez_fail_memory(err, strlen(from->name));
  if (!bez_dtype_find(from->dtype, &layer->dtype))
    return bez_fail(err, BEZ_UNSUPPORTED, t->path, "tensor \"%s\": items of type %.16s cannot be read", from->name,
                    from->dtype);
  memcpy(dim, from->shape, from->n_dims * sizeof *dim);
  bez_status st = bez_tensors_place(t, layer, from->at, from->bytes, err);
  t->n += st == BEZ_OK;
  return st;
}

bez_status bez_safetensors_read(bez_tensors *t, bez_error *err) {
  const bez_safetensors_visit visit = {.tensor = take_layer, .ctx = t};
  bez_status st = bez_safetensors_walk(t->bytes, t->size, t->path, &visit, err);
  if (st == BEZ_OK && !t->layers) t->layers = bez_arena_alloc(&t->arena, sizeof *t->layers);
  return st == BEZ_OK && !t->layers ? bez_fail_memory(err, sizeof *t->layers) : st;
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
