/* Which hidden units of a model and its base can be compared: what lineage.c tests and lineage_units.c collects. */
#ifndef BEZ_AUDIT_LINEAGE_H
#define BEZ_AUDIT_LINEAGE_H

#include "audit/lineage_test.h"
#include "audit/tensor_index.h"

/* A tensor that holds one vector per hidden unit, on both sides. */
typedef struct bez_unit_side {
  const bez_weights *weights;
  const bez_model_tensor *shape;
  uint32_t tensor;
} bez_unit_side;
typedef struct bez_unit_vectors {
  bez_unit_side side[2]; /* the model's, the base's; weights NULL: there is none */
  bool columns;          /* units lie along the second dimension */
} bez_unit_vectors;

/* A layer of hidden units: their vectors in one tensor, and in another where that is known. */
typedef struct bez_hidden_layer {
  const char *name; /* of the first tensor in the model */
  bez_unit_vectors first, second;
} bez_hidden_layer;

/* Layers whose tensors both have, in the order of names. Known by name (the first half of MLPs of transformers), else
 * every layer of rows but the last, embeddings and attention, whose order means something. *layers: in the arena. */
BEZ_MUST_USE bez_status bez_hidden_layers(bez_tensor_index *model, bez_tensor_index *base, bez_arena *arena,
                                          bez_hidden_layer **layers, size_t *n, bez_error *err);

uint64_t bez_units_of(const bez_unit_vectors *v);
/* Numbers of a unit's vector that are compared: at most `most`, the first ones. 0: not a single one. */
uint32_t bez_unit_length(const bez_unit_vectors *v, uint32_t most);
/* The vectors of the k units named, k × bez_unit_length(v, most) numbers. side: 0 the model's, 1 the base's. */
BEZ_MUST_USE bez_status bez_unit_read(const bez_unit_vectors *v, unsigned side, const uint64_t *units, uint32_t k,
                                      uint32_t most, float *out, bez_error *err);

#endif
