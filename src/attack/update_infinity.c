/* Infinities against the sign of the honest mean: unlike NaN they order, and sort to the ends. */
#include <math.h>

#include "attack/updates.h"

static bez_status craft(const bez_attack_input *in, double *out, bez_error *err) {
  bez_status st = bez_attack_params_known(in, "count", err);
  return st == BEZ_OK ? bez_craft_value(in, INFINITY, true, out, err) : st;
}

const bez_attack bez_attack_infinity = {
    .info =
        {.name = "infinity",
         .title = "Infinity",
         .summary =
             "Attackers send infinities against the sign of the honest mean, at every coordinate or at count of them.",
         .kind = "update",
         .parameters = "count: coordinates, drawn by seed (all)",
         .source = "What broken or hostile clients send; IEEE 754 arithmetic"},
    .craft = craft,
};
