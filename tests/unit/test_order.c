/* Order statistics across rows: against sorting, for every instruction set, ties, permutations and odd values. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/cpu.h"
#include "base/rng.h"
#include "math/distance.h"
#include "math/order.h"
#include "test.h"

typedef struct block {
  uint32_t n;
  size_t len;
  double *value; /* n × len */
  float *narrow;
} block;

static block make_block(uint32_t n, size_t len, uint64_t seed, bool ties) {
  block b = {.n = n, .len = len, .value = malloc(n * len * sizeof(double)), .narrow = malloc(n * len * sizeof(float))};
  bez_rng rng = bez_rng_make(seed, n);
  assert_non_null(b.value);
  assert_non_null(b.narrow);
  for (size_t i = 0; i < n * len; i++) {
    double x = ties ? (double)bez_rng_below(&rng, 5) : bez_rng_normal(&rng);
    b.narrow[i] = (float)x;
    b.value[i] = b.narrow[i];
  }
  return b;
}

static void free_block(block *b) {
  free(b->value);
  free(b->narrow);
}

static int ascending(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

/* The definition, one coordinate at a time. */
static double by_definition(const block *b, bez_order_kind kind, uint32_t lo, uint32_t hi, size_t c, double *low,
                            double *high) {
  double *v = malloc(b->n * sizeof(double)), sum = 0;
  assert_non_null(v);
  for (uint32_t i = 0; i < b->n; i++) v[i] = b->value[i * b->len + c];
  qsort(v, b->n, sizeof *v, ascending);
  if (kind == BEZ_ORDER_NEAR) {
    double median = (v[(b->n - 1) / 2] + v[b->n / 2]) / 2;
    uint32_t keep = hi - lo;
    for (lo = 0, hi = b->n; hi - lo > keep;)
      if (median - v[lo] > v[hi - 1] - median)
        lo++;
      else
        hi--;
  }
  for (uint32_t r = lo; r < hi; r++) sum += v[r];
  *low = v[lo];
  *high = v[hi - 1];
  free(v);
  return sum / (hi - lo);
}

static const uint32_t features[] = {BEZ_CPU_PLAIN, BEZ_CPU_AVX2, BEZ_CPU_AVX2 | BEZ_CPU_AVX512};

static void check_one(const block *b, bez_order_kind kind, uint32_t lo, uint32_t hi, double slack) {
  bez_order o;
  bez_error err = {0};
  assert_int_equal(bez_order_make(kind, b->n, lo, hi, &o, &err), BEZ_OK);
  void *scratch = aligned_alloc(64, (bez_order_scratch(&o) + 63) / 64 * 64);
  const float **rows = malloc(b->n * sizeof *rows);
  const double **wide = malloc(b->n * sizeof *wide);
  uint64_t *outside = malloc(b->n * sizeof *outside), *first = calloc(b->n, sizeof *first);
  double *square = malloc(b->n * sizeof *square), *squares = calloc(b->n, sizeof *squares);
  const bez_order_judge judge = {outside, square};
  float *out = malloc(b->len * sizeof *out), *plain = malloc(b->len * sizeof *plain);
  double *out64 = malloc(b->len * sizeof *out64);
  assert_true(scratch && rows && wide && outside && first && square && squares && out && plain && out64);
  for (uint32_t i = 0; i < b->n; i++) {
    rows[i] = b->narrow + i * b->len;
    wide[i] = b->value + i * b->len;
  }
  for (size_t f = 0; f < 3; f++) {
    if ((features[f] & bez_cpu_features()) != features[f]) continue;
    memset(outside, 0, b->n * sizeof *outside);
    memset(square, 0, b->n * sizeof *square);
    assert_true(bez_order_f32(features[f])(&o, rows, b->len, out, &judge, scratch));
    if (f == 0) {
      memcpy(plain, out, b->len * sizeof *out);
      memcpy(first, outside, b->n * sizeof *first);
      memcpy(squares, square, b->n * sizeof *square);
    }
    for (uint32_t i = 0; i < b->n; i++) {
      double want = bez_distance_pair_f32(rows[i], out, b->len);
      assert_true(fabs(square[i] - want) <= 1e-6 * want);
    }
    assert_memory_equal(plain, out, b->len * sizeof *out);
    assert_memory_equal(first, outside, b->n * sizeof *first);
    assert_memory_equal(squares, square, b->n * sizeof *square);
    assert_true(bez_order_f64(features[f])(&o, wide, b->len, out64, NULL, scratch));
    for (size_t c = 0; c < b->len; c++) {
      double low, high, want = by_definition(b, kind, lo, hi, c, &low, &high);
      assert_true(fabs(out64[c] - want) <= 1e-14 * (1 + fabs(want)));
      assert_true(fabs(out[c] - want) <= slack * (1 + fabs(want)));
      assert_true(out[c] >= low && out[c] <= high);
      for (uint32_t i = 0; f == 0 && i < b->n; i++)
        first[i] -= b->value[i * b->len + c] < low || b->value[i * b->len + c] > high;
    }
    for (uint32_t i = 0; f == 0 && i < b->n; i++) {
      assert_int_equal(first[i], 0);
      first[i] = outside[i];
    }
  }
  free(scratch);
  free(rows);
  free(wide);
  free(outside);
  free(first);
  free(square);
  free(squares);
  free(out);
  free(plain);
  free(out64);
  bez_order_free(&o);
}

static void sorting_says_the_same(void **state) {
  (void)state;
  static const uint32_t sizes[] = {1, 2, 3, 4, 5, 7, 8, 16, 20, 31, 32, 33, 40, 48, 100, 257};
  for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++)
    for (int ties = 0; ties < 2; ties++) {
      uint32_t n = sizes[s], f = (n - 1) / 3;
      block b = make_block(n, s % 2 ? 53 : 205, 7 + s, ties);
      check_one(&b, BEZ_ORDER_RANKS, 0, n, 1e-6);
      check_one(&b, BEZ_ORDER_RANKS, f, n - f, 1e-6);
      check_one(&b, BEZ_ORDER_RANKS, (n - 1) / 2, n / 2 + 1, 1e-6);
      check_one(&b, BEZ_ORDER_NEAR, 0, n - f, 1e-6);
      check_one(&b, BEZ_ORDER_NEAR, 0, (n + 3) / 4, 1e-6);
      free_block(&b);
    }
}

