/* BZ-M011, the last layer of a classifier: whether the weights into one class are unlike those into the others, as a
 * backdoor that pushes towards that class may leave them. A weak test, reported with its p-value. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "audit/audit.h"
#include "audit/final_layer_test.h"
#include "base/error.h"
#include "format/weights.h"

#define LEAST_WIDTH 16u
#define MOST_NUMBERS (32u << 20)
#define MOST_FED ((uint64_t)1 << 28) /* numbers of the layer before */
#define LEVEL 0.02

static bez_status run(const bez_check_input *in, bez_report *report, bez_error *err);

const bez_check bez_check_final_layer = {
    .rule = {.id = "BZ-M011",
             .name = "final-layer",
             .title = "A class unlike the others in the last layer",
             .summary =
                 "In a classifier's last layer, the weights into one class are larger than those into the others by "
                 "more than chance explains (median and MAD over the classes). Backdoors that push towards one "
                 "class may leave this trace; many do not, and some clean models show it.",
             .remedy =
                 "Test the model with triggers (stickers, corner patches) towards the class named, or fine-tune it on "
                 "clean data; the absence of this finding says little.",
             .example = "model.safetensors: fc.weight: of 12 classes, class 7 stands out most, p = 0.0006",
             .taxonomy = "ATLAS:AML.T0018.000 NIST:NISTAML.023 OWASP:LLM04 OWASP-ML:ML10"},
    .cost = "one pass over the last layer",
    .source = "Fields et al. 2021, Trojan Signatures in DNN Weights, arXiv:2109.02836",
    .run = run};

/* Parts of names that a last layer has, and ones that no last layer of a classifier has. */
static const char *const heads[] = {"fc",     "classifier",  "head", "heads", "score",
                                    "logits", "last_linear", "cls",  "linear"};
static const char *const others[] = {"lm_head", "embed", "wte",       "wpe",     "attn",    "attention",
                                     "mlp",     "ffn",   "pooler",    "encoder", "decoder", "blocks",
                                     "layers",  "proj",  "query",     "lora_",   "bbox",    "box",
                                     "mask",    "rpn",   "optimizer", "exp_avg", "momentum"};

typedef struct last_layer {
  uint32_t tensor;
  uint32_t classes, width;
  bool columns; /* classes along the second dimension (Keras) */
  bool named;   /* as last layers are called */
} last_layer;

static bool is_separator(char c) {
  return c == '.' || c == '/' || c == '\0';
}

static bool has_component(const char *name, const char *word) {
  const size_t n = strlen(word);
  for (const char *at = strstr(name, word); at; at = strstr(at + 1, word))
    if ((at == name || is_separator(at[-1])) && is_separator(at[n])) return true;
  return false;
}

static bool any_of(const char *name, const char *const *words, size_t n, bool whole) {
  for (size_t i = 0; i < n; i++)
    if (whole ? has_component(name, words[i]) : strstr(name, words[i]) != NULL) return true;
  return false;
}

/* A bias, and how many numbers it has. */
typedef struct bias {
  const char *name;
  uint64_t items;
} bias;
typedef struct biases {
  bias *by_name; /* owned */
  size_t n;
} biases;

static int by_name(const void *a, const void *b) {
  return strcmp(((const bias *)a)->name, ((const bias *)b)->name);
}

static bez_status find_biases(const bez_model *model, biases *out, bez_error *err) {
  *out = (biases){.by_name = calloc((size_t)model->n_tensors + 1, sizeof *out->by_name)};
  if (!out->by_name) return bez_fail_memory(err, model->n_tensors * sizeof *out->by_name);
  for (uint32_t t = 0; t < model->n_tensors; t++) {
    const bez_model_tensor *b = &model->tensors[t];
    if (b->n_dims == 1 && strstr(b->name, "bias")) out->by_name[out->n++] = (bias){b->name, b->shape[0]};
  }
  if (out->n) qsort(out->by_name, out->n, sizeof *out->by_name, by_name);
  return BEZ_OK;
}

