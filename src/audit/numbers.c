/* BZ-M008: numbers that weights do not have. Ordinary zeros (biases, adapters before training), masks and states of
 * optimisers are left alone. */
#include "audit/numbers.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"

#define LEAST 256u /* items of a matrix that is worth a word */
#define LEAST_COPY 4096u
#define NAMED 6u /* tensors that a finding names */

static bez_status run(const bez_check_input *in, bez_report *report, bez_error *err);

const bez_check bez_check_numbers = {
    .rule = {.id = "BZ-M008",
             .name = "numbers",
             .title = "Numbers that weights do not have",
             .summary =
                 "Tensors with NaN or infinity, with numbers far beyond any weight, with bytes that are no weights at "
                 "all, floats stored as integers, weights that are all zero (warnings; an error where one in a "
                 "hundred numbers of a matrix is not finite). Notes: tensors that are there twice, denormal numbers, "
                 "floats stored wider than they are.",
             .remedy = "Ask the publisher for an intact copy; a model with such tensors answers nonsense at best, and "
                       "bytes that are no weights may be something else that was hidden in them.",
             .example = "model.safetensors: tensor layers.0.weight: NaN or infinity among the numbers",
             .taxonomy = "ATLAS:AML.T0018 NIST:NISTAML.051 OWASP:LLM04 OWASP-ML:ML10"},
    .cost = "one pass over all tensors",
    .source = "IEEE 754; Wang et al. 2021, EvilModel: Hiding Malware Inside of Neural Network Models",
    .run = run};

/* What a tensor may be said to have. */
typedef enum kind {
  NOT_FINITE,
  BROKEN,
  HUGE_NUMBERS,
  NO_WEIGHTS,
  INTEGER_FLOATS,
  ALL_ZERO,
  DENORMAL,
  WIDE,
  KINDS
} kind;

static const struct {
  const char *key;
  bez_severity severity;
  const char *says; /* behind "3 tensors: " */
} kinds[KINDS] = {
    [NOT_FINITE] = {"not-finite", BEZ_SEV_WARNING, "NaN or infinity among the numbers"},
    [BROKEN] = {"broken", BEZ_SEV_ERROR, "one number in a hundred or more is NaN or infinite"},
    [HUGE_NUMBERS] = {"huge", BEZ_SEV_WARNING, "numbers beyond a million, as no weights have"},
    [NO_WEIGHTS] = {"no-weights", BEZ_SEV_WARNING, "sizes all over the range of floats: these bytes are no weights"},
    [INTEGER_FLOATS] = {"float-as-integer", BEZ_SEV_WARNING, "stored as integers, but the bits are those of floats"},
    [ALL_ZERO] = {"all-zero", BEZ_SEV_WARNING, "weights that are all zero"},
    [DENORMAL] = {"denormal", BEZ_SEV_NOTE, "one number in a hundred or more is denormal"},
    [WIDE] = {"wide", BEZ_SEV_NOTE, "32-bit floats whose values all fit into 16 bits"},
};

typedef struct look {
  const bez_check_input *in;
  const bez_model *model;
  const bez_weights *w;
  const bez_number_counts *counts;
} look;

/* ---- judging one tensor ----------------------------------------------------------------------------------------- */

static bool any_in(const char *name, const char *const *words, size_t n) {
  for (size_t i = 0; i < n; i++)
    if (strstr(name, words[i])) return true;
  return false;
}

/* States of optimisers, masks, tables of positions: numbers of any kind. */
static bool is_no_weight(const char *name) {
  static const char *const words[] = {"exp_avg",  "momentum", "optimizer", "mask", "inv_freq",  "cached",
                                      "position", "running_", "num_batch", "ema_", "zero_point"};
  return any_in(name, words, sizeof words / sizeof *words);
}

/* Made zero to begin with: adapters, layers that are to begin as nothing. */
static bool begins_at_zero(const char *name) {
  static const char *const words[] = {"lora_", "zero", "adapter", "bias", "gate", "ada"};
  return any_in(name, words, sizeof words / sizeof *words);
}

static bool is_matrix(const bez_model_tensor *t, uint64_t items) {
  return t->n_dims > 1 && items >= LEAST;
}

/* A mask is one large number or infinity, and zero, and nothing else. */
static bool is_two_valued(const bez_number_counts *c, uint64_t items) {
  return c->nan == 0 && c->inf + c->huge && c->zero + c->inf + c->huge == items;
}

