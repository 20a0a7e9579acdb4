/* Layers by name. A model may have thousands of layers and there may be thousands of clients: names are compared in
 * place where they come in the same order, and looked up among sorted ones where they do not. */
#include "aggregate/layers.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"

static int by_name(const void *a, const void *b) {
  const bez_layer *const *x = a, *const *y = b;
  return strcmp((*x)->name, (*y)->name);
}

/* The update's layers in the order of their names, the caller's to free; NULL: out of memory. */
static const bez_layer **sorted(const bez_update *update) {
  const bez_layer **list = calloc(update->n_layers + 1u, sizeof *list);
  for (uint32_t l = 0; list && l < update->n_layers; l++) list[l] = &update->layers[l];
  if (list) qsort(list, update->n_layers, sizeof *list, by_name);
  return list;
}

static const bez_layer *look_up(const bez_layer *const *list, uint32_t n, const bez_layer *like) {
  const bez_layer *const *at = bsearch(&like, list, n, sizeof *list, by_name);
  return at ? *at : NULL;
}

bez_status bez_layers_match(const bez_update *layout, const bez_update *update, const bez_layer **found,
                            bez_error *err) {
  const bez_layer **list = NULL;
  for (uint32_t l = 0; l < layout->n_layers; l++) {
    const bez_layer *like = &layout->layers[l];
    if (!list && l < update->n_layers && !strcmp(update->layers[l].name, like->name)) {
      found[l] = &update->layers[l];
      continue;
    }
    if (!list) list = sorted(update);
    if (!list) return bez_fail_memory(err, update->n_layers * sizeof *list);
    found[l] = look_up(list, update->n_layers, like);
  }
  free(list);
  return BEZ_OK;
}

bez_status bez_layers_distinct(const bez_update *update, bez_error *err) {
  bez_status st = BEZ_OK;
  const bez_layer **list = sorted(update);
  if (!list) return bez_fail_memory(err, update->n_layers * sizeof *list);
  for (uint32_t l = 1; l < update->n_layers; l++)
    if (!strcmp(list[l - 1]->name, list[l]->name))
      BEZ_TRY(bez_fail(err, BEZ_USAGE, update->client, "layer \"%s\" is there twice", list[l]->name));
cleanup:
  free(list);
  return st;
}

bez_status bez_layers_known(const bez_update *layout, const bez_update *update, bez_error *err) {
  bez_status st = bez_layers_distinct(update, err);
  const bez_layer **list = st == BEZ_OK ? sorted(layout) : NULL;
  if (st == BEZ_OK && !list) st = bez_fail_memory(err, layout->n_layers * sizeof *list);
  for (uint32_t l = 0; st == BEZ_OK && l < update->n_layers; l++)
    if (!look_up(list, layout->n_layers, &update->layers[l]))
      st = bez_fail(err, BEZ_USAGE, update->client, "layer \"%s\" is not part of the model", update->layers[l].name);
  free(list);
  return st;
}