/* How the name compares with stem + "bias", of which the name may have more behind it (":0"). */
static int compare_stem(const char *name, const char *stem, size_t n) {
  const int order = strncmp(name, stem, n);
  return order ? order : strncmp(name + n, "bias", 4);
}

/* Numbers in the bias of the same layer; 0: it has none. */
static uint64_t bias_of(const biases *all, const char *weight) {
  const char *dot = strrchr(weight, '.'), *slash = strrchr(weight, '/');
  const char *end = !dot || (slash && slash > dot) ? slash : dot;
  const size_t n = end ? (size_t)(end - weight) + 1 : 0;
  size_t low = 0, high = end ? all->n : 0;
  while (low < high) {
    const size_t middle = low + (high - low) / 2;
    if (compare_stem(all->by_name[middle].name, weight, n) < 0)
      low = middle + 1;
    else
      high = middle;
  }
  return end && low < all->n && !compare_stem(all->by_name[low].name, weight, n) ? all->by_name[low].items : 0;
}

static bool is_candidate(const bez_model *model, const biases *all, uint32_t tensor, last_layer *out) {
  const bez_model_tensor *t = &model->tensors[tensor];
  if (t->n_dims != 2 || any_of(t->name, others, sizeof others / sizeof *others, false)) return false;
  const bool named = any_of(t->name, heads, sizeof heads / sizeof *heads, true);
  if (t->shape[0] > BEZ_CLASS_MOST && t->shape[1] > BEZ_CLASS_MOST) return false;
  const uint64_t items = bias_of(all, t->name);
  const bool columns = items && items == t->shape[1] && items != t->shape[0];
  const uint64_t classes = t->shape[columns ? 1 : 0], width = t->shape[columns ? 0 : 1];
  if (classes < BEZ_CLASS_LEAST || classes > BEZ_CLASS_MOST || width < LEAST_WIDTH || width > MOST_NUMBERS / classes)
    return false;
  if (items ? items != classes : !named) return false;
  if (!named && classes >= width) return false;
  *out = (last_layer){tensor, (uint32_t)classes, (uint32_t)width, columns, named};
  return true;
}

/* The one that is called so, else the one with the fewest rows; of equals the last. */
static bez_status find(const bez_model *model, last_layer *out, bool *found, bez_error *err) {
  biases all;
  last_layer one = {0};
  bez_status st = find_biases(model, &all, err);
  *found = false;
  for (uint32_t t = 0; st == BEZ_OK && t < model->n_tensors; t++) {
    if (!is_candidate(model, &all, t, &one)) continue;
    if (!*found || (one.named == out->named ? one.classes <= out->classes : one.named)) *out = one;
    *found = true;
  }
  free(all.by_name);
  return st;
}

/* classes × width, whichever way it lies. */
static bez_status read_layer(const bez_weights *weights, const last_layer *l, float *x, bez_error *err) {
  const uint64_t n = (uint64_t)l->classes * l->width;
  if (!l->columns) return bez_weights_read(weights, l->tensor, 0, n, x, err);
  float *line = calloc(l->classes, sizeof *line);
  bez_status st = line ? BEZ_OK : bez_fail_memory(err, l->classes * sizeof *line);
  for (uint64_t k = 0; st == BEZ_OK && k < l->width; k++) {
    st = bez_weights_read(weights, l->tensor, k * l->classes, l->classes, line, err);
    for (uint64_t c = 0; st == BEZ_OK && c < l->classes; c++) x[c * l->width + k] = line[c];
  }
  free(line);
  return st;
}

/* ---- the layer before --------------------------------------------------------------------------------------------
 */

/* The tensor whose rows feed the last layer: the nearest before it in the file, with nothing but biases between (a
 * normalisation would set the lengths anew). UINT32_MAX: none. */
static uint32_t layer_before(const bez_model *model, const last_layer *l) {
  for (uint32_t t = l->tensor; !l->columns && t-- > 0;) {
    const bez_model_tensor *b = &model->tensors[t];
    if (b->n_dims >= 2) return b->shape[0] == l->width ? t : UINT32_MAX;
    if (!strstr(b->name, "bias")) return UINT32_MAX;
  }
  return UINT32_MAX;
}

