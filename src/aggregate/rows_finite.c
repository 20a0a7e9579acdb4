/* Who holds NaN or infinity? */
#include <math.h>
#include <stdlib.h>

#include "aggregate/layout.h"
#include "base/error.h"

typedef struct finite_pass {
  uint32_t n;
  bool *odd; /* blocks × n */
  const bez_weighted *kernels;
} finite_pass;

static bez_status finite_tile(void *ctx, const bez_tile *tile, uint32_t block, unsigned worker, bez_error *err) {
  finite_pass *p = ctx;
  (void)worker, (void)err;
  for (uint32_t i = 0; i < p->n; i++) {
    bool finite =
        tile->wide ? p->kernels->finite_f64(tile->row[i], tile->len) : p->kernels->finite_f32(tile->row[i], tile->len);
    if (!finite) p->odd[(size_t)block * p->n + i] = true;
  }
  return BEZ_OK;
}

bez_status bez_rows_finite(const bez_update_rows *rows, bool *finite, bez_error *err) {
  const uint32_t n = bez_rows_count(rows), n_blocks = bez_rows_blocks(n);
  if (rows->looked && !rows->mix) {
    for (uint32_t i = 0; i < n; i++) finite[i] = !rows->suspect[i];
    return BEZ_OK;
  }
  finite_pass p = {
      .n = n, .odd = calloc((size_t)n_blocks * n, sizeof(bool)), .kernels = bez_weighted_choose(rows->cpu)};
  if (!p.odd) return bez_fail_memory(err, (size_t)n_blocks * n);
  bez_status st = bez_rows_pass(rows, n_blocks, finite_tile, &p, err);
  for (uint32_t i = 0; i < n; i++) finite[i] = true;
  for (uint32_t b = 0; b < n_blocks; b++)
    for (uint32_t i = 0; i < n; i++) finite[i] &= !p.odd[(size_t)b * n + i];
  free(p.odd);
  return st;
}

bool bez_update_begins_finite(const bez_update *update) {
  for (uint32_t l = 0; l < update->n_layers; l++) {
    const bez_layer *layer = &update->layers[l];
    const uint64_t items = bez_layer_items(layer);
    if (!bez_dtype_floating(layer->dtype) || items == 0 || items == UINT64_MAX) continue;
    if (!isfinite(bez_layer_item(layer, 0))) return false;
  }
  return true;
}
