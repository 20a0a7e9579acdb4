/* The table that reading yields: codes, ranks, types, roles, and the guess of the label. */
#include "table_helpers.h"

#include <math.h>

static void test_codes_are_ranks(void **state) {
  bez_table *t = table_from_csv("a,b,label\n10,x,p\n9,y,q\n10,,p\n2,x,q\n", NULL);
  assert_int_equal(bez_table_rows(t), 4);
  assert_int_equal(bez_table_columns(t), 3);
  const bez_column *a = &t->cols[0];
  assert_int_equal(a->type, BEZ_COL_NUMERIC);
  assert_int_equal(a->n_values, 5);
  assert_int_equal(bez_code(a, 3), BEZ_CODE_FIRST);     /* 2 */
  assert_int_equal(bez_code(a, 1), BEZ_CODE_FIRST + 1); /* 9 */
  assert_int_equal(bez_code(a, 0), BEZ_CODE_FIRST + 2); /* 10 */
  assert_int_equal(a->count[BEZ_CODE_FIRST + 2], 2);
  assert_true(bez_number(a, 0) == 10);
  const bez_column *b = &t->cols[1];
  assert_int_equal(b->type, BEZ_COL_CATEGORICAL);
  assert_int_equal(bez_code(b, 2), BEZ_CODE_MISSING);
  assert_int_equal(b->n_missing, 1);
  assert_cell(t, 1, 1, "y");
  assert_int_equal(t->label, 2);
  assert_true(t->label_guessed);
  size_t len;
  assert_string_equal(bez_value(b, BEZ_CODE_RARE, &len) ? "ok" : "", "ok");
  assert_int_equal(len, 6);
  bez_table_destroy(t);
}

static void test_adult(void **state) {
  if (access("../shared/data/adult/adult.csv", R_OK) != 0) {
    print_message("skipped: ../shared/data/adult/adult.csv is not here\n");
    skip();
  }
  bez_table *t = open_table("../shared/data/adult/adult.csv", NULL);
  assert_int_equal(bez_table_rows(t), 32561);
  assert_int_equal(bez_table_columns(t), 15);
  assert_int_equal(t->label, 14);
  assert_int_equal(t->cols[14].n_values, 4);
  int fnlwgt = bez_table_find(t, "fnlwgt"), workclass = bez_table_find(t, "workclass");
  assert_int_equal(t->cols[fnlwgt].type, BEZ_COL_NUMERIC);
  assert_int_equal(t->cols[fnlwgt].n_distinct, 21648);
  assert_int_equal(t->cols[workclass].type, BEZ_COL_CATEGORICAL);
  assert_int_equal(t->cols[workclass].n_missing, 1836);
  assert_int_equal(t->cols[bez_table_find(t, "capital-gain")].type, BEZ_COL_NUMERIC);
  assert_cell(t, (uint32_t)fnlwgt, 0, "77516");
  bez_table_destroy(t);
}

static void test_sms(void **state) {
  if (access("../shared/data/sms/sms_spam.tsv", R_OK) != 0) {
    print_message("skipped: ../shared/data/sms/sms_spam.tsv is not here\n");
    skip();
  }
  bez_table *t = open_table("../shared/data/sms/sms_spam.tsv", NULL);
  assert_int_equal(bez_table_rows(t), 5574);
  assert_int_equal(t->label, 0);
  assert_int_equal(t->cols[0].n_values, 4);
  assert_int_equal(t->cols[1].type, BEZ_COL_TEXT);
  assert_int_equal(t->cols[1].role, BEZ_ROLE_TEXT);
  bez_table_destroy(t);
}

static void test_label_missing_is_usage(void **state) {
  char path[256];
  temp_file(".csv", "a,b\n1,2\n3,4\n", 12, path);
  bez_read_options o = {.label = "c"};
  bez_error err = {0};
  bez_table *t;
  const char *paths[] = {path};
  assert_int_equal(bez_table_open(paths, 1, &o, &t, &err), BEZ_USAGE);
  assert_non_null(strstr(err.message, "a, b"));
  unlink(path);
}

static void test_no_guess(void **state) {
  char path[256];
  const char csv[] = "x,label\n1.5,a\n2.5,b\n3.5,a\n4.5,b\n";
  temp_file(".csv", csv, sizeof csv - 1, path);
  bez_read_options o = {.no_guess = true};
  bez_error err = {0};
  bez_table *t;
  const char *paths[] = {path};
  assert_int_equal(bez_table_open(paths, 1, &o, &t, &err), BEZ_USAGE);
  assert_string_equal(err.subject, "label");
  unlink(path);
}

static void test_sample(void **state) {
  char csv[20000];
  size_t n = (size_t)sprintf(csv, "v,label\n");
  for (int i = 0; i < 1000; i++) n += (size_t)sprintf(csv + n, "%d,%c\n", i % 250, 'a' + i % 2);
  bez_read_options o = {.sample = 100, .seed = 5};
  bez_table *t = table_from_csv(csv, &o);
  assert_int_equal(t->n_rows, 100);
  assert_int_equal(t->n_rows_seen, 1000);
  uint64_t total = 0;
  for (uint32_t c = 0; c < t->cols[0].n_values; c++) total += t->cols[0].count[c];
  assert_int_equal(total, 100);
  for (uint64_t r = 0; r < 100; r++) {
    char want[16];
    snprintf(want, sizeof want, "%d", (int)(bez_global_row(t, r) % 250));
    assert_cell(t, 0, r, want);
  }
  bez_table_destroy(t);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_codes_are_ranks),        cmocka_unit_test(test_adult),    cmocka_unit_test(test_sms),
      cmocka_unit_test(test_label_missing_is_usage), cmocka_unit_test(test_no_guess), cmocka_unit_test(test_sample),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
