/* .npy: every kind of item, both orders, structured types, and headers that lie. */
#include "reader_help.h"

#include <math.h>

#include "base/buf.h"
#include "base/json.h"
#include "format/celltext.h"

/* magic + version 1.0 + the literal, padded to 16 bytes, + data. */
static void npy(bez_buf *out, int version, const char *literal, const void *data, size_t len) {
  size_t head = version == 1 ? 10 : 12, size = (head + strlen(literal) + 1 + 15) / 16 * 16 - head;
  bez_buf_clear(out);
  bez_buf_write(out, "\x93NUMPY", 6);
  bez_buf_putc(out, (char)version);
  bez_buf_putc(out, 0);
  for (size_t i = 0; i < head - 8; i++) bez_buf_putc(out, (char)(size >> (8 * i)));
  bez_buf_puts(out, literal);
  while (out->len < head + size - 1) bez_buf_putc(out, ' ');
  bez_buf_putc(out, '\n');
  bez_buf_write(out, data, len);
}

static bez_status open_npy(bez_buf *b, const char *const *types, size_t n_types, bez_table **t, bez_error *err) {
  return open_bytes("npy", b->data, b->len, 2, types, n_types, t, err);
}

static void two_dimensions_in_both_orders(void **state) {
  (void)state;
  static const char *const types[] = {"c0=categorical", "c1=categorical"};
  double c_order[] = {1, 2.5, 3, NAN, -0.1, 1e300}, f_order[] = {1, 3, -0.1, 2.5, NAN, 1e300};
  for (int fortran = 0; fortran < 2; fortran++) {
    bez_buf b = {0};
    bez_table *t = NULL;
    bez_error err;
    npy(&b, 1 + fortran,
        fortran ? "{'descr': '<f8', 'fortran_order': True, 'shape': (3, 2), }"
                : "{'descr': '<f8', 'fortran_order': False, 'shape': (3, 2), }",
        fortran ? f_order : c_order, sizeof c_order);
    if (open_npy(&b, types, 2, &t, &err) != BEZ_OK) fail_msg("%s", err.message);
    assert_int_equal(bez_table_rows(t), 3);
    assert_int_equal(bez_table_columns(t), 2);
    assert_cell(t, 0, 0, "1");
    assert_cell(t, 0, 2, "-0.1");
    assert_cell(t, 1, 0, "2.5");
    assert_cell(t, 1, 1, "");
    assert_cell(t, 1, 2, "1e+300");
    bez_table_destroy(t);
    bez_buf_free(&b);
  }
}

static void structured_types_become_columns(void **state) {
  (void)state;
  static const char *const types[] = {"i=categorical",   "s=categorical",     "u=categorical",
                                      "p.x=categorical", "p.y.0=categorical", "p.y.1=categorical",
                                      "t=categorical",   "ok=categorical",    "h=categorical"};
  unsigned char row[2][49] = {{0}};
  for (int r = 0; r < 2; r++) {
    unsigned char *p = row[r];
    p[0] = 0xFF, p[1] = (unsigned char)(0xFE - r); /* >i2: -2, -3 */
    memcpy(p + 2, r ? "ab\0" : "abc", 3);
    memcpy(p + 5, r ? "\xE9\0\0\0\0\0\0\0" : "x\0\0\0\0\xF6\x01\0", 8); /* U2: é; x + U+1F600 */
    float x = 0.1f;
    memcpy(p + 13, &x, 4);
    p[17] = 7, p[18] = 8;                             /* u1 × 2 */
    int64_t ns = r ? INT64_MIN : 1714979289250000000; /* 2024-05-06T07:08:09.25 */
    memcpy(p + 25, &ns, 8);
    p[33] = (unsigned char)r;
    p[34] = 0x00, p[35] = 0x3E; /* f2 1.5 */
  }
  bez_buf b = {0};
  bez_table *t = NULL;
  bez_error err;
  npy(&b, 3,
      "{'descr': [('i', '>i2'), ('s', '|S3'), (('Title', 'u'), '<U2'), ('p', [('x', '<f4'), ('y', '|u1', (2,))]), "
      "('', '|V6'), ('t', '<M8[ns]'), ('ok', '|b1'), ('h', '<f2'), ('', '|V13')], 'fortran_order': False, 'shape': "
      "(2,)}",
      row, sizeof row);
  if (open_npy(&b, types, 9, &t, &err) != BEZ_OK) fail_msg("%s", err.message);
  assert_int_equal(bez_table_columns(t), 9);
  static const char *const want[2][9] = {
      {"-2", "abc", "x\xF0\x9F\x98\x80", "0.1", "7", "8", "2024-05-06T07:08:09.25", "false", "1.5"},
      {"-3", "ab", "\xC3\xA9", "0.1", "7", "8", "", "true", "1.5"}};
  for (uint32_t c = 0; c < 9; c++)
    for (uint64_t r = 0; r < 2; r++) assert_cell(t, c, r, want[r][c]);
  bez_table_destroy(t);
  bez_buf_free(&b);
}