/* One value of n rows at a time; what is left is as large as numbers get. */
static void check_odd(uint32_t n) {
  static const double odd[] = {NAN, INFINITY, -INFINITY, 3e38};
  enum { LEN = 70 };
  float *values = malloc((size_t)n * LEN * sizeof *values), out[LEN];
  const float **rows = malloc(n * sizeof *rows);
  bez_order o;
  bez_error err = {0};
  assert_int_equal(bez_order_make(BEZ_ORDER_RANKS, n, n / 3, n - n / 3, &o, &err), BEZ_OK);
  void *scratch = aligned_alloc(64, (bez_order_scratch(&o) + 63) / 64 * 64);
  assert_true(values && rows && scratch);
  for (uint32_t i = 0; i < n; i++) rows[i] = values + (size_t)i * LEN;
  for (size_t f = 0; f < 3; f++)
    for (size_t c = 0; c < LEN; c++)
      for (size_t k = 0; k < 4; k++) {
        if ((features[f] & bez_cpu_features()) != features[f]) continue;
        for (size_t i = 0; i < (size_t)n * LEN; i++) values[i] = 3e38f * (i / LEN % 2 ? 1 : -1);
        values[(c + k) % n * LEN + c] = (float)odd[k];
        assert_int_equal(bez_order_f32(features[f])(&o, rows, LEN, out, NULL, scratch), k == 3);
        for (size_t j = 0; k == 3 && j < LEN; j++) assert_true(isfinite(out[j]));
      }
  bez_order_free(&o);
  free(scratch);
  free(values);
  free(rows);
}

static void odd_values_are_told(void **state) {
  static const uint32_t sizes[] = {3, 5, 20, 33, 100};
  (void)state;
  for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) check_odd(sizes[s]);
}

static void wrong_ranks_are_refused(void **state) {
  (void)state;
  bez_order o;
  bez_error err = {0};
  assert_int_equal(bez_order_make(BEZ_ORDER_RANKS, 4, 2, 2, &o, &err), BEZ_USAGE);
  err = (bez_error){0};
  assert_int_equal(bez_order_make(BEZ_ORDER_RANKS, 4, 0, 5, &o, &err), BEZ_USAGE);
  err = (bez_error){0};
  assert_int_equal(bez_order_make(BEZ_ORDER_RANKS, BEZ_ORDER_MAX_ROWS + 1, 0, 5, &o, &err), BEZ_LIMIT);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(sorting_says_the_same), cmocka_unit_test(odd_values_are_told),
                                     cmocka_unit_test(wrong_ranks_are_refused)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
