/* Outlier scores against numbers that PyOD 3.6.7, scikit-learn 1.9.1 and SciPy 1.17.1 give, and the edges. */
#include <math.h>

#include "base/cpu.h"
#include "base/rng.h"
#include "bezoar/detect.h"
#include "fit/draw.h"
#include "fit/median.h"
#include "fit/order.h"
#include "fit/outliers.h"
#include "math/chi_square.h"
#include "test.h"

#define NEAR(a, b, within) assert_true(fabs((a) - (b)) <= (within))

static const double eight[] = {-2, -1, -1, -1, -1, -2, 1, 1, 1, 2, 2, 1, 6, 3, -4, 7};

typedef bez_status (*method_fn)(const bez_matrix *, const bez_outlier_params *, double *, bez_error *);
static const method_fn methods[] = {bez_isolation_forest, bez_ecod, bez_copod, bez_robust_covariance};
enum { N_METHODS = 4 };

static void ecod_and_copod_are_those_of_pyod(void **state) {
  (void)state;
  static const double ecod[] = {2.367123614132, 1.673976433572, 2.772588722240, 1.163150809806,
                                1.673976433572, 1.856297990366, 3.465735902800, 4.158883083360};
  static const double copod[] = {1.317093199690, 1.047594949324, 1.530135397346, 1.163150809806,
                                 1.673976433572, 1.856297990366, 3.465735902800, 3.119162312520};
  bez_matrix m = {eight, 8, 2};
  bez_outlier_params params = {.threads = 1};
  bez_error err = {0};
  double score[8];
  assert_ok(bez_ecod(&m, &params, score, &err));
  for (int i = 0; i < 8; i++) NEAR(score[i], ecod[i], 1e-11);
  assert_ok(bez_copod(&m, &params, score, &err));
  for (int i = 0; i < 8; i++) NEAR(score[i], copod[i], 1e-11);
}

static void isolation_forest_isolates_the_last_two(void **state) {
  (void)state;
  bez_matrix m = {eight, 8, 2};
  bez_error err = {0};
  for (uint64_t seed = 0; seed < 20; seed++) {
    bez_outlier_params params = {.threads = 1, .seed = seed};
    double score[8], most = 0;
    assert_ok(bez_isolation_forest(&m, &params, score, &err));
    for (int i = 0; i < 6; i++) most = fmax(most, score[i]);
    assert_true(score[6] > most && score[7] > most);
  }
  NEAR(bez_isolation_depth(5), 2 * (log(4) + 0.5772156649015329) - 1.6, 1e-14);
  NEAR(bez_isolation_depth(2), 1, 0);
  NEAR(bez_isolation_depth(1), 0, 0);
}

/* 60 rows, ten of them shifted: the reweighted distances of scikit-learn's MinCovDet, in that of 150 runs of it whose
 * determinant is the smallest. */
static void robust_covariance_is_that_of_scikit_learn(void **state) {
  (void)state;
  double x[180], score[60];
  for (int i = 0; i < 60; i++) {
    x[3 * i] = sin(i * 1.7) * 3 + i % 7 + (i >= 50 ? 9 : 0);
    x[3 * i + 1] = cos(i * 2.3) + (i * i) % 11 * .5 - (i >= 50 ? 7 : 0);
    x[3 * i + 2] = (i * 37 % 23) / 4.0 + (i >= 50 ? 12 : 0);
  }
  bez_matrix m = {x, 60, 3};
  bez_error err = {0};
  static const int row[] = {0, 1, 2, 25, 50, 59};
  static const double want[] = {3.104132409127,  7.926816729849,   1.603476990949,
                                35.645859737157, 202.542936195545, 217.038734831511};
  bez_outlier_params params = {.threads = 1, .seed = 1};
  assert_ok(bez_robust_covariance(&m, &params, score, &err));
  for (int k = 0; k < 6; k++) NEAR(score[row[k]], want[k], 1e-9 * want[k]);
  for (int i = 0; i < 50; i++) assert_true(score[i] < 100);
}

