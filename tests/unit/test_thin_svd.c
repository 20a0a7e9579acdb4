/* Singular values of products: known ones, ones worked out the long way round, and what must not go wrong. */
#include <math.h>

#include "base/rng.h"
#include "math/symeig.h"
#include "math/thin_svd.h"
#include "test.h"

typedef struct factors {
  size_t m, n;
  uint32_t r;
  double *left, *right, *value, *scratch;
} factors;

static factors make(size_t m, size_t n, uint32_t r) {
  factors f = {m,
               n,
               r,
               calloc(m * r, sizeof(double)),
               calloc(n * r, sizeof(double)),
               calloc(r, sizeof(double)),
               calloc(bez_product_scratch(r), sizeof(double))};
  assert_true(f.left && f.right && f.value && f.scratch);
  return f;
}

static void free_factors(factors *f) {
  free(f->left);
  free(f->right);
  free(f->value);
  free(f->scratch);
}

static void fill(double *x, size_t count, uint64_t seed, double scale) {
  bez_rng rng = bez_rng_make(seed, 77);
  for (size_t i = 0; i < count; i++) x[i] = scale * bez_rng_normal(&rng);
}

static bool spectrum(factors *f) {
  return bez_product_spectrum(f->left, f->m, f->right, f->n, f->r, f->value, f->scratch);
}

/* The k-th of orthonormal rows: the cosine transform's. */
static double wave(size_t k, size_t i, size_t n) {
  return (k ? sqrt(2.0) : 1.0) / sqrt((double)n) * cos(acos(-1.0) * ((double)i + 0.5) * (double)k / (double)n);
}

static void known_values_come_out(void **state) {
  (void)state;
  const double scales[] = {1.0, 1e-150, 1e150, 0x1p-1060};
  for (size_t s = 0; s < 4; s++) {
    factors f = make(60, 45, 9);
    for (uint32_t k = 0; k < f.r; k++) {
      for (size_t i = 0; i < f.m; i++) f.left[k * f.m + i] = wave(k, i, f.m) * pow(10.0, -(double)k) * 0x1p-40;
      for (size_t i = 0; i < f.n; i++) f.right[k * f.n + i] = wave(f.r - k, i, f.n) * scales[s] * 0x1p40;
    }
    assert_true(spectrum(&f));
    for (uint32_t k = 0; k < f.r && s < 3; k++) {
      const double want = pow(10.0, -(double)k) * scales[s];
      if (!(fabs(f.value[k] - want) <= 1e-13 * scales[s])) fail_msg("%u: %.17g, not %.17g", k, f.value[k], want);
    }
    assert_true(f.value[0] > 0);
    free_factors(&f);
  }
}

/* The product formed, its Gram matrix, that one's eigenvalues. */
static void check_long_way(size_t m, size_t n, uint32_t r, uint32_t alike, uint64_t seed) {
  factors f = make(m, n, r);
  double *product = calloc(m * n, sizeof *product), *gram = calloc(n * n, sizeof *gram);
  double *eigen = calloc(n, sizeof *eigen), *scratch = calloc(n, sizeof *scratch);
  assert_true(product && gram && eigen && scratch);
  fill(f.left, m * r, seed, 1.0);
  fill(f.right, n * r, seed + 1, 1.0);
  for (uint32_t k = r - alike; k < r; k++) memcpy(f.right + k * n, f.right, n * sizeof *f.right);
  for (uint32_t k = 0; k < r; k++)
    for (size_t i = 0; i < m; i++)
      for (size_t j = 0; j < n; j++) product[i * n + j] += f.left[k * m + i] * f.right[k * n + j];
  for (size_t i = 0; i < m; i++)
    for (size_t j = 0; j < n; j++)
      for (size_t k = 0; k < n; k++) gram[j * n + k] += product[i * n + j] * product[i * n + k];
  assert_true(bez_symeig(gram, (uint32_t)n, eigen, scratch));
  assert_true(spectrum(&f));
  for (uint32_t k = 0; k < r; k++) {
    const double want = k < n ? sqrt(fmax(eigen[k], 0.0)) : 0.0;
    if (!(fabs(f.value[k] - want) <= 2e-7 * f.value[0])) fail_msg("%u: %.17g, not %.17g", k, f.value[k], want);
    if (want > 1e-3 * f.value[0]) assert_true(fabs(f.value[k] - want) <= 1e-10 * f.value[0]);
  }
  free(product);
  free(gram);
  free(eigen);
  free(scratch);
  free_factors(&f);
}

static void agrees_with_the_product(void **state) {
  (void)state;
  check_long_way(30, 20, 4, 0, 1);
  check_long_way(20, 30, 16, 0, 2);
  check_long_way(3, 30, 8, 0, 3);  /* fewer rows than the rank */
  check_long_way(30, 3, 8, 0, 4);  /* fewer columns */
  check_long_way(40, 40, 8, 5, 5); /* equal rows: a rank below r */
  check_long_way(1, 1, 1, 0, 6);
  check_long_way(7, 9, 1, 0, 7);
}

static void zeros_and_what_is_no_number(void **state) {
  (void)state;
  factors f = make(12, 10, 4);
  assert_true(spectrum(&f));
  for (uint32_t k = 0; k < 4; k++) assert_true(f.value[k] == 0.0);
  fill(f.left, 48, 1, 1.0);
  fill(f.right, 40, 2, 1.0);
  f.left[7] = NAN;
  assert_false(spectrum(&f));
  fill(f.left, 48, 1, 1.0);
  f.right[39] = INFINITY;
  assert_false(spectrum(&f));
  free_factors(&f);
}

static void dots_add_up(void **state) {
  (void)state;
  double x[37];
  for (size_t n = 0; n <= 37; n++) {
    double want = 0;
    for (size_t i = 0; i < n; i++) {
      x[i] = (double)(i + 1);
      want += x[i] * x[i];
    }
    assert_true(bez_lane_dot(x, x, n) == want);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(known_values_come_out), cmocka_unit_test(agrees_with_the_product),
                                     cmocka_unit_test(zeros_and_what_is_no_number), cmocka_unit_test(dots_add_up)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
