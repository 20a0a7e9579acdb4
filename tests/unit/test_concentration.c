/* The rates that the source tests claim, on simulated groups: nothing there, natural differences, one bad group. */
#include <math.h>

#include "base/rng.h"
#include "math/concentration.h"
#include "math/tails.h"
#include "test.h"

enum { MOST = 60, RUNS = 300 };

static double gamma_draw(bez_rng *rng, double shape) { /* Marsaglia and Tsang 2000, with the boost for shape < 1 */
  double boost = shape < 1 ? pow(bez_rng_unit(rng), 1 / shape) : 1, a = shape < 1 ? shape + 1 : shape;
  double d = a - 1.0 / 3, c = 1 / sqrt(9 * d);
  for (;;) {
    double x = bez_rng_normal(rng), v = (1 + c * x) * (1 + c * x) * (1 + c * x);
    if (v > 0 && log(bez_rng_unit(rng)) < .5 * x * x + d - d * v + d * log(v)) return boost * d * v;
  }
}

/* Groups of 30 to 430 rows; rates drawn from a beta of mean p and spread rho (0: equal). */
static void draw_groups(bez_group *g, size_t n, double p, double rho, bez_rng *rng) {
  for (size_t i = 0; i < n; i++) {
    double rate = p;
    if (rho > 0) {
      double a = gamma_draw(rng, p * (1 - rho) / rho), b = gamma_draw(rng, (1 - p) * (1 - rho) / rho);
      rate = a / (a + b);
    }
    g[i] = (bez_group){.rows = 30 + bez_rng_below(rng, 400)};
    for (uint64_t r = 0; r < g[i].rows; r++) g[i].hits += bez_rng_unit(rng) < rate;
  }
}

static size_t rejected(bez_group *g, size_t n, bool natural, double level, bool *first) {
  double p[MOST], q[MOST];
  bez_error err = {0};
  assert_ok(bez_concentration(g, n, natural, &err));
  for (size_t i = 0; i < n; i++) p[i] = fmin(1, exp(g[i].log_p));
  assert_ok(bez_benjamini_hochberg(p, n, q, &err));
  size_t count = 0;
  for (size_t i = 0; i < n; i++) count += q[i] <= level;
  if (first) *first = q[0] <= level;
  return count;
}

/* With nothing there every rejection is false: the false discovery rate is the share of runs with any. */
static void nothing_there_keeps_the_rate(void **state) {
  (void)state;
  bez_rng rng = bez_rng_make(21, 1);
  static const size_t sizes[] = {10, 30, 60};
  for (size_t s = 0; s < 3; s++)
    for (int natural = 0; natural < 2; natural++) {
      int bad = 0;
      for (int run = 0; run < RUNS; run++) {
        bez_group g[MOST];
        draw_groups(g, sizes[s], .05, natural ? .02 : 0, &rng);
        bad += rejected(g, sizes[s], natural, .05, NULL) > 0;
      }
      print_message("%zu groups, %s: %d of %d runs with a rejection at q <= .05\n", sizes[s],
                    natural ? "natural differences" : "equal rates", bad, RUNS);
      assert_true(bad <= RUNS * .05 + 3 * sqrt(RUNS * .05 * .95));
    }
}

/* Fisher's test on groups that differ by nature rejects nearly always: what the spread is for. */
static void natural_differences_need_the_spread(void **state) {
  (void)state;
  bez_rng rng = bez_rng_make(22, 1);
  int bad = 0;
  for (int run = 0; run < 50; run++) {
    bez_group g[30];
    draw_groups(g, 30, .05, .05, &rng);
    bad += rejected(g, 30, false, .05, NULL) > 0;
  }
  assert_true(bad > 25);
}

static void one_bad_group_is_found(void **state) {
  (void)state;
  bez_rng rng = bez_rng_make(23, 1);
  int found = 0, others = 0;
  for (int run = 0; run < 100; run++) {
    bez_group g[30];
    bool first;
    draw_groups(g, 30, .05, .01, &rng);
    g[0].rows = 200;
    g[0].hits = 80; /* 40 % instead of 5 % */
    others += (int)rejected(g, 30, true, .01, &first) - first;
    found += first;
  }
  assert_true(found >= 95);
  assert_true(others <= 3);
}

static void edges(void **state) {
  (void)state;
  bez_error err = {0};
  bez_group one = {.hits = 3, .rows = 5}, wrong = {.hits = 6, .rows = 5};
  assert_ok(bez_concentration(&one, 1, false, &err));
  assert_true(one.log_p == 0.0); /* the only group holds all hits anyway */
  assert_ok(bez_concentration(&one, 1, true, &err));
  assert_ok(bez_concentration(NULL, 0, true, &err));
  assert_int_equal(bez_concentration(&wrong, 1, false, NULL), BEZ_USAGE);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(nothing_there_keeps_the_rate),
      cmocka_unit_test(natural_differences_need_the_spread),
      cmocka_unit_test(one_bad_group_is_found),
      cmocka_unit_test(edges),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
