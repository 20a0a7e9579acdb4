/* What stands in a torch pickle of one tensor, and where its numbers lie. Inside decode/torch*.c only. */
#ifndef BEZ_DECODE_TORCH_TENSOR_H
#define BEZ_DECODE_TORCH_TENSOR_H

#include "base/arena.h"
#include "decode/torch.h"

/* A block of numbers that tensors share. */
typedef struct bez_torch_storage {
  const char *key;      /* "" out of reach */
  const char *dtype;    /* NULL: raw bytes */
  unsigned item;        /* bytes of a number */
  uint64_t items;       /* as the pickle says */
  const uint8_t *bytes; /* NULL: out of reach */
  uint64_t len;
} bez_torch_storage;

typedef struct bez_torch_tensor {
  const char *name, *dtype;
  unsigned item;
  const char *key; /* of its storage; "" out of reach */
  uint32_t n_dims;
  uint64_t shape[BEZ_MAX_MODEL_DIMS];
  uint64_t offset, span; /* in numbers: where it begins in the storage, how many from its first to its last */
  bool strided;
} bez_torch_tensor;

/* ('storage', torch.FloatStorage, '0', 'cpu', 10): false where it is none. The key lives in the arena. */
bool bez_torch_take_storage(const bez_pickle_value *persistent, bez_arena *arena, bez_torch_storage *out);
/* The arguments of torch._utils._rebuild_tensor and its like. False: not understood. */
bool bez_torch_take_tensor(const bez_pickle_value *arguments, uint32_t n, bool typed, bez_arena *arena,
                           bez_torch_tensor *out);

/* The archive's entries, or what lies behind the pickles: fills bytes and len. storages: each key once, in order. */
void bez_torch_find_entries(const bez_model_input *in, struct bez_model_out *out, bez_torch_storage *storages,
                            size_t n);
void bez_torch_find_behind(const bez_model_input *in, struct bez_model_out *out, uint64_t at, const char *const *keys,
                           size_t n_keys, bez_torch_storage *storages, size_t n);
bez_torch_storage *bez_torch_storage_of(bez_torch_storage *storages, size_t n, const char *key); /* NULL: none */

#endif
