/* Model replacement (Bagdasaryan et al.): an update scaled so that the plain average becomes the attacker's model. A
 * server that adds η/N times the sum of N updates ends at the wished change X where the attacker sends (N/η)·X and the
 * honest updates cancel out; c attackers share the work. The wish here is the opposite of the honest mean: each sends
 * −N / (η·c) · mean. */
#include "attack/updates.h"

static bez_status craft(const bez_attack_input *in, double *out, bez_error *err) {
  double eta = 1;
  bez_status st = bez_attack_params_known(in, "eta", err);
  if (st == BEZ_OK) st = bez_attack_number(in, "eta", 1e-30, 1e30, &eta, err);
  if (st != BEZ_OK) return st;
  const double c = (double)in->rows, all = (double)in->honest->n + c;
  bez_craft_scaled_mean(in, -all / (eta * c), out);
  return BEZ_OK;
}

const bez_attack bez_attack_model_replacement = {
    .info = {.name = "model-replacement",
             .title = "Scaled model replacement",
             .summary =
                 "Attackers send a change of their own (here the opposite of the honest mean) times the number of "
                 "clients, so that the plain average becomes it.",
             .kind = "update",
             .parameters = "eta: the server's learning rate (1)",
             .source = "Bagdasaryan, Veit, Hua, Estrin, Shmatikov, How To Backdoor Federated Learning, AISTATS 2020"},
    .craft = craft,
};
