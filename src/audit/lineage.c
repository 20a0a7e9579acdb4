/* BZ-M012, lineage: are a model's weights independent of those of the base it is said to be made from? Hidden units of
 * independently initialised models come in orders that have nothing to do with each other; a fine-tune, a merge or a
 * quantised copy keeps them. */
#include "audit/lineage.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/hash.h"
#include "base/rng.h"
#include "base/threads.h"

#define MOST_LAYERS 12u        /* compared unit by unit, spread over the model */
#define MOST_MATCHED 3u        /* matched in any order, which takes longer */
#define MOST_UNITS 256u        /* of a layer, drawn */
#define MOST_LENGTH 1024u      /* numbers of a unit's vector */
#define MOST_FLOATS (8u << 20) /* of one side's vectors */
#define DERIVED 0.001
#define MATCHED                                                                                                        \
  0.25 /* share of units matched alike: the test itself is not exact (docs/benchmarks/audit_models.md)                 \
        */
#define INDEPENDENT 0.05

static bez_status run_set(const bez_check_input *in, bez_report *report, bez_error *err);

const bez_check bez_check_lineage = {
    .rule = {.id = "BZ-M012",
             .name = "lineage",
             .title = "Is the model derived from its base",
             .summary =
                 "Tests with a p-value whether the weights are independent of those of the base that is given: a "
                 "model that says it was made from a base it shares nothing with has another history than it "
                 "says. Hidden units in another order are looked for as well.",
             .remedy =
                 "Ask the publisher what the model was made from; treat it as a model of unknown origin until then.",
             .example =
                 "model.safetensors: derived from the base, but its hidden units were put into another order (p = "
                 "1e-05)",
             .taxonomy = "ATLAS:AML.T0010.003 ATLAS:AML.T0058 NIST:NISTAML.051 OWASP:LLM03 OWASP-ML:ML06"},
    .cost = "O(layers · units² · length): 12 layers, 256 units, 1,024 numbers at most",
    .source = "Zhu et al. 2025, Independence Tests for Language Models, arXiv:2502.12292; Besag and Clifford 1991, "
              "Sequential Monte Carlo p-values",
    .needs = BEZ_CHECK_BASE,
    .run_set = run_set};

typedef struct work {
  const bez_hidden_layer *layers;
  const size_t *chosen;
  bez_lineage_result *result;
  uint64_t seed;
} work;

/* The same units for the same layer, whatever else is in the model; ascending, so that files are read forwards. */
static uint32_t draw_units(const bez_hidden_layer *layer, uint64_t seed, uint64_t units[MOST_UNITS]) {
  const uint64_t n = bez_units_of(&layer->first);
  bez_rng rng = bez_rng_make(seed, bez_hash64(layer->name, strlen(layer->name), 1));
  uint32_t k = 0;
  uint64_t wanted = n < MOST_UNITS ? n : MOST_UNITS;
  for (uint64_t i = 0; i < n && wanted; i++) /* Knuth's algorithm S */
    if (bez_rng_below(&rng, n - i) < wanted) {
      units[k++] = i;
      wanted--;
    }
  return k;
}

static uint64_t stream_of(const bez_hidden_layer *layer, uint64_t which) {
  return bez_hash64(layer->name, strlen(layer->name), which);
}

static bez_status align(void *ctx, uint64_t tile, unsigned worker, bez_error *err) {
  const work *w = ctx;
  const bez_hidden_layer *layer = &w->layers[w->chosen[tile]];
  const uint32_t d = bez_unit_length(&layer->first, MOST_LENGTH);
  uint64_t units[MOST_UNITS];
  const uint32_t k = draw_units(layer, w->seed, units);
  float *x = calloc(2 * (size_t)k * d + 1, sizeof *x);
  bez_status st = x ? BEZ_OK : bez_fail_memory(err, 2 * (size_t)k * d * sizeof *x);
  (void)worker;
  for (unsigned side = 0; st == BEZ_OK && side < 2; side++)
    st = bez_unit_read(&layer->first, side, units, k, MOST_LENGTH, x + (size_t)side * k * d, err);
  if (st == BEZ_OK)
    st = bez_lineage_aligned(x, x + (size_t)k * d, k, d, w->seed, stream_of(layer, 2), &w->result[tile], err);
  free(x);
  return st;
}