static double *drawn(uint64_t seed, uint64_t n, uint32_t p, double odd) {
  double *x = malloc(n * p * sizeof *x);
  bez_rng rng = bez_rng_make(seed, 7);
  assert_non_null(x);
  for (uint64_t i = 0; i < n; i++)
    for (uint32_t c = 0; c < p; c++)
      x[i * p + c] = (c % 2 ? exp(bez_rng_normal(&rng)) : bez_rng_normal(&rng)) + (i % 50 == 7 ? odd : 0);
  return x;
}

/* Whatever is drawn: determinants over other columns than those kept are never compared. */
static void columns_that_others_determine_change_nothing(void **state) {
  (void)state;
  enum { N = 900, P = 4 };
  static double wide[N * (P + 3)], alone[N], beside[N];
  double *x = drawn(8, N, P, 4);
  bez_error err = {0};
  for (int i = 0; i < N; i++) {
    double *row = wide + (size_t)i * (P + 3);
    const double *from = x + (size_t)i * P;
    row[0] = 2 * from[0] - from[3] + 1;
    memcpy(row + 1, from, P * sizeof *x);
    row[P + 1] = from[1] + from[2] / 3;
    row[P + 2] = 5;
  }
  bez_matrix m = {x, N, P}, more = {wide, N, P + 3};
  for (uint64_t seed = 0; seed < 8; seed++) {
    bez_outlier_params params = {.threads = 2, .seed = seed, .cpu = bez_cpu_features()};
    assert_ok(bez_robust_covariance(&m, &params, alone, &err));
    assert_ok(bez_robust_covariance(&more, &params, beside, &err));
    for (int i = 0; i < N; i++) NEAR(beside[i], alone[i], 1e-6 * (1 + alone[i]));
  }
  free(x);
}

static void odd_rows_come_first(void **state) {
  (void)state;
  const uint64_t n = 3000;
  double *x = drawn(3, n, 6, 9), *score = malloc(n * sizeof *score);
  bez_matrix m = {x, n, 6};
  bez_error err = {0};
  for (int k = 0; k < N_METHODS; k++) {
    bez_outlier_params params = {.threads = 2, .seed = 5, .cpu = bez_cpu_features()};
    assert_ok(methods[k](&m, &params, score, &err));
    uint64_t ahead = 0;
    for (uint64_t i = 7; i < n; i += 50)
      for (uint64_t j = 0; j < n; j++) ahead += j % 50 != 7 && score[i] > score[j];
    assert_true((double)ahead > .97 * 60 * 2940);
  }
  free(x);
  free(score);
}

/* Any number of threads, every instruction set, rows and columns of every remainder. */
static void same_bits_everywhere(void **state) {
  (void)state;
  static const uint64_t rows[] = {1, 2, 9, 257, 1303};
  static const uint32_t cols[] = {1, 3, 10, 17};
  bez_error err = {0};
  for (int s = 0; s < 20; s++) {
    uint64_t n = rows[s % 5];
    uint32_t p = cols[s / 5];
    double *x = drawn(11, n, p, 3), *want = malloc(n * sizeof *want), *got = malloc(n * sizeof *got);
    for (uint64_t i = 0; i < n * p; i += 13) x[i] = NAN;
    bez_matrix m = {x, n, p};
    for (int k = 0; k < N_METHODS; k++) {
      bez_outlier_params plain = {.threads = 1, .seed = 2};
      assert_ok(methods[k](&m, &plain, want, &err));
      for (uint64_t i = 0; i < n; i++) assert_true(isfinite(want[i]));
      for (uint32_t cpu = 0; cpu <= (BEZ_CPU_AVX2 | BEZ_CPU_AVX512); cpu++) {
        if ((cpu & bez_cpu_features()) != cpu) continue;
        bez_outlier_params other = {.threads = 1 + cpu, .seed = 2, .cpu = cpu};
        assert_ok(methods[k](&m, &other, got, &err));
        assert_memory_equal(got, want, n * sizeof *want);
      }
    }
    free(x);
    free(want);
    free(got);
  }
}

