/* Opening files of tensors, and the types of their items. */
#include "format/tensors.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"

static const struct {
  const char *name;
  size_t size;
} types[] = {[BEZ_DTYPE_F32] = {"F32", 4},   [BEZ_DTYPE_F64] = {"F64", 8}, [BEZ_DTYPE_F16] = {"F16", 2},
             [BEZ_DTYPE_BF16] = {"BF16", 2}, [BEZ_DTYPE_I8] = {"I8", 1},   [BEZ_DTYPE_I16] = {"I16", 2},
             [BEZ_DTYPE_I32] = {"I32", 4},   [BEZ_DTYPE_I64] = {"I64", 8}, [BEZ_DTYPE_U8] = {"U8", 1},
             [BEZ_DTYPE_U16] = {"U16", 2},   [BEZ_DTYPE_U32] = {"U32", 4}, [BEZ_DTYPE_U64] = {"U64", 8},
             [BEZ_DTYPE_BOOL] = {"BOOL", 1}};

size_t bez_dtype_size(bez_dtype dtype) {
  return (size_t)dtype < sizeof types / sizeof *types ? types[dtype].size : 0;
}

const char *bez_dtype_name(bez_dtype dtype) {
  return (size_t)dtype < sizeof types / sizeof *types ? types[dtype].name : "?";
}

uint64_t bez_layer_items(const bez_layer *layer) {
  uint64_t items = 1;
  for (uint32_t k = 0; k < layer->n_dims; k++)
    if (__builtin_mul_overflow(items, layer->shape[k], &items)) return UINT64_MAX;
  return items;
}

bool bez_dtype_find(const char *name, bez_dtype *out) {
  for (size_t i = 0; i < sizeof types / sizeof *types; i++)
    if (!strcmp(types[i].name, name)) {
      *out = (bez_dtype)i;
      return true;
    }
  return false;
}

bez_status bez_tensors_place(bez_tensors *t, bez_layer *layer, uint64_t at, uint64_t len, bez_error *err) {
  const uint8_t *where = t->bytes + at;
  const size_t size = bez_dtype_size(layer->dtype);
  layer->data = where;
  if (!len || !size || (uintptr_t)where % size == 0) return BEZ_OK;
  void *copy = bez_arena_alloc(&t->arena, len);
  if (!copy) return bez_fail_memory(err, len);
  memcpy(copy, where, len);
  layer->data = copy;
  return BEZ_OK;
}

static bez_status map(bez_tensors *t, bez_error *err) {
  struct stat info;
  int fd = open(t->path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return bez_fail_errno(err, t->path, "cannot open");
  bez_status st = fstat(fd, &info) ? bez_fail_errno(err, t->path, "cannot stat") : BEZ_OK;
  if (st == BEZ_OK && !S_ISREG(info.st_mode)) st = bez_fail(err, BEZ_USAGE, t->path, "is no regular file");
  if (st == BEZ_OK && info.st_size == 0) st = bez_fail(err, BEZ_FORMAT, t->path, "the file is empty");
  if (st == BEZ_OK) {
    void *bytes = mmap(NULL, (size_t)info.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (bytes == MAP_FAILED) st = bez_fail_errno(err, t->path, "cannot map");
    if (st == BEZ_OK) {
      t->bytes = bytes;
      t->size = (size_t)info.st_size;
      (void)madvise(bytes, t->size, MADV_SEQUENTIAL);
    }
  }
  close(fd);
  return st;
}

bez_status bez_tensors_open(const char *path, bez_tensors **out, bez_error *err) {
  bez_status st = BEZ_OK;
  *out = NULL;
  bez_tensors *t = calloc(1, sizeof *t);
  if (!t) return bez_fail_memory(err, sizeof *t);
  t->path = bez_arena_strndup(&t->arena, path, strlen(path));
  if (!t->path) BEZ_TRY(bez_fail_memory(err, strlen(path)));
  BEZ_TRY(map(t, err));
  if (t->size >= 6 && !memcmp(t->bytes, "\x93NUMPY", 6))
    BEZ_TRY(bez_npy_tensor_read(t, err));
  else if (t->size >= 4 && !memcmp(t->bytes, "PK\3\4", 4))
    BEZ_TRY(bez_npz_tensors_read(t, err));
  else
    BEZ_TRY(bez_safetensors_read(t, err));
  *out = t;
  return BEZ_OK;
cleanup:
  bez_tensors_close(t);
  return st;
}

void bez_tensors_close(bez_tensors *t) {
  if (!t) return;
  for (uint32_t i = 0; i < t->n_stores; i++) bez_store_free(&t->stores[i]);
  free(t->stores);
  if (t->source_open) bez_source_close(&t->source);
  if (t->bytes) munmap((void *)(uintptr_t)t->bytes, t->size);
  bez_arena_free(&t->arena);
  free(t);
}

uint32_t bez_tensors_count(const bez_tensors *tensors) {
  return tensors->n;
}

const bez_layer *bez_tensors_layers(const bez_tensors *tensors) {
  return tensors->layers;
}
