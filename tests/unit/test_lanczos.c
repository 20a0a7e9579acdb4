/* The largest eigenvalue by Lanczos steps, beside all of them by Householder and QL. */
#include <math.h>

#include "base/rng.h"
#include "math/lanczos.h"
#include "math/symeig.h"
#include "test.h"

enum { N = 150 };

typedef struct room {
  double *a, *copy, *value, *vector, *scratch;
} room;

static room make_room(uint32_t n) {
  room r = {calloc((size_t)n * n, sizeof(double)), calloc((size_t)n * n, sizeof(double)), calloc(n, sizeof(double)),
            calloc(n, sizeof(double)), calloc(bez_lanczos_scratch(n) + n, sizeof(double))};
  assert_true(r.a && r.copy && r.value && r.vector && r.scratch);
  return r;
}

static void free_room(room *r) {
  free(r->a);
  free(r->copy);
  free(r->value);
  free(r->vector);
  free(r->scratch);
}

/* Σ of `rank` products of vectors, the k-th `fall` times as heavy as the one before. */
static void fill(double *a, uint32_t n, uint32_t rank, double weight, double fall, uint64_t seed) {
  double *x = calloc(n, sizeof *x);
  assert_non_null(x);
  for (uint32_t k = 0; k < rank; k++, weight *= fall) {
    bez_rng rng = bez_rng_make(seed, k);
    for (uint32_t i = 0; i < n; i++) x[i] = bez_rng_normal(&rng);
    for (uint32_t i = 0; i < n; i++)
      for (uint32_t j = 0; j < n; j++) a[(size_t)i * n + j] += weight * x[i] * x[j];
  }
  free(x);
}

static void check(room *r, uint32_t n, double tolerance) {
  double largest, error = 0, length = 0;
  memcpy(r->copy, r->a, (size_t)n * n * sizeof *r->a);
  assert_true(bez_symeig(r->copy, n, r->value, r->scratch));
  assert_true(bez_lanczos_top(r->a, n, &largest, r->vector, r->scratch));
  if (!(fabs(largest - r->value[0]) <= 1e-12 * fabs(r->value[0]))) fail_msg("%.17g, not %.17g", largest, r->value[0]);
  for (uint32_t i = 0; i < n; i++) {
    double image = 0;
    for (uint32_t j = 0; j < n; j++) image += r->a[(size_t)i * n + j] * r->vector[j];
    error = fmax(error, fabs(image - largest * r->vector[i]));
    length += r->vector[i] * r->vector[i];
  }
  assert_true(error <= tolerance * fabs(largest));
  assert_true(fabs(length - 1) < 1e-12);
}

static void agrees_with_all_eigenvalues(void **state) {
  (void)state;
  static const struct {
    uint32_t rank;
    double weight, fall;
  } spectra[] = {{1, 1, 1}, {3, 1e12, 1e-9}, {N, 1, 1}, {N, 1, .99}, {2 * N, 1e-200, 1}, {40, 1e150, .1}};
  for (size_t k = 0; k < sizeof spectra / sizeof *spectra; k++)
    for (uint32_t n = N; n > 0; n /= 3) {
      room r = make_room(n);
      fill(r.a, n, spectra[k].rank, spectra[k].weight, spectra[k].fall, k);
      check(&r, n, 1e-11);
      free_room(&r);
    }
}

/* Two equal eigenvalues: either vector will do. A zero matrix: any. */
static void ties_and_nothing(void **state) {
  (void)state;
  room r = make_room(N);
  for (uint32_t i = 0; i < N; i++) r.a[(size_t)i * N + i] = i == 20 || i == 90 ? 7 : 1;
  check(&r, N, 1e-11);
  memset(r.a, 0, (size_t)N * N * sizeof *r.a);
  check(&r, N, 0);
  r.a[5] = NAN;
  double value;
  assert_false(bez_lanczos_top(r.a, N, &value, r.vector, r.scratch));
  free_room(&r);
}

/* Weights near 0 leave blocks whose squares are 0: the steps of QL never settled on them. */
static void blocks_of_tiny_numbers_settle(void **state) {
  (void)state;
  room r = make_room(N);
  fill(r.a, N, N, 1, .9, 3);
  for (uint32_t i = 0; i < N; i++)
    for (uint32_t j = 0; j < N; j++)
      r.a[(size_t)i * N + j] *= pow(10, -(double)(i % 30) * 11) * pow(10, -(double)(j % 30) * 11);
  check(&r, N, 1e-11);
  free_room(&r);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(agrees_with_all_eigenvalues),
      cmocka_unit_test(ties_and_nothing),
      cmocka_unit_test(blocks_of_tiny_numbers_settle),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
