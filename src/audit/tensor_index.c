#include "audit/tensor_index.h"

#include <stdlib.h>
#include <string.h>

#include "audit/tensor_name.h"
#include "base/error.h"

/* What adapters and pipelines put in front of the names of a model's part. */
static const char *const parts[] = {"lora_unet_",   "lora_te1_", "lora_te2_",    "lora_te_",
                                    "transformer.", "unet.",     "text_encoder."};

static const char *without_part(const char *name) {
  for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
    const size_t n = strlen(parts[i]);
    if (!strncmp(name, parts[i], n) && name[n]) return name + n;
  }
  return name;
}

const char *bez_tensor_key(bez_arena *arena, const char *name) {
  for (const char *before = NULL; name != before;) {
    before = name;
    name = without_part(bez_tensor_bare(name));
  }
  name = bez_tensor_common(arena, name);
  if (!name) return NULL;
  size_t n = strlen(name);
  if (n > 7 && !strcmp(name + n - 7, ".weight")) n -= 7;
  char *key = bez_arena_strndup(arena, name, n);
  for (char *c = key; c && *c; c++)
    if (*c == '.') *c = '_';
  return key;
}

static int by_key(const void *a, const void *b) {
  const bez_tensor_entry *x = a, *y = b;
  const int order = strcmp(x->key, y->key);
  if (order) return order;
  if (x->file != y->file) return x->file < y->file ? -1 : 1;
  return (x->tensor > y->tensor) - (x->tensor < y->tensor);
}

bez_status bez_tensor_index_make(const bez_audit_set *set, bez_tensor_index *out, bez_error *err) {
  size_t n = 0;
  *out = (bez_tensor_index){.set = set};
  for (size_t i = 0; i < set->n; i++) n += set->files[i].model ? set->files[i].model->n_tensors : 0;
  out->entries = calloc(n + 1, sizeof *out->entries);
  out->weights = calloc(set->n + 1, sizeof(bez_weights *));
  if (!out->entries || !out->weights) return bez_fail_memory(err, n * sizeof *out->entries);
  for (size_t i = 0; i < set->n; i++) {
    const bez_model *model = set->files[i].model;
    for (uint32_t t = 0; model && t < model->n_tensors; t++) {
      const char *key = bez_tensor_key(&out->arena, model->tensors[t].name);
      if (!key) return bez_fail_memory(err, strlen(model->tensors[t].name));
      out->entries[out->n++] = (bez_tensor_entry){.key = key, .file = i, .tensor = t};
    }
  }
  if (out->n) qsort(out->entries, out->n, sizeof *out->entries, by_key);
  return BEZ_OK;
}

void bez_tensor_index_free(bez_tensor_index *index) {
  for (size_t i = 0; index->weights && i < index->set->n; i++) bez_weights_close(index->weights[i]);
  free(index->weights);
  free(index->entries);
  bez_arena_free(&index->arena);
  *index = (bez_tensor_index){0};
}

const bez_tensor_entry *bez_tensor_index_find(const bez_tensor_index *index, const char *key) {
  size_t low = 0, high = index->n;
  while (low < high) {
    const size_t middle = low + (high - low) / 2;
    if (strcmp(index->entries[middle].key, key) < 0)
      low = middle + 1;
    else
      high = middle;
  }
  return low < index->n && !strcmp(index->entries[low].key, key) ? &index->entries[low] : NULL;
}

const bez_weights *bez_tensor_index_open(bez_tensor_index *index, const bez_tensor_entry *entry) {
  const bez_audit_file *file = &index->set->files[entry->file];
  bez_error ignored = {0}; /* what cannot be read is said by the check of numbers */
  bez_weights **w = &index->weights[entry->file];
  if (!*w && bez_weights_open(file->path, file->model, w, &ignored) != BEZ_OK) *w = NULL;
  return *w;
}
