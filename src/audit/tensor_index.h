/* The tensors of all files of a set, by a name that does not depend on who wrote them. */
#ifndef BEZ_AUDIT_TENSOR_INDEX_H
#define BEZ_AUDIT_TENSOR_INDEX_H

#include "audit/audit.h"
#include "format/weights.h"

typedef struct bez_tensor_entry {
  const char *key;
  size_t file; /* of the set */
  uint32_t tensor;
} bez_tensor_entry;

typedef struct bez_tensor_index {
  bez_arena arena;
  const bez_audit_set *set;  /* borrowed */
  bez_tensor_entry *entries; /* by key, then file and tensor */
  size_t n;
  bez_weights **weights; /* one per file, opened when it is asked for; NULL: not yet, or it cannot be opened */
} bez_tensor_index;

/* Without the prefixes that wrappers add ("model.", "base_model.model.", "module.", "lora_unet_"), without ".weight",
 * dots as underscores: "base_model.model.model.layers.0.q_proj.weight" gives "layers_0_q_proj". NULL: no memory. */
const char *bez_tensor_key(bez_arena *arena, const char *name);

BEZ_MUST_USE bez_status bez_tensor_index_make(const bez_audit_set *set, bez_tensor_index *out, bez_error *err);
void bez_tensor_index_free(bez_tensor_index *index);

/* The first of that key; NULL. */
const bez_tensor_entry *bez_tensor_index_find(const bez_tensor_index *index, const char *key);
/* Opens the file's weights, once; NULL where they cannot be read. Not thread safe. */
const bez_weights *bez_tensor_index_open(bez_tensor_index *index, const bez_tensor_entry *entry);
static inline const bez_model_tensor *bez_tensor_of(const bez_tensor_index *index, const bez_tensor_entry *entry) {
  return &index->set->files[entry->file].model->tensors[entry->tensor];
}

#endif
