/* Which tensor of the model goes with which of the base: by name and shape, whatever wrapped the one or the other. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "audit/base_difference.h"
#include "audit/tensor_name.h"
#include "base/error.h"

/* The key with '#' for each number; only differences of the same rounding are compared. */
static const char *role_of(const char *key, const char *types, bez_arena *arena) {
  char *role = bez_arena_strdup(arena, key), *to = role;
  for (const char *p = role; p && *p; p++) {
    if (!isdigit((unsigned char)*p))
      *to++ = *p;
    else if (to == role || to[-1] != '#')
      *to++ = '#';
  }
  if (!role) return NULL;
  *to = '\0';
  return bez_arena_printf(arena, "%s %s", role, types);
}

/* ---- one side --------------------------------------------------------------------------------------------------- */

static int by_key(const void *a, const void *b) {
  const bez_base_tensor *x = a, *y = b;
  const int order = strcmp(x->key, y->key);
  if (order) return order;
  if (x->file != y->file) return (x->file > y->file) - (x->file < y->file);
  return (x->tensor > y->tensor) - (x->tensor < y->tensor);
}

/* The first tensor that cannot be read and how many more there are: one line for each file. */
static void say_unreadable(const bez_base_file *f, bez_report *report) {
  const bez_model *m = f->file->model;
  uint32_t n = 0, first = 0;
  for (uint32_t t = 0; t < m->n_tensors; t++)
    if (bez_weights_unreadable(f->weights, t) && n++ == 0) first = t;
  if (!n) return;
  bez_report_not_checked(report, true, f->file->path, "BZ-M009: tensor %s: %s (%u of %u tensors cannot be read)",
                         m->tensors[first].name, bez_weights_unreadable(f->weights, first), n, m->n_tensors);
}

static bez_status add_file(const bez_audit_file *file, bez_arena *arena, bez_base_side *out, bez_error *err) {
  bez_base_file *f = &out->files[out->n_files];
  bez_status st = bez_weights_open(file->path, file->model, &f->weights, err);
  if (st != BEZ_OK) return st;
  f->file = file;
  const uint32_t number = out->n_files++;
  for (uint32_t t = 0; t < file->model->n_tensors; t++) {
    const char *key = bez_tensor_common(arena, file->model->tensors[t].name);
    if (!key) return bez_fail_memory(err, 64);
    out->tensors[out->n_tensors++] = (bez_base_tensor){.key = key, .file = number, .tensor = t};
  }
  return BEZ_OK;
}

bez_status bez_base_side_open(const bez_audit_set *set, bool speak, bez_report *report, bez_base_side *out,
                              bez_error *err) {
  bez_status st = BEZ_OK;
  size_t n_files = 0, n = 0;
  *out = (bez_base_side){0};
  for (size_t i = 0; i < set->n; i++) {
    n_files += set->files[i].model && set->files[i].model->n_tensors;
    n += set->files[i].model ? set->files[i].model->n_tensors : 0;
  }
  if (n > UINT32_MAX / 2) return bez_fail(err, BEZ_LIMIT, set->root, "too many tensors");
  out->files = bez_arena_array(&report->arena, n_files + 1, sizeof *out->files);
  out->tensors = bez_arena_array(&report->arena, n + 1, sizeof *out->tensors);
  if (!out->files || !out->tensors) BEZ_TRY(bez_fail_memory(err, n * sizeof *out->tensors));
  for (size_t i = 0; i < set->n; i++) {
    if (!set->files[i].model || !set->files[i].model->n_tensors) continue;
    BEZ_TRY(add_file(&set->files[i], &report->arena, out, err));
    if (speak) say_unreadable(&out->files[out->n_files - 1], report);
  }
  qsort(out->tensors, out->n_tensors, sizeof *out->tensors, by_key);
  return BEZ_OK;
cleanup:
  bez_base_side_close(out);
  return st;
}

void bez_base_side_close(bez_base_side *side) {
  for (uint32_t i = 0; side->files && i < side->n_files; i++) bez_weights_close(side->files[i].weights);
  side->n_files = 0;
}