/* Constant columns, copies of columns, ties, infinities and nothing but missing values give finite scores. */
static void odd_columns_do_no_harm(void **state) {
  (void)state;
  enum { N = 200, P = 6 };
  static double x[N * P], score[N];
  bez_error err = {0};
  for (int i = 0; i < N; i++) {
    double *row = x + (size_t)i * P;
    row[0] = 4;
    row[1] = i * 29 % 17;
    row[2] = 2 * row[1] - 3;
    row[3] = NAN;
    row[4] = i == 3 ? INFINITY : i == 5 ? -INFINITY : i == 6 ? 1e308 : i % 3 ? 0.0 : -0.0;
    row[5] = i % 40 == 0;
  }
  bez_matrix m = {x, N, P};
  for (int k = 0; k < N_METHODS; k++) {
    bez_outlier_params params = {.threads = 1, .seed = 4, .cpu = bez_cpu_features()};
    assert_ok(methods[k](&m, &params, score, &err));
    for (int i = 0; i < N; i++) assert_true(isfinite(score[i]));
    if (k < 3) assert_true(score[3] > score[4] && score[5] > score[4]);
  }
}

static void missing_values_add_nothing(void **state) {
  (void)state;
  double x[] = {1, NAN, 2, NAN, 3, NAN, 50, NAN}, y[] = {1, 2, 3, 50}, a[4], b[4];
  bez_matrix with = {x, 4, 2}, without = {y, 4, 1};
  bez_outlier_params params = {.threads = 1};
  bez_error err = {0};
  for (int k = 1; k < 3; k++) {
    assert_ok(methods[k](&with, &params, a, &err));
    assert_ok(methods[k](&without, &params, b, &err));
    assert_memory_equal(a, b, sizeof a);
  }
}

static void shapes_are_checked(void **state) {
  (void)state;
  double x[4] = {1, 2, 3, 4}, score[4];
  bez_error err = {0};
  bez_outlier_options options = {.trees = 1u << 30};
  assert_int_equal(bez_outlier_scores(x, 0, 2, BEZ_OUTLIER_ECOD, NULL, score, &err), BEZ_USAGE);
  assert_int_equal(bez_outlier_scores(x, 2, 0, BEZ_OUTLIER_COPOD, NULL, score, &err), BEZ_USAGE);
  assert_int_equal(bez_outlier_scores(x, 2, 2, BEZ_OUTLIER_ISOLATION_FOREST, &options, score, &err), BEZ_USAGE);
  assert_int_equal(bez_outlier_scores(x, 2, 300, BEZ_OUTLIER_ROBUST_COVARIANCE, NULL, score, &err), BEZ_LIMIT);
  bez_error_clear(&err);
  assert_ok(bez_outlier_scores(x, 1, 4, BEZ_OUTLIER_ISOLATION_FOREST, NULL, score, &err));
  NEAR(score[0], .5, 0);
  bez_outlier_method method;
  for (int k = 0; k < N_METHODS; k++) {
    assert_true(bez_outlier_method_parse(bez_outlier_method_name((bez_outlier_method)k), &method));
    assert_int_equal(method, k);
  }
  assert_false(bez_outlier_method_parse("nothing", &method));
}

static void tails_are_those_of_scipy(void **state) {
  (void)state;
  static const double sf[][3] = {{3.84, 1, -2.9948622271800254},
                                 {10, 3, -3.9864160317343833},
                                 {.5, 7, -0.0005536718575536226},
                                 {1e-3, 2, -0.0005000000000000002},
                                 {250, 200, -4.669268092868932}};
  for (int i = 0; i < 5; i++) NEAR(bez_chi_square_log_sf(sf[i][0], sf[i][1]), sf[i][2], 1e-9 * fabs(sf[i][2]));
  assert_true(bez_chi_square_log_sf(2000, 5) < -900 && bez_chi_square_log_sf(2000, 5) > -1000);
  static const double ppf[][3] = {{.5, 1, 0.454936423119572},
                                  {.975, 3, 9.348403604496148},
                                  {.975, 10, 20.483177350807388},
                                  {.01, 4, 0.2971094805065319},
                                  {.5, 1000, 999.333412403381}};
  for (int i = 0; i < 5; i++) NEAR(bez_chi_square_quantile(ppf[i][0], ppf[i][1]), ppf[i][2], 1e-9 * ppf[i][2]);
  static const double ks[][4] = {{.1, 100, 200, -0.7003011112926367},
                                 {.3, 50, 60, -4.484730348775615},
                                 {.02, 5000, 5000, -1.319050587690054},
                                 {.5, 30, 30, -7.392622379692129}};
  for (int i = 0; i < 4; i++) NEAR(bez_kolmogorov_log_sf(ks[i][0], ks[i][1], ks[i][2]), ks[i][3], 1e-6);
  NEAR(bez_kolmogorov_log_sf(0, 10, 10), 0, 0);
}

