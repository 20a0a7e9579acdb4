/* Classes unlike the others: even p-values where there is none, small ones where there is, whatever the units' scale.
 */
#include <math.h>

#include "audit/final_layer_test.h"
#include "base/rng.h"
#include "test.h"

enum { WIDTH = 48, MOST = 260 };

static void fill(float *w, uint32_t classes, uint64_t seed) {
  bez_rng rng = bez_rng_make(seed, 3);
  for (uint32_t i = 0; i < classes * WIDTH; i++) w[i] = (float)(0.1 * bez_rng_normal(&rng));
}

/* Shares of small p-values among layers without an outlier: at every number of classes and of
 * features. */
static void few_false_alarms(void **state) {
  (void)state;
  bez_error err = {0};
  bez_class_outlier o;
  static float w[MOST * WIDTH];
  const uint32_t classes[] = {8, 43, MOST};
  for (unsigned c = 0; c < 3; c++) {
    unsigned small = 0, times = c == 2 ? 200 : 60;
    for (unsigned t = 0; t < times; t++) {
      fill(w, classes[c], 100 * c + t);
      assert_ok(bez_class_outlier_find(w, NULL, classes[c], WIDTH, &o, &err));
      assert_true(o.any && o.p > 0 && o.p <= 1);
      small += o.p <= 0.05;
    }
    if (small > times / 8) fail_msg("%u of %u with %u classes", small, times, classes[c]);
  }
}

static void the_class_is_named_at_any_scale_of_units(void **state) {
  (void)state;
  bez_error err = {0};
  bez_class_outlier o, same;
  static float w[43 * WIDTH];
  double unit[WIDTH];
  fill(w, 43, 1);
  for (uint32_t k = 0; k < WIDTH; k++) w[17 * WIDTH + k] += 0.25f;
  assert_ok(bez_class_outlier_find(w, NULL, 43, WIDTH, &o, &err));
  assert_true(o.any && o.p <= 0.001);
  assert_int_equal(o.row, 17);
  for (uint32_t k = 0; k < WIDTH; k++) unit[k] = ldexp(1.0, (int)(k % 7) - 3);
  for (uint32_t i = 0; i < 43 * WIDTH; i++) w[i] = (float)((double)w[i] / unit[i % WIDTH]);
  assert_ok(bez_class_outlier_find(w, unit, 43, WIDTH, &same, &err));
  assert_int_equal(same.row, 17);
  assert_true(same.p <= 0.001 && same.mean_z == o.mean_z);
}

static void nothing_to_compare(void **state) {
  (void)state;
  bez_error err = {0};
  bez_class_outlier o;
  static float w[10 * WIDTH];
  const float values[] = {0.0f, 1.5f, NAN, INFINITY};
  for (unsigned v = 0; v < 4; v++) {
    for (uint32_t i = 0; i < 10 * WIDTH; i++) w[i] = values[v];
    assert_ok(bez_class_outlier_find(w, NULL, 10, WIDTH, &o, &err));
    assert_false(o.any);
  }
  fill(w, 1, 1); /* all classes alike */
  for (uint32_t c = 1; c < 10; c++) memcpy(w + c * WIDTH, w, WIDTH * sizeof *w);
  assert_ok(bez_class_outlier_find(w, NULL, 10, WIDTH, &o, &err));
  assert_false(o.any);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(few_false_alarms),
                                     cmocka_unit_test(the_class_is_named_at_any_scale_of_units),
                                     cmocka_unit_test(nothing_to_compare)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
