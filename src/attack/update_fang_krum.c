/* Fang, Cao, Jia and Gong's attack on Krum, full knowledge. Updates are changes, so the global model that the paper
 * starts from is 0 here: every attacker sends −λ·s, s the sign of the honest mean (where the model would go), and λ is
 * the largest of a halving series for which Krum takes it. With n honest clients, c attackers and N = n + c, Krum's
 * score is the sum of the N − c − 2 = n − 2 smallest squared distances, and λ starts at the paper's bound λ ≤
 * sqrt(min_i Σ_{n−2 nearest honest l} |x_l − x_i|² / ((N − 2c − 1)·d)) + max_i |x_i| / √d and is halved until Krum
 * takes the update or λ falls below the threshold. */
#include <math.h>
#include <stdlib.h>

#include "attack/papers.h"
#include "attack/updates.h"
#include "base/compare.h"
#include "base/error.h"

typedef struct krum {
  const bez_honest_updates *honest;
  size_t c;
  double *square; /* n × n */
  double *sign;   /* d */
  double *own;    /* n: |x_i|² */
  double *along;  /* n: x_i · sign */
  double *sorted; /* n + c of scratch */
  double length;  /* |sign|² */
} krum;

static double sum_smallest(double *values, size_t n, size_t k) {
  double sum = 0;
  qsort(values, n, sizeof *values, bez_compare_double);
  for (size_t i = 0; i < k && i < n; i++) sum += values[i];
  return sum;
}

/* |x_i + λ·sign|²: of honest update i to an attacker's. */
static double to_attacker(const krum *k, size_t i, double lambda) {
  return fmax(0, k->own[i] + 2 * lambda * k->along[i] + lambda * lambda * k->length);
}

/* The score of honest update i beside `attackers` attackers. */
static double honest_score(const krum *k, size_t i, size_t attackers, double lambda) {
  const size_t n = k->honest->n;
  size_t count = 0;
  for (size_t l = 0; l < n; l++)
    if (l != i) k->sorted[count++] = k->square[i * n + l];
  for (size_t l = 0; l < attackers; l++) k->sorted[count++] = to_attacker(k, i, lambda);
  return sum_smallest(k->sorted, count, n - 2);
}

static bool taken(const krum *k, double lambda) {
  const size_t n = k->honest->n;
  for (size_t i = 0; i < n; i++) k->sorted[i] = to_attacker(k, i, lambda);
  const double score = sum_smallest(k->sorted, n, n - 1 - k->c); /* the other attackers are at distance 0 */
  for (size_t i = 0; i < n; i++)
    if (honest_score(k, i, k->c, lambda) <= score) return false;
  return true;
}

static double largest_lambda(const krum *k) {
  const size_t n = k->honest->n;
  const double d = (double)k->honest->d, shared = (double)(n - k->c - 1);
  double least = INFINITY, most = 0;
  for (size_t i = 0; i < n; i++) {
    least = fmin(least, honest_score(k, i, 0, 0));
    most = fmax(most, k->own[i]);
  }
  return sqrt(least / (shared * d)) + sqrt(most / d);
}

static bez_status prepare(const bez_honest_updates *h, krum *k, bez_error *err) {
  const size_t n = h->n;
  k->sign = calloc(h->d, sizeof(double));
  k->own = calloc(n, sizeof(double));
  k->along = calloc(n, sizeof(double));
  k->sorted = calloc(n + k->c, sizeof(double));
  if (!k->sign || !k->own || !k->along || !k->sorted)
    return bez_fail_memory(err, (h->d + 3 * n + k->c) * sizeof(double));
  for (size_t j = 0; j < h->d; j++) k->sign[j] = (double)((h->mean[j] > 0) - (h->mean[j] < 0));
  k->length = bez_dot(k->sign, k->sign, h->d);
  for (size_t i = 0; i < n; i++) {
    const double *row = h->row + i * h->d;
    k->own[i] = bez_dot(row, row, h->d);
    k->along[i] = bez_dot(row, k->sign, h->d);
  }
  return bez_honest_distances(h, &k->square, err);
}

static bez_status craft(const bez_attack_input *in, double *out, bez_error *err) {
  bez_status st = BEZ_OK;
  const bez_honest_updates *h = in->honest;
  krum k = {.honest = h, .c = (size_t)in->rows};
  double threshold = 1e-5, lambda;
  BEZ_TRY(bez_attack_params_known(in, "threshold", err));
  BEZ_TRY(bez_attack_number(in, "threshold", 1e-100, BEZ_UPDATE_MOST, &threshold, err));
  if (in->rows > SIZE_MAX - 3 || h->n < in->rows + 2 || h->n < 3)
    BEZ_TRY(bez_fail(err, BEZ_USAGE, "fang-krum",
                     "%zu honest updates are too few: 3, and 2 more than attackers (%llu), are needed", h->n,
                     (unsigned long long)in->rows));
  BEZ_TRY(prepare(h, &k, err));
  lambda = largest_lambda(&k);
  while (lambda >= threshold && !taken(&k, lambda)) lambda /= 2;
  for (size_t j = 0; j < h->d; j++) out[j] = -lambda * k.sign[j];
  bez_craft_same(in, out);
cleanup:
  free(k.square);
  free(k.sign);
  free(k.own);
  free(k.along);
  free(k.sorted);
  return st;
}

const bez_attack bez_attack_fang_krum = {
    .info = {.name = "fang-krum",
             .title = "Fang's attack on Krum",
             .summary = "Attackers send one update against the sign of the honest mean, the largest that Krum still "
                        "chooses.",
             .kind = "update",
             .parameters = "threshold: the search gives up below it (1e-5)",
             .source = BEZ_PAPER_FANG},
    .craft = craft,
};
