/* Single cells: numbers read exactly, times, and forms that print back to the same bytes. */
#include <math.h>

#include "base/rng.h"
#include "format/cell.h"
#include "format/form.h"
#include "table_helpers.h"

static void test_numbers_are_exact(void **state) {
  const char *const cells[] = {"0",
                               "1",
                               "-1.5",
                               "0.1",
                               "123456789012345678",
                               "9007199254740993",
                               "1e22",
                               "1e23",
                               "1e-22",
                               "5e-324",
                               "1.7976931348623157e308",
                               "0.30000000000000004",
                               "+2.25",
                               ".5",
                               "5.",
                               "1e400",
                               "123456789012345678901234567890",
                               "-0.000",
                               " 7 ",
                               "1E5",
                               "2.2250738585072011e-308"};
  for (size_t i = 0; i < sizeof cells / sizeof *cells; i++) {
    double got;
    assert_true(bez_parse_number(cells[i], strlen(cells[i]), &got, NULL));
    assert_true(got == strtod(cells[i], NULL));
  }
  const char *const no[] = {"", "-", ".", "e5", "1e", "1e+", "0x10", "1,5", "007", "1 2", "abc", "--1", "1.2.3"};
  double x;
  for (size_t i = 0; i < sizeof no / sizeof *no; i++) assert_false(bez_parse_number(no[i], strlen(no[i]), &x, NULL));
  assert_true(bez_parse_number("-inf", 4, &x, NULL) && isinf(x) && x < 0);
  assert_true(bez_parse_number("Infinity", 8, &x, NULL) && isinf(x));
}

static void test_random_numbers_are_exact(void **state) {
  bez_rng rng = bez_rng_make(1, 1);
  for (int i = 0; i < 100000; i++) {
    char cell[64];
    uint64_t bits = bez_rng_u64(&rng);
    double v, got;
    memcpy(&v, &bits, sizeof v);
    if (i % 2) v = bez_rng_unit(&rng) * 1000;
    if (isnan(v) || isinf(v)) continue;
    snprintf(cell, sizeof cell, i % 3 ? "%.17g" : "%.19g", v);
    assert_true(bez_parse_number(cell, strlen(cell), &got, NULL));
    assert_true(got == strtod(cell, NULL));
  }
}

static void test_times(void **state) {
  double t;
  assert_true(bez_parse_time("1970-01-01", 10, &t) && t == 0);
  assert_true(bez_parse_time("2000-02-29T12:00:00Z", 20, &t) && t == 951825600);
  assert_true(bez_parse_time("2000-02-29 12:00:00.5+01:00", 27, &t) && t == 951822000.5);
  const char *const no[] = {"2001-02-29", "2000-13-01", "2000-1-1", "20000101", "2000-01-01T25:00:00", "2000-01-01x"};
  for (size_t i = 0; i < sizeof no / sizeof *no; i++) assert_false(bez_parse_time(no[i], strlen(no[i]), &t));
}

static void test_forms_print_back(void **state) {
  const char *const cells[] = {"0",
                               "-1",
                               "12.50",
                               "-0.01",
                               "999999999999999",
                               "0.000001",
                               "1969-12-31",
                               "0001-01-01",
                               "9999-12-31",
                               "2024-02-29 23:59:59",
                               "1960-05-05T00:00:01",
                               "2024-02-29T10:00:00Z"};
  for (size_t i = 0; i < sizeof cells / sizeof *cells; i++) {
    char out[40];
    int64_t x;
    bez_form form = bez_form_of(cells[i], strlen(cells[i]));
    assert_int_not_equal(form.kind, BEZ_FORM_NONE);
    assert_true(bez_form_parse(form, cells[i], strlen(cells[i]), &x));
    size_t n = bez_form_print(form, x, out);
    assert_int_equal(n, strlen(cells[i]));
    assert_memory_equal(out, cells[i], n);
    double value;
    bool number = form.kind == BEZ_FORM_DECIMAL;
    assert_true(number ? bez_parse_number(cells[i], n, &value, NULL) : bez_parse_time(cells[i], n, &value));
    assert_true(value == bez_form_value(form, x));
  }
  const char *const no[] = {"",           "-", "-0", "-0.00", "007", "1e5", "+1", "1.", ".5", "1234567890123456",
                            "2023-02-29", " 1"};
  for (size_t i = 0; i < sizeof no / sizeof *no; i++)
    assert_int_equal(bez_form_of(no[i], strlen(no[i])).kind, BEZ_FORM_NONE);
}

static void test_forms_keep_order(void **state) {
  bez_form floats = {.kind = BEZ_FORM_FLOAT};
  const char *const cells[] = {"-1e300", "-2", "-1.5", "-1e-300", "0", "1e-300", "1.25", "3", "1e300"};
  int64_t last = INT64_MIN, x;
  for (size_t i = 0; i < sizeof cells / sizeof *cells; i++) {
    assert_true(bez_form_parse(floats, cells[i], strlen(cells[i]), &x));
    assert_true(x > last);
    assert_true(bez_form_value(floats, x) == strtod(cells[i], NULL));
    last = x;
  }
}

static void test_missing(void **state) {
  const char *const yes[] = {"", "  ", "NA", "N/A", "NaN", "nan", "null", "NULL", "None", "?", " ? "};
  for (size_t i = 0; i < sizeof yes / sizeof *yes; i++) assert_true(bez_cell_is_missing(yes[i], strlen(yes[i])));
  const char *const no[] = {"0", "none of", "Nan", "N", "??", "-"};
  for (size_t i = 0; i < sizeof no / sizeof *no; i++) assert_false(bez_cell_is_missing(no[i], strlen(no[i])));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_numbers_are_exact),
      cmocka_unit_test(test_random_numbers_are_exact),
      cmocka_unit_test(test_times),
      cmocka_unit_test(test_forms_print_back),
      cmocka_unit_test(test_forms_keep_order),
      cmocka_unit_test(test_missing),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
