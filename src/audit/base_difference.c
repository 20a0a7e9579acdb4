/* BZ-M009: how a model's weights differ from those of the base it is said to come from, tensor by tensor. */
#include "audit/base_difference.h"

#include <string.h>

#include "base/error.h"

static bez_status run_set(const bez_check_input *in, bez_report *report, bez_error *err);

const bez_check bez_check_base_difference = {
    .rule = {.id = "BZ-M009",
             .name = "base-difference",
             .title = "Weights that differ from the base's as edits do",
             .summary =
                 "With --base: a few rows of a tensor differ and the rest is the same to the bit (a trigger's row of "
                 "an embedding, rewired neurons), one layer of many differs (edits of facts), or one tensor changed "
                 "far more than its like and in few directions. Fine-tuning, frozen layers, merged adapters and "
                 "quantised copies are none of that; a note sums up what is the same and what is not.",
             .remedy =
                 "Ask the publisher what was done to the tensor named. An edit is no proof of malice: facts are "
                 "corrected and tokens added like this as well. Compare the answers of model and base, or put the "
                 "base's tensor back.",
             .example = "model.safetensors: tensor layers.1.down_proj.weight: 1 of 24 rows differ from the base's, the "
                        "others are the same to the bit",
             .taxonomy = "ATLAS:AML.T0018.000 NIST:NISTAML.023 OWASP:LLM04 OWASP-ML:ML10"},
    .cost = "one pass over the tensors of both, 128 multiplications a number",
    .source = "Meng et al. 2022, Locating and Editing Factual Associations in GPT; Yang et al. 2021, Be Careful about "
              "Poisoned Word Embeddings; Tropp et al. 2017, Fixed-rank approximation of a positive-semidefinite matrix "
              "from streaming data",
    .needs = BEZ_CHECK_BASE,
    .run_set = run_set};

/* Adapters share no tensor with their base; another check looks at them. */
static bool is_adapter(const bez_base_side *side) {
  for (uint32_t i = 0; i < side->n_tensors; i++)
    if (strstr(side->tensors[i].key, "lora")) return true;
  return false;
}

static bez_status compare(const bez_check_input *in, const bez_base_side *model, const bez_base_side *base,
                          bez_report *report, bez_error *err) {
  bez_base_match m;
  bez_status st = bez_base_match_sides(model, base, &report->arena, &m, err);
  if (st != BEZ_OK) return st;
  if (!m.n_pairs && is_adapter(model)) return BEZ_OK;
  if (!m.n_pairs) {
    bez_report_not_checked(report, true, in->path, "BZ-M009: no tensor has the name and shape of one of the base's");
    return BEZ_OK;
  }
  for (uint32_t i = 0; i < m.n_pairs; i++) {
    st = bez_base_measure(model, base, &m.pairs[i], in->context, err);
    if (st != BEZ_OK) return st;
  }
  if (m.unreadable)
    bez_report_not_checked(report, true, in->path, "BZ-M009: %u tensors cannot be read on one side", m.unreadable);
  if (m.reordered)
    bez_report_not_checked(report, false, in->path,
                           "BZ-M009: %u tensors (%s, …) have their rows in another order in GGUF", m.reordered,
                           m.first_reordered);
  return bez_base_judge(in, model, &m, report, err);
}

static bez_status run_set(const bez_check_input *in, bez_report *report, bez_error *err) {
  bez_status st = BEZ_OK;
  bez_base_side model = {0}, base = {0};
  bez_error why = {0};
  if (!in->context->base) return BEZ_OK;
  BEZ_TRY(bez_base_side_open(in->set, false, report, &model, &why));
  if (!model.n_tensors) goto cleanup;
  BEZ_TRY(bez_base_side_open(in->context->base, true, report, &base, &why));
  BEZ_TRY(compare(in, &model, &base, report, &why));
  st = bez_report_status(report, &why);
cleanup:
  bez_base_side_close(&model);
  bez_base_side_close(&base);
  if (st == BEZ_IO) {
    bez_report_not_checked(report, true, in->path, "BZ-M009: %s", why.message);
    return BEZ_OK;
  }
  return st == BEZ_OK ? st : bez_fail(err, st, in->path, "%s", why.message);
}
