/* npy and npz files as tensors. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/limits.h"
#include "format/array.h"
#include "format/tensors.h"
#include "format/zip.h"

bool bez_npy_dtype(const bez_field *field, bez_dtype *out) {
  static const struct {
    bez_item_kind kind;
    uint64_t size;
    bez_dtype dtype;
  } known[] = {
      {BEZ_ITEM_FLOAT, 2, BEZ_DTYPE_F16}, {BEZ_ITEM_FLOAT, 4, BEZ_DTYPE_F32}, {BEZ_ITEM_FLOAT, 8, BEZ_DTYPE_F64},
      {BEZ_ITEM_INT, 1, BEZ_DTYPE_I8},    {BEZ_ITEM_INT, 2, BEZ_DTYPE_I16},   {BEZ_ITEM_INT, 4, BEZ_DTYPE_I32},
      {BEZ_ITEM_INT, 8, BEZ_DTYPE_I64},   {BEZ_ITEM_UINT, 1, BEZ_DTYPE_U8},   {BEZ_ITEM_UINT, 2, BEZ_DTYPE_U16},
      {BEZ_ITEM_UINT, 4, BEZ_DTYPE_U32},  {BEZ_ITEM_UINT, 8, BEZ_DTYPE_U64},  {BEZ_ITEM_BOOL, 1, BEZ_DTYPE_BOOL}};
  for (size_t i = 0; i < sizeof known / sizeof *known; i++)
    if (known[i].kind == field->kind && known[i].size == field->size) {
      *out = known[i].dtype;
      return !field->swap;
    }
  return false;
}

/* Shape and strides of an array whose header was read; its bytes come after. */
static bez_status describe(bez_tensors *t, const char *subject, const bez_npy_tensor *a, bez_layer *layer,
                           bez_error *err) {
  if (!bez_npy_dtype(&a->type, &layer->dtype))
    return bez_fail(err, BEZ_UNSUPPORTED, subject, "items are no numbers in this machine's byte order");
  uint64_t *shape = bez_arena_alloc(&t->arena, (a->n_dims + 1) * sizeof *shape);
  int64_t *strides = bez_arena_alloc(&t->arena, (a->n_dims + 1) * sizeof *strides), stride = 1;
  if (!shape || !strides) return bez_fail_memory(err, a->n_dims * sizeof *shape);
  for (uint32_t k = 0; k < a->n_dims; k++) {
    shape[k] = a->dim[k];
    strides[k] = stride;
    stride *= (int64_t)a->dim[k];
  }
  layer->n_dims = a->n_dims;
  layer->shape = shape;
  layer->strides = a->fortran && a->n_dims > 1 ? strides : NULL;
  return BEZ_OK;
}

bez_status bez_npy_tensor_read(bez_tensors *t, bez_error *err) {
  bez_status st = BEZ_OK;
  bez_npy_tensor a;
  size_t head = t->size < BEZ_MAX_NPY_HEADER + 12 ? t->size : BEZ_MAX_NPY_HEADER + 12;
  BEZ_TRY(bez_npy_tensor_header(t->bytes, head, t->size, t->path, &t->arena, &a, err));
  t->layers = bez_arena_alloc(&t->arena, sizeof *t->layers);
  if (!t->layers) BEZ_TRY(bez_fail_memory(err, sizeof *t->layers));
  t->layers[0] = (bez_layer){.name = ""};
  BEZ_TRY(describe(t, t->path, &a, &t->layers[0], err));
  BEZ_TRY(bez_tensors_place(t, &t->layers[0], a.data_at, a.data_size, err));
  t->n = 1;
cleanup:
  return st;
}

static bez_status read_member(bez_tensors *t, const bez_zip_entry *e, bez_store *store, bez_layer *layer,
                              bez_error *err) {
  bez_npy_tensor a;
  size_t n = strlen(e->name);
  if (n > 4 && !strcmp(e->name + n - 4, ".npy")) n -= 4;
  *layer = (bez_layer){.name = bez_arena_strndup(&t->arena, e->name, n)};
  const char *subject = bez_arena_printf(&t->arena, "%s:%s", t->path, e->name);
  if (!layer->name || !subject) return bez_fail_memory(err, n);
  bez_status st = bez_zip_unpack(&t->source, e, store, err);
  if (st != BEZ_OK) return st;
  size_t head = e->size < BEZ_MAX_NPY_HEADER + 12 ? (size_t)e->size : BEZ_MAX_NPY_HEADER + 12;
  st = bez_npy_tensor_header(store->data, head, e->size, subject, &t->arena, &a, err);
  if (st == BEZ_OK) st = describe(t, subject, &a, layer, err);
  if (st != BEZ_OK) return st;
  layer->data = (const uint8_t *)store->data + a.data_at; /* pages, and a header of a multiple of 16 bytes … */
  if (a.data_at % bez_dtype_size(layer->dtype) == 0) return BEZ_OK;
  memmove(store->data, layer->data, a.data_size); /* … or not */
  layer->data = store->data;
  return BEZ_OK;
}

bez_status bez_npz_tensors_read(bez_tensors *t, bez_error *err) {
  bez_status st = BEZ_OK;
  bez_zip zip = {0};
  BEZ_TRY(bez_source_open(t->path, NULL, &t->source, err));
  t->source_open = true;
  BEZ_TRY(bez_zip_open(&t->source, &t->arena, &zip, err));
  t->stores = calloc(zip.n + 1u, sizeof *t->stores);
  t->layers = bez_arena_alloc(&t->arena, (zip.n + 1u) * sizeof *t->layers);
  if (!t->stores || !t->layers) BEZ_TRY(bez_fail_memory(err, zip.n * sizeof *t->layers));
  for (uint32_t i = 0; i < zip.n; i++) {
    bez_store_init(&t->stores[t->n_stores++], NULL);
    BEZ_TRY(read_member(t, &zip.entries[i], &t->stores[i], &t->layers[i], err));
    t->n++;
  }
cleanup:
  return st;
}