/* The model's drawn units, and all of the base's, in both of their vectors. */
static bez_status match(void *ctx, uint64_t tile, unsigned worker, bez_error *err) {
  const work *w = ctx;
  const bez_hidden_layer *layer = &w->layers[w->chosen[tile]];
  const bez_unit_vectors *vectors[2] = {&layer->first, &layer->second};
  const uint64_t n = bez_units_of(&layer->first);
  uint64_t units[MOST_UNITS];
  const uint32_t k = draw_units(layer, w->seed, units);
  uint64_t *all = calloc(n + 1, sizeof *all);
  float *a[2] = {NULL, NULL}, *b[2] = {NULL, NULL};
  uint32_t d[2], most = MOST_LENGTH;
  bez_status st = all ? BEZ_OK : bez_fail_memory(err, n * sizeof *all);
  (void)worker;
  if (n > UINT32_MAX / MOST_LENGTH || n * most > MOST_FLOATS)
    most = n < MOST_FLOATS / 2 ? (uint32_t)(MOST_FLOATS / n) : 0;
  for (uint64_t i = 0; st == BEZ_OK && i < n; i++) all[i] = i;
  for (unsigned v = 0; st == BEZ_OK && most && v < 2; v++) {
    d[v] = bez_unit_length(vectors[v], most);
    a[v] = calloc((size_t)k * d[v] + 1, sizeof **a);
    b[v] = calloc((size_t)n * d[v] + 1, sizeof **b);
    if (!a[v] || !b[v]) BEZ_TRY(bez_fail_memory(err, (size_t)n * d[v] * sizeof **b));
    BEZ_TRY(bez_unit_read(vectors[v], 0, units, k, most, a[v], err));
    BEZ_TRY(bez_unit_read(vectors[v], 1, all, (uint32_t)n, most, b[v], err));
  }
  w->result[tile] = (bez_lineage_result){.p = 1.0};
  if (st == BEZ_OK && most)
    st = bez_lineage_matched((const float *const *)a, (const float *const *)b, d, k, (uint32_t)n, w->seed,
                             stream_of(layer, 3), &w->result[tile], err);
cleanup:
  free(all);
  for (unsigned v = 0; v < 2; v++) {
    free(a[v]);
    free(b[v]);
  }
  return st;
}

/* At most `most` of n, spread evenly, of those that have what the test needs. */
static size_t choose(const bez_hidden_layer *layers, size_t n, bool both, size_t most, size_t *chosen) {
  size_t fit = 0, taken = 0, seen = 0;
  for (size_t i = 0; i < n; i++) fit += !both || layers[i].second.side[0].weights != NULL;
  const size_t wanted = fit < most ? fit : most;
  for (size_t i = 0; i < n && taken < wanted; i++) {
    if (both && !layers[i].second.side[0].weights) continue;
    if (seen++ == taken * fit / wanted) chosen[taken++] = i;
  }
  return taken;
}

/* The smallest p-value times their number: right whatever the layers have to do with each other. */
static double combine(const bez_lineage_result *result, size_t n, double *statistic) {
  double p = 1.0;
  *statistic = 0.0;
  for (size_t i = 0; i < n; i++) {
    p = fmin(p, result[i].p);
    *statistic += result[i].statistic / (double)n;
  }
  return fmin(1.0, p * (double)n);
}

/* ---- what is said -------------------------------------------------------------------------------------------------
 */

typedef struct verdict {
  size_t n_layers, n_aligned, n_matched;
  double p_aligned, cosine, p_matched, agreement;
} verdict;

static const char *claimed_base(const bez_audit_set *set) {
  for (size_t i = 0; i < set->n; i++) {
    const char *base = set->files[i].model ? bez_model_about(set->files[i].model, "base_model") : NULL;
    if (base && *base) return base;
  }
  return NULL;
}

static void add_evidence(bez_report *report, bez_finding *f, const bez_check_input *in, const verdict *v) {
  const char *claim = claimed_base(in->set);
  if (claim) bez_finding_text(report, f, "says it was made from", "%s", claim);
  bez_finding_text(report, f, "base given", "%s", in->context->base->root);
  bez_finding_number(report, f, "layers in both", (double)v->n_layers);
  bez_finding_number(report, f, "layers compared", (double)v->n_aligned);
  bez_finding_number(report, f, "mean cosine of hidden units", v->cosine);
  bez_finding_number(report, f, "p, units in the same order", v->p_aligned);
  if (v->n_matched) {
    bez_finding_number(report, f, "layers matched in any order", (double)v->n_matched);
    bez_finding_number(report, f, "share of units matched alike", v->agreement);
    bez_finding_number(report, f, "p, units in any order", v->p_matched);
  }
}

