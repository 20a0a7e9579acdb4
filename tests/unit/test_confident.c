/* Confident learning by hand and by invariants; bench/peers compares it with cleanlab on real data. */
#include "base/rng.h"
#include "fit/confident.h"
#include "test.h"

/* Two classes. t_0 = (.9+.8+.1)/3 = .6, t_1 = (.3+.9+.9)/3 = .7 of p_1 over the rows labelled 1. */
static void two_classes_by_hand(void **state) {
  (void)state;
  const float p[] = {.9f, .1f, .8f, .2f, .1f, .9f, .7f, .3f, .1f, .9f, .1f, .9f};
  const uint32_t label[] = {0, 0, 0, 1, 1, 1};
  double threshold[2];
  uint64_t joint[4];
  uint32_t suggested[6];
  bez_error err = {0};
  assert_ok(bez_confident_find(p, label, 6, 2, 1, threshold, joint, suggested, &err));
  assert_true(threshold[0] > .59999 && threshold[0] < .60001);
  assert_true(threshold[1] > .69999 && threshold[1] < .70001);
  const uint64_t want[] = {2, 1, 1, 2};
  assert_memory_equal(joint, want, sizeof joint);
  assert_int_equal(suggested[2], 1);
  assert_int_equal(suggested[3], 0);
  assert_int_equal(suggested[0], BEZ_CONFIDENT_NONE);
  assert_int_equal(suggested[4], BEZ_CONFIDENT_NONE);
}

/* Several classes reach their thresholds: the most probable counts. A class without rows is never guessed. */
static void ties_and_absent_classes(void **state) {
  (void)state;
  const double threshold[] = {.2, .3, 2.0};
  const float both[] = {.35f, .4f, .25f}, none[] = {.1f, .1f, .8f}, first[] = {.5f, .2f, .3f};
  assert_int_equal(bez_confident_guess(both, 3, threshold), 1);
  assert_int_equal(bez_confident_guess(none, 3, threshold), BEZ_CONFIDENT_NONE);
  assert_int_equal(bez_confident_guess(first, 3, threshold), 0);
  assert_false(bez_confident_is_issue(first, 3, 0, 0));
  assert_true(bez_confident_is_issue(first, 3, 1, 0));
  assert_false(bez_confident_is_issue(first, 3, BEZ_CONFIDENT_NONE, 0));
  const float peak[] = {.2f, .6f, .2f}; /* disputed by the thresholds, but the label is the first choice */
  assert_false(bez_confident_is_issue(peak, 3, 1, 0));
}

static void threads_do_not_matter(void **state) {
  (void)state;
  enum { N = 50000, C = 3 };
  float *p = malloc(N * C * sizeof *p);
  uint32_t *label = malloc(N * sizeof *label), *a = malloc(N * sizeof *a), *b = malloc(N * sizeof *b);
  bez_rng rng = bez_rng_make(2, 2);
  for (int i = 0; i < N; i++) {
    float x[C], sum = 0;
    for (int c = 0; c < C; c++) sum += x[c] = (float)bez_rng_unit(&rng);
    for (int c = 0; c < C; c++) p[i * C + c] = x[c] / sum;
    label[i] = i % 50 ? (uint32_t)bez_rng_below(&rng, C) : BEZ_CONFIDENT_NONE;
  }
  double t1[C], t2[C];
  uint64_t j1[C * C], j2[C * C];
  bez_error err = {0};
  assert_ok(bez_confident_find(p, label, N, C, 1, t1, j1, a, &err));
  for (unsigned threads = 2; threads <= 8; threads += 3) {
    assert_ok(bez_confident_find(p, label, N, C, threads, t2, j2, b, &err));
    assert_memory_equal(t1, t2, sizeof t1);
    assert_memory_equal(j1, j2, sizeof j1);
    assert_memory_equal(a, b, N * sizeof *a);
  }
  uint64_t off = 0, listed = 0;
  for (int i = 0; i < C * C; i++) off += i / C == i % C ? 0 : j1[i];
  for (int i = 0; i < N; i++) listed += a[i] != BEZ_CONFIDENT_NONE;
  assert_true(listed > 0 && listed <= off);
  free(p);
  free(label);
  free(a);
  free(b);
}

static void empty_is_fine(void **state) {
  (void)state;
  double t[2];
  uint64_t joint[4];
  bez_error err = {0};
  assert_ok(bez_confident_find(NULL, NULL, 0, 2, 1, t, joint, NULL, &err));
  assert_true(t[0] == 2.0 && joint[1] == 0);
  assert_int_equal(bez_confident_find(NULL, NULL, 0, 0, 1, t, NULL, NULL, NULL), BEZ_USAGE);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(two_classes_by_hand),
      cmocka_unit_test(ties_and_absent_classes),
      cmocka_unit_test(threads_do_not_matter),
      cmocka_unit_test(empty_is_fine),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
