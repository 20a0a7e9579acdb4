/* JSON Lines: what becomes of objects, what is refused and where, and that threads and tiles do not matter. */
#include "reader_help.h"

#include "base/buf.h"
#include "format/jsonscan.h"

static void nested_objects_become_columns(void **state) {
  (void)state;
  static const char *const types[] = {"a=categorical", "b.c=categorical", "b.d.e=categorical", "f=categorical",
                                      "late=categorical"};
  bez_table *t = open_good("jsonl",
                           "\xEF\xBB\xBF{\"a\": 1, \"b\": {\"c\": \"x\", \"d\": {\"e\": true}}, \"f\": [1, \"two\"]}\n"
                           "\n"
                           "  {\"f\": null, \"a\":-2.50e1,\"b\":{}, \"late\": \"\\u00e9\\ud83d\\ude00\\n\"} \r\n"
                           "{\"a\": 1}",
                           types, 5);
  assert_int_equal(bez_table_rows(t), 3);
  assert_int_equal(bez_table_columns(t), 5);
  assert_string_equal(bez_table_column_name(t, 0), "a");
  assert_string_equal(bez_table_column_name(t, 1), "b.c");
  assert_string_equal(bez_table_column_name(t, 2), "b.d.e");
  assert_string_equal(bez_table_column_name(t, 4), "late");
  assert_cell(t, 0, 0, "1");
  assert_cell(t, 0, 1, "-2.50e1");
  assert_cell(t, 1, 0, "x");
  assert_cell(t, 1, 1, "");
  assert_cell(t, 2, 0, "true");
  assert_cell(t, 3, 0, "[1, \"two\"]");
  assert_cell(t, 3, 1, "");
  assert_cell(t, 4, 1, "\xC3\xA9\xF0\x9F\x98\x80\n");
  assert_null(t->remarks);
  bez_table_destroy(t);
}

static void duplicate_keys_are_remarked(void **state) {
  (void)state;
  static const char *const types[] = {"a=categorical"};
  bez_table *t = open_good("jsonl", "{\"a\":1}\n\n{\"a\":1,\"a\":2}\n{\"a\":3,\"\\u0061\":4}\n", types, 1);
  const bez_table_remark *r = find_remark(t, "duplicate-key");
  assert_non_null(r);
  assert_int_equal(r->count, 2);
  assert_int_equal(r->first_line, 3);
  assert_cell(t, 0, 1, "2");
  assert_cell(t, 0, 2, "4");
  bez_table_destroy(t);
  t = open_good("jsonl", "{\"a.b\":1,\"a\":{\"b\":2}}\n", types, 0);
  assert_non_null(find_remark(t, "duplicate-key"));
  bez_table_destroy(t);
  t = open_good("jsonl", "{\"a\":\"\\ud800x\"}\n{\"a\":\"\\udc00\"}\n", types, 1);
  r = find_remark(t, "lone-surrogate");
  assert_non_null(r);
  assert_int_equal(r->count, 2);
  assert_cell(t, 0, 0, "\xEF\xBF\xBDx");
  bez_table_destroy(t);
}

/* Each is refused with the line (the third, below a good and a blank one). */
static void broken_lines_are_errors(void **state) {
  (void)state;
  static const char *const lines[] = {
      "{",
      "{\"a\"",
      "{\"a\":",
      "{\"a\":1",
      "{\"a\":1,}",
      "{\"a\":1 \"b\":2}",
      "{a:1}",
      "{\"a\":01}",
      "{\"a\":1.}",
      "{\"a\":-}",
      "{\"a\":1e}",
      "{\"a\":tru}",
      "{\"a\":'x'}",
      "{\"a\":\"x}",
      "{\"a\":\"\\x\"}",
      "{\"a\":\"\\u12g4\"}",
      "{\"a\":\"\t\"}",
      "{\"a\":\"\xff\"}",
      "{\"a\":\"\xed\xa0\x80\"}",
      "{\"a\":[1,]}",
      "{\"a\":[1}",
      "{\"a\":1} x",
      "{\"a\":1}{\"a\":2}",
      "[1]",
      "1",
      "\"a\"",
      "{\"a\\u0000b\":1}",
      "// comment",
  };
  for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
    char text[256];
    bez_table *t = NULL;
    bez_error err;
    snprintf(text, sizeof text, "{\"a\":0}\n\n%s\n{\"a\":9}\n", lines[i]);
    bez_status st = open_bytes("jsonl", text, strlen(text), 2, NULL, 0, &t, &err);
    if (st != BEZ_FORMAT || err.line != 3 || err.offset < 9)
      fail_msg("%s: %d line %lld", lines[i], st, (long long)err.line);
    assert_null(t);
  }
}

