/* The table of ggml's types (ggml_types.def). */
#include "format/ggml_types.h"

#include <stddef.h>
#include <string.h>

#define BEZ_GGML_TYPE(id, name, items, bytes) {id, #name, items, bytes},
static const bez_ggml_type types[] = {
#include "format/ggml_types.def"
};
#undef BEZ_GGML_TYPE

const bez_ggml_type *bez_ggml_type_of(uint32_t id) {
  for (size_t i = 0; i < sizeof types / sizeof *types; i++)
    if (types[i].id == id) return &types[i];
  return NULL;
}

const bez_ggml_type *bez_ggml_type_named(const char *name) {
  for (size_t i = 0; i < sizeof types / sizeof *types; i++)
    if (!strcmp(types[i].name, name)) return &types[i];
  return NULL;
}
