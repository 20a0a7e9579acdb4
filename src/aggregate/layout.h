/* Do the updates fit together? And the rows made of them. */
#ifndef BEZ_AGGREGATE_LAYOUT_H
#define BEZ_AGGREGATE_LAYOUT_H

#include "aggregate/layers.h"
#include "aggregate/rows.h"
#include "format/tensors.h"
#include "math/half.h"

bool bez_dtype_floating(bez_dtype dtype);
/* The item at `at` items from data, of a floating-point layer. */
static inline double bez_layer_item(const bez_layer *layer, int64_t at) {
  switch (layer->dtype) {
    case BEZ_DTYPE_F64: return ((const double *)layer->data)[at];
    case BEZ_DTYPE_F16: return bez_half_float(((const uint16_t *)layer->data)[at]);
    case BEZ_DTYPE_BF16: return bez_bfloat_float(((const uint16_t *)layer->data)[at]);
    default: return ((const float *)layer->data)[at];
  }
}

/* Position of item `index` (C order) from data, in items. */
int64_t bez_layer_place(const bez_layer *layer, uint64_t index);

/* BEZ_USAGE naming the client and the layer where an update does not have the layout's layers, each with its type and
 * shape; BEZ_LIMIT where a shape is too large to count. The layout's names are distinct (bez_layers_distinct). */
BEZ_MUST_USE bez_status bez_layout_check(const bez_update *layout, const bez_update *update, bez_error *err);

/* Rows of the listed updates (checked before), then n_extra others: with raw_extra[i] (NULL: none) that one is a
 * difference already.
 * out: one buffer per layer of the layout. */
BEZ_MUST_USE bez_status bez_rows_make(const bez_update *layout, const bez_update *const *updates, uint32_t n,
                                      const bez_update *const *extra, const bool *raw_extra, uint32_t n_extra,
                                      const bez_update *reference, void *const *out, bez_update_rows *rows,
                                      bez_error *err);
void bez_rows_free(bez_update_rows *rows);

/* Integer and boolean layers of the listed updates, by the policy. */
BEZ_MUST_USE bez_status bez_integers_aggregate(const bez_update *layout, const bez_update *const *updates, uint32_t n,
                                               const bez_update *reference, bez_integers policy, void *const *out,
                                               bez_error *err);

#endif
