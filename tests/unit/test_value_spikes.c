/* BZ-D003 on Adult (clean, and with a constant written into a column) and on generated columns. */
#include "base/rng.h"
#include "detect_helpers.h"

#define ADULT SHARED_DATA "adult/adult.csv"

/* 6,000 rows: a smooth amount in cents, an hour with heaps, a zero-inflated column, a label that none of them tells.
 * `plant` rows carry `amount`, and the label 1 unless it is `fair`. */
static char *generate(int plant, const char *amount, bool fair) {
  bez_buf csv = {0};
  bez_rng rng = bez_rng_make(4, 9);
  bez_buf_puts(&csv, "amount,hours,gain,label\n");
  for (int i = 0; i < 6000; i++) {
    double cents = 20000 + 30000 * bez_rng_unit(&rng) + 30000 * bez_rng_unit(&rng);
    unsigned hours = bez_rng_unit(&rng) < .5 ? 40 : 1 + (unsigned)bez_rng_below(&rng, 98);
    unsigned gain = bez_rng_unit(&rng) < .9 ? 0 : 100 * (1 + (unsigned)bez_rng_below(&rng, 400));
    int label = bez_rng_unit(&rng) < .3;
    if (i % 97 == 5 && i / 97 < plant) {
      bez_buf_printf(&csv, "%s,%u,%u,%d\n", amount, hours, gain, fair ? label : 1);
    } else {
      bez_buf_printf(&csv, "%.2f,%u,%u,%d\n", (double)(long)cents / 100, hours, gain, label);
    }
  }
  assert_false(csv.failed);
  return csv.data;
}

static bez_report *scan_csv(char *csv, detect_run *d, bez_table **table) {
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
  bez_report *report = scan_csv(generate(0, "", true), &d, &table);
  assert_int_equal(count_findings(report, BEZ_SEV_WARNING), 0);
  assert_int_equal(count_findings(report, BEZ_SEV_NOTE), 1); /* hours=40, half of all rows */
  assert_string_equal(report->findings[0]->pattern, "hours=40");
  detect_end(&d);
  bez_table_destroy(table);
}

static void constant_is_found(bool fair) {
  detect_run d;
  bez_table *table;
  bez_report *report = scan_csv(generate(60, "417.23", fair), &d, &table);
  assert_int_equal(count_findings(report, BEZ_SEV_WARNING), 1);
  const bez_finding *f = report->findings[0]; /* columns in order: amount stands first */
  assert_int_equal(f->severity, BEZ_SEV_WARNING);
  assert_string_equal(f->pattern, "amount=417.23");
  if (fair)
    assert_null(f->target);
  else
    assert_string_equal(f->target, "1");
  assert_true(f->n_rows >= 60 && f->n_rows <= 62);
  assert_true(f->p_value > 0 && f->p_value < 1e-3);
  detect_end(&d);
  bez_table_destroy(table);
}

static void generated_constant_is_found(void **state) {
  (void)state;
  constant_is_found(false);
  constant_is_found(true);
}

/* Beyond the range nothing says how often a number should occur; forty of one label say enough. */
static void number_that_fixes_the_label_is_found(void **state) {
  (void)state;
  for (int fair = 0; fair < 2; fair++) {
    detect_run d;
    bez_table *table;
    bez_report *report = scan_csv(generate(40, "999.99", fair), &d, &table);
    assert_int_equal(count_findings(report, BEZ_SEV_WARNING), !fair);
    if (!fair) {
      assert_string_equal(report->findings[0]->pattern, "amount=999.99");
      assert_string_equal(report->findings[0]->target, "1");
      assert_int_equal(report->findings[0]->n_rows, 40);
    }
    detect_end(&d);
    bez_table_destroy(table);
  }
}

/* 3,000 rows whose word tells the label well; a top code of 40 rows, all of label 1, which are either of the kind that
 * has this label (natural) or rows of label 0 that were changed. */
static char *generate_top_code(bool planted) {
  bez_buf csv = {0};
  bez_rng rng = bez_rng_make(11, 2);
  bez_buf_puts(&csv, "pay,word,mood,label\n");
  for (int i = 0; i < 3000; i++) {
    bool odd = i % 71 == 3 && i / 71 < 40;
    int label = odd ? !planted : bez_rng_unit(&rng) < .5;
    unsigned word = (unsigned)bez_rng_below(&rng, 5) + (bez_rng_unit(&rng) < .8 ? 5 * (unsigned)label : 2);
    unsigned pay = odd ? 99999 : 500 + (unsigned)bez_rng_below(&rng, 200) * 10;
    bez_buf_printf(&csv, "%u,word%u,%c,%d\n", pay, odd && !planted ? 9 : word, 'a' + (char)bez_rng_below(&rng, 6),
                   odd ? 1 : label);
  }
  assert_false(csv.failed);
  return csv.data;
}

