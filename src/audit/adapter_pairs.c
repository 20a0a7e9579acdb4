/* Which tensors of a file make up a low-rank change, and how it is scaled. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "audit/adapter.h"
#include "base/error.h"
#include "base/json.h"

#define MOST_MODULES 65536u

/* How A and B are called in names: between dots or underscores, and then the end or a dot. */
typedef struct naming {
  const char *down, *up;
} naming;
static const naming namings[] = {
    {"lora_A", "lora_B"},                               /* PEFT */
    {"lora_embedding_A", "lora_embedding_B"},           /* … of an embedding */
    {"lora_down", "lora_up"},                           /* kohya */
    {"lora.down", "lora.up"},                           /* diffusers */
    {"lora_linear_layer.down", "lora_linear_layer.up"}, /* … older */
    {"lora_a", "lora_b"},                               /* GGUF, torchtune */
    {"_lora.down", "_lora.up"},                         /* diffusers' attention processors */
};

/* Adapters of other kinds, and parts of them that a product of two does not show. */
static const char *const other_kinds[] = {"lora_mid.", ".hada_w",      ".lokr_w", ".oft_blocks",
                                          ".oft_R",    ".vera_lambda", ".ia3_l",  ".boft_"};

typedef struct named {
  const char *name;
  uint32_t tensor;
} named;

typedef struct finder {
  const bez_check_input *in;
  const bez_weights *weights;
  bez_lora *out;
  named *sorted;
  size_t room;
  double alpha; /* of the whole; NaN: not said */
  json_t *alpha_pattern;
} finder;

static int by_name(const void *a, const void *b) {
  return strcmp(((const named *)a)->name, ((const named *)b)->name);
}

static const named *look_up(const finder *f, const char *name) {
  const named key = {.name = name};
  return bsearch(&key, f->sorted, f->in->model->n_tensors, sizeof key, by_name);
}

/* Where the word stands in the name, as a word; NULL. */
static const char *word_in(const char *name, const char *word) {
  const size_t n = strlen(word);
  for (const char *at = strstr(name, word); at; at = strstr(at + 1, word)) {
    const bool begins = at == name || at[-1] == '.' || at[-1] == '_' || *word == '_';
    if (begins && (at[n] == '.' || at[n] == '\0')) return at;
  }
  return NULL;
}

static const char *down_word(const char *name, const naming **which) {
  for (size_t i = 0; i < sizeof namings / sizeof *namings; i++) {
    const char *at = word_in(name, namings[i].down);
    *which = &namings[i];
    if (at) return at;
  }
  return NULL;
}

static bool is_up(const char *name) {
  for (size_t i = 0; i < sizeof namings / sizeof *namings; i++)
    if (word_in(name, namings[i].up)) return true;
  return false;
}

/* Everything but the outermost; 0 where it does not fit into 2^40. */
static uint64_t flat(const bez_model_tensor *t) {
  uint64_t items = 1;
  for (uint32_t d = 1; d < t->n_dims; d++) {
    if (t->shape[d] == 0 || items > ((uint64_t)1 << 40) / t->shape[d]) return 0;
    items *= t->shape[d];
  }
  return items;
}

/* ---- the scale ----------------------------------------------------------------------------------------------------
 */

static const char *fact_of(const bez_check_input *in, const char *key) {
  const char *said = bez_model_about(in->model, key);
  if (said || !in->set || !in->file) return said;
  for (size_t i = 0; i < in->set->n; i++) { /* beside it, in its own folder */
    const bez_audit_file *other = &in->set->files[i];
    const char *end = strrchr(other->name, '/'), *own = strrchr(in->file->name, '/');
    const size_t n = end ? (size_t)(end - other->name) : 0, m = own ? (size_t)(own - in->file->name) : 0;
    if (!other->model || n != m || memcmp(other->name, in->file->name, n) != 0) continue;
    if (strcmp(end ? end + 1 : other->name, "adapter_config.json") != 0) continue;
    if ((said = bez_model_about(other->model, key)) != NULL) return said;
  }
  return NULL;
}

static double number_of(const char *text) {
  char *end = NULL;
  const double x = text ? strtod(text, &end) : NAN;
  return text && end != text && *end == '\0' && isfinite(x) ? x : NAN;
}

/* PEFT's patterns: a key is the module's name or its last components. */
static double from_pattern(const json_t *pattern, const char *module) {
  const char *key = NULL;
  json_t *value = NULL;
  const size_t n = strlen(module);
  json_object_foreach((json_t *)pattern, key, value) {
    const size_t k = strlen(key);
    if (k > n || strcmp(module + n - k, key) != 0 || !json_is_number(value)) continue;
    if (k == n || module[n - k - 1] == '.') return json_number_value(value);
  }
  return NAN;
}

static double alpha_of(const finder *f, const char *module) {
  bez_error ignored = {0};
  const char *name = bez_arena_printf(&f->out->arena, "%s.alpha", module);
  const named *own = name ? look_up(f, name) : NULL;
  float x = 0.0f;
  if (own && bez_weights_items(f->weights, own->tensor) == 1 && !bez_weights_unreadable(f->weights, own->tensor) &&
      bez_weights_read(f->weights, own->tensor, 0, 1, &x, &ignored) == BEZ_OK && isfinite(x))
    return (double)x;
  const double special = f->alpha_pattern ? from_pattern(f->alpha_pattern, module) : NAN;
  return isnan(special) ? f->alpha : special;
}