static void deep_nesting_is_refused(void **state) {
  (void)state;
  char text[4096] = "{\"a\":";
  for (int i = 0; i < 200; i++) strcat(text, "[");
  bez_table *t = NULL;
  bez_error err;
  assert_int_equal(open_bytes("jsonl", text, strlen(text), 1, NULL, 0, &t, &err), BEZ_FORMAT);
  text[0] = 0;
  for (int i = 0; i < 200; i++) strcat(text, "{\"a\":");
  assert_int_equal(open_bytes("jsonl", text, strlen(text), 1, NULL, 0, &t, &err), BEZ_FORMAT);
  assert_int_equal(open_bytes("jsonl", "\n\n", 2, 1, NULL, 0, &t, &err), BEZ_FORMAT);
}

/* 12 MiB in three tiles, with a line that spans a whole tile, fields that come late, and an error in the last tile. */
static void tiles_and_threads_agree(void **state) {
  (void)state;
  static const char *const types[] = {"n=categorical", "k=categorical", "late=categorical"};
  bez_buf text = {0};
  for (int i = 0; i < 100000; i++) {
    bez_buf_printf(&text, "{\"n\": %d, \"k\": \"v%d\", \"pad\": \"%040d\"", i % 1000, i % 7, 0);
    if (i == 90000) bez_buf_puts(&text, ", \"late\": 1");
    if (i == 20000) {
      bez_buf_puts(&text, ", \"pad\": \"");
      for (int k = 0; k < 5 << 20; k++) bez_buf_putc(&text, 'x');
      bez_buf_putc(&text, '"');
    }
    bez_buf_puts(&text, "}\n");
  }
  assert_int_equal(bez_buf_status(&text, NULL), BEZ_OK);
  for (unsigned threads = 1; threads <= 4; threads += 3) {
    bez_table *t = NULL;
    bez_error err;
    if (open_bytes("jsonl", text.data, text.len, threads, types, 3, &t, &err) != BEZ_OK) fail_msg("%s", err.message);
    assert_int_equal(bez_table_rows(t), 100000);
    assert_int_equal(bez_table_columns(t), 4);
    assert_int_equal(find_remark(t, "duplicate-key")->first_line, 20001);
    for (uint64_t i = 0; i < 100000; i += 997) {
      char want[16];
      snprintf(want, sizeof want, "%d", (int)(i % 1000));
      assert_cell(t, 0, i, want);
      snprintf(want, sizeof want, "v%d", (int)(i % 7));
      assert_cell(t, 1, i, want);
    }
    assert_cell(t, 3, 90000, "1");
    bez_table_destroy(t);
  }
  bez_buf_puts(&text, "{\"n\": oops}\n");
  for (unsigned threads = 1; threads <= 4; threads += 3) {
    bez_table *t = NULL;
    bez_error err;
    assert_int_equal(open_bytes("jsonl", text.data, text.len, threads, types, 3, &t, &err), BEZ_FORMAT);
    assert_int_equal(err.line, 100001);
    assert_int_equal(err.offset, text.len - 6);
  }
  bez_buf_free(&text);
}

/* Words of eight bytes are scanned at once: quotes, escapes and controls at every place of a word must be seen. */
static void strings_at_every_alignment(void **state) {
  (void)state;
  for (size_t before = 0; before < 20; before++)
    for (size_t what = 0; what < 4; what++) {
      static const char *const tails[] = {"\"", "\\n\"", "\x01\"", "\xC3\xA9\""};
      char text[64] = "\"";
      for (size_t i = 0; i < before; i++) strcat(text, "a");
      strcat(text, tails[what]);
      strcat(text, " tail behind it");
      bez_buf scratch = {0};
      bez_jsonscan s = {.begin = text, .at = text, .end = text + strlen(text)};
      const char *out = NULL;
      size_t len = 0;
      bool good = bez_jsonscan_string(&s, &scratch, &out, &len);
      assert_int_equal(good, what != 2);
      if (good) {
        assert_int_equal(len, before + (what == 3 ? 2 : what == 1));
        assert_int_equal(s.at - text, 1 + before + strlen(tails[what]));
      }
      bez_buf_free(&scratch);
    }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(nested_objects_become_columns), cmocka_unit_test(duplicate_keys_are_remarked),
      cmocka_unit_test(broken_lines_are_errors),       cmocka_unit_test(deep_nesting_is_refused),
      cmocka_unit_test(tiles_and_threads_agree),       cmocka_unit_test(strings_at_every_alignment),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
