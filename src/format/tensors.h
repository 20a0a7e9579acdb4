/* Files of tensors, between what opens them (tensors.c) and what knows a format. */
#ifndef BEZ_FORMAT_TENSORS_H
#define BEZ_FORMAT_TENSORS_H

#include "base/arena.h"
#include "base/limits.h"
#include "bezoar/tensor.h"
#include "format/source.h"

struct bez_field; /* format/array.h */

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

/* A tensor as the header of a safetensors file states it; its bytes are known to lie within the file and to fit its
 * shape, where its type is known. Borrowed. */
typedef struct bez_safetensors_tensor {
  const char *name, *dtype;
  unsigned bits; /* of an item; 0: the type is not known */
  uint32_t n_dims;
  uint64_t shape[BEZ_MAX_TENSOR_DIMS];
  uint64_t at, bytes; /* in the file */
  size_t of;          /* tensors there are at most */
} bez_safetensors_tensor;

typedef struct bez_safetensors_visit {
  bez_status (*tensor)(void *ctx, const bez_safetensors_tensor *tensor,
                       bez_error *err);                                    /* in the order of the header */
  void (*says)(void *ctx, const char *key, const char *value, size_t len); /* each of __metadata__; may be NULL */
  void *ctx;
} bez_safetensors_visit;

/* Goes through a header. What breaks a rule is BEZ_FORMAT, after the tensors that came before it; overlaps, gaps and
 * what lies behind the last tensor are found once all were visited. */
BEZ_MUST_USE bez_status bez_safetensors_walk(const uint8_t *bytes, size_t size, const char *path,
                                             const bez_safetensors_visit *visit, bez_error *err);
unsigned bez_safetensors_bits(const char *dtype); /* of an item of that type; 0: not known */
BEZ_MUST_USE bez_status bez_safetensors_read(bez_tensors *t, bez_error *err);
/* The type of a plain number's array; false: none here, or in the other byte order (the type is set then). */
bool bez_npy_dtype(const struct bez_field *field, bez_dtype *out);
BEZ_MUST_USE bez_status bez_npy_tensor_read(bez_tensors *t, bez_error *err);
BEZ_MUST_USE bez_status bez_npz_tensors_read(bez_tensors *t, bez_error *err);

#endif
