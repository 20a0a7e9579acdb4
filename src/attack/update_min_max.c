/* Min-max: the attackers' update goes as far as its largest distance to an honest update stays within the largest
 * distance between two honest ones: max_i |m − x_i| ≤ max_{i,k} |x_i − x_k|. */
#include <math.h>

#include "attack/papers.h"
#include "attack/updates.h"

static bool within(const bez_honest_updates *h, const bez_push *push, const double *square, double gamma) {
  double most = 0, bound = 0;
  for (size_t i = 0; i < h->n * h->n; i++) bound = fmax(bound, square[i]);
  for (size_t i = 0; i < h->n; i++) most = fmax(most, bez_push_square(push, gamma, i));
  return most <= bound;
}

static bez_status craft(const bez_attack_input *in, double *out, bez_error *err) {
  return bez_craft_push(in, within, out, err);
}

const bez_attack bez_attack_min_max = {
    .info = {.name = "min-max",
             .title = "Min-max",
             .summary =
                 "Attackers push the mean along a deviation as far as they are no farther from any honest update "
                 "than the two honest ones farthest apart.",
             .kind = "update",
             .parameters = BEZ_PUSH_PARAMETERS,
             .source = BEZ_PAPER_MANIPULATING},
    .craft = craft,
};
