/* Fang, Cao, Jia and Gong's attack on the trimmed mean (and the median), full knowledge: at each coordinate the
 * attackers draw numbers just beyond the honest ones, on the side against the sign of the honest mean. Where the mean
 * rises, uniform on [min / b, min] for min > 0 and [b·min, min] otherwise; where it does not, on [max, b·max] for max >
 * 0 and [max, max / b] otherwise. */
#include "attack/papers.h"
#include "attack/updates.h"

typedef struct span {
  double from, to;
} span;

static span beyond(const bez_honest_updates *h, size_t j, double b) {
  double least = h->row[j], most = h->row[j];
  for (size_t i = 1; i < h->n; i++) {
    double value = h->row[i * h->d + j];
    if (value < least) least = value;
    if (value > most) most = value;
  }
  if (h->mean[j] > 0) return (span){least, least > 0 ? least / b : least * b};
  return (span){most, most > 0 ? most * b : most / b};
}

static bez_status craft(const bez_attack_input *in, double *out, bez_error *err) {
  const bez_honest_updates *h = in->honest;
  double b = 2;
  bez_status st = bez_attack_params_known(in, "b", err);
  if (st == BEZ_OK) st = bez_attack_number(in, "b", 1, BEZ_UPDATE_MOST, &b, err);
  if (st != BEZ_OK) return st;
  for (size_t j = 0; j < h->d; j++) {
    const span s = beyond(h, j, b);
    for (uint64_t i = 0; i < in->rows; i++) {
      bez_rng rng = bez_attack_row_rng(in, i);
      rng.counter = j; /* a number of its own for each attacker and coordinate */
      out[i * h->d + j] = s.from + (s.to - s.from) * bez_rng_unit(&rng);
    }
  }
  return BEZ_OK;
}

const bez_attack bez_attack_fang_trimmed_mean = {
    .info = {.name = "fang-trimmed-mean",
             .title = "Fang's attack on the trimmed mean",
             .summary =
                 "At each coordinate attackers send numbers just beyond the honest ones, against the sign of the "
                 "honest mean.",
             .kind = "update",
             .parameters = "b: how far beyond, as a factor (2)",
             .source = BEZ_PAPER_FANG},
    .craft = craft,
};
