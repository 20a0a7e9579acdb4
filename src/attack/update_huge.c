/* Numbers near the largest float: finite, so that checks for NaN and infinity pass, and sums and squares overflow. */
#include "attack/updates.h"

static bez_status craft(const bez_attack_input *in, double *out, bez_error *err) {
  double value = 3e38;
  bez_status st = bez_attack_params_known(in, "count value", err);
  if (st == BEZ_OK) st = bez_attack_number(in, "value", 0, 1.7e308, &value, err);
  return st == BEZ_OK ? bez_craft_value(in, value, true, out, err) : st;
}

const bez_attack bez_attack_huge = {
    .info = {.name = "huge",
             .title = "Huge numbers",
             .summary =
                 "Attackers send numbers near the largest float against the sign of the honest mean: finite, and "
                 "their sums and squares are not.",
             .kind = "update",
             .parameters = "value: (3e38); count: coordinates, drawn by seed (all)",
             .source = "What broken or hostile clients send; IEEE 754 arithmetic"},
    .craft = craft,
};
