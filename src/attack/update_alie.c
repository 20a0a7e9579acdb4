/* A little is enough (Baruch, Baruch, Goldberg): every attacker sends mean − z · sd, coordinate by coordinate (sd of
 * the population), so little off that more honest updates lie beyond it than are needed to make it look like a median.
 *
 * With N = n + c clients of which c attack, s = floor(N/2 + 1) − c honest supporters are needed, and z is the largest
 * with Φ(z) < (N − c − s) / (N − c) = (n − s) / n; N = 50, c = 24: s = 2, Φ(z) = 24/26, z = 1.43. Few attackers cannot
 * move anything by this: z below 0 is taken as 0. With c above half there is no limit to z, which must be given then.
 */
#include <math.h>
#include <stdlib.h>

#include "attack/updates.h"
#include "base/error.h"
#include "math/tails.h"

/* z with P(Z ≥ z) = tail, by halving; tail in (0, 1). */
static double upper_quantile(double tail) {
  const double wanted = log(tail);
  double low = -40, high = 40;
  for (int step = 0; step < 64; step++) {
    double z = low + (high - low) / 2;
    if (bez_normal_log_sf(z) > wanted)
      low = z;
    else
      high = z;
  }
  return low;
}

static bez_status z_of_paper(const bez_attack_input *in, double *z, bez_error *err) {
  const size_t n = in->honest->n;
  const uint64_t c = in->rows, half = (n + c) / 2 + 1;
  if (half <= c)
    return bez_fail(err, BEZ_USAGE, "z",
                    "%llu attackers of %llu clients need no supporters: give z=", (unsigned long long)c,
                    (unsigned long long)(n + c));
  const uint64_t supporters = half - c;
  *z = supporters < n ? fmax(0, upper_quantile((double)supporters / (double)n)) : 0;
  return BEZ_OK;
}

static bez_status craft(const bez_attack_input *in, double *out, bez_error *err) {
  bez_status st = BEZ_OK;
  const bez_honest_updates *h = in->honest;
  double *sd = NULL, z = NAN;
  BEZ_TRY(bez_attack_params_known(in, "z tau", err));
  BEZ_TRY(bez_attack_number(in, "tau", 0, BEZ_UPDATE_MOST, &z, err));
  if (!isnan(z) && bez_attack_param(in, "z")) BEZ_TRY(bez_fail(err, BEZ_USAGE, "tau", "is another name of z"));
  BEZ_TRY(bez_attack_number(in, "z", 0, BEZ_UPDATE_MOST, &z, err));
  if (isnan(z)) BEZ_TRY(z_of_paper(in, &z, err));
  sd = calloc(h->d, sizeof *sd);
  if (!sd) BEZ_TRY(bez_fail_memory(err, h->d * sizeof *sd));
  bez_honest_deviation(h, sd);
  for (size_t j = 0; j < h->d; j++) out[j] = h->mean[j] - z * sd[j];
  bez_craft_same(in, out);
cleanup:
  free(sd);
  return st;
}

const bez_attack bez_attack_alie = {
    .info = {.name = "alie",
             .title = "A little is enough",
             .summary = "Attackers send the honest mean less z standard deviations per coordinate, within what honest "
                        "updates scatter.",
             .kind = "update",
             .parameters = "z (or tau): standard deviations; by default the paper's, from the numbers of clients",
             .source = "Baruch, Baruch, Goldberg, A Little Is Enough: Circumventing Defenses For Distributed Learning, "
                       "NeurIPS 2019"},
    .craft = craft,
};