static void lying_headers_are_refused(void **state) {
  (void)state;
  static const struct {
    const char *literal;
    bez_status want;
  } cases[] = {
      {"{'descr': '|O', 'fortran_order': False, 'shape': (1,)}", BEZ_UNSUPPORTED},
      {"{'descr': [('a', '<i4'), ('b', 'O')], 'fortran_order': False, 'shape': (1,)}", BEZ_UNSUPPORTED},
      {"{'descr': '<c16', 'fortran_order': False, 'shape': (1,)}", BEZ_UNSUPPORTED},
      {"{'descr': '<f8', 'fortran_order': False, 'shape': ()}", BEZ_UNSUPPORTED},
      {"{'descr': '<f8', 'fortran_order': False, 'shape': (1, 1, 1, 1, 1)}", BEZ_UNSUPPORTED},
      {"{'descr': '<f8', 'fortran_order': False, 'shape': (3,)}", BEZ_FORMAT},
      {"{'descr': '<f8', 'fortran_order': False, 'shape': (99999999999999999999,)}", BEZ_FORMAT},
      {"{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000000, 10000)}", BEZ_FORMAT},
      {"{'descr': '<f8', 'fortran_order': False, 'shape': (1, 99999999999)}", BEZ_LIMIT},
      {"{'descr': '<f8', 'fortran_order': False, 'shape': (1, 999999)}", BEZ_LIMIT},
      {"{'descr': '<f8', 'fortran_order': False}", BEZ_FORMAT},
      {"{'descr': '<f8', 'descr': '<f8', 'fortran_order': False, 'shape': (1,)}", BEZ_FORMAT},
      {"{'descr': '<f8', 'fortran_order': Maybe, 'shape': (1,)}", BEZ_FORMAT},
      {"{'descr': '<f8', 'fortran_order': False, 'shape': (1,)} + x", BEZ_FORMAT},
      {"{'descr': '<f8, 'fortran_order': False, 'shape': (1,)}", BEZ_FORMAT},
      {"{'descr': [], 'fortran_order': False, 'shape': (1,)}", BEZ_FORMAT},
      {"{'descr': '<f3', 'fortran_order': False, 'shape': (1,)}", BEZ_UNSUPPORTED},
      {"{'descr': '<U99999999', 'fortran_order': False, 'shape': (1,)}", BEZ_LIMIT},
      {"{'descr': '|V8', 'fortran_order': False, 'shape': (1,)}", BEZ_UNSUPPORTED},
      {"{'descr': __import__('os').system('id'), 'fortran_order': False, 'shape': (1,)}", BEZ_FORMAT},
      {"", BEZ_FORMAT},
  };
  double data[2] = {1, 2};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    bez_buf b = {0};
    bez_table *t = NULL;
    bez_error err;
    npy(&b, 1, cases[i].literal, data, sizeof data);
    bez_status st = open_npy(&b, NULL, 0, &t, &err);
    if (st != cases[i].want) fail_msg("%s: %s (%s)", cases[i].literal, bez_status_text(st), err.message);
    assert_null(t);
    bez_buf_free(&b);
  }
}

