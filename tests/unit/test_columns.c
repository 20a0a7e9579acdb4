/* Which columns a data set has: a choice of them, and files of JSON Lines whose fields differ. */
#include "folder_help.h"
#include "table_digest.h"

static void drop(const char *name) {
  char path[600];
  snprintf(path, sizeof path, "%s/%s", folder, name);
  unlink(path);
}

static bez_status open_folder(const bez_read_options *o, bez_table **out, bez_error *err) {
  const char *paths[] = {folder};
  *err = (bez_error){.line = -1, .offset = -1};
  return bez_table_open(paths, 1, o, out, err);
}

/* Rows [from, to) of one data set; fields stand out or not by `with`. */
static size_t lines(char *out, unsigned from, unsigned to, const char *with) {
  size_t n = 0;
  for (unsigned i = from; i < to; i++) {
    n += (size_t)sprintf(out + n, "{\"label\":\"%s\"", i % 2 ? "yes" : "no");
    if (strchr(with, 'n')) n += (size_t)sprintf(out + n, ",\"n\":%u.%02u", i * 7919 % 100003, i % 100);
    if (strchr(with, 'w')) n += (size_t)sprintf(out + n, ",\"w\":\"w%u\"", i % 17);
    if (strchr(with, 't'))
      n += (size_t)sprintf(out + n, ",\"t\":\"some words %u of a text that goes on %u\"", i, i * 31 % 977);
    if (strchr(with, 'k')) n += (size_t)sprintf(out + n, ",\"k\":\"id-%08x\"", i * 2654435761u);
    n += (size_t)sprintf(out + n, "}\n");
  }
  return n;
}

static void assert_same(bez_table *t, bez_table *u, bool with_remarks) {
  if (!with_remarks) t->remarks = u->remarks = NULL;
  char *x = table_digest(t), *y = table_digest(u);
  assert_string_equal(x, y);
  free(x), free(y);
}

/* One file of all lines says what several files of the same lines say, but for the remark. */
static void union_is_the_table_of_all_lines(void **state) {
  (void)state;
  static const char *const with[] = {"nwtk", "wn", "tk", "kw"};
  const unsigned counts[] = {3000, 51000}; /* below and above what is profiled at the end of a file */
  for (unsigned k = 0; k < 2; k++) {
    unsigned each = counts[k];
    char *text = malloc((size_t)each * 4 * 160);
    size_t n = 0;
    for (unsigned i = 0; i < 4; i++) {
      char name[16];
      size_t begin = n;
      n += lines(text + n, i * each, (i + 1) * each, with[i]);
      snprintf(name, sizeof name, "%u.jsonl", i);
      put(name, text + begin, n - begin);
    }
    bez_error err;
    char path[256];
    temp_file(".jsonl", text, n, path);
    free(text);
    const uint64_t samples[] = {0, each};
    for (unsigned s = 0; s < 2 - k; s++) {
      bez_read_options o = {.label = "label", .threads = 1, .sample = samples[s]}, three = o;
      bez_table *t, *u;
      three.threads = 3;
      assert_int_equal(open_folder(&o, &t, &err), BEZ_OK);
      assert_int_equal(open_folder(&three, &u, &err), BEZ_OK);
      assert_non_null(t->remarks);
      assert_string_equal(t->remarks->rule, "differing-fields");
      assert_int_equal(t->remarks->count, 3);
      assert_non_null(strstr(t->remarks->example, "1.jsonl: lacks"));
      assert_same(t, u, true);
      bez_table_destroy(u);
      u = open_table(path, &o);
      for (uint32_t c = 0; c < 5; c++) {
        assert_string_equal(t->cols[c].name, u->cols[c].name);
        if (s == 0) assert_int_equal(t->cols[c].n_missing, u->cols[c].n_missing);
        for (uint64_t r = 0; r < t->n_rows; r += 331) {
          size_t a, b;
          const char *x = bez_cell(t, c, r, &a), *y = bez_cell(u, c, r, &b);
          if (t->cols[c].type == BEZ_COL_IDENTIFIER || u->cols[c].type == BEZ_COL_IDENTIFIER) continue;
          assert_int_equal(a, b);
          assert_memory_equal(x, y, a);
        }
      }
      if (k == 0) assert_same(t, u, false);
      bez_table_destroy(t), bez_table_destroy(u);
    }
    unlink(path);
  }
  drop("2.jsonl"), drop("3.jsonl");
}

static void late_numbers_are_numbers(void **state) {
  (void)state;
  const char *first = "{\"a\":1,\"label\":\"x\"}\n{\"a\":2,\"label\":\"y\"}\n",
             *second = "{\"b\":7.5,\"label\":\"x\"}\n";
  put("0.jsonl", first, strlen(first));
  put("1.jsonl", second, strlen(second));
  bez_error err;
  bez_table *t;
  assert_int_equal(open_folder(NULL, &t, &err), BEZ_OK);
  assert_int_equal(t->n_cols, 3);
  assert_int_equal(t->cols[0].type, BEZ_COL_NUMERIC);
  assert_int_equal(t->cols[0].n_missing, 1);
  assert_int_equal(t->cols[0].count[BEZ_CODE_MISSING], 1);
  assert_int_equal(t->cols[2].type, BEZ_COL_NUMERIC);
  assert_int_equal(t->cols[2].count[BEZ_CODE_MISSING], 2);
  assert_true(bez_number(&t->cols[2], 2) == 7.5);
  assert_int_equal(bez_code(&t->cols[2], 0), BEZ_CODE_MISSING);
  bez_table_destroy(t);
}

