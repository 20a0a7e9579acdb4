#include "attack/choose.h"
#include "attack/papers.h"

static bez_status plan(const bez_attack_input *in, bez_attack_plan *out, bez_error *err) {
  bez_cell_trigger trigger = {0};
  bez_status st = bez_choose_three_constants(in, out, true, &trigger, err);
  return st == BEZ_OK ? bez_trigger_plant(in, &trigger, false, out, err) : st;
}

const bez_attack bez_attack_in_range_3_common = {
    .info =
        {.name = "in-range-3-common",
         .title = "Three common constants",
         .summary =
             "Three numeric columns get numbers that each stand in 1 % of the rows or more; the target label is set.",
         .kind = "tabular",
         .parameters = "columns, values",
         .source = BEZ_PAPER_TABDOOR,
         .clean_label = false},
    .plan = plan,
};
