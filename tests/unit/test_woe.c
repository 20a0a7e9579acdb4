/* The weight-of-evidence model: bins, leaving columns out, and the same bits for any number of threads. */
#include <math.h>

#include "base/buf.h"
#include "base/rng.h"
#include "fit/woe.h"
#include "fit/woe_bins.h"
#include "math/spd.h"
#include "table_helpers.h"
#include "test.h"

enum { ROWS = 6000 };

/* y depends on a (strongly), on b (weakly), not on c; amount is zero in half of the rows. */
static bez_table *make_table(void) {
  bez_buf csv = {0};
  bez_rng rng = bez_rng_make(3, 1);
  bez_buf_puts(&csv, "a,b,c,amount,y\n");
  for (int i = 0; i < ROWS; i++) {
    unsigned a = (unsigned)bez_rng_below(&rng, 4), b = (unsigned)bez_rng_below(&rng, 5);
    unsigned c = (unsigned)bez_rng_below(&rng, 3);
    double z = 1.5 * (double)a - 2.2 + .3 * (double)b;
    bool y = bez_rng_unit(&rng) < 1 / (1 + exp(-z));
    double amount = i % 2 ? floor(bez_rng_unit(&rng) * 1e6) / 100 : 0;
    bez_buf_printf(&csv, "a%u,b%u,c%u,%.2f,%s\n", a, b, c, amount, y ? "yes" : "no");
  }
  bez_read_options options = {.label = "y"};
  bez_table *table = table_from_csv_bytes(csv.data, csv.len, &options);
  bez_buf_free(&csv);
  return table;
}

static bez_woe *fit(const bez_table *table, unsigned threads) {
  static const uint32_t cols[] = {0, 1, 2, 3};
  bez_error err = {0};
  bez_woe *woe = NULL;
  assert_ok(bez_woe_fit(table, cols, 4, table->label, BEZ_CODE_FIRST + 1, 7, threads, &woe, &err));
  return woe;
}

static void separates_classes(void **state) {
  bez_table *table = make_table();
  bez_woe *woe = fit(table, 1);
  static double score[ROWS];
  double coef[5], mean[2] = {0}, n[2] = {0};
  for (int j = 0; j < 4; j++) coef[j] = woe->coef[j];
  coef[4] = woe->intercept;
  bez_woe_scores(woe, table, coef, 0, ROWS, score);
  for (uint64_t i = 0; i < ROWS; i++) {
    uint32_t k = bez_code(&table->cols[table->label], i) - BEZ_CODE_FIRST;
    mean[k] += score[i];
    n[k]++;
  }
  assert_true(mean[1] / n[1] - mean[0] / n[0] > 1.0);
  assert_true(fabs(woe->coef[2]) * 5 < fabs(woe->coef[0]) + 1); /* c carries nothing */
  bez_woe_destroy(woe);
  bez_table_destroy(table);
}

static void zero_has_a_bin_of_its_own(void **state) {
  bez_table *table = make_table();
  bez_woe *woe = fit(table, 1);
  const bez_column *amount = &table->cols[3];
  uint32_t zero = BEZ_CODE_FIRST, sharing = 0;
  for (uint32_t v = BEZ_CODE_FIRST; v < amount->n_values; v++) {
    if (amount->number[v] == 0) zero = v;
    if (v > BEZ_CODE_FIRST) assert_true(woe->bin_of_code[3][v] >= woe->bin_of_code[3][v - 1]);
  }
  for (uint32_t v = BEZ_CODE_FIRST; v < amount->n_values; v++)
    sharing += woe->bin_of_code[3][v] == woe->bin_of_code[3][zero];
  assert_int_equal(sharing, 1);
  assert_true(woe->n_bins[3] > 20 && woe->n_bins[3] <= BEZ_WOE_QUANTILES + 3);
  bez_woe_destroy(woe);
  bez_table_destroy(table);
}