static bool has(const look *l, uint32_t tensor, kind k) {
  const bez_model_tensor *t = &l->model->tensors[tensor];
  const bez_number_counts *c = &l->counts[tensor];
  const bez_number_type *type = bez_weights_type(l->w, tensor);
  const uint64_t items = bez_weights_items(l->w, tensor), odd = c->nan + c->inf;
  const bool matrix = is_matrix(t, items), quiet = is_no_weight(t->name) || is_two_valued(c, items);
  const bool real = type->kind != BEZ_NUMBER_INTEGER, broken = matrix && odd * 100 >= items && !quiet;
  switch (k) {
    case BROKEN: return real && broken;
    case NOT_FINITE: return real && odd && !broken && !is_two_valued(c, items);
    case HUGE_NUMBERS: return real && matrix && c->huge && !quiet && c->wild * 20 < items;
    case NO_WEIGHTS: return real && matrix && !quiet && (c->wild - c->denormal) * 20 >= items;
    case INTEGER_FLOATS: return matrix && c->float_like * 100 >= items * 99 && c->others * 2 > items;
    case ALL_ZERO:
      return real && matrix && c->zero == items && strstr(t->name, "weight") && !quiet && !begins_at_zero(t->name);
    case DENORMAL:
      return real && matrix && !quiet && c->denormal * 100 >= items && (c->wild - c->denormal) * 20 < items;
    case WIDE: return !strcmp(type->name, "F32") && matrix && !quiet && c->others && !(c->beyond_bf16 && c->beyond_f16);
    case KINDS: break;
  }
  return false;
}

/* ---- findings --------------------------------------------------------------------------------------------------- */

/* One finding for all tensors of a file that have it. */
static void report_kind(const look *l, kind k, bez_report *report) {
  const bez_model *m = l->model;
  uint32_t n = 0, first = 0, named = 0;
  const char *names = "";
  for (uint32_t t = 0; t < m->n_tensors; t++) {
    if (!l->counts[t].digest || !has(l, t, k)) continue;
    if (n++ == 0) first = t;
    if (named++ < NAMED && names)
      names = bez_arena_printf(&report->arena, "%s%s%s", names, *names ? ", " : "", m->tensors[t].name);
  }
  if (!n) return;
  const bez_model_tensor *t = &m->tensors[first];
  const bez_number_counts *c = &l->counts[first];
  bez_finding *f = bez_report_add(report, &bez_check_numbers.rule, kinds[k].severity);
  bez_finding_title(report, f, "%s: tensor %s%s: %s", bez_audit_place(l->in, report, t->part), t->name,
                    n > 1 ? " and others" : "", kinds[k].says);
  bez_audit_subject(l->in, report, f, t->part, t->at, bez_arena_printf(&report->arena, "%s %s", kinds[k].key, t->name));
  bez_finding_number(report, f, "tensors", (double)n);
  bez_finding_text(report, f, "names", "%s%s", names ? names : "", n > NAMED ? ", …" : "");
  bez_finding_text(report, f, "type", "%s", t->dtype);
  bez_finding_number(report, f, "items", (double)bez_weights_items(l->w, first));
  bez_finding_number(report, f, "nan", (double)c->nan);
  bez_finding_number(report, f, "infinite", (double)c->inf);
  bez_finding_number(report, f, "beyond a million", (double)c->huge);
  bez_finding_number(report, f, "denormal", (double)c->denormal);
}

/* ---- the same tensor twice -------------------------------------------------------------------------------------- */

typedef struct copy {
  uint64_t digest, at;
  uint32_t tensor;
} copy;

static int by_digest(const void *a, const void *b) {
  const copy *x = a, *y = b;
  if (x->digest != y->digest) return (x->digest > y->digest) - (x->digest < y->digest);
  return (x->tensor > y->tensor) - (x->tensor < y->tensor);
}

/* Embeddings that are used at both ends are often stored twice. */
static bool is_tied(const char *name) {
  static const char *const words[] = {"embed", "embd", "lm_head", "wte", "shared", "output.weight", "decoder.weight"};
  return any_in(name, words, sizeof words / sizeof *words) || is_no_weight(name);
}

