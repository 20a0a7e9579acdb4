#include "math/tails.h"

#include <math.h>
#include <stdlib.h>

#include "base/error.h"

/* lgamma writes the global signgam; the reentrant form does not. */
static double log_gamma(double x) {
  int sign;
  return lgamma_r(x, &sign);
}

static double log_choose(double n, double k) {
  return log_gamma(n + 1) - log_gamma(k + 1) - log_gamma(n - k + 1);
}

/* The continued fraction itself, which converges quickly for x < (a+1)/(a+b+2). */
static double beta_fraction(double a, double b, double x) {
  const double tiny = 1e-300;
  double c = 1.0, d = 1.0 - (a + b) * x / (a + 1.0);
  if (fabs(d) < tiny) d = tiny;
  d = 1.0 / d;
  double h = d;
  for (int m = 1; m <= 20000; m++) {
    double m2 = 2.0 * m;
    double even = m * (b - m) * x / ((a + m2 - 1.0) * (a + m2));
    double odd = -(a + m) * (a + b + m) * x / ((a + m2) * (a + m2 + 1.0));
    d = 1.0 + even * d;
    c = 1.0 + even / c;
    if (fabs(d) < tiny) d = tiny;
    if (fabs(c) < tiny) c = tiny;
    d = 1.0 / d;
    h *= d * c;
    d = 1.0 + odd * d;
    c = 1.0 + odd / c;
    if (fabs(d) < tiny) d = tiny;
    if (fabs(c) < tiny) c = tiny;
    d = 1.0 / d;
    double step = d * c;
    h *= step;
    if (fabs(step - 1.0) < 1e-14) break;
  }
  return h;
}

double bez_log_beta_inc(double a, double b, double x) {
  if (!(x > 0.0)) return -INFINITY;
  if (x >= 1.0) return 0.0;
  double front = log_gamma(a + b) - log_gamma(a) - log_gamma(b) + a * log(x) + b * log1p(-x);
  if (x < (a + 1.0) / (a + b + 2.0)) return front + log(beta_fraction(a, b, x) / a);
  double other = front + log(beta_fraction(b, a, 1.0 - x) / b); /* ln(1 − I) */
  if (other >= 0.0) return -INFINITY;
  return log1p(-exp(other));
}

double bez_binomial_log_sf(uint64_t k, uint64_t n, double p) {
  if (k == 0) return 0.0;
  if (k > n || !(p > 0.0)) return -INFINITY;
  if (p >= 1.0) return 0.0;
  return bez_log_beta_inc((double)k, (double)(n - k) + 1.0, p);
}

double bez_binomial_log_cdf(uint64_t k, uint64_t n, double p) {
  if (k >= n || !(p > 0.0)) return 0.0;
  if (p >= 1.0) return -INFINITY;
  return bez_log_beta_inc((double)(n - k), (double)k + 1.0, 1.0 - p);
}

double bez_hypergeometric_log_sf(uint64_t k, uint64_t total, uint64_t marked, uint64_t n) {
  uint64_t most = marked < n ? marked : n;
  uint64_t least = marked + n > total ? marked + n - total : 0;
  if (k <= least) return 0.0;
  if (k > most) return -INFINITY;
  double big = (double)total, m = (double)marked, draws = (double)n;
  double mean = draws * m / big;
  /* Sum away from the mode: below the mean the lower tail is the short one. */
  bool upper = (double)k > mean;
  uint64_t x = upper ? k : k - 1;
  double first = log_choose(m, (double)x) + log_choose(big - m, draws - (double)x) - log_choose(big, draws);
  double sum = 1.0, term = 1.0;
  while (upper ? x < most : x > least) {
    double v = (double)x;
    if (upper) {
      term *= (m - v) * (draws - v) / ((v + 1.0) * (big - m - draws + v + 1.0));
      x++;
    } else {
      term *= v * (big - m - draws + v) / ((m - v + 1.0) * (draws - v + 1.0));
      x--;
    }
    sum += term;
    if (term < sum * 1e-17) break;
  }
  double tail = first + log(sum);
  if (upper) return tail < 0.0 ? tail : 0.0;
  return tail < 0.0 ? log1p(-exp(tail)) : -INFINITY;
}

double bez_beta_binomial_log_sf(uint64_t k, uint64_t n, double p, double rho) {
  if (!(rho > 1e-12)) return bez_binomial_log_sf(k, n, p);
  if (k == 0 || p >= 1.0) return 0.0;
  if (k > n || !(p > 0.0)) return -INFINITY;
  double scale = (1.0 - rho) / rho, a = p * scale, b = (1.0 - p) * scale, all = (double)n;
  double x = (double)k;
  double first = log_choose(all, x) + log_gamma(x + a) + log_gamma(all - x + b) - log_gamma(all + a + b) +
                 log_gamma(a + b) - log_gamma(a) - log_gamma(b);
  double sum = 1.0, term = 1.0;
  for (uint64_t i = k; i < n; i++, x += 1.0) {
    term *= (all - x) * (x + a) / ((x + 1.0) * (all - x - 1.0 + b));
    sum += term;
    if (term < sum * 1e-17) break;
  }
  double tail = first + log(sum);
  return tail < 0.0 ? tail : 0.0;
}

double bez_normal_log_sf(double z) {
  if (z < 30.0) return log(0.5 * erfc(z * 0.70710678118654752440));
  double r = 1.0 / (z * z);
  return -0.5 * z * z - log(z) - 0.91893853320467274178 + log1p(-r * (1.0 - 3.0 * r * (1.0 - 5.0 * r)));
}

double bez_chernoff_log_bound(double k, double n, double p) {
  if (!(n > 0.0) || k <= n * p) return 0.0;
  if (!(p > 0.0) || k > n) return -INFINITY;
  double a = k / n, kl = a * log(a / p);
  if (a < 1.0) kl += (1.0 - a) * (log1p(-a) - log1p(-p));
  return -n * kl;
}

typedef struct ranked {
  double p;
  size_t at;
} ranked;

static int by_p(const void *x, const void *y) {
  const ranked *a = x, *b = y;
  if (a->p != b->p) return a->p < b->p ? -1 : 1;
  return a->at < b->at ? -1 : a->at > b->at;
}

bez_status bez_benjamini_hochberg(const double *p, size_t n, double *q, bez_error *err) {
  if (n == 0) return BEZ_OK;
  if (n > SIZE_MAX / sizeof(ranked)) return bez_fail_memory(err, SIZE_MAX);
  ranked *order = malloc(n * sizeof *order);
  if (!order) return bez_fail_memory(err, n * sizeof *order);
  for (size_t i = 0; i < n; i++) order[i] = (ranked){p[i], i};
  qsort(order, n, sizeof *order, by_p);
  double least = 1.0;
  for (size_t i = n; i-- > 0;) {
    double adjusted = order[i].p * (double)n / (double)(i + 1);
    if (adjusted < least) least = adjusted;
    q[order[i].at] = least;
  }
  free(order);
  return BEZ_OK;
}
