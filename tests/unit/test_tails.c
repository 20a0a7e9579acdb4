/* Tails against values computed independently (exact rational sums and SciPy 1.x, printed to 12 digits). */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/rng.h"
#include "math/tails.h"

static void near(double got, double want, double rel) {
  if (!(fabs(got - want) <= rel * (1.0 + fabs(want)))) fail_msg("got %.15g, want %.15g", got, want);
}

/* The definition, summed term by term. */
static double binomial_sf_sum(uint64_t k, uint64_t n, double p) {
  double sum = 0;
  for (uint64_t x = k; x <= n; x++) {
    double term = 1;
    for (uint64_t i = 0; i < x; i++) term *= (double)(n - i) / (double)(i + 1) * p;
    sum += term * pow(1 - p, (double)(n - x));
  }
  return sum;
}

static void binomial_equals_its_sum(void **state) {
  (void)state;
  const double shares[] = {.001, .03, .5, .76, .97};
  for (uint64_t n = 1; n <= 40; n += 3)
    for (size_t s = 0; s < 5; s++)
      for (uint64_t k = 0; k <= n; k++) {
        near(exp(bez_binomial_log_sf(k, n, shares[s])), binomial_sf_sum(k, n, shares[s]), 1e-9);
        near(exp(bez_binomial_log_sf(k + 1, n, shares[s])) + exp(bez_binomial_log_cdf(k, n, shares[s])), 1.0, 1e-9);
      }
}

static void binomial_at_the_edges(void **state) {
  (void)state;
  assert_true(bez_binomial_log_sf(0, 10, .5) == 0.0);
  assert_true(isinf(bez_binomial_log_sf(11, 10, .5)));
  assert_true(isinf(bez_binomial_log_sf(1, 10, 0.0)));
  assert_true(bez_binomial_log_sf(10, 10, 1.0) == 0.0);
  assert_true(bez_binomial_log_cdf(10, 10, .5) == 0.0);
  near(bez_binomial_log_sf(10, 10, .5), 10 * log(.5), 1e-12);
  near(bez_binomial_log_sf(60, 60, 1e-3), 60 * log(1e-3), 1e-12); /* far below the smallest double's square root */
  near(bez_binomial_log_sf(400, 400, 1e-3), 400 * log(1e-3), 1e-12);
}

static double hypergeometric_sf_sum(uint64_t k, uint64_t total, uint64_t marked, uint64_t n) {
  double sum = 0;
  for (uint64_t x = k; x <= marked && x <= n; x++) {
    if (n - x > total - marked) continue;
    double term = lgamma((double)marked + 1) - lgamma((double)x + 1) - lgamma((double)(marked - x) + 1);
    double rest = (double)(total - marked), left = (double)(n - x);
    term += lgamma(rest + 1) - lgamma(left + 1) - lgamma(rest - left + 1);
    term -= lgamma((double)total + 1) - lgamma((double)n + 1) - lgamma((double)(total - n) + 1);
    sum += exp(term);
  }
  return sum;
}

static void hypergeometric_equals_its_sum(void **state) {
  (void)state;
  for (uint64_t total = 1; total <= 30; total += 4)
    for (uint64_t marked = 0; marked <= total; marked += 3)
      for (uint64_t n = 0; n <= total; n += 2)
        for (uint64_t k = 0; k <= n + 1; k++)
          near(exp(bez_hypergeometric_log_sf(k, total, marked, n)), hypergeometric_sf_sum(k, total, marked, n), 1e-9);
  /* Fisher's tea: all four cups of four right out of eight, 1/70. */
  near(bez_hypergeometric_log_sf(4, 8, 4, 4), log(1.0 / 70), 1e-12);
}

static void beta_binomial_is_wider_than_the_binomial(void **state) {
  (void)state;
  /* a = b = 1 (p = 1/2, rho = 1/3) is uniform on 0 … n. */
  for (uint64_t k = 0; k <= 20; k++)
    near(exp(bez_beta_binomial_log_sf(k, 20, .5, 1.0 / 3)), (double)(21 - k) / 21, 1e-9);
  near(bez_beta_binomial_log_sf(30, 100, .1, 0.0), bez_binomial_log_sf(30, 100, .1), 1e-12);
  assert_true(bez_beta_binomial_log_sf(30, 100, .1, .01) > bez_binomial_log_sf(30, 100, .1));
}

static void normal_and_chernoff(void **state) {
  (void)state;
  near(exp(bez_normal_log_sf(1.959963984540054)), .025, 1e-9);
  near(bez_normal_log_sf(0), log(.5), 1e-12);
  near(bez_normal_log_sf(29.999999), bez_normal_log_sf(30.000001), 1e-6);
  near(bez_normal_log_sf(40), -804.608442013754, 1e-9);
  for (uint64_t k = 0; k <= 50; k++)
    assert_true(bez_chernoff_log_bound((double)k, 50, .2) >= bez_binomial_log_sf(k, 50, .2) - 1e-12);
  assert_true(bez_chernoff_log_bound(5, 50, .2) == 0.0);
  near(bez_chernoff_log_bound(50, 50, .2), 50 * log(.2), 1e-12);
}

static void benjamini_hochberg_by_hand(void **state) {
  (void)state;
  /* ranks 1 … 5: p·5/rank = .05 .025 .0667 .05 .6 → running minimum from the right */
  const double p[] = {.04, .005, .6, .01, .04};
  double q[5];
  assert_int_equal(bez_benjamini_hochberg(p, 5, q, NULL), BEZ_OK);
  near(q[1], .025, 1e-12);
  near(q[3], .025, 1e-12);
  near(q[0], .05, 1e-12);
  near(q[4], .05, 1e-12);
  near(q[2], .6, 1e-12);
  assert_int_equal(bez_benjamini_hochberg(NULL, 0, NULL, NULL), BEZ_OK);
}

/* 200 families of 50 tests, 40 of them null: the share of false ones among those rejected stays at or below 5 %. */
static void benjamini_hochberg_holds_its_rate(void **state) {
  (void)state;
  bez_rng rng = bez_rng_make(11, 1);
  double total = 0;
  for (int family = 0; family < 200; family++) {
    double p[50], q[50];
    for (int i = 0; i < 50; i++) p[i] = i < 40 ? bez_rng_unit(&rng) : bez_rng_unit(&rng) * 1e-4;
    assert_int_equal(bez_benjamini_hochberg(p, 50, q, NULL), BEZ_OK);
    int wrong = 0, all = 0;
    for (int i = 0; i < 50; i++)
      if (q[i] <= .05) all++, wrong += i < 40;
    total += all ? (double)wrong / all : 0;
  }
  assert_true(total / 200 <= .05);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(binomial_equals_its_sum),
      cmocka_unit_test(binomial_at_the_edges),
      cmocka_unit_test(hypergeometric_equals_its_sum),
      cmocka_unit_test(beta_binomial_is_wider_than_the_binomial),
      cmocka_unit_test(normal_and_chernoff),
      cmocka_unit_test(benjamini_hochberg_by_hand),
      cmocka_unit_test(benjamini_hochberg_holds_its_rate),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
