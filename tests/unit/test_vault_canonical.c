/* The canonical form (docs/vault/rows.md), its numbers and nested JSON one by one; whole rows are held against an
 * independent implementation in tests/cli/test_vault_rows.py. */
#include "test.h"

#include "content/canonical.h"

static void test_numbers(void **state) {
  (void)state;
#define ZEROS_39 "000000000000000000000000000000000000000"
  static const char *const cases[][2] = {{"0", "0"},
                                         {"-0", "0"},
                                         {"+0.000e5", "0"},
                                         {"1.50", "1.5"},
                                         {"+12", "12"},
                                         {"-1.0", "-1"},
                                         {"1e3", "1000"},
                                         {"1.25e1", "12.5"},
                                         {"125e-5", "0.00125"},
                                         {"0.5", "0.5"},
                                         {"100", "100"},
                                         {"1e39", "1" ZEROS_39},
                                         {"1e40", "1e40"},
                                         {"1" ZEROS_39 "0", "1e40"},
                                         {"1e-39", "0."
                                                   "00000000000000000000000000000000000000"
                                                   "1"},
                                         {"1e-40", "1e-40"},
                                         {"-123" ZEROS_39 "4.5", "-1.23" ZEROS_39 "45e42"},
                                         {"1e999999999", "1e999999999"},
                                         {"1e0000000000000000007", "10000000"},
                                         {"1e1234567890", ""},
                                         {"007", ""},
                                         {".5", ""},
                                         {"5.", ""},
                                         {"1e", ""},
                                         {"1e+", ""},
                                         {"--1", ""},
                                         {"1 2", ""},
                                         {"-", ""},
                                         {"0x10", ""},
                                         {"", ""}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    char out[256];
    size_t n = bez_canonical_number(cases[i][0], strlen(cases[i][0]), out);
    out[n] = 0;
    assert_string_equal(out, cases[i][1]);
  }
}

static void test_nested(void **state) {
  (void)state;
  static const char *const cases[][2] = {
      {"{ \"b\" : [ 1.0 , null ] , \"a\" : {} }", "{\"a\":{},\"b\":[1,null]}"},
      {"[\"\\u00e9\\/\\u0001\\n\\\"\", true, NaN]", "[\"\xc3\xa9/\\u0001\\n\\\"\",true,NaN]"},
      {"{\"a\":2,\"a\":1,\"\":3}", "{\"\":3,\"a\":2,\"a\":1}"},
      {"[1,]", NULL},
      {"{\"a\"}", NULL},
      {"[1] 2", NULL}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    bez_buf out = {0};
    bool good = bez_canonical_json(cases[i][0], strlen(cases[i][0]), &out);
    assert_int_equal(good, cases[i][1] != NULL);
    if (good) assert_string_equal((bez_buf_putc(&out, 0), out.data), cases[i][1]);
    bez_buf_free(&out);
  }
}

static void digest_of(bez_canonical *c, const char *const (*fields)[2], size_t n, uint8_t out[32]) {
  bez_error err = {0};
  bez_canonical_begin(c);
  for (size_t i = 0; i < n; i++)
    bez_canonical_field(c, fields[i][0], strlen(fields[i][0]), fields[i][1], strlen(fields[i][1]), BEZ_FIELD_TEXT);
  assert_ok(bez_canonical_finish(c, out, &err));
}

/* Order of fields, blanks, empty values and spelling of numbers do not matter; names, and text that is no number, do.
 */
static void test_rows(void **state) {
  (void)state;
  bez_error err = {0};
  bez_canonical *c;
  uint8_t one[32], two[32], held[2][32];
  static const char *const a[][2] = {{"x", "1.0"}, {"y", " text "}, {"z", ""}};
  static const char *const b[][2] = {{" y ", "text"}, {"x", "+1"}};
  static const char *const other[][2] = {{"y", "Text"}, {"x", "1"}};
  assert_ok(bez_canonical_create(&c, &err));
  digest_of(c, a, 3, one);
  digest_of(c, b, 2, two);
  assert_memory_equal(one, two, 32);
  digest_of(c, other, 2, two);
  assert_memory_not_equal(one, two, 32);
  bez_canonical_hold(c); /* gathered, they are the same */
  digest_of(c, a, 3, held[0]);
  digest_of(c, other, 2, held[1]);
  assert_ok(bez_canonical_release(c, &err));
  assert_memory_equal(held[0], one, 32);
  assert_memory_equal(held[1], two, 32);
  bez_canonical_free(c);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_numbers), cmocka_unit_test(test_nested),
                                     cmocka_unit_test(test_rows)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
