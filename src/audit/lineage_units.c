/* Which tensors hold hidden units whose order means nothing, and their vectors. */
#include <stdlib.h>
#include <string.h>

#include "audit/lineage.h"
#include "base/error.h"

#define LEAST_UNITS 8u
#define MOST_LINE ((uint64_t)16 << 20) /* numbers of a row, where units are columns: it is read whole */

/* The two tensors of an MLP's hidden layer, by the last words of their keys; columns: units along the second dimension.
 * Fused ones (gate_up_proj) are left out: half of their rows belongs to the other half. */
typedef struct mlp_names {
  const char *first, *second;
  bool first_columns, second_columns;
} mlp_names;
static const mlp_names mlps[] = {{"gate_proj", "up_proj", false, false},
                                 {"ffn_gate", "ffn_up", false, false},
                                 {"feed_forward_w1", "feed_forward_w3", false, false},
                                 {"wi_0", "wi_1", false, false},
                                 {"mlp_c_fc", "mlp_c_proj", true, false},
                                 {"fc1", "fc2", false, true},
                                 {"linear1", "linear2", false, true},
                                 {"ffn_lin1", "ffn_lin2", false, true},
                                 {"DenseReluDense_wi", "DenseReluDense_wo", false, true},
                                 {"dense_h_to_4h", "dense_4h_to_h", false, true},
                                 {"intermediate_dense", "", false, false},
                                 {"ffn_up", "ffn_down", false, true},
                                 {"up_proj", "down_proj", false, true}};

/* Rows whose order means something, or is tied to that of others. */
static const char *const ordered[] = {
    "attn", "attention", "q_proj", "k_proj", "v_proj", "o_proj",     "qkv",     "query",  "key",   "value",    "embed",
    "wte",  "wpe",       "token",  "head",   "norm",   "classifier", "gate_up", "router", "score", "position", "lora_"};

static bool ends_in(const char *text, const char *end) {
  const size_t n = strlen(text), m = strlen(end);
  return m > 0 && n >= m && !strcmp(text + n - m, end) && (n == m || text[n - m - 1] == '_');
}

static bool is_ordered(const char *key) {
  for (size_t i = 0; i < sizeof ordered / sizeof *ordered; i++)
    if (strstr(key, ordered[i])) return true;
  return false;
}

/* ---- one tensor on both sides -------------------------------------------------------------------------------------
 */

static bool open_side(bez_tensor_index *index, const bez_tensor_entry *entry, bez_unit_side *side) {
  const bez_weights *weights = entry ? bez_tensor_index_open(index, entry) : NULL;
  if (!weights || bez_weights_unreadable(weights, entry->tensor)) return false;
  *side = (bez_unit_side){weights, bez_tensor_of(index, entry), entry->tensor};
  return true;
}

static bool same_shape(const bez_model_tensor *a, const bez_model_tensor *b) {
  if (a->n_dims != b->n_dims || a->n_dims < 2) return false;
  return !memcmp(a->shape, b->shape, a->n_dims * sizeof *a->shape);
}

static bool both_sides(bez_tensor_index *model, bez_tensor_index *base, const bez_tensor_entry *entry, bool columns,
                       bez_unit_vectors *out) {
  const bez_tensor_entry *other = bez_tensor_index_find(base, entry->key);
  *out = (bez_unit_vectors){.columns = columns};
  if (!other || !same_shape(bez_tensor_of(model, entry), bez_tensor_of(base, other)) ||
      !open_side(model, entry, &out->side[0]) || !open_side(base, other, &out->side[1])) {
    *out = (bez_unit_vectors){0};
    return false;
  }
  return bez_units_of(out) >= LEAST_UNITS && bez_unit_length(out, 2) >= 2;
}

uint64_t bez_units_of(const bez_unit_vectors *v) {
  return v->side[0].weights ? v->side[0].shape->shape[v->columns ? 1 : 0] : 0;
}

/* Numbers behind the first n dimensions; at most 2^40, as weights are. */
static uint64_t behind(const bez_model_tensor *t, uint32_t n) {
  uint64_t items = 1;
  for (uint32_t d = n; d < t->n_dims; d++) items *= t->shape[d];
  return items;
}

uint32_t bez_unit_length(const bez_unit_vectors *v, uint32_t most) {
  const bez_model_tensor *t = v->side[0].shape;
  if (!v->columns) return (uint32_t)(behind(t, 1) < most ? behind(t, 1) : most);
  const uint64_t inner = behind(t, 2), whole = inner && inner <= most ? most / inner : 0;
  if (behind(t, 1) > MOST_LINE) return 0;
  return (uint32_t)(inner * (whole < t->shape[0] ? whole : t->shape[0]));
}