/* ---- both ------------------------------------------------------------------------------------------------------- */

static const bez_model_tensor *tensor_of(const bez_base_side *side, const bez_base_tensor *t) {
  return &side->files[t->file].file->model->tensors[t->tensor];
}

static bool readable(const bez_base_side *side, const bez_base_tensor *t) {
  return !bez_weights_unreadable(side->files[t->file].weights, t->tensor);
}

static bool same_shape(const bez_model_tensor *a, const bez_model_tensor *b) {
  return a->n_dims == b->n_dims && memcmp(a->shape, b->shape, a->n_dims * sizeof *a->shape) == 0;
}

/* The first that can be read of those with the key; else the first; NULL: none has it. */
static const bez_base_tensor *find(const bez_base_side *side, const char *key) {
  uint32_t low = 0, high = side->n_tensors;
  while (low < high) {
    const uint32_t middle = low + (high - low) / 2;
    if (strcmp(side->tensors[middle].key, key) < 0)
      low = middle + 1;
    else
      high = middle;
  }
  const bez_base_tensor *first = NULL;
  for (; low < side->n_tensors && !strcmp(side->tensors[low].key, key); low++) {
    if (readable(side, &side->tensors[low])) return &side->tensors[low];
    if (!first) first = &side->tensors[low];
  }
  return first;
}

/* GGUF files of the Llama family have the rows of queries and keys in another order, by heads that tensors do not
 * show. */
static bool reordered(const bez_model_tensor *a, const bez_model_tensor *b) {
  static const char *const queries[] = {"attn_q.", "attn_k."};
  for (size_t i = 0; i < 2; i++)
    if ((strstr(a->name, queries[i]) != NULL) != (strstr(b->name, queries[i]) != NULL)) return true;
  return false;
}

static void count(uint32_t *n, const char **first, const char *name) {
  if ((*n)++ == 0) *first = name;
}

static bool add_pair(const bez_base_side *model, const bez_base_side *base, const bez_base_tensor *t,
                     const bez_base_tensor *other, bez_arena *arena, bez_base_match *out) {
  const bez_model_tensor *a = tensor_of(model, t);
  const uint64_t items = bez_weights_items(model->files[t->file].weights, t->tensor);
  bez_base_pair *p = &out->pairs[out->n_pairs++];
  const char *types = bez_arena_printf(arena, "%s %s", a->dtype, tensor_of(base, other)->dtype);
  if (!types) return false;
  *p = (bez_base_pair){.model = t,
                       .base = other,
                       .name = a->name,
                       .role = role_of(t->key, types, arena),
                       .matrix = a->n_dims > 1 && items && a->shape[0] > 1 && items / a->shape[0] > 1};
  return p->role != NULL;
}

bez_status bez_base_match_sides(const bez_base_side *model, const bez_base_side *base, bez_arena *arena,
                                bez_base_match *out, bez_error *err) {
  *out = (bez_base_match){.pairs = bez_arena_array(arena, (size_t)model->n_tensors + 1, sizeof *out->pairs)};
  if (!out->pairs) return bez_fail_memory(err, model->n_tensors * sizeof *out->pairs);
  for (uint32_t i = 0; i < model->n_tensors; i++) {
    const bez_base_tensor *t = &model->tensors[i], *other = find(base, t->key);
    const bez_model_tensor *a = tensor_of(model, t), *b = other ? tensor_of(base, other) : NULL;
    if (!other)
      count(&out->added, &out->first_added, a->name);
    else if (!same_shape(a, b))
      count(&out->reshaped, &out->first_reshaped, a->name);
    else if (!readable(model, t) || !readable(base, other))
      out->unreadable++;
    else if (reordered(a, b))
      count(&out->reordered, &out->first_reordered, a->name);
    else if (!add_pair(model, base, t, other, arena, out))
      return bez_fail_memory(err, 64);
  }
  for (uint32_t i = 0; i < base->n_tensors; i++)
    if (!find(model, base->tensors[i].key))
      count(&out->missing, &out->first_missing, tensor_of(base, &base->tensors[i])->name);
  return BEZ_OK;
}
