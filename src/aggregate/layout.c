/* Layers of updates: types, shapes, names, and the rows made of them. */
#include "aggregate/layout.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "math/order.h"

bool bez_dtype_floating(bez_dtype dtype) {
  return dtype <= BEZ_DTYPE_BF16;
}

int64_t bez_layer_place(const bez_layer *layer, uint64_t index) {
  int64_t at = 0;
  if (!layer->strides) return (int64_t)index;
  for (uint32_t k = layer->n_dims; k-- > 0;) {
    at += (int64_t)(index % layer->shape[k]) * layer->strides[k];
    index /= layer->shape[k];
  }
  return at;
}

static bool same_shape(const bez_layer *a, const bez_layer *b) {
  return a->n_dims == b->n_dims && (!a->n_dims || !memcmp(a->shape, b->shape, a->n_dims * sizeof *a->shape));
}

/* "[3 4]" for messages. */
static const char *shape_text(const bez_layer *layer, char *out, size_t room) {
  size_t used = 0;
  out[0] = 0;
  for (uint32_t k = 0; k < layer->n_dims && used + 24 < room; k++)
    used += (size_t)snprintf(out + used, room - used, k ? " %llu" : "%llu", (unsigned long long)layer->shape[k]);
  return out;
}

static bez_status check_layer(const bez_layer *want, const bez_layer *have, const bez_update *update, bez_error *err) {
  char a[120], b[120];
  if (!have) return bez_fail(err, BEZ_USAGE, update->client, "layer \"%s\" is missing", want->name);
  if (have->dtype != want->dtype)
    return bez_fail(err, BEZ_USAGE, update->client, "layer \"%s\" is %s, expected %s", want->name,
                    bez_dtype_name(have->dtype), bez_dtype_name(want->dtype));
  if (!same_shape(have, want))
    return bez_fail(err, BEZ_USAGE, update->client, "layer \"%s\" has shape [%s], expected [%s]", want->name,
                    shape_text(have, a, sizeof a), shape_text(want, b, sizeof b));
  uint64_t items = bez_layer_items(have);
  if (items > (UINT64_C(1) << 48))
    return bez_fail(err, BEZ_LIMIT, update->client, "layer \"%s\" is too large", want->name);
  if (items && !have->data) return bez_fail(err, BEZ_USAGE, update->client, "layer \"%s\" has no data", want->name);
  return BEZ_OK;
}

bez_status bez_layout_check(const bez_update *layout, const bez_update *update, bez_error *err) {
  bez_status st = BEZ_OK;
  const bez_layer **found = calloc(layout->n_layers + 1u, sizeof *found);
  if (!found) return bez_fail_memory(err, layout->n_layers * sizeof *found);
  BEZ_TRY(bez_layers_match(layout, update, found, err));
  uint32_t n = 0;
  while (n < layout->n_layers && found[n]) n++;
  if (n < layout->n_layers || n != update->n_layers) BEZ_TRY(bez_layers_known(layout, update, err));
  for (uint32_t l = 0; l < layout->n_layers; l++) BEZ_TRY(check_layer(&layout->layers[l], found[l], update, err));
cleanup:
  free(found);
  return st;
}

/* The layers of one row: found is scratch, one per layer of the layout. */
static bez_status fill_row(bez_update_rows *rows, uint32_t row, const bez_update *layout, const bez_update *update,
                           const bez_layer **found, bez_error *err) {
  bez_status st = bez_layers_match(layout, update, found, err);
  for (uint32_t l = 0; st == BEZ_OK && l < rows->n_layers; l++)
    rows->layers[l].client[row] = found[rows->layers[l].like - layout->layers];
  return st;
}

static bez_status fill_rows(bez_update_rows *rows, const bez_update *layout, const bez_update *const *updates,
                            const bez_update *const *extra, const bez_update *reference, bez_error *err) {
  bez_status st = BEZ_OK;
  const bez_layer **found = calloc(layout->n_layers + 1u, sizeof *found);
  if (!found) return bez_fail_memory(err, layout->n_layers * sizeof *found);
  for (uint32_t l = 0; l < rows->n_layers; l++) {
    rows->layers[l].client = calloc((size_t)rows->n + rows->extra + 1, sizeof *rows->layers[l].client);
    if (!rows->layers[l].client) BEZ_TRY(bez_fail_memory(err, ((size_t)rows->n + rows->extra) * sizeof *found));
  }
  for (uint32_t i = 0; i < rows->n; i++) BEZ_TRY(fill_row(rows, i, layout, updates[i], found, err));
  for (uint32_t i = 0; i < rows->extra; i++) BEZ_TRY(fill_row(rows, rows->n + i, layout, extra[i], found, err));
  if (reference) BEZ_TRY(bez_layers_match(layout, reference, found, err));
  for (uint32_t l = 0; reference && l < rows->n_layers; l++)
    rows->layers[l].reference = found[rows->layers[l].like - layout->layers];
cleanup:
  free(found);
  return st;
}

bez_status bez_rows_make(const bez_update *layout, const bez_update *const *updates, uint32_t n,
                         const bez_update *const *extra, const bool *raw_extra, uint32_t n_extra,
                         const bez_update *reference, void *const *out, bez_update_rows *rows, bez_error *err) {
  rows->n = n;
  rows->extra = n_extra;
  rows->tile = n + n_extra > 256 ? 256 : 1024; /* so that a worker's rows fit its cache; BEZ_DISTANCE_TILE at most */
  rows->raw = calloc((size_t)n + n_extra + 1, sizeof *rows->raw);
  rows->layers = calloc(layout->n_layers + 1u, sizeof *rows->layers);
  if (!rows->raw || !rows->layers) return bez_fail_memory(err, layout->n_layers * sizeof *rows->layers);
  for (uint32_t i = 0; i < n_extra; i++) rows->raw[n + i] = raw_extra && raw_extra[i];
  for (uint32_t l = 0; l < layout->n_layers; l++) {
    const bez_layer *like = &layout->layers[l];
    if (!bez_dtype_floating(like->dtype)) continue;
    bez_rows_layer *to = &rows->layers[rows->n_layers++];
    *to = (bez_rows_layer){.like = like,
                           .len = bez_layer_items(like),
                           .first_tile = rows->n_tiles,
                           .first_coordinate = rows->d,
                           .out = out[l]};
    rows->d += to->len;
    rows->n_tiles += (to->len + rows->tile - 1) / rows->tile;
  }
  return fill_rows(rows, layout, updates, extra, reference, err);
}

void bez_rows_free(bez_update_rows *rows) {
  for (uint32_t l = 0; l < rows->n_layers; l++) free(rows->layers[l].client);
  free(rows->layers);
  free(rows->raw);
  free((void *)rows->suspect);
  if (rows->mix) free(rows->mix->weight);
  rows->layers = NULL;
  rows->raw = NULL;
  rows->suspect = NULL;
  rows->mix = NULL;
}
