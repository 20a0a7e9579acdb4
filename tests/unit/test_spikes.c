/* Spikes against their definition: smooth, heaped and planted columns. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/rng.h"
#include "math/spikes.h"

enum { N = 4000 };
static double value[N];
static uint64_t count[N];

/* Counts of a smooth density: 1 … 12 per value. */
static void smooth(void) {
  bez_rng rng = bez_rng_make(5, 1);
  for (size_t i = 0; i < N; i++) {
    value[i] = (double)i * 3 + 1;
    uint64_t c = 1;
    for (int j = 0; j < 11; j++) c += bez_rng_unit(&rng) < .3;
    count[i] = c;
  }
}

static void smooth_is_silent(void **state) {
  (void)state;
  smooth();
  bez_spike s[BEZ_SPIKES_MAX];
  assert_int_equal(bez_spikes_find(value, count, N, 1, 3, s), 0);
}

static void planted_is_found(void **state) {
  (void)state;
  smooth();
  count[1234] = 160;
  bez_spike s[BEZ_SPIKES_MAX];
  assert_int_equal(bez_spikes_find(value, count, N, 1, 3, s), 1);
  assert_int_equal(s[0].index, 1234);
  assert_true(s[0].ratio > 20 && s[0].log_p < -10);
  double mean = 0; /* by the definition */
  for (size_t i = 1224; i <= 1244; i++)
    if (i != 1234) mean += (double)count[i] / 20;
  assert_true(fabs(s[0].local_mean - mean) < 1e-12);
  assert_true(fabs(s[0].ratio - 160 / mean) < 1e-9);
}

static void two_planted_do_not_hide_each_other(void **state) {
  (void)state;
  smooth();
  count[1234] = 160;
  count[3000] = 150;
  bez_spike s[BEZ_SPIKES_MAX];
  assert_int_equal(bez_spikes_find(value, count, N, 1, 3, s), 2);
  assert_int_equal(s[0].index + s[1].index, 4234);
}

/* Every tenth value is preferred, some much more than others: a spiky column, in which one more is nothing. */
static void heaping_is_silent(void **state) {
  (void)state;
  smooth();
  for (size_t i = 0; i < N; i += 10) count[i] *= 5 + i % 70;
  count[1234] = 160;
  bez_spike s[BEZ_SPIKES_MAX];
  assert_int_equal(bez_spikes_find(value, count, N, 1, 3, s), 0);
}

static void zero_and_ends_never_count(void **state) {
  (void)state;
  smooth();
  count[0] = 5000;
  count[N - 1] = 5000;
  value[0] = -5;
  value[1] = 0;
  count[1] = 20000;
  bez_spike s[BEZ_SPIKES_MAX];
  assert_int_equal(bez_spikes_find(value, count, N, 1, 3, s), 0);
}

static void few_values_are_silent(void **state) {
  (void)state;
  smooth();
  count[3] = 900;
  bez_spike s[BEZ_SPIKES_MAX];
  for (size_t n = 0; n < BEZ_SPIKES_DISTINCT; n++) assert_int_equal(bez_spikes_find(value, count, n, 1, 3, s), 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(smooth_is_silent),          cmocka_unit_test(planted_is_found),
      cmocka_unit_test(heaping_is_silent),         cmocka_unit_test(two_planted_do_not_hide_each_other),
      cmocka_unit_test(zero_and_ends_never_count), cmocka_unit_test(few_values_are_silent),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