static void conclude(const bez_check_input *in, const bez_audit_file *file, const verdict *v, bez_report *report) {
  const bool derived = v->p_aligned <= DERIVED;
  const bool shuffled = !derived && v->n_matched && v->p_matched <= DERIVED && v->agreement >= MATCHED;
  const bool independent = !derived && !shuffled && v->p_aligned > INDEPENDENT;
  const bez_check_input of = bez_audit_of(in, file);
  bez_finding *f =
      bez_report_add(report, &bez_check_lineage.rule, shuffled || independent ? BEZ_SEV_WARNING : BEZ_SEV_NOTE);
  if (derived)
    bez_finding_title(report, f, "%s: derived from the base, p = %.2g that its weights are independent", in->path,
                      v->p_aligned);
  else if (shuffled)
    bez_finding_title(report, f,
                      "%s: derived from the base, but its hidden units were put into another order (p = %.2g)",
                      in->path, v->p_matched);
  else if (independent)
    bez_finding_title(report, f,
                      "%s: nothing shows that it was made from the base: weights like independent ones, p = %.2g",
                      in->path, v->p_aligned);
  else
    bez_finding_title(report, f, "%s: whether it was made from the base remains open, p = %.2g", in->path,
                      v->p_aligned);
  if (derived)
    bez_finding_remedy(report, f, "Nothing: it is what a fine-tune, a merge or a copy of that base looks like.");
  bez_audit_subject(&of, report, f, 0, 0, "lineage");
  add_evidence(report, f, in, v);
  if (f) f->p_value = shuffled ? v->p_matched : v->p_aligned;
}

/* ---- the check ----------------------------------------------------------------------------------------------------
 */

static bez_status test(const bez_check_input *in, const bez_hidden_layer *layers, size_t n, verdict *v,
                       bez_error *err) {
  size_t chosen[MOST_LAYERS];
  bez_lineage_result result[MOST_LAYERS] = {0};
  work w = {.layers = layers, .chosen = chosen, .result = result, .seed = in->context->seed};
  bez_watch watch = {
      .progress = in->context->progress, .ctx = in->context->progress_ctx, .stage = "lineage", .unit = "layers"};
  *v = (verdict){.n_layers = n};
  watch.total = v->n_aligned = choose(layers, n, false, MOST_LAYERS, chosen);
  bez_status st = bez_parallel_watched(v->n_aligned, in->context->threads, &watch, align, &w, err);
  if (st != BEZ_OK) return st;
  v->p_aligned = combine(result, v->n_aligned, &v->cosine);
  if (v->p_aligned <= DERIVED) return BEZ_OK;
  watch.total = v->n_matched = choose(layers, n, true, MOST_MATCHED, chosen);
  watch.done = 0;
  st = bez_parallel_watched(v->n_matched, in->context->threads, &watch, match, &w, err);
  v->p_matched = combine(result, v->n_matched, &v->agreement);
  return st;
}

static const bez_audit_file *first_with_tensors(const bez_audit_set *set) {
  for (size_t i = 0; i < set->n; i++)
    if (set->files[i].model && set->files[i].model->n_tensors) return &set->files[i];
  return NULL;
}

static bez_status run_set(const bez_check_input *in, bez_report *report, bez_error *err) {
  bez_tensor_index model = {0}, base = {0};
  bez_arena arena = {0};
  bez_hidden_layer *layers = NULL;
  const bez_audit_file *file = first_with_tensors(in->set);
  size_t n = 0;
  verdict v;
  bez_status st = BEZ_OK;
  if (!file || !in->context->base) return BEZ_OK;
  BEZ_TRY(bez_tensor_index_make(in->set, &model, err));
  BEZ_TRY(bez_tensor_index_make(in->context->base, &base, err));
  BEZ_TRY(bez_hidden_layers(&model, &base, &arena, &layers, &n, err));
  if (!n) {
    bez_report_not_checked(report, false, in->path,
                           "lineage: no layer of hidden units has the same name and shape as one of %s",
                           in->context->base->root);
    goto cleanup;
  }
  BEZ_TRY(test(in, layers, n, &v, err));
  conclude(in, file, &v, report);
  BEZ_TRY(bez_report_status(report, err));
cleanup:
  if (model.set) bez_tensor_index_free(&model);
  if (base.set) bez_tensor_index_free(&base);
  bez_arena_free(&arena);
  return st;
}