static void selection_and_draws(void **state) {
  (void)state;
  double x[] = {5, 1, 4, 1, 3}, even[] = {4, 1, 3, 2};
  NEAR(bez_median(x, 5), 3, 0);
  NEAR(bez_median(even, 4), 2.5, 0);
  assert_true(isnan(bez_median(x, 0)));
  uint32_t out[100], seen[100] = {0};
  bez_rng rng = bez_rng_make(1, 1);
  bez_error err = {0};
  assert_ok(bez_draw_distinct(&rng, 100, 100, out, &err));
  for (int i = 0; i < 100; i++) assert_int_equal(seen[out[i]]++, 0);
}

static double number_of(bez_rng *rng, unsigned kind, uint64_t i) {
  double normal = bez_rng_normal(rng);
  switch (kind) {
    case 0: return normal;
    case 1: return floor(normal * 3);                             /* ties */
    case 2: return exp(40 * normal);                              /* the range tells nothing apart */
    case 3: return i % 7 ? normal : NAN;                          /* gaps */
    case 4: return i % 50 ? 1.7e9 + 1e-6 * (double)(i % 997) : 0; /* alike in their upper halves, and far from others */
    case 5: return i ? normal : INFINITY;
    case 6: return i % 2 ? 5 + 1e-12 * normal : normal; /* half of all in one place */
    default: return normal * 1e308;                     /* the range overflows */
  }
}

/* Whatever the numbers are: every row with a number once, settled runs ascend, and what lies between runs does. */
static void columns_are_ordered(void **state) {
  (void)state;
  enum { N = 20000 };
  double *x = calloc(N, sizeof *x);
  bez_keyed *room = calloc((size_t)2 * N, sizeof *room);
  assert_non_null(x);
  assert_non_null(room);
  for (unsigned kind = 0; kind < 8; kind++)
    for (uint64_t n = 1; n <= N; n = n * 3 + 1) {
      bez_rng rng = bez_rng_make(9, kind);
      for (uint64_t i = 0; i < n; i++) x[i] = number_of(&rng, kind, i);
      bez_extent extent = bez_column_extent(x, n);
      bez_keyed *sorted = bez_order_rows(x, n, &extent, room);
      uint64_t seen = 0, rows = 0;
      for (uint64_t i = 0; i < n; i++) seen += !isnan(x[i]);
      assert_int_equal(extent.seen, seen);
      for (uint64_t i = 0, end; i < seen; i = end) {
        for (end = i; end < seen && sorted[end].key >> BEZ_ORDER_LOOSE == sorted[i].key >> BEZ_ORDER_LOOSE;) end++;
        bez_order_settle(x, sorted + i, end - i);
      }
      for (uint64_t i = 0; i < seen; i++) {
        rows += sorted[i].row;
        assert_true(x[sorted[i].row] >= extent.low && x[sorted[i].row] <= extent.high);
        if (i) assert_true(x[sorted[i - 1].row] <= x[sorted[i].row]);
      }
      for (uint64_t i = 0; i < n; i++) rows -= isnan(x[i]) ? 0 : i;
      assert_int_equal(rows, 0);
    }
  free(x);
  free(room);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(ecod_and_copod_are_those_of_pyod),
      cmocka_unit_test(isolation_forest_isolates_the_last_two),
      cmocka_unit_test(robust_covariance_is_that_of_scikit_learn),
      cmocka_unit_test(columns_that_others_determine_change_nothing),
      cmocka_unit_test(odd_rows_come_first),
      cmocka_unit_test(same_bits_everywhere),
      cmocka_unit_test(odd_columns_do_no_harm),
      cmocka_unit_test(missing_values_add_nothing),
      cmocka_unit_test(shapes_are_checked),
      cmocka_unit_test(tails_are_those_of_scipy),
      cmocka_unit_test(selection_and_draws),
      cmocka_unit_test(columns_are_ordered),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
