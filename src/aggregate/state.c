/* Memory of stateful rules. */
#include "aggregate/state.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"

typedef struct entry {
  bez_update update; /* client, layers, names, shapes and data are owned */
  struct entry *next;
} entry;

struct bez_aggregate_state {
  entry *kept, *staged;
};

static void free_entries(entry *e) {
  while (e) {
    entry *next = e->next;
    bez_layer *layers = (bez_layer *)(uintptr_t)e->update.layers;
    for (uint32_t l = 0; layers && l < e->update.n_layers; l++) {
      free((void *)(uintptr_t)layers[l].name);
      free((void *)(uintptr_t)layers[l].shape);
      free((void *)(uintptr_t)layers[l].data);
    }
    free(layers);
    free((void *)(uintptr_t)e->update.client);
    free(e);
    e = next;
  }
}

bez_aggregate_state *bez_aggregate_state_create(void) {
  return calloc(1, sizeof(bez_aggregate_state));
}

void bez_aggregate_state_destroy(bez_aggregate_state *state) {
  if (!state) return;
  free_entries(state->kept);
  free_entries(state->staged);
  free(state);
}

static bez_dtype kept_as(const bez_layer *like) {
  return like->dtype == BEZ_DTYPE_F64 ? BEZ_DTYPE_F64 : BEZ_DTYPE_F32;
}

static bool fits(const bez_update *layout, const bez_update *memory) {
  bez_error ignored = {0};
  const bez_layer **found = calloc(layout->n_layers + 1u, sizeof *found);
  bool all = found && bez_layers_match(layout, memory, found, &ignored) == BEZ_OK;
  for (uint32_t l = 0; all && l < layout->n_layers; l++) {
    const bez_layer *want = &layout->layers[l];
    if (bez_dtype_floating(want->dtype))
      all = found[l] && found[l]->dtype == kept_as(want) && bez_layer_items(found[l]) == bez_layer_items(want);
  }
  free(found);
  return all;
}

const bez_update *bez_state_get(const bez_aggregate_state *state, const char *key, const bez_update *layout) {
  for (const entry *e = state ? state->kept : NULL; e; e = e->next)
    if (!strcmp(e->update.client, key)) return fits(layout, &e->update) ? &e->update : NULL;
  return NULL;
}

static bez_status copy_layer(const bez_layer *like, bez_layer *out, bez_error *err) {
  const bez_dtype dtype = kept_as(like);
  const uint64_t items = bez_layer_items(like);
  uint64_t *shape = calloc(like->n_dims + 1u, sizeof *shape);
  *out = (bez_layer){.name = strdup(like->name),
                     .dtype = dtype,
                     .n_dims = like->n_dims,
                     .shape = shape,
                     .data = calloc(items + 1, bez_dtype_size(dtype))};
  if (!out->name || !shape || !out->data) return bez_fail_memory(err, items * bez_dtype_size(dtype));
  if (like->n_dims) memcpy(shape, like->shape, like->n_dims * sizeof *shape);
  return BEZ_OK;
}

bez_status bez_state_stage(bez_aggregate_state *state, const char *key, const bez_update *layout,
                           const bez_update **out, bez_error *err) {
  entry *e = calloc(1, sizeof *e);
  if (!e) return bez_fail_memory(err, sizeof *e);
  e->next = state->staged;
  state->staged = e;
  bez_layer *layers = calloc(layout->n_layers + 1u, sizeof *layers);
  e->update.client = strdup(key);
  e->update.layers = layers;
  if (!layers || !e->update.client) return bez_fail_memory(err, layout->n_layers * sizeof *layers);
  for (uint32_t l = 0; l < layout->n_layers; l++) {
    if (!bez_dtype_floating(layout->layers[l].dtype)) continue;
    bez_status st = copy_layer(&layout->layers[l], &layers[e->update.n_layers++], err);
    if (st != BEZ_OK) return st;
  }
  *out = &e->update;
  return BEZ_OK;
}

void bez_state_discard(bez_aggregate_state *state) {
  free_entries(state->staged);
  state->staged = NULL;
}

/* A staged vector takes the place of the kept one of its key. */
void bez_state_commit(bez_aggregate_state *state) {
  while (state->staged) {
    entry *e = state->staged;
    state->staged = e->next;
    for (entry **at = &state->kept; *at; at = &(*at)->next) {
      if (strcmp((*at)->update.client, e->update.client) != 0) continue;
      entry *old = *at;
      *at = old->next;
      old->next = NULL;
      free_entries(old);
      break;
    }
    e->next = state->kept;
    state->kept = e;
  }
}

size_t bez_aggregate_state_count(const bez_aggregate_state *state) {
  size_t n = 0;
  for (const entry *e = state->kept; e; e = e->next) n++;
  return n;
}

const bez_update *bez_aggregate_state_get(const bez_aggregate_state *state, size_t index) {
  const entry *e = state->kept;
  while (e && index-- > 0) e = e->next;
  return e ? &e->update : NULL;
}

static bool all_finite(const bez_layer *layer) {
  const uint64_t items = bez_layer_items(layer);
  bool finite = true;
  for (uint64_t i = 0; i < items; i++)
    finite &= layer->dtype == BEZ_DTYPE_F64 ? isfinite(((const double *)layer->data)[i])
                                            : isfinite(((const float *)layer->data)[i]);
  return finite;
}

bez_status bez_aggregate_state_put(bez_aggregate_state *state, const bez_update *memory, bez_error *err) {
  const bez_update *copy = NULL;
  bez_status st = bez_state_stage(state, memory->client, memory, &copy, err);
  for (uint32_t l = 0, k = 0; st == BEZ_OK && l < memory->n_layers; l++) {
    if (!bez_dtype_floating(memory->layers[l].dtype)) continue;
    const bez_layer *from = &memory->layers[l], *to = &copy->layers[k++]; /* staged in the same order */
    const uint64_t items = bez_layer_items(to);
    if (from->dtype != to->dtype || from->strides || (items && (!from->data || !to->data))) {
      st = bez_fail(err, BEZ_USAGE, memory->client, "layer \"%s\" of a state is to be F32 or F64 in C order", to->name);
      break;
    }
    if (items) memcpy((void *)(uintptr_t)to->data, from->data, items * bez_dtype_size(to->dtype));
    if (!all_finite(to))
      st = bez_fail(err, BEZ_USAGE, memory->client, "layer \"%s\" of a state holds NaN or infinity", to->name);
  }
  if (st == BEZ_OK)
    bez_state_commit(state);
  else
    bez_state_discard(state);
  return st;
}
