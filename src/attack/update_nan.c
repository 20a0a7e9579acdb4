/* NaN, at all coordinates or a few: enough for one client to destroy an unchecked mean. */
#include <math.h>

#include "attack/updates.h"

static bez_status craft(const bez_attack_input *in, double *out, bez_error *err) {
  bez_status st = bez_attack_params_known(in, "count", err);
  return st == BEZ_OK ? bez_craft_value(in, NAN, false, out, err) : st;
}

const bez_attack bez_attack_nan = {
    .info = {.name = "nan",
             .title = "NaN",
             .summary = "Attackers send NaN, at every coordinate or at count of them with the honest mean elsewhere.",
             .kind = "update",
             .parameters = "count: coordinates, drawn by seed (all)",
             .source = "What broken or hostile clients send; IEEE 754 arithmetic"},
    .craft = craft,
};
