/* Files of tensors, between what opens them (tensors.c) and what knows a format. */
#ifndef BEZ_FORMAT_TENSORS_H
#define BEZ_FORMAT_TENSORS_H

#include "base/arena.h"
#include "bezoar/tensor.h"
#include "format/source.h"

struct bez_tensors {
  const char *path;
  const uint8_t *bytes; /* the mapped file */
  size_t size;
  bez_arena arena; /* layers, names, shapes, copies of what is not aligned */
  bez_layer *layers;
  uint32_t n;
  bez_source source; /* npz only */
  bool source_open;
  bez_store *stores; /* unpacked members of an npz */
  uint32_t n_stores;
};

/* Items of a layer; UINT64_MAX where the shape is too large to count. */
uint64_t bez_layer_items(const bez_layer *layer);
/* The type of that name ("F32"); false: none here. */
bool bez_dtype_find(const char *name, bez_dtype *out);

/* The layer's data at `at` of the mapped file, whose `len` bytes are known to lie within: in place where aligned, else
 * a copy. */
BEZ_MUST_USE bez_status bez_tensors_place(bez_tensors *t, bez_layer *layer, uint64_t at, uint64_t len, bez_error *err);

BEZ_MUST_USE bez_status bez_safetensors_read(bez_tensors *t, bez_error *err);
BEZ_MUST_USE bez_status bez_npy_tensor_read(bez_tensors *t, bez_error *err);
BEZ_MUST_USE bez_status bez_npz_tensors_read(bez_tensors *t, bez_error *err);

#endif
