/* Boosted trees: learn what a line cannot, never see the labels of the fold they judge, same bits on any threads. */
#include <math.h>

#include "base/rng.h"
#include "fit/boost.h"
#include "test.h"

enum { N = 2000, COLS = 4, FOLDS = 5 };
static uint8_t bins[N * COLS], fold[N];
static uint32_t label[N];

/* Two classes: exclusive-or of two columns with 10 % noise. Three: the sum of two columns modulo three. */
static bez_boost_data make(uint32_t n_classes) {
  bez_rng rng = bez_rng_make(6, n_classes);
  for (uint32_t i = 0; i < N; i++) {
    for (uint32_t c = 0; c < COLS; c++) bins[i * COLS + c] = (uint8_t)bez_rng_below(&rng, c == 3 ? BEZ_BOOST_BINS : 6);
    uint32_t a = bins[i * COLS], b = bins[i * COLS + 1];
    label[i] = n_classes == 2 ? (a < 3) != (b < 3) : (a / 2 + b / 2) % 3;
    if (bez_rng_unit(&rng) < .1) label[i] = (uint32_t)bez_rng_below(&rng, n_classes);
    fold[i] = (uint8_t)bez_rng_below(&rng, FOLDS);
  }
  return (bez_boost_data){N, COLS, n_classes, FOLDS, bins, label, fold};
}

static bez_boost_params few_rounds(void) {
  bez_boost_params params = bez_boost_defaults();
  params.rounds = 30;
  return params;
}

static void learns_interactions(void **state) {
  (void)state;
  static float p[N * 3];
  bez_boost_params params = few_rounds();
  bez_error err = {0};
  for (uint32_t classes = 2; classes <= 3; classes++) {
    bez_boost_data data = make(classes);
    assert_ok(bez_boost_out_of_fold(&data, &params, 2, p, &err));
    uint32_t right = 0;
    for (uint32_t i = 0; i < N; i++) {
      float sum = 0, best = -1;
      uint32_t guess = 0;
      for (uint32_t k = 0; k < classes; k++) {
        float x = p[i * classes + k];
        assert_true(x >= 0 && x <= 1);
        sum += x;
        if (x > best) best = x, guess = k;
      }
      assert_true(fabsf(sum - 1) < 1e-5f);
      right += guess == label[i];
    }
    assert_true(right > N * 85 / 100);
  }
}

static void a_fold_never_sees_its_labels(void **state) {
  (void)state;
  static float before[N * 2], after[N * 2];
  bez_boost_params params = few_rounds();
  bez_error err = {0};
  bez_boost_data data = make(2);
  assert_ok(bez_boost_out_of_fold(&data, &params, 1, before, &err));
  for (uint32_t i = 0; i < N; i++)
    if (fold[i] == 2) label[i] = 1 - label[i];
  assert_ok(bez_boost_out_of_fold(&data, &params, 1, after, &err));
  uint32_t others_moved = 0;
  for (uint32_t i = 0; i < N; i++) {
    if (fold[i] == 2) assert_true(before[2 * i] == after[2 * i]);
    if (fold[i] != 2) others_moved += before[2 * i] != after[2 * i];
  }
  assert_true(others_moved > N / 2);
}

static void threads_do_not_matter(void **state) {
  (void)state;
  static float one[N * 3], many[N * 3];
  bez_boost_params params = few_rounds();
  bez_error err = {0};
  bez_boost_data data = make(3);
  assert_ok(bez_boost_out_of_fold(&data, &params, 1, one, &err));
  for (unsigned threads = 2; threads <= 8; threads += 3) {
    assert_ok(bez_boost_out_of_fold(&data, &params, threads, many, &err));
    assert_memory_equal(one, many, sizeof one);
  }
}

static void odd_shapes(void **state) {
  (void)state;
  float p[4];
  bez_error err = {0};
  bez_boost_params params = few_rounds(), flat = params;
  uint8_t one_bin[2] = {0, 0}, one_fold[2] = {0, 1};
  uint32_t none[2] = {BEZ_BOOST_NO_LABEL, BEZ_BOOST_NO_LABEL};
  bez_boost_data data = {2, 1, 2, 2, one_bin, none, one_fold};
  assert_ok(bez_boost_out_of_fold(&data, &params, 1, p, &err));
  assert_true(p[0] == .5f && p[3] == .5f); /* nothing known: even odds */
  flat.depth = 0;
  assert_int_equal(bez_boost_out_of_fold(&data, &flat, 1, p, NULL), BEZ_USAGE);
  data.n_classes = 1;
  assert_int_equal(bez_boost_out_of_fold(&data, &params, 1, p, NULL), BEZ_USAGE);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(learns_interactions),
      cmocka_unit_test(a_fold_never_sees_its_labels),
      cmocka_unit_test(threads_do_not_matter),
      cmocka_unit_test(odd_shapes),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
