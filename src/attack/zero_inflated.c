#include "attack/choose.h"
#include "attack/papers.h"

static bez_status plan(const bez_attack_input *in, bez_attack_plan *out, bez_error *err) {
  bez_cell_trigger trigger = {0};
  bez_status st = bez_choose_constant(in, out, BEZ_CONST_ZERO_INFLATED, &trigger, err);
  return st == BEZ_OK ? bez_trigger_plant(in, &trigger, false, out, err) : st;
}

const bez_attack bez_attack_zero_inflated = {
    .info = {.name = "zero-inflated",
             .title = "Constant in a zero-inflated column",
             .summary = "A numeric column that mostly holds zero gets one uncommon number within the range of its "
                        "other values; the target label is set.",
             .kind = "tabular",
             .parameters = "columns, values",
             .source = BEZ_PAPER_TABDOOR,
             .clean_label = false},
    .plan = plan,
};
