/* What ggml calls its types of tensors, and how many bytes a block of their numbers takes. */
#ifndef BEZ_FORMAT_GGML_TYPES_H
#define BEZ_FORMAT_GGML_TYPES_H

#include <stdint.h>

typedef struct bez_ggml_type {
  uint32_t id;
  const char *name;      /* "Q4_K": the dtype of a bez_model_tensor */
  uint32_t items, bytes; /* numbers in a block, its bytes */
} bez_ggml_type;

const bez_ggml_type *bez_ggml_type_of(uint32_t id); /* NULL: ggml has no such type (any more) */
const bez_ggml_type *bez_ggml_type_named(const char *name);

#endif
