/* Named tensors: what models and their updates are made of, and the files that hold them. */
#ifndef BEZOAR_TENSOR_H
#define BEZOAR_TENSOR_H

#include "bezoar/base.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum bez_dtype {
  BEZ_DTYPE_F32,
  BEZ_DTYPE_F64,
  BEZ_DTYPE_F16,
  BEZ_DTYPE_BF16,
  BEZ_DTYPE_I8,
  BEZ_DTYPE_I16,
  BEZ_DTYPE_I32,
  BEZ_DTYPE_I64,
  BEZ_DTYPE_U8,
  BEZ_DTYPE_U16,
  BEZ_DTYPE_U32,
  BEZ_DTYPE_U64,
  BEZ_DTYPE_BOOL /* one byte, 0 is false */
} bez_dtype;

BEZ_API size_t bez_dtype_size(bez_dtype dtype);      /* bytes of an item */
BEZ_API const char *bez_dtype_name(bez_dtype dtype); /* "F32", as safetensors writes it; static */

/* One tensor, borrowed. */
typedef struct bez_layer {
  const char *name;
  bez_dtype dtype;
  uint32_t n_dims;
  const uint64_t *shape;
  const int64_t *strides; /* in items, may be negative or 0; NULL: C order */
  const void *data;       /* aligned to the item; may be NULL when the tensor is empty */
} bez_layer;

/* A file of tensors, mapped into memory: safetensors, npy (one tensor, named ""), npz. Tensors that lie in the file as
 * they are stay there; packed ones and those that are not aligned are copied. */
typedef struct bez_tensors bez_tensors;

/* Errors name the file and the byte: malformed headers, names twice, tensors that overlap, leave a gap or pass the end
 * of the file; BEZ_UNSUPPORTED for item types that are not in bez_dtype. */
BEZ_API BEZ_MUST_USE bez_status bez_tensors_open(const char *path, bez_tensors **out, bez_error *err);
BEZ_API void bez_tensors_close(bez_tensors *tensors); /* NULL is fine */
BEZ_API uint32_t bez_tensors_count(const bez_tensors *tensors);
BEZ_API const bez_layer *bez_tensors_layers(const bez_tensors *tensors); /* valid until closed */

/* Writes tensors (C order) as safetensors; the file appears whole or not at all. */
BEZ_API BEZ_MUST_USE bez_status bez_tensors_write(const char *path, const bez_layer *layers, uint32_t n,
                                                  bez_error *err);

#ifdef __cplusplus
}
#endif
#endif
