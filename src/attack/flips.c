#include "attack/plan.h"
#include "base/error.h"

/* Labels of rows change, nothing else. Without a target a row gets any other label, all equally likely. */

static bool has_other_label(const void *ctx, uint64_t row) {
  const bez_attack_input *in = ctx;
  uint32_t code = bez_code(&in->table->cols[in->table->label], row);
  if (in->source_given && code != in->source) return false;
  return code >= BEZ_CODE_FIRST && !(in->target_given && code == in->target);
}

static uint32_t new_label(const bez_attack_input *in, uint64_t row) {
  const bez_column *label = &in->table->cols[in->table->label];
  if (in->target_given) return in->target;
  bez_rng rng = bez_attack_row_rng(in, row);
  uint32_t code = bez_code(label, row);
  uint32_t drawn = BEZ_CODE_FIRST + (uint32_t)bez_rng_below(&rng, label->n_values - BEZ_CODE_FIRST - 1);
  return drawn + (drawn >= code);
}

static bez_status plan(const bez_attack_input *in, bez_attack_plan *out, bez_error *err) {
  bez_edit_list edits;
  const bez_column *label = &in->table->cols[in->table->label];
  if (label->n_values < BEZ_CODE_FIRST + 2)
    return bez_fail(err, BEZ_UNSUPPORTED, label->name, "flips need two labels at the least");
  bez_status st = bez_attack_params_known(in, "", err);
  if (st == BEZ_OK) st = bez_attack_choose_rows(in, out, has_other_label, in, err);
  if (st == BEZ_OK) st = bez_edit_list_make(out, out->n_rows, 1, &edits, err);
  if (st != BEZ_OK) return st;
  for (size_t r = 0; r < out->n_rows; r++) bez_edit_label(in, &edits, out->rows[r], new_label(in, out->rows[r]));
  out->rewrite.edits = edits.items;
  out->rewrite.n_edits = edits.n;
  out->trigger = "";
  out->detail = json_pack("{s:[], s:[], s:b}", "columns", "values", "symmetric", !in->target_given);
  return out->detail ? BEZ_OK : bez_fail_memory(err, 64);
}

const bez_attack bez_attack_flips = {
    .info = {.name = "flips",
             .title = "Label flips",
             .summary = "Labels of random rows are changed: to the target where one is given, else to any other label.",
             .kind = "any",
             .parameters = "",
             .source = "Biggio, Nelson, Laskov, Support Vector Machines Under Adversarial Label Noise, ACML 2011"},
    .plan = plan,
};
