/* Sign flipping: every attacker sends −scale · mean of the honest updates. With c attackers beside n honest clients the
 * plain mean becomes (n − c·scale) / (n + c) of the honest one. */
#include "attack/updates.h"

static bez_status craft(const bez_attack_input *in, double *out, bez_error *err) {
  double scale = 1;
  bez_status st = bez_attack_params_known(in, "scale", err);
  if (st == BEZ_OK) st = bez_attack_number(in, "scale", 0, BEZ_UPDATE_MOST, &scale, err);
  if (st == BEZ_OK) bez_craft_scaled_mean(in, -scale, out);
  return st;
}

const bez_attack bez_attack_sign_flip = {
    .info = {.name = "sign-flip",
             .title = "Sign flipping",
             .summary = "Attackers send the mean of the honest updates with its sign turned, times a scale.",
             .kind = "update",
             .parameters = "scale: (1)",
             .source =
                 "Li, Xu, Chen, Giannakis, Ling, RSA: Byzantine-Robust Stochastic Aggregation Methods, AAAI 2019"},
    .craft = craft,
};
