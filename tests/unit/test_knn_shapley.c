/* BZ-D020 and BZ-D021: the exact recursion against published numbers and the definition; flipped labels in generated
 * vectors and columns come first. */
#include <math.h>

#include "base/rng.h"
#include "detect_helpers.h"
#include "fit/knn_shapley.h"
#include "format/images.h"

#define assert_near(a, b)                                                                                              \
  do {                                                                                                                 \
    double a_ = (a), b_ = (b);                                                                                         \
    if (!(fabs(a_ - b_) <= 1e-12)) fail_msg("%s = %.17g, not %.17g", #a, a_, b_);                                      \
  } while (0)

/* Labels 0,1,0,1,0 at x = 0 … 4, K = 4, each point valued by the four others: cleanlab's documentation prints
 * (1 + mean) / 2. */
static void the_published_example(void **state) {
  (void)state;
  double value[5] = {0};
  for (int t = 0; t < 5; t++) {
    float distance[4];
    uint32_t label[4];
    uint64_t order[4], scratch[4];
    double got[4] = {0};
    for (int i = 0; i < 4; i++) {
      int x = i < t ? i : i + 1;
      distance[i] = (float)((x - t) * (x - t));
      label[i] = (uint32_t)x % 2;
    }
    bez_knn_shapley_add(distance, label, 4, (uint32_t)t % 2, 4, order, scratch, got);
    for (int i = 0; i < 4; i++) value[i < t ? i : i + 1] += got[i];
  }
  for (int i = 0; i < 5; i++) assert_near((1 + value[i] / 5) / 2, i % 2 ? .525 : .55);
}

/* Utility of a set of training points: the share of right labels among the K nearest, over K. */
static double utility(const float *distance, const uint32_t *label, unsigned n, unsigned set, uint32_t k) {
  unsigned left = set, right = 0;
  for (uint32_t taken = 0; taken < k && left; taken++) {
    unsigned best = n;
    for (unsigned i = 0; i < n; i++)
      if ((left >> i & 1) && (best == n || distance[i] < distance[best])) best = i;
    right += label[best] == 1;
    left &= ~(1u << best);
  }
  return (double)right / k;
}

static double factorial(unsigned n) {
  return n < 2 ? 1 : n * factorial(n - 1);
}

static void values_equal_the_definition(void **state) {
  (void)state;
  enum { N = 8 };
  bez_rng rng = bez_rng_make(1, 1);
  for (int trial = 0; trial < 20; trial++) {
    float distance[N];
    uint32_t label[N], k = 1 + (uint32_t)bez_rng_below(&rng, 10);
    uint64_t order[N], scratch[N];
    double got[N] = {0};
    for (int i = 0; i < N; i++) {
      distance[i] = (float)bez_rng_unit(&rng);
      label[i] = (uint32_t)bez_rng_below(&rng, 3);
    }
    bez_knn_shapley_add(distance, label, N, 1, k, order, scratch, got);
    for (unsigned i = 0; i < N; i++) {
      double want = 0;
      for (unsigned set = 0; set < 1u << N; set++) {
        if (set >> i & 1) continue;
        unsigned size = (unsigned)__builtin_popcount(set);
        want += factorial(size) * factorial(N - 1 - size) / factorial(N) *
                (utility(distance, label, N, set | 1u << i, k) - utility(distance, label, N, set, k));
      }
      assert_near(got[i], want);
    }
  }
}

/* Two clouds; every twentieth row carries the other label, except among the golden ones. */
static bez_table *clouds(unsigned n, uint64_t seed, bool flips) {
  bez_buf csv = {0};
  bez_rng rng = bez_rng_make(seed, 1);
  bez_buf_puts(&csv, "x,y,colour,kind\n");
  for (unsigned i = 0; i < n; i++) {
    unsigned k = i % 2;
    double x = bez_rng_normal(&rng) + 4 * k, y = bez_rng_normal(&rng) - 4 * k;
    bez_buf_printf(&csv, "%.4f,%.4f,%s%u,k%u\n", x, y, k ? "red" : "blue", (unsigned)bez_rng_below(&rng, 3),
                   flips && i % 20 == 7 ? 1 - k : k);
  }
  bez_read_options options = {.label = "kind"};
  bez_table *t = table_from_csv(csv.data, &options);
  bez_buf_free(&csv);
  return t;
}

static void assert_flips_first(const bez_finding *f, unsigned n) {
  uint32_t right = 0;
  assert_int_equal(f->severity, BEZ_SEV_NOTE);
  assert_true(f->ranked_list);
  for (uint64_t i = 0; i < f->n_rows; i++) right += f->rows[i].row % 20 == 7;
  print_message("%u of %u flips among %u listed\n", right, n / 20, (unsigned)f->n_rows);
  assert_true(right >= .95 * n / 20);
}

static void flips_against_a_golden_set_come_first(void **state) {
  (void)state;
  bez_table *t = clouds(1000, 1, true), *golden = clouds(60, 2, false);
  detect_run one = detect_begin(t, 1), many = detect_begin(t, 5);
  one.in.golden = many.in.golden = golden;
  detect_with(&one, bez_detector_find("BZ-D021"));
  detect_with(&many, bez_detector_find("BZ-D021"));
  assert_int_equal(one.report->n_findings, 1);
  const bez_finding *f = one.report->findings[0], *g = many.report->findings[0];
  assert_flips_first(f, 1000);
  assert_int_equal(f->n_rows, g->n_rows);
  for (uint64_t i = 0; i < f->n_rows; i++) assert_memory_equal(&f->rows[i].score, &g->rows[i].score, sizeof(double));
  detect_end(&one);
  detect_end(&many);
  bez_table_destroy(golden);
  golden = clouds(1, 3, false);
  detect_run small = detect_begin(t, 2);
  small.in.golden = golden; /* one verified row */
  detect_with(&small, bez_detector_find("BZ-D021"));
  detect_end(&small);
  bez_table_destroy(golden);
  bez_table_destroy(t);
}

static void flips_in_vectors_come_first(void **state) {
  (void)state;
  enum { N = 1000, DIM = 5 };
  static float x[N * DIM];
  bez_table *t = clouds(N, 4, true);
  bez_rng rng = bez_rng_make(5, 1);
  for (int i = 0; i < N; i++)
    for (int d = 0; d < DIM; d++) x[i * DIM + d] = (float)(bez_rng_normal(&rng) + (d == 0 ? 6 * (i % 2) : 0));
  const bez_vectors v = {.n = N, .dim = DIM, .values = x};
  t->vectors = &v;
  detect_run run = detect_begin(t, 2);
  detect_with(&run, bez_detector_find("BZ-D020"));
  assert_int_equal(run.report->n_findings, 1);
  const bez_finding *f = run.report->findings[0];
  assert_flips_first(f, N);
  for (uint64_t i = 0; i < f->n_rows; i++) assert_string_not_equal(f->rows[i].label, f->rows[i].suggested);
  detect_end(&run);
  t->vectors = NULL;
  bez_table_destroy(t);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_published_example),
      cmocka_unit_test(values_equal_the_definition),
      cmocka_unit_test(flips_against_a_golden_set_come_first),
      cmocka_unit_test(flips_in_vectors_come_first),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
