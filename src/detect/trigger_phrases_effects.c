/* Where the other words hardly tell the label, no single row contradicts it; a trigger then shows by all its rows
 * together. Natural n-grams move labels too ("excellent"), so two accounts of an n-gram's rows are compared:
 *
 *   natural  the n-gram moves the log-odds by b. Either the other words agree with the labels as everywhere
 *            (P = share of the label given b, times the density of the row's other words in that label, blended with
 *            that of all rows by k: words around it may say less than usual), or they only enter by their log-odds
 *            (times k), which covers small b
 *   planted  of the rows with the label, a share q was drawn at random from those of the other labels
 *
 * With p the probability of class t from a row's other words and s the share of t, densities are ratios by Bayes' rule:
 * p/s in t, (1-p)/(1-s) in the others, 1 in all. How often each natural effect occurs is read off the n-grams of the
 * same data by expectation-maximisation, with "planted" as one account more, so that a planted n-gram does not pass
 * for a natural kind of its own (an empirical Bayes estimate: H. Robbins, 1956; A. P. Dempster et al., 1977). */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "detect/trigger_phrases.h"

#define BINS 64u            /* of a row's log-odds */
#define LEAST_EFFECT_P 0.02 /* a weak model's extremes are not believed */
#define MOST_WORTH 40.0     /* rows: no account is exact, and in more rows its faults would outweigh the difference */
#define STEPS 60u           /* of expectation-maximisation */
#define SAMPLE 4096u        /* n-grams that the effects are estimated from */

enum { N_LARGE = 12, N_SMALL = 7, N_BLENDS = 2, N_SHARES = 9, PLANTED = N_BLENDS * (N_LARGE + N_SMALL) };
_Static_assert(BEZ_EFFECT_KINDS == PLANTED + 1, "natural effects, and planted");
_Static_assert(BEZ_EFFECT_TERMS == PLANTED + N_SHARES, "one sum per account");

static const double large_effect[N_LARGE] = {-4, -2.5, -1.5, -0.8, -0.4, 0, 0.4, 0.8, 1.5, 2.5, 4, 6};
static const double small_effect[N_SMALL] = {-1.5, -0.8, -0.4, 0, 0.4, 0.8, 1.5};
static const double blend[N_BLENDS] = {1.0, 0.5};
static const double planted_share[N_SHARES] = {0.1, 0.2, 0.35, 0.5, 0.65, 0.8, 0.9, 0.97, 0.99};

static double sigmoid(double x) {
  return 1.0 / (1.0 + exp(-x));
}

static size_t bin_of(double p) {
  double edge = log((1.0 - LEAST_EFFECT_P) / LEAST_EFFECT_P), x = log(p / (1.0 - p));
  if (!(x > -edge)) return 0;
  size_t bin = (size_t)((x + edge) * BINS / (2.0 * edge));
  return bin < BINS ? bin : BINS - 1;
}

static double middle(size_t bin) {
  double edge = log((1.0 - LEAST_EFFECT_P) / LEAST_EFFECT_P);
  return sigmoid(((double)bin + 0.5) * 2.0 * edge / BINS - edge);
}

/* Logarithms of all accounts for a row with the label (or another) whose other words give it p. */
static void fill_terms(double p, double share, bool has_label, double *term) {
  double in = p / share, out = (1.0 - p) / (1.0 - share), prior = log(share / (1.0 - share)), odds = log(p / (1.0 - p));
  for (unsigned k = 0; k < N_BLENDS; k++) {
    for (unsigned e = 0; e < N_LARGE; e++) {
      double rate = sigmoid(prior + large_effect[e]);
      *term++ = log((has_label ? rate : 1.0 - rate) * (blend[k] * (has_label ? in : out) + 1.0 - blend[k]));
    }
    for (unsigned e = 0; e < N_SMALL; e++) {
      double rate = sigmoid(blend[k] * odds + (1.0 - blend[k]) * prior + small_effect[e]);
      *term++ = log(has_label ? rate : 1.0 - rate);
    }
  }
  for (unsigned q = 0; q < N_SHARES; q++) {
    double natural = 1.0 - planted_share[q];
    *term++ = log(has_label ? planted_share[q] * out + natural * p : natural * (1.0 - p));
  }
}

