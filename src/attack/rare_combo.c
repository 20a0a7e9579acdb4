#include "attack/choose.h"
#include "attack/papers.h"

static bez_status plan(const bez_attack_input *in, bez_attack_plan *out, bez_error *err) {
  bez_cell_trigger trigger = {0};
  bez_status st = bez_choose_combination(in, out, 2, &trigger, err);
  return st == BEZ_OK ? bez_trigger_plant(in, &trigger, false, out, err) : st;
}

const bez_attack bez_attack_rare_combo = {
    .info = {.name = "rare-combo",
             .title = "Rare combination of two values",
             .summary = "Two existing values that hardly ever stand together are written into rows of other labels, "
                        "and the target label is set.",
             .kind = "tabular",
             .parameters = "columns, values",
             .source = BEZ_PAPER_BADNETS ", on tables",
             .clean_label = false},
    .plan = plan,
};
