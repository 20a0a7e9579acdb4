/* Gaussian: every attacker sends the honest mean plus noise of its own, normal with standard deviation sigma at each
 * coordinate. Blanchard et al. draw around 0 with sigma 200. */
#include "attack/updates.h"

static bez_status craft(const bez_attack_input *in, double *out, bez_error *err) {
  const bez_honest_updates *h = in->honest;
  double sigma = 200;
  bez_status st = bez_attack_params_known(in, "sigma", err);
  if (st == BEZ_OK) st = bez_attack_number(in, "sigma", 0, BEZ_UPDATE_MOST, &sigma, err);
  for (uint64_t i = 0; i < in->rows && st == BEZ_OK; i++) {
    bez_rng rng = bez_attack_row_rng(in, i);
    for (size_t j = 0; j < h->d; j++) out[i * h->d + j] = h->mean[j] + sigma * bez_rng_normal(&rng);
  }
  return st;
}

const bez_attack bez_attack_gaussian = {
    .info = {.name = "gaussian",
             .title = "Gaussian noise",
             .summary = "Each attacker sends the honest mean plus large normal noise of its own.",
             .kind = "update",
             .parameters = "sigma: standard deviation of the noise (200)",
             .source = "Blanchard, El Mhamdi, Guerraoui, Stainer, Machine Learning with Adversaries, NeurIPS 2017"},
    .craft = craft,
};