static void learn_scale(finder *f) {
  bez_error ignored = {0};
  const char *pattern = fact_of(f->in, "lora.alpha_pattern"), *rs = fact_of(f->in, "lora.use_rslora");
  f->alpha = number_of(fact_of(f->in, "lora.alpha"));
  f->out->rank_scaled = rs && (!strcmp(rs, "true") || !strcmp(rs, "True") || !strcmp(rs, "1"));
  if (pattern && bez_json_parse(pattern, strlen(pattern), "alpha_pattern", &f->alpha_pattern, &ignored) != BEZ_OK)
    f->alpha_pattern = NULL;
  if (f->alpha_pattern && !json_is_object(f->alpha_pattern)) {
    json_decref(f->alpha_pattern);
    f->alpha_pattern = NULL;
  }
}

/* ---- pairs --------------------------------------------------------------------------------------------------------
 */

static const char *why_not(const bez_weights *weights, const bez_lora_module *m) {
  const char *why = bez_weights_unreadable(weights, m->down);
  return why ? why : bez_weights_unreadable(weights, m->up);
}

/* The module's name: what stands before the word, without the dot. */
static const char *module_name(bez_arena *arena, const char *name, const char *at) {
  size_t n = (size_t)(at - name);
  while (n > 0 && (name[n - 1] == '.' || (name[n - 1] == '_' && *at != '_'))) n--;
  return bez_arena_strndup(arena, name, n);
}

static bez_status take(finder *f, uint32_t down, const char *at, const naming *which, bez_error *err) {
  const bez_model *model = f->in->model;
  bez_arena *arena = &f->out->arena;
  const bez_model_tensor *a = &model->tensors[down];
  const char *partner =
      bez_arena_printf(arena, "%.*s%s%s", (int)(at - a->name), a->name, which->up, at + strlen(which->down));
  const char *name = module_name(arena, a->name, at);
  if (!partner || !name) return bez_fail_memory(err, strlen(a->name));
  const named *up = look_up(f, partner);
  const bez_model_tensor *b = up ? &model->tensors[up->tensor] : NULL;
  const bool fits = f->out->n < MOST_MODULES && b && a->n_dims >= 2 && b->n_dims >= 2 && a->shape[0] > 0 &&
                    a->shape[0] <= UINT32_MAX && b->shape[0] > 0 && flat(a) > 0 && flat(b) == a->shape[0];
  if (!fits) {
    f->out->n_unpaired++;
    return BEZ_OK;
  }
  bez_lora_module m = {.name = name, .down = down, .up = up->tensor, .rows = b->shape[0], .cols = flat(a)};
  m.rank = (uint32_t)a->shape[0];
  m.base_norm = NAN;
  m.skipped = why_not(f->weights, &m);
  double alpha = alpha_of(f, name);
  if (!isnan(alpha)) f->out->alpha_said = true;
  if (isnan(alpha)) alpha = m.rank;
  m.scale = alpha / (f->out->rank_scaled ? sqrt((double)m.rank) : (double)m.rank);
  f->out->modules[f->out->n++] = m;
  return BEZ_OK;
}

static bool is_other_kind(const char *name) {
  for (size_t i = 0; i < sizeof other_kinds / sizeof *other_kinds; i++)
    if (strstr(name, other_kinds[i])) return true;
  return false;
}

static void count_others(finder *f, const char *name) {
  if (strstr(name, "lora_magnitude_vector") || strstr(name, ".dora_scale")) f->out->n_dora++;
  if (is_other_kind(name)) f->out->n_unpaired++;
}

static bez_status sort_names(finder *f, bez_error *err) {
  const bez_model *model = f->in->model;
  f->sorted = calloc((size_t)model->n_tensors + 1, sizeof *f->sorted);
  if (!f->sorted) return bez_fail_memory(err, model->n_tensors * sizeof *f->sorted);
  for (uint32_t i = 0; i < model->n_tensors; i++) f->sorted[i] = (named){model->tensors[i].name, i};
  qsort(f->sorted, model->n_tensors, sizeof *f->sorted, by_name);
  return BEZ_OK;
}

bool bez_lora_named(const bez_model *model) {
  const naming *which = NULL;
  for (uint32_t i = 0; i < model->n_tensors; i++)
    if (down_word(model->tensors[i].name, &which) || is_up(model->tensors[i].name) ||
        is_other_kind(model->tensors[i].name))
      return true;
  return false;
}

bez_status bez_lora_find(const bez_check_input *in, const bez_weights *weights, bez_lora *out, bez_error *err) {
  finder f = {.in = in, .weights = weights, .out = out, .alpha = NAN};
  const naming *which = NULL;
  size_t n_down = 0, n_up = 0;
  bez_status st = BEZ_OK;
  *out = (bez_lora){0};
  for (uint32_t i = 0; i < in->model->n_tensors; i++) {
    if (down_word(in->model->tensors[i].name, &which)) n_down++;
    if (is_up(in->model->tensors[i].name)) n_up++;
  }
  out->modules = bez_arena_array(&out->arena, n_down + 1, sizeof *out->modules);
  if (!out->modules) return bez_fail_memory(err, n_down * sizeof *out->modules);
  BEZ_TRY(sort_names(&f, err));
  learn_scale(&f);
  for (uint32_t i = 0; i < in->model->n_tensors; i++) {
    const char *at = down_word(in->model->tensors[i].name, &which);
    if (at) BEZ_TRY(take(&f, i, at, which, err));
    count_others(&f, in->model->tensors[i].name);
  }
  if (n_up > out->n) out->n_unpaired += (uint32_t)(n_up - out->n);
cleanup:
  free(f.sorted);
  json_decref(f.alpha_pattern);
  return st;
}

void bez_lora_free(bez_lora *lora) {
  bez_arena_free(&lora->arena);
  *lora = (bez_lora){0};
}
