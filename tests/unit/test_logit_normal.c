/* The logistic-normal binomial against its definition and its limits. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "math/logit_normal.h"
#include "math/tails.h"

static void tiny_sd_is_the_binomial(void **state) {
  (void)state;
  double p = 0.3, x = log(p / (1 - p));
  assert_true(fabs(bez_logit_normal_log_sf(7, 10, x, 1e-9) - bez_binomial_log_sf(7, 10, p)) < 1e-6);
  assert_true(fabs(bez_logit_normal_log_mass(7, 10, x, 1e-9) - (7 * log(p) + 3 * log(1 - p))) < 1e-6);
}

static void masses_add_up(void **state) {
  (void)state;
  const double choose[] = {1, 6, 15, 20, 15, 6, 1};
  double sum = 0, tail = 0;
  for (uint64_t k = 0; k <= 6; k++) {
    double mass = choose[k] * exp(bez_logit_normal_log_mass(k, 6, -0.7, 1.4));
    sum += mass;
    if (k >= 4) tail += mass;
  }
  assert_true(fabs(sum - 1) < 1e-9);
  assert_true(fabs(log(tail) - bez_logit_normal_log_sf(4, 6, -0.7, 1.4)) < 1e-7);
}

/* One draw: the mean of a logistic-normal that is symmetric about 0 is one half. */
static void symmetry(void **state) {
  (void)state;
  assert_true(fabs(bez_logit_normal_log_sf(1, 1, 0, 2.8) - log(.5)) < 1e-9);
  assert_true(fabs(bez_logit_normal_log_mass(40, 40, 1, 2) - bez_logit_normal_log_mass(0, 40, -1, 2)) < 1e-9);
}

static void extremes_are_finite(void **state) {
  (void)state;
  assert_true(bez_logit_normal_log_sf(0, 10, 0, 1) <= 1e-12);
  double far = bez_logit_normal_log_sf(100000, 100000, -9, .1);
  assert_true(isfinite(far) && far < -1000);
  assert_true(isfinite(bez_logit_normal_log_mass(0, 4000000000u, 9, 2.8)));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(tiny_sd_is_the_binomial),
      cmocka_unit_test(masses_add_up),
      cmocka_unit_test(symmetry),
      cmocka_unit_test(extremes_are_finite),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
