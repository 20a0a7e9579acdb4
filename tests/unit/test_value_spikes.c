/* BZ-D003 on Adult (clean, and with a constant written into a column) and on generated columns. */
#include "base/rng.h"
#include "detect_helpers.h"

#define ADULT SHARED_DATA "adult/adult.csv"

/* 6,000 rows: a smooth amount in cents, an hour with heaps, a zero-inflated column, a label. `plant` rows carry
 * amount 417.23. */
static char *generate(int plant, const char *amount) {
  bez_buf csv = {0};
  bez_rng rng = bez_rng_make(4, 9);
  bez_buf_puts(&csv, "amount,hours,gain,label\n");
  for (int i = 0; i < 6000; i++) {
    double cents = 20000 + 30000 * bez_rng_unit(&rng) + 30000 * bez_rng_unit(&rng);
    unsigned hours = bez_rng_unit(&rng) < .5 ? 40 : 1 + (unsigned)bez_rng_below(&rng, 98);
    unsigned gain = bez_rng_unit(&rng) < .9 ? 0 : 100 * (1 + (unsigned)bez_rng_below(&rng, 400));
    int label = bez_rng_unit(&rng) < .3;
    if (i % 97 == 5 && i / 97 < plant) {
      bez_buf_printf(&csv, "%s,%u,%u,1\n", amount, hours, gain);
    } else {
      bez_buf_printf(&csv, "%.2f,%u,%u,%d\n", (double)(long)cents / 100, hours, gain, label);
    }
  }
  assert_false(csv.failed);
  return csv.data;
}

static bez_report *scan_generated(int plant, const char *amount, detect_run *d, bez_table **table) {
  char *csv = generate(plant, amount);
  bez_read_options options = {.label = "label"};
  *table = table_from_csv(csv, &options);
  free(csv);
  *d = detect_begin(*table, 1);
  detect_with(d, bez_detector_find("value-spikes"));
  return d->report;
}

static void generated_clean_has_one_note(void **state) {
  (void)state;
  detect_run d;
  bez_table *table;
  bez_report *report = scan_generated(0, "", &d, &table);
  assert_int_equal(count_findings(report, BEZ_SEV_WARNING), 0);
  assert_int_equal(count_findings(report, BEZ_SEV_NOTE), 1); /* hours=40, half of all rows */
  assert_string_equal(report->findings[0]->pattern, "hours=40");
  detect_end(&d);
  bez_table_destroy(table);
}

static void generated_constant_is_found(void **state) {
  (void)state;
  detect_run d;
  bez_table *table;
  bez_report *report = scan_generated(60, "417.23", &d, &table);
  assert_int_equal(count_findings(report, BEZ_SEV_WARNING), 1);
  const bez_finding *f = report->findings[0]; /* columns in order: amount stands first */
  assert_int_equal(f->severity, BEZ_SEV_WARNING);
  assert_string_equal(f->pattern, "amount=417.23");
  assert_string_equal(f->target, "1");
  assert_true(f->n_rows >= 60 && f->n_rows <= 62);
  assert_true(f->p_value > 0 && f->p_value < 1e-3);
  detect_end(&d);
  bez_table_destroy(table);
}

/* 400 has two digits less than the other amounts: a convention until shown otherwise. */
static void round_number_is_a_note(void **state) {
  (void)state;
  detect_run d;
  bez_table *table;
  bez_report *report = scan_generated(60, "400", &d, &table);
  assert_int_equal(count_findings(report, BEZ_SEV_WARNING), 0);
  assert_int_equal(count_findings(report, BEZ_SEV_NOTE), 2);
  detect_end(&d);
  bez_table_destroy(table);
}

static void clean_adult_is_silent(void **state) {
  (void)state;
  need_shared(ADULT);
  bez_read_options options = {.label = "income-per-year"};
  bez_table *table = open_table(ADULT, &options);
  detect_run d = detect_begin(table, 2);
  detect_with(&d, bez_detector_find("value-spikes"));
  assert_int_equal(d.report->n_findings, 0);
  detect_end(&d);
  bez_table_destroy(table);
}

static void small_and_empty_tables(void **state) {
  (void)state;
  const char *const csv[] = {"a,b\n", "a,b\n1,2\n", "a,b\nnan,inf\n1,-inf\n,\n"};
  for (size_t i = 0; i < 3; i++) {
    bez_read_options options = {.label = "b"};
    bez_table *table = table_from_csv(csv[i], &options);
    detect_run d = detect_begin(table, 1);
    detect_with(&d, bez_detector_find("value-spikes"));
    assert_int_equal(d.report->n_findings, 0);
    detect_end(&d);
    bez_table_destroy(table);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(generated_clean_has_one_note), cmocka_unit_test(generated_constant_is_found),
      cmocka_unit_test(round_number_is_a_note),       cmocka_unit_test(clean_adult_is_silent),
      cmocka_unit_test(small_and_empty_tables),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
