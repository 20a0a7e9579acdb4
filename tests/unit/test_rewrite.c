/* Rewriting: every byte that is not changed stays. */
#include "base/file.h"
#include "format/rewrite.h"
#include "table_helpers.h"

static void check_as(const char *suffix, const char *in, const bez_rewrite *plan, const char *out,
                     const char *quarantine) {
  char path[256], out_path[256], bad_path[256];
  temp_file(suffix, in, strlen(in), path);
  temp_file(suffix, "", 0, out_path);
  temp_file(suffix, "", 0, bad_path);
  bez_error err = {0};
  bez_rewrite_result result;
  bez_status st = bez_rewrite_file(path, plan, out_path, quarantine ? bad_path : NULL, &result, &err);
  if (st != BEZ_OK) fail_msg("%s", err.message);
  bez_buf got = {0};
  assert_int_equal(bez_file_read(out_path, 1 << 20, &got, &err), BEZ_OK);
  assert_string_equal(got.data ? got.data : "", out);
  if (quarantine) {
    assert_int_equal(bez_file_read(bad_path, 1 << 20, &got, &err), BEZ_OK);
    assert_string_equal(got.data ? got.data : "", quarantine);
  }
  bez_buf_free(&got);
  unlink(path), unlink(out_path), unlink(bad_path);
}

static void check(const char *in, const bez_rewrite *plan, const char *out, const char *quarantine) {
  check_as(".csv", in, plan, out, quarantine);
}

static void test_json_lines(void **state) {
  const char in[] = "{\"a\": {\"b\": 1},  \"t\":\"x\"}\n\n{\"t\": \"y\", \"a\": {\"b\": 2}}\n{\"t\": \"\\u00e9\"}";
  uint64_t drop[] = {1}, copies[] = {2};
  bez_edit edits[] = {{0, 0, "7.5", 3}, {0, 1, "say \"hi\"", 8}, {2, 0, "word", 4}};
  bez_edit copy_edits[] = {{0, 1, "z", 1}};
  bez_rewrite plan = {.edits = edits,
                      .n_edits = 3,
                      .drop = drop,
                      .n_drop = 1,
                      .copies = copies,
                      .n_copies = 1,
                      .copy_edits = copy_edits,
                      .n_copy_edits = 1};
  check_as(".jsonl", in, &plan,
           "{\"a\": {\"b\": 7.5},  \"t\":\"say \\\"hi\\\"\"}\n\n{\"t\": \"\\u00e9\", \"a.b\": \"word\"}\n"
           "{\"t\": \"z\", \"a.b\": \"word\"}",
           "{\"t\": \"y\", \"a\": {\"b\": 2}}\n");
}

static void test_drop(void **state) {
  uint64_t drop[] = {1, 3};
  bez_rewrite plan = {.drop = drop, .n_drop = 2};
  check("a,b\r\n1,\"x\"\r\n2,y\r\n\r\n3, z\r\n4,\"q,\r\nq\"", &plan, "a,b\r\n1,\"x\"\r\n\r\n3, z\r\n",
        "a,b\r\n2,y\r\n4,\"q,\r\nq\"");
}

static void test_byte_order_mark(void **state) {
  uint64_t drop[] = {0};
  bez_rewrite plan = {.drop = drop, .n_drop = 1};
  check("\xef\xbb\xbf"
        "a,b\n1,x\n2,y\n",
        &plan,
        "\xef\xbb\xbf"
        "a,b\n2,y\n",
        "\xef\xbb\xbf"
        "a,b\n1,x\n");
}

static void test_edit(void **state) {
  bez_edit edits[] = {{0, 0, "new", 3}, {0, 1, "with,comma", 10}, {2, 1, "say \"hi\"", 8}};
  bez_rewrite plan = {.edits = edits, .n_edits = 3};
  check("a,b,c\nold,\"o\",k\n2,y,k\n3,\"z\",k\n4,w,k", &plan,
        "a,b,c\nnew,\"with,comma\",k\n2,y,k\n3,\"say \"\"hi\"\"\",k\n4,w,k", NULL);
}