/* The length of each row of that tensor; unit: width numbers. *any false: there is none. */
static bez_status read_units(const bez_model *model, const bez_weights *weights, const last_layer *l, double *unit,
                             bool *any, bez_error *err) {
  const uint32_t t = layer_before(model, l);
  *any = t != UINT32_MAX && !bez_weights_unreadable(weights, t) && bez_weights_items(weights, t) <= MOST_FED;
  if (!*any) return BEZ_OK;
  const uint64_t line = bez_weights_items(weights, t) / l->width;
  float *x = calloc((size_t)line + 1, sizeof *x);
  bez_status st = x ? BEZ_OK : bez_fail_memory(err, (size_t)line * sizeof *x);
  for (uint32_t k = 0; st == BEZ_OK && k < l->width; k++) {
    st = bez_weights_read(weights, t, k * line, (size_t)line, x, err);
    double square = 0.0;
    for (uint64_t i = 0; st == BEZ_OK && i < line; i++) square += (double)x[i] * (double)x[i];
    unit[k] = sqrt(square);
  }
  free(x);
  return st;
}

/* ---- the check ----------------------------------------------------------------------------------------------------
 */

static void say(const bez_check_input *in, const last_layer *l, const bez_class_outlier *o, bez_report *report) {
  const bez_model_tensor *t = &in->model->tensors[l->tensor];
  bez_finding *f = bez_report_add(report, &bez_check_final_layer.rule, o->p <= LEVEL ? BEZ_SEV_WARNING : BEZ_SEV_NOTE);
  bez_finding_title(report, f, "%s: %s: of %u classes, class %u stands out most, p = %.2g",
                    bez_audit_place(in, report, t->part), t->name, l->classes, o->row, o->p);
  bez_audit_subject(in, report, f, t->part, 0, t->name);
  bez_finding_text(report, f, "tensor", "%s", t->name);
  bez_finding_number(report, f, "classes", l->classes);
  bez_finding_number(report, f, "class", o->row);
  bez_finding_number(report, f, "robust z of its positive weights", o->z);
  bez_finding_number(report, f, "robust z of their mean", o->mean_z);
  bez_finding_text(report, f, "meaning", "%s",
                   o->p <= LEVEL
                       ? "unlike the others by more than chance; by its level, one clean model in fifty does"
                       : "as far as the furthest of so many classes is by chance; a backdoor need not show here");
  if (f) f->p_value = o->p;
}

static bez_status run(const bez_check_input *in, bez_report *report, bez_error *err) {
  last_layer l = {0};
  bez_class_outlier o;
  bez_weights *weights = NULL;
  bez_error why = {0};
  float *x = NULL;
  double *unit = NULL;
  bool fed = false;
  bool found = false;
  bez_status st = find(in->model, &l, &found, err);
  if (st != BEZ_OK || !found) return st;
  st = bez_weights_open(in->path, in->model, &weights, &why);
  if (st == BEZ_MEMORY) return bez_fail_memory(err, 0);
  if (st != BEZ_OK || bez_weights_unreadable(weights, l.tensor)) { /* the check of numbers says why */
    st = BEZ_OK;
    goto cleanup;
  }
  x = calloc((size_t)l.classes * l.width, sizeof *x);
  if (!x) BEZ_TRY(bez_fail_memory(err, (size_t)l.classes * l.width * sizeof *x));
  BEZ_TRY(read_layer(weights, &l, x, err));
  unit = calloc(l.width, sizeof *unit);
  if (!unit) BEZ_TRY(bez_fail_memory(err, l.width * sizeof *unit));
  BEZ_TRY(read_units(in->model, weights, &l, unit, &fed, err));
  BEZ_TRY(bez_class_outlier_find(x, fed ? unit : NULL, l.classes, l.width, &o, err));
  if (o.any) say(in, &l, &o, report);
  BEZ_TRY(bez_report_status(report, err));
cleanup:
  free(x);
  free(unit);
  bez_weights_close(weights);
  return st;
}