static bez_status read_columns(const bez_unit_side *s, const uint64_t *units, uint32_t k, uint32_t d, float *out,
                               bez_error *err) {
  const uint64_t inner = behind(s->shape, 2), line = inner * s->shape->shape[1];
  float *block = calloc((size_t)line, sizeof *block);
  bez_status st = block ? BEZ_OK : bez_fail_memory(err, (size_t)line * sizeof *block);
  for (uint64_t o = 0; st == BEZ_OK && o < d / inner; o++) {
    st = bez_weights_read(s->weights, s->tensor, o * line, (size_t)line, block, err);
    for (uint32_t u = 0; st == BEZ_OK && u < k; u++)
      memcpy(out + (size_t)u * d + o * inner, block + units[u] * inner, inner * sizeof *out);
  }
  free(block);
  return st;
}

bez_status bez_unit_read(const bez_unit_vectors *v, unsigned side, const uint64_t *units, uint32_t k, uint32_t most,
                         float *out, bez_error *err) {
  const bez_unit_side *s = &v->side[side];
  const uint32_t d = bez_unit_length(v, most);
  const uint64_t line = behind(s->shape, 1);
  bez_status st = BEZ_OK;
  if (v->columns) return read_columns(s, units, k, d, out, err);
  for (uint32_t u = 0; st == BEZ_OK && u < k; u++)
    st = bez_weights_read(s->weights, s->tensor, units[u] * line, d, out + (size_t)u * d, err);
  return st;
}

/* ---- layers -------------------------------------------------------------------------------------------------------
 */

typedef struct collector {
  bez_tensor_index *model, *base;
  bez_arena *arena;
  uint32_t *last; /* per file of the model's: its last linear layer */
  bez_hidden_layer *layers;
  size_t n;
} collector;

/* The second tensor of the layer: the same key but for its last words. */
static const bez_tensor_entry *partner(const collector *c, const char *key, const mlp_names *names) {
  const size_t stem = strlen(key) - strlen(names->first);
  const char *other = bez_arena_printf(c->arena, "%.*s%s", (int)stem, key, names->second);
  return other && *names->second ? bez_tensor_index_find(c->model, other) : NULL;
}

static void take_mlp(collector *c, const bez_tensor_entry *entry) {
  for (size_t i = 0; i < sizeof mlps / sizeof *mlps; i++) {
    if (!ends_in(entry->key, mlps[i].first)) continue;
    const bez_tensor_entry *second = partner(c, entry->key, &mlps[i]);
    if (*mlps[i].second && !second) continue; /* another kind of MLP, further down the table */
    bez_hidden_layer *layer = &c->layers[c->n];
    *layer = (bez_hidden_layer){.name = bez_tensor_of(c->model, entry)->name};
    if (!both_sides(c->model, c->base, entry, mlps[i].first_columns, &layer->first)) return;
    if (second && (!both_sides(c->model, c->base, second, mlps[i].second_columns, &layer->second) ||
                   bez_units_of(&layer->second) != bez_units_of(&layer->first)))
      layer->second = (bez_unit_vectors){0};
    c->n++;
    return;
  }
}

static bool same_as_last(const collector *c, size_t i) {
  return i > 0 && !strcmp(c->model->entries[i].key, c->model->entries[i - 1].key);
}

/* The last tensor of two dimensions in the file: its rows are classes. */
static uint32_t last_linear(const bez_model *model) {
  for (uint32_t t = model->n_tensors; t-- > 0;)
    if (model->tensors[t].n_dims == 2) return t;
  return UINT32_MAX;
}

/* No second tensor: the units of the next layer stand between, and may have been put into another order too. In
 * transformers both tensors of an MLP face the residual stream, whose order is everybody's. */
static void take_rows(collector *c, const bez_tensor_entry *entry) {
  const bez_model_tensor *t = bez_tensor_of(c->model, entry);
  bez_hidden_layer *layer = &c->layers[c->n];
  if (t->n_dims < 2 || is_ordered(entry->key)) return;
  if (c->last[entry->file] == entry->tensor) return;
  *layer = (bez_hidden_layer){.name = t->name};
  if (!both_sides(c->model, c->base, entry, false, &layer->first)) return;
  c->n++;
}

bez_status bez_hidden_layers(bez_tensor_index *model, bez_tensor_index *base, bez_arena *arena,
                             bez_hidden_layer **layers, size_t *n, bez_error *err) {
  collector c = {.model = model, .base = base, .arena = arena};
  c.layers = bez_arena_array(arena, model->n + 1, sizeof *c.layers);
  c.last = bez_arena_array(arena, model->set->n + 1, sizeof *c.last);
  if (!c.layers || !c.last) return bez_fail_memory(err, model->n * sizeof *c.layers);
  for (size_t i = 0; i < model->set->n; i++)
    c.last[i] = model->set->files[i].model ? last_linear(model->set->files[i].model) : UINT32_MAX;
  for (size_t i = 0; i < model->n; i++)
    if (!same_as_last(&c, i)) take_mlp(&c, &model->entries[i]);
  const bool by_name = c.n > 0;
  for (size_t i = 0; i < model->n && !by_name; i++)
    if (!same_as_last(&c, i)) take_rows(&c, &model->entries[i]);
  *layers = c.layers;
  *n = c.n;
  return BEZ_OK;
}
