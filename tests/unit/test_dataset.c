/* Several files as one data set: folders, globs, files that do not fit, and rows named by file. */
#include "folder_help.h"
#include "table_digest.h"

static bez_status open_paths(const char *path, const bez_read_options *o, bez_table **out, bez_error *err) {
  const char *paths[] = {path};
  *err = (bez_error){.line = -1, .offset = -1};
  return bez_table_open(paths, 1, o, out, err);
}

static void test_folder_is_one_data_set(void **state) {
  put_text("b.csv", "x,label\n3,a\n4,b\n");
  put_text("a.csv", "x,label\n1,a\n2,b\n");
  put_text("c.csv", "label,x\na,5\n"); /* another order of columns */
  put_text(".hidden", "nothing");
  bez_error err;
  bez_table *t;
  assert_int_equal(open_paths(folder, NULL, &t, &err), BEZ_OK);
  assert_int_equal(t->n_rows, 5);
  assert_int_equal(t->n_files, 3);
  assert_int_equal(t->files[1].first_row, 2);
  assert_int_equal(t->files[2].n_rows, 1);
  for (uint64_t r = 0; r < 5; r++) assert_true(bez_number(&t->cols[0], r) == (double)(r + 1));
  assert_cell(t, 1, 4, "a");
  bez_table_destroy(t);
}

static void test_glob_and_exclude(void **state) {
  char pattern[600];
  snprintf(pattern, sizeof pattern, "%s/*.csv", folder);
  const char *exclude[] = {"b.csv"};
  bez_read_options o = {.exclude = exclude, .n_exclude = 1};
  bez_error err;
  bez_table *t;
  assert_int_equal(open_paths(pattern, &o, &t, &err), BEZ_OK);
  assert_int_equal(t->n_rows, 3);
  bez_table_destroy(t);
  snprintf(pattern, sizeof pattern, "%s/*.none", folder);
  assert_int_equal(open_paths(pattern, NULL, &t, &err), BEZ_IO);
  const char *all[] = {"*"};
  o = (bez_read_options){.exclude = all, .n_exclude = 1};
  assert_int_not_equal(open_paths(folder, &o, &t, &err), BEZ_OK);
}

static void test_unlike_files(void **state) {
  put_text("d.csv", "x,other\n1,a\n2,b\n");
  bez_error err;
  bez_table *t;
  assert_int_equal(open_paths(folder, NULL, &t, &err), BEZ_FORMAT);
  assert_non_null(strstr(err.message, "other"));
  assert_non_null(strstr(err.subject, "d.csv"));
  put_text("d.csv", "x\n1\n2\n");
  assert_int_equal(open_paths(folder, NULL, &t, &err), BEZ_FORMAT);
  char path[600];
  snprintf(path, sizeof path, "%s/d.csv", folder);
  unlink(path);
}

static void test_unknown_bytes(void **state) {
  char path[256];
  unsigned char bytes[512];
  for (int i = 0; i < 512; i++) bytes[i] = (unsigned char)(i * 7);
  temp_file(".bin", bytes, sizeof bytes, path);
  bez_error err;
  bez_table *t;
  assert_int_equal(open_paths(path, NULL, &t, &err), BEZ_UNSUPPORTED);
  unlink(path);
}

static void test_small_memory_spills(void **state) {
  size_t cap = 4u << 20, n = 0;
  char *csv = malloc(cap + 200);
  n = (size_t)sprintf(csv, "a,b,label\n");
  for (unsigned i = 0; n < cap; i++)
    n += (size_t)sprintf(csv + n, "%u,v%u,%c\n", i * 7919 % 100003, i % 977, 'p' + i % 2);
  bez_read_options small = {.memory = 1u << 20, .threads = 2}, large = {.threads = 1};
  bez_table *t = table_from_csv_bytes(csv, n, &small), *u = table_from_csv_bytes(csv, n, &large);
  char *x = table_digest(t), *y = table_digest(u);
  assert_string_equal(x, y);
  assert_true(t->budget.in_use <= 1u << 20);
  assert_true(t->budget.spilled > 0);
  bez_table_destroy(t), bez_table_destroy(u);
  free(x), free(y), free(csv);
}

static void test_cell_above_the_ceiling(void **state) {
  size_t len = (65u << 20);
  char *csv = malloc(len + 100);
  size_t n = (size_t)sprintf(csv, "t,label\nshort,a\n");
  memset(csv + n, 'x', len);
  n += len;
  n += (size_t)sprintf(csv + n, ",b\nend,a\n");
  char path[256];
  temp_file(".csv", csv, n, path);
  free(csv);
  bez_error err;
  bez_table *t;
  assert_int_equal(open_paths(path, NULL, &t, &err), BEZ_LIMIT);
  assert_int_equal(err.line, 3);
  unlink(path);
}

static void test_roles_and_types(void **state) {
  const char csv[] =
      "key,when,amount,who,y\nk1,2024-01-01,7,s1,0\nk2,2024-01-02,8,s2,1\nk3,2024-01-03,9,s1,0\nk4,,7,s2,1\n";
  const char *types[] = {"amount=categorical"};
  bez_read_options o = {.label = "y", .source = "who", .id = "key", .types = types, .n_types = 1};
  bez_table *t = table_from_csv(csv, &o);
  assert_int_equal(t->cols[0].role, BEZ_ROLE_ID);
  assert_int_equal(t->cols[0].type, BEZ_COL_IDENTIFIER);
  assert_int_equal(t->cols[1].type, BEZ_COL_TIME);
  assert_true(bez_number(&t->cols[1], 0) == 1704067200);
  assert_int_equal(t->cols[2].type, BEZ_COL_CATEGORICAL);
  assert_true(t->cols[2].type_given);
  assert_int_equal(t->cols[3].role, BEZ_ROLE_SOURCE);
  assert_int_equal(t->cols[4].role, BEZ_ROLE_LABEL);
  assert_int_equal(t->cols[4].type, BEZ_COL_CATEGORICAL);
  assert_false(t->label_guessed);
  assert_int_equal(t->source, 3);
  assert_int_equal(t->id, 0);
  bez_table_destroy(t);
  const char *bad[] = {"amount=colour"};
  o = (bez_read_options){.types = bad, .n_types = 1};
  char path[256];
  temp_file(".csv", csv, sizeof csv - 1, path);
  bez_error err;
  assert_int_equal(open_paths(path, &o, &t, &err), BEZ_USAGE);
  o = (bez_read_options){.label = "y", .source = "y"};
  assert_int_equal(open_paths(path, &o, &t, &err), BEZ_USAGE);
  unlink(path);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_folder_is_one_data_set), cmocka_unit_test(test_glob_and_exclude),
      cmocka_unit_test(test_unlike_files),           cmocka_unit_test(test_unknown_bytes),
      cmocka_unit_test(test_small_memory_spills),    cmocka_unit_test(test_cell_above_the_ceiling),
      cmocka_unit_test(test_roles_and_types),
  };
  return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