static void trailing_bytes_are_remarked(void **state) {
  (void)state;
  int32_t data[3] = {5, 6, 7};
  bez_buf b = {0};
  bez_table *t = NULL;
  bez_error err;
  npy(&b, 1, "{'descr': '<i4', 'fortran_order': False, 'shape': (2,)}", data, sizeof data);
  assert_int_equal(open_npy(&b, NULL, 0, &t, &err), BEZ_OK);
  assert_string_equal(bez_table_column_name(t, 0), "value");
  assert_int_equal(find_remark(t, "trailing-bytes")->count, 4);
  bez_table_destroy(t);
  bez_buf_free(&b);
}

static void check_double(double value) {
  char text[BEZ_CELLTEXT_MAX + 1];
  text[bez_text_double(value, text)] = 0;
  if (strtod(text, NULL) != value) fail_msg("%.17g became %s", value, text);
}

/* The quick way must choose the digits that the general way chooses. */
static void quick_digits_are_the_general_ones(void **state) {
  (void)state;
  uint64_t bits = 42;
  for (int i = 0; i < 300000; i++) {
    bits = bits * 6364136223846793005ull + 1442695040888963407ull;
    double value = ldexp((double)(bits >> 11), (int)(bits % 61) - 64);
    if (i % 3 == 0) value = (double)(bits >> 20) / 1e13;
    char quick[BEZ_CELLTEXT_MAX + 1], general[32];
    quick[bez_text_double(value, quick)] = 0;
    bez_format_double(value, general);
    if (strtod(quick, NULL) != value) fail_msg("%.17g became %s", value, quick);
    if (strcmp(quick, general) != 0 && !strchr(general, 'e')) fail_msg("%.17g: %s, not %s", value, quick, general);
  }
}

static void numbers_read_back(void **state) {
  (void)state;
  uint64_t bits = 0x123456789abcdefull;
  for (int i = 0; i < 20000; i++) {
    bits = bits * 6364136223846793005ull + 1442695040888963407ull;
    double value;
    memcpy(&value, &bits, 8);
    if (isfinite(value)) check_double(value);
    check_double((double)(int64_t)(bits >> 34) / 100);
    check_double(-(double)(bits >> 40) / 1e6);
    uint32_t low = (uint32_t)(bits >> 32);
    float f;
    memcpy(&f, &low, 4);
    char text[BEZ_CELLTEXT_MAX + 1];
    if (!isfinite(f)) continue;
    text[bez_text_float(f, text)] = 0;
    if (strtof(text, NULL) != f) fail_msg("%.9g became %s", (double)f, text);
  }
}

static void assert_text(const char *text, size_t len, const char *want) {
  assert_int_equal(len, strlen(want));
  assert_memory_equal(text, want, len);
}

static void times_and_decimals(void **state) {
  (void)state;
  char out[BEZ_CELLTEXT_MAX];
  assert_text(out, bez_text_time(0, 1, out), "1970-01-01T00:00:00");
  assert_text(out, bez_text_time(-1, 1000, out), "1969-12-31T23:59:59.999");
  assert_text(out, bez_text_date(19782, out), "2024-02-29");
  assert_text(out, bez_text_date(-719162, out), "0001-01-01");
  assert_text(out, bez_text_date(-719163, out), "-719163");
  assert_text(out, bez_text_month(-1, out), "1969-12-01");
  assert_text(out, bez_text_clock(3723500, 1000, out), "01:02:03.5");
  assert_text(out, bez_text_int(INT64_MIN, out), "-9223372036854775808");
  assert_text(out, bez_text_decimal(12345, 0, 2, out), "123.45");
  assert_text(out, bez_text_decimal((uint64_t)-5, -1, 3, out), "-0.005");
  assert_text(out, bez_text_decimal(0, 0, 0, out), "0");
  assert_text(out, bez_text_half(0x3C01, out), "1.0009765625");
  assert_text(out, bez_text_float(16777216.0f, out), "16777216");
  assert_text(out, bez_text_double(-0.0, out), "0");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(two_dimensions_in_both_orders),
      cmocka_unit_test(structured_types_become_columns),
      cmocka_unit_test(lying_headers_are_refused),
      cmocka_unit_test(trailing_bytes_are_remarked),
      cmocka_unit_test(numbers_read_back),
      cmocka_unit_test(quick_digits_are_the_general_ones),
      cmocka_unit_test(times_and_decimals),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
