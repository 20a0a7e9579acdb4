/* A state on disk: safetensors whose tensors are called KEY:LAYER, the bytes of the key in hexadecimal. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "aggregate/state.h"
#include "base/arena.h"
#include "base/error.h"

/* "6162:w" → "ab"; NULL: no such name. */
static char *key_of(bez_arena *arena, const char *name, size_t digits) {
  char *key = digits % 2 ? NULL : bez_arena_alloc(arena, digits / 2 + 1);
  for (size_t i = 0; key && i < digits; i += 2) {
    char pair[3] = {name[i], name[i + 1], 0};
    if (strspn(pair, "0123456789abcdef") != 2) return NULL;
    const unsigned byte = (unsigned)strtoul(pair, NULL, 16);
    if (!byte) return NULL;
    key[i / 2] = (char)byte;
  }
  if (key) key[digits / 2] = 0;
  return key;
}

/* Layers of one key stand together, as they were written. */
static bez_status put_key(const char *path, const bez_layer *layers, uint32_t n, size_t prefix, const char *key,
                          bez_layer *plain, bez_aggregate_state *state, bez_error *err) {
  for (uint32_t l = 0; l < n; l++) {
    plain[l] = layers[l];
    plain[l].name += prefix + 1;
    /* Rules remember numbers with a fraction alone; a key without any would be lost when the state is saved. */
    if (plain[l].dtype != BEZ_DTYPE_F32 && plain[l].dtype != BEZ_DTYPE_F64)
      return bez_fail(err, BEZ_FORMAT, path, "tensor \"%s\" is of type %s: none of a state", layers[l].name,
                      bez_dtype_name(plain[l].dtype));
  }
  bez_update memory = {.client = key, .n_layers = n, .layers = plain};
  return bez_aggregate_state_put(state, &memory, err);
}

bez_status bez_aggregate_state_load(const char *path, bez_aggregate_state *state, bez_error *err) {
  bez_status st = BEZ_OK;
  bez_tensors *tensors = NULL;
  bez_arena arena = {0};
  bez_layer *plain = NULL;
  if (access(path, F_OK) != 0 && errno == ENOENT) return BEZ_OK; /* the first round */
  BEZ_TRY(bez_tensors_open(path, &tensors, err));
  const bez_layer *layers = bez_tensors_layers(tensors);
  const uint32_t n = bez_tensors_count(tensors);
  plain = calloc(n + 1u, sizeof *plain);
  if (!plain) BEZ_TRY(bez_fail_memory(err, n * sizeof *plain));
  for (uint32_t first = 0, end; first < n; first = end) {
    const char *colon = strchr(layers[first].name, ':');
    size_t prefix = colon ? (size_t)(colon - layers[first].name) : 0;
    char *key = colon ? key_of(&arena, layers[first].name, prefix) : NULL;
    if (!key) BEZ_TRY(bez_fail(err, BEZ_FORMAT, path, "tensor \"%s\" is none of a state", layers[first].name));
    for (end = first; end < n && !strncmp(layers[end].name, layers[first].name, prefix + 1);) end++;
    BEZ_TRY(put_key(path, layers + first, end - first, prefix, key, plain, state, err));
  }
cleanup:
  free(plain);
  bez_arena_free(&arena);
  bez_tensors_close(tensors);
  return st;
}

static char *name_of(bez_arena *arena, const char *key, const char *layer) {
  size_t n = strlen(key), m = strlen(layer);
  char *name = bez_arena_alloc(arena, 2 * n + m + 2);
  if (!name) return NULL;
  for (size_t i = 0; i < n; i++) snprintf(name + 2 * i, 3, "%02x", (unsigned char)key[i]);
  name[2 * n] = ':';
  memcpy(name + 2 * n + 1, layer, m + 1);
  return name;
}

bez_status bez_aggregate_state_save(const char *path, const bez_aggregate_state *state, bez_error *err) {
  bez_status st = BEZ_OK;
  bez_arena arena = {0};
  bez_layer *layers = NULL;
  uint32_t n = 0;
  for (size_t i = 0; i < bez_aggregate_state_count(state); i++) n += bez_aggregate_state_get(state, i)->n_layers;
  layers = calloc(n + 1u, sizeof *layers);
  if (!layers) return bez_fail_memory(err, n * sizeof *layers);
  n = 0;
  for (size_t i = 0; i < bez_aggregate_state_count(state); i++) {
    const bez_update *memory = bez_aggregate_state_get(state, i);
    for (uint32_t l = 0; l < memory->n_layers; l++) {
      layers[n] = memory->layers[l];
      layers[n].name = name_of(&arena, memory->client, memory->layers[l].name);
      if (!layers[n++].name) BEZ_TRY(bez_fail_memory(err, 64));
    }
  }
  st = bez_tensors_write(path, layers, n, err);
cleanup:
  free(layers);
  bez_arena_free(&arena);
  return st;
}
