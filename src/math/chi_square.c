#include "math/chi_square.h"

#include <float.h>
#include <math.h>
#include <stdbool.h>

/* lgamma writes the global signgam; the reentrant form does not. */
static double log_gamma(double x) {
  int sign;
  return lgamma_r(x, &sign);
}

/* P(a, x)/front, where front = x^a e^-x / Γ(a+1). */
static double series(double a, double x) {
  double term = 1.0, sum = 1.0;
  for (int k = 1; k < 100000 && term > sum * 1e-17; k++) {
    term *= x / (a + k);
    sum += term;
  }
  return sum;
}

/* Q(a, x)·Γ(a)/(x^a e^-x), modified Lentz method. */
static double fraction(double a, double x) {
  const double tiny = 1e-300;
  double b = x + 1.0 - a, c = 1.0 / tiny, d = 1.0 / b, h = d;
  for (int step_no = 1; step_no < 100000; step_no++) {
    double i = step_no, an = -i * (i - a);
    b += 2.0;
    d = an * d + b;
    if (fabs(d) < tiny) d = tiny;
    c = b + an / c;
    if (fabs(c) < tiny) c = tiny;
    d = 1.0 / d;
    double step = d * c;
    h *= step;
    if (fabs(step - 1.0) < 1e-15) break;
  }
  return h;
}

/* ln of the lower (upper = false) or upper regularised incomplete gamma function. */
static double log_gamma_inc(double a, double x, bool upper) {
  if (!(x > 0.0)) return upper ? 0.0 : -INFINITY;
  if (isinf(x)) return upper ? -INFINITY : 0.0;
  double front = a * log(x) - x - log_gamma(a);
  bool is_upper = x >= a + 1.0;
  double value = front + (is_upper ? log(fraction(a, x)) : log(series(a, x) / a));
  if (value > 0.0) value = 0.0;
  return is_upper == upper ? value : log1p(-exp(value));
}

double bez_chi_square_log_sf(double x, double df) {
  return log_gamma_inc(0.5 * df, 0.5 * x, true);
}

double bez_chi_square_cdf(double x, double df) {
  return exp(log_gamma_inc(0.5 * df, 0.5 * x, false));
}

double bez_chi_square_quantile(double p, double df) {
  if (!(p > 0.0)) return 0.0;
  if (p >= 1.0) return INFINITY;
  double low = 0.0, high = df + 10.0;
  while (bez_chi_square_cdf(high, df) < p && high < 1e300) high *= 2.0;
  double z = sqrt(2.0) * (p < 0.5 ? -1.0 : 1.0), c = 2.0 / (9.0 * df), start = 1.0 - c + z * sqrt(c);
  double x = df * start * start * start;
  for (int step = 0; step < 200; step++) {
    if (!(x > low && x < high)) x = 0.5 * (low + high);
    double miss = bez_chi_square_cdf(x, df) - p;
    if (miss > 0.0) high = x;
    if (miss <= 0.0) low = x;
    double density = exp((0.5 * df - 1.0) * log(x) - 0.5 * x - 0.5 * df * log(2.0) - log_gamma(0.5 * df));
    double next = x - miss / density;
    if (fabs(next - x) <= 1e-15 * x || high - low <= 1e-15 * high) return x;
    x = next;
  }
  return x;
}

double bez_kolmogorov_log_sf(double d, double n, double m) {
  if (!(n > 0.0) || !(m > 0.0) || !(d > 0.0)) return 0.0;
  double root = sqrt(n / (n + m) * m), lambda = (root + 0.12 + 0.11 / root) * d;
  if (lambda < 1.18) { /* the other form of the theta series converges faster here */
    const double pi = 3.14159265358979323846;
    double y = exp(-pi * pi / (8.0 * lambda * lambda)), y8 = pow(y, 8.0);
    double below = sqrt(2.0 * pi) / lambda * y * (1.0 + y8 * (1.0 + pow(y, 16.0) * (1.0 + pow(y, 24.0))));
    return below < 1.0 ? log1p(-below) : -INFINITY;
  }
  double e = -2.0 * lambda * lambda, q = exp(e); /* 2·Σ (−1)^(k−1) q^(k²) */
  double rest = 1.0 - pow(q, 3.0) + pow(q, 8.0) - pow(q, 15.0);
  double value = log(2.0) + e + log(rest);
  return value < 0.0 ? value : 0.0;
}