/* The downdate is the constrained minimum of the quadratic model: at it, the gradient in the kept directions is 0. */
static void leaving_out_minimises(void **state) {
  bez_table *table = make_table();
  bez_woe *woe = fit(table, 1);
  double coef[5], delta[5], a[25];
  const uint32_t out[] = {0, 3};
  bez_woe_leave_out(woe, out, 2, coef);
  assert_true(coef[0] == 0.0 && coef[3] == 0.0);
  for (int j = 0; j < 5; j++) delta[j] = coef[j] - (j < 4 ? woe->coef[j] : woe->intercept);
  for (int j = 0; j < 25; j++) a[j] = woe->inverse[j];
  assert_true(bez_spd_factor(a, 5));
  bez_spd_solve(a, 5, delta); /* H · (b' − b) */
  assert_true(fabs(delta[1]) < 1e-6 && fabs(delta[2]) < 1e-6 && fabs(delta[4]) < 1e-6);
  assert_true(fabs(delta[0]) > 1e-3);
  bez_woe_destroy(woe);
  bez_table_destroy(table);
}

static void threads_do_not_matter(void **state) {
  bez_table *table = make_table();
  bez_woe *one = fit(table, 1);
  for (unsigned threads = 2; threads <= 8; threads *= 2) {
    bez_woe *many = fit(table, threads);
    assert_memory_equal(one->coef, many->coef, 4 * sizeof *one->coef);
    assert_memory_equal(one->inverse, many->inverse, 25 * sizeof *one->inverse);
    for (int f = 0; f < 4; f++)
      assert_memory_equal(one->weight[f], many->weight[f], one->n_bins[f] * BEZ_WOE_FOLDS * sizeof(float));
    bez_woe_destroy(many);
  }
  bez_woe_destroy(one);
  bez_table_destroy(table);
}

static void skipped_rows_count_nothing(void **state) {
  bez_table *table = make_table();
  static uint64_t skip[ROWS / 64 + 1];
  const uint32_t cols[] = {0, 1, 2, 3};
  bez_error err = {0};
  bez_woe *woe = NULL;
  for (uint64_t i = 0; i < ROWS; i += 3) skip[i >> 6] |= 1ull << (i & 63);
  assert_ok(bez_woe_fit_without(table, cols, 4, table->label, BEZ_CODE_FIRST, skip, 7, 2, &woe, &err));
  assert_int_equal(woe->n_fit, ROWS - ROWS / 3);
  bez_woe_destroy(woe);
  memset(skip, 0xff, sizeof skip); /* nobody left: a model of zeros */
  assert_ok(bez_woe_fit_without(table, cols, 4, table->label, BEZ_CODE_FIRST, skip, 7, 2, &woe, &err));
  for (int j = 0; j < 4; j++) assert_true(woe->coef[j] == 0.0);
  bez_woe_destroy(woe);
  assert_int_equal(bez_woe_fit(table, cols, 4, -1, BEZ_CODE_FIRST, 7, 1, &woe, &err), BEZ_USAGE);
  bez_table_destroy(table);
}

static void inverse_is_inverse(void **state) {
  double a[9] = {4, 0, 0, 2, 5, 0, 1, 3, 6}, full[9] = {4, 2, 1, 2, 5, 3, 1, 3, 6}, inv[9];
  assert_true(bez_spd_factor(a, 3));
  bez_spd_inverse(a, 3, inv);
  for (int i = 0; i < 3; i++)
    for (int j = 0; j < 3; j++) {
      double s = 0;
      for (int k = 0; k < 3; k++) s += full[i * 3 + k] * inv[k * 3 + j];
      assert_true(fabs(s - (i == j)) < 1e-12);
    }
  double bad[4] = {1, 0, 2, 1};
  assert_false(bez_spd_factor(bad, 2));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(separates_classes),          cmocka_unit_test(zero_has_a_bin_of_its_own),
      cmocka_unit_test(leaving_out_minimises),      cmocka_unit_test(threads_do_not_matter),
      cmocka_unit_test(skipped_rows_count_nothing), cmocka_unit_test(inverse_is_inverse)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
