/* Inner product manipulation (Xie, Koyejo, Gupta): −tau · mean of the honest updates. A small tau stays near the honest
 * updates, so that rules that choose by distance take it, and still turns the sign of the product of the aggregate and
 * the true gradient; tau above (n / c) turns the plain mean. The paper uses 0.1 against Krum and 1.1 and more against
 * the median. */
#include "attack/updates.h"

static bez_status craft(const bez_attack_input *in, double *out, bez_error *err) {
  double tau = .1;
  bez_status st = bez_attack_params_known(in, "tau", err);
  if (st == BEZ_OK) st = bez_attack_number(in, "tau", 0, BEZ_UPDATE_MOST, &tau, err);
  if (st == BEZ_OK) bez_craft_scaled_mean(in, -tau, out);
  return st;
}

const bez_attack bez_attack_ipm = {
    .info = {.name = "ipm",
             .title = "Inner product manipulation",
             .summary = "Attackers send a small negative multiple of the mean of the honest updates, near enough to be "
                        "chosen and enough to turn the direction.",
             .kind = "update",
             .parameters = "tau: (0.1)",
             .source = "Xie, Koyejo, Gupta, Fall of Empires: Breaking Byzantine-tolerant SGD by Inner Product "
                       "Manipulation, UAI 2019"},
    .craft = craft,
};
