/* Updates that hold one and the same number. */
#include <math.h>

#include "attack/updates.h"
#include "base/error.h"

bez_status bez_craft_value(const bez_attack_input *in, double value, bool against, double *out, bez_error *err) {
  const bez_honest_updates *h = in->honest;
  size_t left = h->d;
  bez_status st = bez_craft_whole(in, "count", 1, h->d, &left, err);
  if (st != BEZ_OK) return st;
  /* Selection sampling: coordinate j is chosen with probability left / (d − j). */
  bez_rng rng = bez_attack_trigger_rng(in);
  for (size_t j = 0; j < h->d; j++) {
    bool chosen = bez_rng_below(&rng, h->d - j) < left;
    left -= chosen;
    out[j] = !chosen ? h->mean[j] : against && h->mean[j] > 0 ? -value : value;
  }
  bez_craft_same(in, out);
  return BEZ_OK;
}
