/* BZ-D022, D026, D027: tests of two samples against SciPy 1.17.1, planted shifts found, split halves silent. */
#include <math.h>

#include "base/rng.h"
#include "detect/reference_joint.h"
#include "detect_helpers.h"
#include "math/chi_square.h"

#define NEAR(a, b, within) assert_true(fabs((a) - (b)) <= (within))

static void kolmogorov_smirnov_with_ties(void **state) {
  (void)state;
  bez_pair_count value[200] = {{0}};
  for (int i = 0; i < 60; i++) value[i * i % 17 * 5].a++; /* in fifths, so that both fall on whole numbers */
  for (int i = 0; i < 80; i++) value[(i * i + i) % 23 * 4].b++;
  bez_two_sample t = bez_two_sample_test(value, 200, (bez_pair_count){0, 0}, true);
  NEAR(t.effect, 0.15416666666666667, 1e-12);
  NEAR(t.p, exp(bez_kolmogorov_log_sf(0.15416666666666667, 60, 80)), 1e-12);
}

static void g_test_and_fisher(void **state) {
  (void)state;
  static const bez_pair_count value[] = {{30, 22}, {10, 31}, {25, 20}, {8, 9}};
  bez_two_sample t = bez_two_sample_test(value, 4, (bez_pair_count){0, 0}, false);
  NEAR(t.p, 0.005554325934351914, 1e-9);
  NEAR(t.effect, 0.24122953558302704, 1e-12);
  static const bez_pair_count sixty[] = {{60, 82}};
  t = bez_two_sample_test(sixty, 1, (bez_pair_count){12, 3}, false);
  NEAR(t.p_missing, 2 * 0.005400248220669094, 1e-9);
  NEAR(t.p, 1, 0);
}

static void a_value_that_has_become_frequent(void **state) {
  (void)state;
  static const bez_pair_count value[] = {{80, 100}, {20, 0}};
  bez_two_sample t = bez_two_sample_test(value, 2, (bez_pair_count){0, 0}, true);
  assert_int_equal(t.jump, 1);
  NEAR(t.p_jump / (2 * 3.321687077707699e-07), 1, 1e-6);
  NEAR(t.lift, 20, 1e-9);
}

static void edges(void **state) {
  (void)state;
  static const bez_pair_count constant[] = {{5, 5}}, one_sided[] = {{9, 0}};
  for (int ordered = 0; ordered < 2; ordered++) {
    NEAR(bez_two_sample_test(constant, 1, (bez_pair_count){0, 0}, ordered).p, 1, 1e-12);
    NEAR(bez_two_sample_test(one_sided, 1, (bez_pair_count){0, 0}, ordered).p, 1, 0);
    NEAR(bez_two_sample_test(NULL, 0, (bez_pair_count){0, 0}, ordered).p_jump, 1, 0);
    NEAR(bez_two_sample_test(NULL, 0, (bez_pair_count){4, 0}, ordered).p_missing, 1, 0);
  }
}

enum { ROWS = 1500 };

/* Three columns and a label; `odd`: rows whose x is a constant; `shift`: added to y; `who`: the source that is shifted.
 */
static bez_table *made(uint64_t seed, int odd, double shift, int who, const char *header) {
  bez_buf csv = {0};
  bez_rng rng = bez_rng_make(seed, 3);
  bez_buf_printf(&csv, "%s\n", header);
  for (int i = 0; i < ROWS; i++) {
    unsigned source = (unsigned)bez_rng_below(&rng, 10), color = (unsigned)bez_rng_below(&rng, 5);
    double x = bez_rng_normal(&rng), y = bez_rng_normal(&rng);
    if (who < 0 || (int)source == who) y += shift;
    if (i < odd) x = 7.25;
    bez_buf_printf(&csv, "%.3f,%.2f,c%u,s%u,%u\n", x, y, color, source, (unsigned)(y + bez_rng_normal(&rng) > 0));
  }
  bez_read_options options = {.label = "label", .source = "who"};
  bez_table *table = table_from_csv(csv.data, &options);
  bez_buf_free(&csv);
  return table;
}

#define HEADER "x,y,color,who,label"