static bool may_be_copy(const look *l, uint32_t t) {
  const bez_model_tensor *x = &l->model->tensors[t];
  return l->counts[t].digest && is_matrix(x, bez_weights_items(l->w, t)) && bez_weights_items(l->w, t) >= LEAST_COPY &&
         l->counts[t].others && !is_tied(x->name) && bez_weights_type(l->w, t)->kind != BEZ_NUMBER_INTEGER;
}

static bez_status report_copies(const look *l, bez_report *report, bez_error *err) {
  const bez_model *m = l->model;
  uint32_t n = 0, copies = 0, of = 0, is = 0;
  copy *all = calloc((size_t)m->n_tensors + 1, sizeof *all);
  if (!all) return bez_fail_memory(err, m->n_tensors * sizeof *all);
  for (uint32_t t = 0; t < m->n_tensors; t++)
    if (may_be_copy(l, t))
      all[n++] = (copy){.digest = l->counts[t].digest ^ m->tensors[t].bytes, .at = m->tensors[t].at, .tensor = t};
  qsort(all, n, sizeof *all, by_digest);
  for (uint32_t i = 1; i < n; i++) {
    const bez_model_tensor *x = &m->tensors[all[i - 1].tensor], *y = &m->tensors[all[i].tensor];
    if (all[i].digest != all[i - 1].digest || (all[i].at == all[i - 1].at && !strcmp(x->file, y->file))) continue;
    if (copies++ == 0) of = all[i - 1].tensor, is = all[i].tensor;
  }
  free(all);
  if (!copies) return BEZ_OK;
  const bez_model_tensor *t = &m->tensors[is];
  bez_finding *f = bez_report_add(report, &bez_check_numbers.rule, BEZ_SEV_NOTE);
  bez_finding_title(report, f, "%s: tensor %s holds the very numbers of %s%s", bez_audit_place(l->in, report, t->part),
                    t->name, m->tensors[of].name, copies > 1 ? ", and there are others" : "");
  bez_audit_subject(l->in, report, f, t->part, t->at, bez_arena_printf(&report->arena, "copy %s", t->name));
  bez_finding_number(report, f, "tensors", (double)copies);
  return BEZ_OK;
}

/* ---- a file ----------------------------------------------------------------------------------------------------- */

/* Arrays in NumPy's files are data of any kind, not weights. */
static bool holds_weights(const bez_model *m) {
  for (uint32_t t = 0; t < m->n_tensors; t++)
    if (strcmp(m->parts[m->tensors[t].part].kind, "npy") != 0) return true;
  return false;
}

static void say_unreadable(const look *l, bez_report *report) {
  uint32_t n = 0, first = 0;
  for (uint32_t t = 0; t < l->model->n_tensors; t++)
    if (bez_weights_unreadable(l->w, t) && n++ == 0) first = t;
  if (n)
    bez_report_not_checked(report, false, l->in->path,
                           "the numbers of %u of %u tensors (the first, %s: %s) were not looked at", n,
                           l->model->n_tensors, l->model->tensors[first].name, bez_weights_unreadable(l->w, first));
}

static bez_status run(const bez_check_input *in, bez_report *report, bez_error *err) {
  bez_status st = BEZ_OK;
  const bez_model *m = in->model;
  bez_weights *w = NULL;
  bez_number_counts *counts = NULL;
  bez_error why = {0};
  if (!m || !m->n_tensors || !holds_weights(m)) return BEZ_OK;
  st = bez_weights_open(in->path, m, &w, &why);
  if (st == BEZ_IO) {
    bez_report_not_checked(report, true, in->path, "%s", why.message);
    return BEZ_OK;
  }
  if (st != BEZ_OK) return bez_fail(err, st, in->path, "%s", why.message);
  counts = calloc(m->n_tensors, sizeof *counts);
  if (!counts) BEZ_TRY(bez_fail_memory(err, m->n_tensors * sizeof *counts));
  BEZ_TRY(bez_numbers_count(w, m, in->context, counts, err));
  const look l = {.in = in, .model = m, .w = w, .counts = counts};
  for (kind k = 0; k < KINDS; k++) report_kind(&l, k, report);
  BEZ_TRY(report_copies(&l, report, err));
  say_unreadable(&l, report);
  st = bez_report_status(report, err);
cleanup:
  free(counts);
  bez_weights_close(w);
  return st;
}
