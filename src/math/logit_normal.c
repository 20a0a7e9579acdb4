#include "math/logit_normal.h"

#include <math.h>

#include "math/tails.h"

#define STEPS 16 /* on either side of the mean */
#define STEP 0.25

typedef double log_term(uint64_t k, uint64_t n, double x);

static double log_mass(uint64_t k, uint64_t n, double x) {
  double log_one = x > 0 ? log1p(exp(-x)) : log1p(exp(x)) - x;   /* −ln p */
  double log_other = x > 0 ? x + log1p(exp(-x)) : log1p(exp(x)); /* −ln(1−p) */
  return -((double)k * log_one + (double)(n - k) * log_other);
}

static double log_tail(uint64_t k, uint64_t n, double x) {
  return bez_binomial_log_sf(k, n, 1.0 / (1.0 + exp(-x)));
}

static double average(log_term *term, uint64_t k, uint64_t n, double mean, double sd) {
  double at[2 * STEPS + 1], most = -INFINITY, sum = 0, weights = 0;
  for (int i = -STEPS; i <= STEPS; i++) {
    at[i + STEPS] = term(k, n, mean + sd * STEP * i);
    most = fmax(most, at[i + STEPS]);
  }
  if (most == -INFINITY) return most;
  for (int i = -STEPS; i <= STEPS; i++) {
    double weight = exp(-0.5 * STEP * STEP * i * i);
    sum += weight * exp(at[i + STEPS] - most);
    weights += weight;
  }
  return most + log(sum / weights);
}

double bez_logit_normal_log_mass(uint64_t k, uint64_t n, double mean, double sd) {
  return average(log_mass, k, n, mean, sd);
}

double bez_logit_normal_log_sf(uint64_t k, uint64_t n, double mean, double sd) {
  return average(log_tail, k, n, mean, sd);
}