static void nothing_in_common_is_another_table(void **state) {
  (void)state;
  const char *other = "{\"p\":1,\"q\":2}\n";
  put("1.jsonl", other, strlen(other));
  bez_error err;
  bez_table *t;
  assert_int_equal(open_folder(NULL, &t, &err), BEZ_FORMAT);
  assert_non_null(strstr(err.message, "no field in common"));
  assert_non_null(strstr(err.subject, "1.jsonl"));
  const char *csv = "a,label,more\n1,x,2\n"; /* a header promises its columns: never a union */
  drop("1.jsonl");
  put("1.csv", csv, strlen(csv));
  assert_int_equal(open_folder(NULL, &t, &err), BEZ_FORMAT);
  assert_non_null(strstr(err.subject, "1.csv"));
  drop("1.csv");
}

static const char table[] = "key,a,b,c,label\nk1,1,x,5,p\nk2,2,y,6,q\nk3,3,x,7,p\n";

static void only_chosen_columns_stay(void **state) {
  (void)state;
  const char *want[] = {"c", "a"};
  bez_read_options o = {.label = "label", .columns = want, .n_columns = 2};
  bez_table *t = table_from_csv(table, &o);
  assert_int_equal(t->n_cols, 3); /* in the order of the file, with the label */
  assert_string_equal(t->cols[0].name, "a");
  assert_string_equal(t->cols[1].name, "c");
  assert_string_equal(t->cols[2].name, "label");
  assert_int_equal(t->label, 2);
  assert_true(bez_number(&t->cols[1], 2) == 7);
  assert_cell(t, 2, 1, "q");
  bez_table_destroy(t);
}

static void unknown_column_is_named(void **state) {
  (void)state;
  const char *want[] = {"a", "colour"};
  bez_read_options o = {.columns = want, .n_columns = 2};
  const char *json = "{\"a\":1,\"label\":\"x\"}\n";
  const char *const texts[] = {table, json};
  const char *const suffix[] = {".csv", ".jsonl"};
  for (int i = 0; i < 2; i++) {
    char path[256];
    bez_error err = {0};
    bez_table *t = NULL;
    temp_file(suffix[i], texts[i], strlen(texts[i]), path);
    const char *paths[] = {path};
    assert_int_equal(bez_table_open(paths, 1, &o, &t, &err), BEZ_USAGE);
    assert_string_equal(err.subject, "colour");
    assert_null(t);
    want[0] = "nor", want[1] = "colour"; /* none at all */
    err = (bez_error){0};
    assert_int_equal(bez_table_open(paths, 1, &o, &t, &err), BEZ_USAGE);
    want[0] = "a";
    unlink(path);
  }
}

/* Files may differ in what is not read, and a field may come with a later file. */
static void choice_across_files(void **state) {
  (void)state;
  const char *first = "{\"a\":1,\"label\":\"x\",\"junk\":[1]}\n", *second = "{\"b\":5,\"label\":\"y\",\"other\":3}\n";
  put("0.jsonl", first, strlen(first));
  put("1.jsonl", second, strlen(second));
  const char *want[] = {"b"};
  bez_read_options o = {.label = "label", .columns = want, .n_columns = 1};
  bez_error err;
  bez_table *t;
  assert_int_equal(open_folder(&o, &t, &err), BEZ_OK);
  assert_int_equal(t->n_cols, 2);
  assert_string_equal(t->cols[1].name, "b");
  assert_int_equal(t->cols[1].n_missing, 1);
  bez_table_destroy(t);
  drop("0.jsonl"), drop("1.jsonl");
  put("0.csv", "x,label,p\n1,a,0\n", 16);
  put("1.csv", "q,label,x\n9,b,2\n", 16);
  want[0] = "x";
  assert_int_equal(open_folder(&o, &t, &err), BEZ_OK);
  assert_int_equal(t->n_cols, 2);
  assert_true(bez_number(&t->cols[0], 1) == 2);
  bez_table_destroy(t);
  want[0] = "p";
  assert_int_equal(open_folder(&o, &t, &err), BEZ_FORMAT);
  assert_non_null(strstr(err.message, "\"p\""));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(union_is_the_table_of_all_lines),
      cmocka_unit_test(late_numbers_are_numbers),
      cmocka_unit_test(nothing_in_common_is_another_table),
      cmocka_unit_test(only_chosen_columns_stay),
      cmocka_unit_test(unknown_column_is_named),
      cmocka_unit_test(choice_across_files),
  };
  return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