static void test_copies(void **state) {
  uint64_t copies[] = {1, 0, 1};
  bez_edit copy_edits[] = {{1, 1, "C", 1}, {2, 0, "D", 1}};
  bez_rewrite plan = {.copies = copies, .n_copies = 3, .copy_edits = copy_edits, .n_copy_edits = 2};
  check("a\tb\n1\tx\n2\ty", &plan, "a\tb\n1\tx\n2\ty\n2\ty\n1\tC\nD\ty", NULL);
}

static void test_row_outside(void **state) {
  char path[256];
  temp_file(".csv", "a,b\n1,2\n", 8, path);
  uint64_t drop[] = {7};
  bez_rewrite plan = {.drop = drop, .n_drop = 1};
  bez_error err = {0};
  bez_rewrite_result result;
  assert_int_equal(bez_rewrite_file(path, &plan, "/tmp/bez-never", NULL, &result, &err), BEZ_USAGE);
  assert_int_not_equal(access("/tmp/bez-never", F_OK), 0);
  err = (bez_error){0};
  assert_int_equal(bez_rewrite_file(path, &plan, path, NULL, &result, &err), BEZ_USAGE);
  unlink(path);
}

static void test_packed(void **state) {
  char path[256], packed[256], back[256];
  const char *suffix[] = {".csv.gz", ".csv.zst"};
  for (int k = 0; k < 2; k++) {
    temp_file(".csv", "a,b\n1,2\n3,4\n", 12, path);
    temp_file(suffix[k], "", 0, packed);
    temp_file(".csv", "", 0, back);
    bez_rewrite plan = {0};
    bez_error err = {0};
    bez_rewrite_result result;
    assert_int_equal(bez_rewrite_file(path, &plan, packed, NULL, &result, &err), BEZ_OK);
    bez_table *t = open_table(packed, NULL);
    assert_int_equal(t->n_rows, 2);
    bez_table_destroy(t);
    assert_int_equal(bez_rewrite_file(packed, &plan, back, NULL, &result, &err), BEZ_OK);
    bez_buf got = {0};
    assert_int_equal(bez_file_read(back, 1 << 20, &got, &err), BEZ_OK);
    assert_string_equal(got.data, "a,b\n1,2\n3,4\n");
    bez_buf_free(&got);
    unlink(path), unlink(packed), unlink(back);
  }
}

static void test_real_files_come_back_whole(void **state) {
  const char *paths[] = {"../shared/data/adult/adult.csv", "../shared/data/sms/sms_spam.tsv"};
  for (int k = 0; k < 2; k++) {
    if (access(paths[k], R_OK) != 0) {
      print_message("skipped: %s is not here\n", paths[k]);
      skip();
    }
    char out[256];
    temp_file(".csv", "", 0, out);
    bez_rewrite plan = {0};
    bez_error err = {0};
    bez_rewrite_result result;
    assert_int_equal(bez_rewrite_file(paths[k], &plan, out, NULL, &result, &err), BEZ_OK);
    assert_int_equal(result.n_rows, k ? 5574 : 32561);
    bez_buf a = {0}, b = {0};
    assert_int_equal(bez_file_read(paths[k], 1 << 24, &a, &err), BEZ_OK);
    assert_int_equal(bez_file_read(out, 1 << 24, &b, &err), BEZ_OK);
    assert_int_equal(a.len, b.len);
    assert_memory_equal(a.data, b.data, a.len);
    bez_buf_free(&a), bez_buf_free(&b);
    unlink(out);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_drop),
      cmocka_unit_test(test_json_lines),
      cmocka_unit_test(test_byte_order_mark),
      cmocka_unit_test(test_edit),
      cmocka_unit_test(test_copies),
      cmocka_unit_test(test_row_outside),
      cmocka_unit_test(test_packed),
      cmocka_unit_test(test_real_files_come_back_whole),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