static detect_run against(const bez_table *table, const bez_table *reference, uint64_t seed) {
  detect_run d = detect_begin(table, 2);
  d.in.reference = reference;
  d.in.seed = seed;
  detect_with(&d, bez_detector_find("BZ-D026"));
  return d;
}

static const bez_finding *about(const bez_report *report, const char *pattern) {
  for (size_t i = 0; i < report->n_findings; i++)
    if (strcmp(report->findings[i]->pattern, pattern) == 0) return report->findings[i];
  return NULL;
}

static void same_distribution_is_silent(void **state) {
  (void)state;
  size_t alarms = 0;
  for (uint64_t seed = 0; seed < 20; seed++) {
    bez_table *a = made(2 * seed, 0, 0, -1, HEADER), *b = made(2 * seed + 1, 0, 0, -1, HEADER);
    detect_run d = against(a, b, seed);
    alarms += d.report->n_findings > 0;
    detect_end(&d);
    bez_table_destroy(a);
    bez_table_destroy(b);
  }
  assert_true(alarms <= 1);
}

static void shifts_are_found(void **state) {
  (void)state;
  bez_table *a = made(100, 30, .8, -1, HEADER), *b = made(101, 0, 0, -1, HEADER);
  detect_run d = against(a, b, 1);
  const bez_finding *y = about(d.report, "y: distribution"), *x = about(d.report, "x=7.250");
  assert_non_null(y);
  assert_int_equal(y->severity, BEZ_SEV_WARNING);
  assert_non_null(x);
  assert_int_equal(x->n_rows, 30);
  assert_non_null(about(d.report, "all columns"));
  assert_null(about(d.report, "color: distribution"));
  detect_end(&d);
  bez_table_destroy(a);
  bez_table_destroy(b);
}

static void columns_without_partner_are_said(void **state) {
  (void)state;
  bez_table *a = made(5, 0, 0, -1, HEADER), *b = made(6, 0, 0, -1, "x,z,color,who,label");
  detect_run d = against(a, b, 1);
  size_t said = 0;
  for (const bez_not_checked *n = d.report->not_checked; n; n = n->next) said++;
  assert_int_equal(said, 2);
  detect_end(&d);
  bez_table_destroy(a);
  bez_table_destroy(b);
}

static void a_source_that_differs(void **state) {
  (void)state;
  bez_table *a = made(7, 0, 3, 4, HEADER), *b = made(8, 0, 0, -1, HEADER);
  detect_run d = detect_begin(a, 1), quiet = detect_begin(b, 1);
  detect_with(&d, bez_detector_find("BZ-D027"));
  detect_with(&quiet, bez_detector_find("BZ-D027"));
  assert_int_equal(d.report->n_findings, 1);
  assert_string_equal(d.report->findings[0]->pattern, "who=s4");
  assert_int_equal(d.report->findings[0]->severity, BEZ_SEV_WARNING);
  assert_int_equal(quiet.report->n_findings, 0);
  detect_end(&d);
  detect_end(&quiet);
  bez_table_destroy(a);
  bez_table_destroy(b);
}

static void outliers_are_a_list_and_a_note(void **state) {
  (void)state;
  bez_table *a = made(9, 3, 0, -1, HEADER);
  detect_run d = detect_begin(a, 2);
  detect_with(&d, bez_detector_find("BZ-D022"));
  assert_int_equal(d.report->n_findings, 1);
  const bez_finding *f = d.report->findings[0];
  assert_int_equal(f->severity, BEZ_SEV_NOTE);
  assert_true(f->ranked_list && f->n_rows == 15);
  for (uint64_t i = 0; i < 3; i++) assert_int_equal(f->rows[i].row, i);
  detect_end(&d);
  bez_table_destroy(a);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(kolmogorov_smirnov_with_ties),     cmocka_unit_test(g_test_and_fisher),
      cmocka_unit_test(a_value_that_has_become_frequent), cmocka_unit_test(edges),
      cmocka_unit_test(same_distribution_is_silent),      cmocka_unit_test(shifts_are_found),
      cmocka_unit_test(columns_without_partner_are_said), cmocka_unit_test(a_source_that_differs),
      cmocka_unit_test(outliers_are_a_list_and_a_note),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
