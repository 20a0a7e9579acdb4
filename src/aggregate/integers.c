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

static bez_status fill(const bez_layer *like, const bez_layer *const *from, uint32_t n, bez_integers policy,
                       uint64_t *ranks, void *out, bez_error *err) {
  const bez_dtype dtype = like->dtype;
  const size_t size = bez_dtype_size(dtype);
  const uint64_t items = bez_layer_items(like);
  for (uint32_t i = 0; i < n; i++)
    if (!from[i]) return bez_fail(err, BEZ_INTERNAL, like->name, "a layer that was checked is gone");
  for (uint64_t index = 0; index < items; index++) {
    for (uint32_t i = 0; i < n; i++) ranks[i] = rank_bits(dtype, read_bits(from[i], bez_layer_place(from[i], index)));
    uint64_t bits = rank_bits(dtype, choose(policy, ranks, n));
    memcpy((char *)out + index * size, &bits, size);
  }
  return BEZ_OK;
}

/* from[k * sources + i]: source i's layer of the k-th layer that holds integers. */
static bez_status find_all(const bez_update *layout, const bez_update *const *updates, uint32_t sources,
                           const bez_layer **from, bez_error *err) {
  bez_status st = BEZ_OK;
  const bez_layer **found = calloc(layout->n_layers + 1u, sizeof *found);
  if (!found) return bez_fail_memory(err, layout->n_layers * sizeof *found);
  for (uint32_t i = 0; i < sources; i++) {
    size_t k = 0;
    BEZ_TRY(bez_layers_match(layout, updates[i], found, err));
    for (uint32_t l = 0; l < layout->n_layers; l++) {
      if (bez_dtype_floating(layout->layers[l].dtype)) continue;
      if (!found[l]) BEZ_TRY(bez_fail(err, BEZ_INTERNAL, layout->layers[l].name, "a layer that was checked is gone"));
      from[k++ * sources + i] = found[l];
    }
  }
cleanup:
  free(found);
  return st;
}

bez_status bez_integers_aggregate(const bez_update *layout, const bez_update *const *updates, uint32_t n,
                                  const bez_update *reference, bez_integers policy, void *const *out, bez_error *err) {
  bez_status st = BEZ_OK;
  const bool copied = policy == BEZ_INTEGERS_REFERENCE;
  const uint32_t sources = copied ? 1 : n;
  size_t count = 0, k = 0;
  for (uint32_t l = 0; l < layout->n_layers; l++) {
    const bool integers = !bez_dtype_floating(layout->layers[l].dtype);
    if (integers && copied && !reference)
      return bez_fail(err, BEZ_USAGE, layout->layers[l].name,
                      "integers are to come from the reference model, but there is none");
    count += integers;
  }
  if (!count) return BEZ_OK;
  const bez_layer **from = calloc(count * sources + 1, sizeof *from);
  uint64_t *ranks = calloc(sources + 1u, sizeof *ranks);
  if (!from || !ranks) BEZ_TRY(bez_fail_memory(err, count * sources * sizeof *from));
  BEZ_TRY(find_all(layout, copied ? &reference : updates, sources, from, err));
  for (uint32_t l = 0; l < layout->n_layers; l++)
    if (!bez_dtype_floating(layout->layers[l].dtype))
      BEZ_TRY(fill(&layout->layers[l], from + k++ * sources, sources, policy, ranks, out[l], err));
cleanup:
  free(from);
  free(ranks);
  return st;
}
