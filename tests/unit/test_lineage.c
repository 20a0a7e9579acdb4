/* Tests of independence of weights: even p-values where models are independent, small ones where they are not. */
#include <math.h>

#include "audit/lineage_test.h"
#include "base/rng.h"
#include "test.h"

enum { K = 24, D = 40, N = 60 };

/* Units that share a direction, with lengths of their own: like trained ones, and unlike draws of a normal law. */
static void fill(float *x, uint32_t n, uint32_t d, const float *shared, uint64_t seed) {
  bez_rng rng = bez_rng_make(seed, 5);
  for (uint32_t i = 0; i < n; i++) {
    const double length = exp(bez_rng_normal(&rng));
    for (uint32_t j = 0; j < d; j++)
      x[(size_t)i * d + j] = (float)(length * (bez_rng_normal(&rng) + (shared ? 2.0 * (double)shared[j] : 0.0)));
  }
}

/* Kolmogorov's distance of n p-values from the even law; p-values of an exact test that is not randomised lie above. */
static double above_even(const double *p, unsigned n) {
  double worst = 0;
  for (unsigned i = 0; i < n; i++) {
    unsigned below = 0;
    for (unsigned k = 0; k < n; k++) below += p[k] <= p[i];
    worst = fmax(worst, (double)below / n - p[i]);
  }
  return worst;
}

static void independent_models_have_even_p_values(void **state) {
  (void)state;
  enum { TIMES = 400 };
  bez_error err = {0};
  bez_lineage_result r;
  static double p[TIMES], q[TIMES];
  static float shared[D], a[2][K * D], b[2][N * D];
  fill(shared, 1, D, NULL, 1);
  for (unsigned t = 0; t < TIMES; t++) {
    for (unsigned v = 0; v < 2; v++) {
      fill(a[v], K, D, shared, 10 + 4 * t + v);
      fill(b[v], N, D, shared, 12 + 4 * t + v);
    }
    assert_ok(bez_lineage_aligned(a[0], b[0], K, D, 9, t, &r, &err));
    p[t] = r.p;
    const float *const left[] = {a[0], a[1]}, *const right[] = {b[0], b[1]};
    assert_ok(bez_lineage_matched(left, right, (uint32_t[]){D, D}, K, N, 9, t, &r, &err));
    q[t] = r.p;
  }
  print_message("above the even law by at most %.3f (aligned), %.3f (matched)\n", above_even(p, TIMES),
                above_even(q, TIMES));
  assert_true(above_even(p, TIMES) < 1.63 / sqrt(TIMES)); /* one in a hundred */
  assert_true(above_even(q, TIMES) < 1.63 / sqrt(TIMES));
}

static void a_derived_model_is_told(void **state) {
  (void)state;
  bez_error err = {0};
  bez_lineage_result r;
  static float a[2][N * D], b[2][N * D];
  for (unsigned v = 0; v < 2; v++) {
    fill(b[v], N, D, NULL, v);
    fill(a[v], N, D, NULL, 2 + v);
    for (unsigned i = 0; i < N * D; i++) a[v][i] = b[v][i] + 0.3f * a[v][i];
  }
  assert_ok(bez_lineage_aligned(a[0], b[0], K, D, 9, 0, &r, &err));
  assert_true(r.p <= 2.0 / BEZ_LINEAGE_DRAWS);
  for (unsigned v = 0; v < 2; v++) /* the same units backwards */
    for (unsigned i = 0; i < N; i++) memcpy(a[v] + i * D, b[v] + (N - 1 - i) * D, D * sizeof(float));
  assert_ok(bez_lineage_aligned(a[0], b[0], K, D, 9, 0, &r, &err));
  assert_true(r.p > 0.001);
  const float *const left[] = {a[0], a[1]}, *const right[] = {b[0], b[1]};
  assert_ok(bez_lineage_matched(left, right, (uint32_t[]){D, D}, K, N, 9, 0, &r, &err));
  assert_true(r.p <= 2.0 / BEZ_LINEAGE_DRAWS);
  assert_true(fabs(r.statistic - 1.0) < 1e-9);
}

static void nothing_to_compare_is_no_evidence(void **state) {
  (void)state;
  bez_error err = {0};
  bez_lineage_result r;
  static float zero[K * D], alike[K * D], broken[K * D];
  for (unsigned i = 0; i < K * D; i++) {
    alike[i] = 0.25f;
    broken[i] = i % 3 ? NAN : 1.0f;
  }
  const float *const each[] = {zero, alike, broken};
  for (unsigned x = 0; x < 3; x++)
    for (unsigned y = 0; y < 3; y++) {
      assert_ok(bez_lineage_aligned(each[x], each[y], K, D, 1, 1, &r, &err));
      assert_true(r.p == 1.0);
      const float *const left[] = {each[x], each[x]}, *const right[] = {each[y], each[y]};
      assert_ok(bez_lineage_matched(left, right, (uint32_t[]){D, D}, K, K, 1, 1, &r, &err));
      assert_true(r.p == 1.0);
    }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(independent_models_have_even_p_values),
                                     cmocka_unit_test(a_derived_model_is_told),
                                     cmocka_unit_test(nothing_to_compare_is_no_evidence)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
