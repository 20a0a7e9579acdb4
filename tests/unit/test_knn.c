/* Exact neighbours against the definition by sorting, every kernel bit for bit, any number of threads. */
#include <math.h>

#include "base/cpu.h"
#include "base/rng.h"
#include "fit/knn.h"
#include "math/near.h"
#include "test.h"

enum { MOST = 400, K = 7 };
static float num[MOST * 5], weight[3] = {1.0f, .5f, 2.0f};
static uint32_t cat[MOST * 3];

/* Coarse numbers, so that there are many exact ties. */
static bez_points make(uint32_t n, uint32_t n_num, uint32_t n_cat) {
  bez_rng rng = bez_rng_make(8, n);
  for (uint32_t i = 0; i < n * n_num; i++) num[i] = (float)bez_rng_below(&rng, 7) / 3.0f;
  for (uint32_t i = 0; i < n * n_cat; i++) cat[i] = (uint32_t)bez_rng_below(&rng, 3);
  return (bez_points){n, n_num, n_cat, num, cat, weight};
}

static float definition(const bez_points *p, uint32_t a, uint32_t b) {
  float sum = 0;
  for (uint32_t d = 0; d < p->n_num; d++) {
    float step = p->num[a * p->n_num + d] - p->num[b * p->n_num + d];
    sum += step * step;
  }
  for (uint32_t c = 0; c < p->n_cat; c++)
    if (p->cat[a * p->n_cat + c] != p->cat[b * p->n_cat + c]) sum += p->cat_weight[c];
  return sum;
}

/* The j-th neighbour by (distance, index): count those before it. */
static void check(const bez_points *p, const uint32_t *index, const float *distance, bool skip_self) {
  for (uint32_t q = 0; q < p->n; q++) {
    for (uint32_t j = 0; j < K; j++) {
      uint32_t got = index[q * K + j], before = 0, available = p->n - skip_self;
      if (j >= available) {
        assert_true(got == BEZ_KNN_NONE && isinf(distance[q * K + j]));
        continue;
      }
      assert_true(got < p->n);
      float d = definition(p, q, got);
      assert_true(d == distance[q * K + j]);
      for (uint32_t i = 0; i < p->n; i++) {
        if (skip_self && i == q) continue;
        float other = definition(p, q, i);
        before += other < d || (other == d && i < got);
      }
      assert_int_equal(before, j);
    }
  }
}

static void neighbours_equal_the_definition(void **state) {
  (void)state;
  static const uint32_t sizes[] = {1, 5, 16, 17, 64, 65, 200};
  static uint32_t index[MOST * K], self[MOST];
  static float distance[MOST * K];
  bez_error err = {0};
  for (uint32_t i = 0; i < MOST; i++) self[i] = i;
  for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++)
    for (uint32_t shape = 0; shape < 4; shape++) {
      bez_points p = make(sizes[s], shape == 1 ? 0 : 5, shape == 2 ? 0 : 3);
      assert_ok(bez_knn_search(&p, &p, shape ? self : NULL, K, 1 + shape, bez_cpu_features(), index, distance, &err));
      check(&p, index, distance, shape != 0);
    }
}

static void kernels_and_threads_agree(void **state) {
  (void)state;
  static uint32_t want[MOST * K], index[MOST * K];
  static float want_distance[MOST * K], distance[MOST * K];
  const uint32_t masks[] = {BEZ_CPU_PLAIN, BEZ_CPU_AVX2, BEZ_CPU_AVX2 | BEZ_CPU_AVX512};
  bez_error err = {0};
  bez_points p = make(MOST, 5, 3);
  for (uint32_t i = 0; i < MOST * 5; i++) num[i] *= 1.1f; /* products that round */
  assert_ok(bez_knn_search(&p, &p, NULL, K, 1, BEZ_CPU_PLAIN, want, want_distance, &err));
  for (size_t m = 0; m < 3; m++) {
    if (masks[m] & ~bez_cpu_features()) continue;
    for (unsigned threads = 1; threads <= 8; threads++) {
      assert_ok(bez_knn_search(&p, &p, NULL, K, threads, masks[m], index, distance, &err));
      assert_memory_equal(index, want, sizeof index);
      assert_memory_equal(distance, want_distance, sizeof distance);
    }
  }
}

static void wrong_shapes_are_usage_errors(void **state) {
  (void)state;
  uint32_t index[K];
  float distance[K];
  bez_points p = make(1, 5, 3), other = make(1, 4, 3);
  assert_int_equal(bez_knn_search(&p, &p, NULL, 0, 1, 0, index, distance, NULL), BEZ_USAGE);
  assert_int_equal(bez_knn_search(&p, &p, NULL, BEZ_KNN_MAX_K + 1, 1, 0, index, distance, NULL), BEZ_USAGE);
  assert_int_equal(bez_knn_search(&p, &other, NULL, 1, 1, 0, index, distance, NULL), BEZ_USAGE);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(neighbours_equal_the_definition),
      cmocka_unit_test(kernels_and_threads_agree),
      cmocka_unit_test(wrong_shapes_are_usage_errors),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