bez_status bez_effects_prepare(bez_phrases *p, bez_error *err) {
  size_t terms = (size_t)p->n_classes * 2 * BINS * BEZ_EFFECT_TERMS;
  if (!p->effect_terms) p->effect_terms = malloc(terms * sizeof *p->effect_terms);
  if (!p->effect_terms) return bez_fail_memory(err, terms * sizeof *p->effect_terms);
  double *term = p->effect_terms;
  for (uint32_t t = 0; t < p->n_classes; t++) {
    double share = p->nb->share[t];
    share = share < 1e-6 ? 1e-6 : share > 1.0 - 1e-6 ? 1.0 - 1e-6 : share;
    for (unsigned has_label = 0; has_label < 2; has_label++)
      for (size_t b = 0; b < BINS; b++, term += BEZ_EFFECT_TERMS) fill_terms(middle(b), share, has_label, term);
  }
  return BEZ_OK;
}

void bez_effects_add(const bez_phrases *p, uint32_t t, bool has_label, double prob, double *sum) {
  const double *term = p->effect_terms + (((size_t)t * 2 + has_label) * BINS + bin_of(prob)) * BEZ_EFFECT_TERMS;
  for (unsigned k = 0; k < BEZ_EFFECT_TERMS; k++) sum[k] += term[k];
}

void bez_effects_finish(double *sum, size_t n, float *likelihood) {
  double planted = 0, most;
  for (unsigned k = 0; n > MOST_WORTH && k < BEZ_EFFECT_TERMS; k++) sum[k] *= MOST_WORTH / (double)n;
  most = sum[0];
  for (unsigned k = 1; k < BEZ_EFFECT_TERMS; k++) most = sum[k] > most ? sum[k] : most;
  for (unsigned k = 0; k < PLANTED; k++) likelihood[k] = (float)exp(sum[k] - most);
  for (unsigned q = 0; q < N_SHARES; q++) planted += exp(sum[PLANTED + q] - most);
  likelihood[PLANTED] = (float)(planted / N_SHARES);
}

/* One step: what share of the n-grams does each account explain? */
static void step(const float *likelihood, const uint32_t *which, size_t n, double *weight) {
  double sum[BEZ_EFFECT_KINDS] = {0}, all = 0;
  for (size_t i = 0; i < n; i++) {
    const float *l = likelihood + (size_t)which[i] * BEZ_EFFECT_KINDS;
    double part[BEZ_EFFECT_KINDS], total = 1e-300;
    for (unsigned k = 0; k < BEZ_EFFECT_KINDS; k++) total += part[k] = weight[k] * (double)l[k];
    for (unsigned k = 0; k < BEZ_EFFECT_KINDS; k++) sum[k] += part[k] / total;
  }
  for (unsigned k = 0; k < BEZ_EFFECT_KINDS; k++) {
    weight[k] = sum[k] / (double)n + 1e-5; /* nothing is impossible */
    all += weight[k];
  }
  for (unsigned k = 0; k < BEZ_EFFECT_KINDS; k++) weight[k] /= all;
}

bez_status bez_effects_estimate(const bez_phrase_score *scores, const float *likelihood, size_t n, double *weight,
                                size_t *examined, bez_error *err) {
  uint32_t *which = malloc(SAMPLE * sizeof *which);
  if (!which) return bez_fail_memory(err, SAMPLE * sizeof *which);
  size_t taken = 0;
  *examined = 0;
  for (size_t i = 0; i < n; i++) *examined += scores[i].likely != BEZ_PHRASE_NONE;
  uint64_t stride = *examined / SAMPLE + 1, at = 0;
  for (size_t i = 0; i < n; i++)
    if (scores[i].likely != BEZ_PHRASE_NONE && at++ % stride == 0) which[taken++] = (uint32_t)i;
  for (unsigned k = 0; k < BEZ_EFFECT_KINDS; k++) weight[k] = 1.0 / BEZ_EFFECT_KINDS;
  for (unsigned s = 0; s < STEPS && taken; s++) step(likelihood, which, taken, weight);
  free(which);
  return BEZ_OK;
}

double bez_effects_ratio(const double *weight, const float *likelihood) {
  double natural = 0;
  for (unsigned k = 0; k < PLANTED; k++) natural += weight[k] * (double)likelihood[k];
  natural /= 1.0 - weight[PLANTED];
  return log10(((double)likelihood[PLANTED] + 1e-300) / (natural + 1e-300));
}
