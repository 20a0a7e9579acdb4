/* Min-sum: the attackers' update goes as far as the sum of its squared distances to the honest updates stays within the
 * largest such sum of an honest one: Σ_i |m − x_i|² ≤ max_k Σ_i |x_k − x_i|². */
#include <math.h>

#include "attack/papers.h"
#include "attack/updates.h"

static bool within(const bez_honest_updates *h, const bez_push *push, const double *square, double gamma) {
  double total = 0, bound = 0;
  for (size_t k = 0; k < h->n; k++) {
    double sum = 0;
    for (size_t i = 0; i < h->n; i++) sum += square[k * h->n + i];
    bound = fmax(bound, sum);
    total += bez_push_square(push, gamma, k);
  }
  return total <= bound;
}

static bez_status craft(const bez_attack_input *in, double *out, bez_error *err) {
  return bez_craft_push(in, within, out, err);
}

const bez_attack bez_attack_min_sum = {
    .info = {.name = "min-sum",
             .title = "Min-sum",
             .summary = "Attackers push the mean along a deviation as far as the sum of their squared distances to the "
                        "honest updates is no larger than that of an honest one.",
             .kind = "update",
             .parameters = BEZ_PUSH_PARAMETERS,
             .source = BEZ_PAPER_MANIPULATING},
    .craft = craft,
};
