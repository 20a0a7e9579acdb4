/* Integer and boolean tensors (step counters, masks, token tables): a mean of them means nothing. */
#include <stdlib.h>
#include <string.h>

#include "aggregate/layout.h"
#include "base/compare.h"
#include "base/error.h"

static uint64_t read_bits(const bez_layer *layer, int64_t at) {
  const size_t size = bez_dtype_size(layer->dtype);
  uint64_t bits = 0;
  memcpy(&bits, (const char *)layer->data + at * (int64_t)size, size);
  return layer->dtype == BEZ_DTYPE_BOOL ? bits != 0 : bits;
}

/* Unsigned numbers in the order of the values: signed ones have their sign bit turned. */
static uint64_t rank_bits(bez_dtype dtype, uint64_t bits) {
  if (dtype < BEZ_DTYPE_I8 || dtype > BEZ_DTYPE_I64) return bits;
  return bits ^ UINT64_C(1) << (8 * bez_dtype_size(dtype) - 1);
}

static uint64_t choose(bez_integers policy, uint64_t *ranks, uint32_t n) {
  qsort(ranks, n, sizeof *ranks, bez_compare_u64);
  return ranks[policy == BEZ_INTEGERS_MAXIMUM ? n - 1 : (n - 1) / 2];
}

static void fill(const bez_layer *like, const bez_layer *const *from, uint32_t n, bez_integers policy, uint64_t *ranks,
                 void *out) {
  const bez_dtype dtype = like->dtype;
  const size_t size = bez_dtype_size(dtype);
  const uint64_t items = bez_layer_items(like);
  for (uint64_t index = 0; index < items; index++) {
    for (uint32_t i = 0; i < n; i++) ranks[i] = rank_bits(dtype, read_bits(from[i], bez_layer_place(from[i], index)));
    uint64_t bits = rank_bits(dtype, choose(policy, ranks, n));
    memcpy((char *)out + index * size, &bits, size);
  }
}

bez_status bez_integers_aggregate(const bez_update *layout, const bez_update *const *updates, uint32_t n,
                                  const bez_update *reference, bez_integers policy, void *const *out, bez_error *err) {
  bez_status st = BEZ_OK;
  const uint32_t sources = policy == BEZ_INTEGERS_REFERENCE ? 1 : n;
  const bez_layer **from = calloc(sources + 1u, sizeof *from);
  uint64_t *ranks = calloc(sources + 1u, sizeof *ranks);
  if (!from || !ranks) BEZ_TRY(bez_fail_memory(err, sources * sizeof *from));
  for (uint32_t l = 0; l < layout->n_layers; l++) {
    const char *name = layout->layers[l].name;
    if (bez_dtype_floating(layout->layers[l].dtype)) continue;
    if (policy == BEZ_INTEGERS_REFERENCE && !reference)
      BEZ_TRY(bez_fail(err, BEZ_USAGE, name, "integers are to come from the reference model, but there is none"));
    for (uint32_t i = 0; i < sources; i++) {
      from[i] = bez_update_layer(policy == BEZ_INTEGERS_REFERENCE ? reference : updates[i], name);
      if (!from[i]) BEZ_TRY(bez_fail(err, BEZ_INTERNAL, name, "a layer that was checked is gone"));
    }
    fill(&layout->layers[l], from, sources, policy, ranks, out[l]);
  }
cleanup:
  free(from);
  free(ranks);
  return st;
}