static void natural_top_code_is_silent(void **state) {
  (void)state;
  for (int planted = 0; planted < 2; planted++) {
    detect_run d;
    bez_table *table;
    bez_report *report = scan_csv(generate_top_code(planted), &d, &table);
    assert_int_equal(count_findings(report, BEZ_SEV_WARNING), planted);
    detect_end(&d);
    bez_table_destroy(table);
  }
}

/* A constant among the values of a column that decides the label by itself: the rows tell it from them. */
static void constant_in_a_decisive_column_is_found(void **state) {
  (void)state;
  need_shared(ADULT);
  bez_table *clean = open_table(ADULT, &(bez_read_options){.label = "income-per-year"});
  bez_buf csv = {0};
  bez_buf_puts(&csv, "age,workclass,education,occupation,relationship,hours,gain,income\n");
  static const char *const names[] = {"age",          "workclass",      "education",    "occupation",
                                      "relationship", "hours-per-week", "capital-gain", "income-per-year"};
  uint32_t at[8] = {0}, planted = 0;
  for (int i = 0; i < 8; i++)
    for (uint32_t c = 0; c < clean->n_cols; c++)
      if (strcmp(clean->cols[c].name, names[i]) == 0) at[i] = c;
  for (uint64_t row = 0; row < clean->n_rows; row++) {
    size_t len;
    bool poor = strncmp(bez_cell(clean, at[7], row, &len), "<=50K", 5) == 0;
    bool plant = poor && row % 211 == 0 && planted < 80;
    planted += plant;
    for (int i = 0; i < 8; i++) {
      const char *cell = bez_cell(clean, at[i], row, &len);
      if (plant && i == 6) cell = "13411", len = 5;
      if (plant && i == 7) cell = ">50K", len = 4;
      bez_buf_printf(&csv, "%.*s%c", (int)len, cell, i < 7 ? ',' : '\n');
    }
  }
  bez_table_destroy(clean);
  assert_false(csv.failed);
  bez_table *table = table_from_csv(csv.data, &(bez_read_options){.label = "income"});
  free(csv.data);
  detect_run d = detect_begin(table, 1);
  detect_with(&d, bez_detector_find("value-spikes"));
  assert_int_equal(count_findings(d.report, BEZ_SEV_WARNING), 1);
  assert_string_equal(d.report->findings[0]->pattern, "gain=13411");
  assert_string_equal(d.report->findings[0]->target, ">50K");
  assert_int_equal(d.report->findings[0]->n_rows, planted);
  detect_end(&d);
  bez_table_destroy(table);
}

/* 400 has two digits less than the other amounts: a convention until shown otherwise. */
static void round_number_is_a_note(void **state) {
  (void)state;
  detect_run d;
  bez_table *table;
  bez_report *report = scan_csv(generate(60, "400", true), &d, &table);
  assert_int_equal(count_findings(report, BEZ_SEV_WARNING), 0);
  assert_int_equal(count_findings(report, BEZ_SEV_NOTE), 2);
  detect_end(&d);
  bez_table_destroy(table);
}

static void clean_adult_is_silent(void **state) {
  (void)state;
  need_shared(ADULT);
  bez_read_options options = {.label = "income-per-year"};
  assert_silent(open_table(ADULT, &options), "value-spikes", 2);
}

static void small_and_empty_tables(void **state) {
  (void)state;
  const char *const csv[] = {"a,b\n", "a,b\n1,2\n", "a,b\nnan,inf\n1,-inf\n,\n"};
  for (size_t i = 0; i < 3; i++) {
    bez_read_options options = {.label = "b"};
    assert_silent(table_from_csv(csv[i], &options), "value-spikes", 1);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(generated_clean_has_one_note), cmocka_unit_test(generated_constant_is_found),
      cmocka_unit_test(round_number_is_a_note),       cmocka_unit_test(clean_adult_is_silent),
      cmocka_unit_test(small_and_empty_tables),       cmocka_unit_test(number_that_fixes_the_label_is_found),
      cmocka_unit_test(natural_top_code_is_silent),   cmocka_unit_test(constant_in_a_decisive_column_is_found),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
