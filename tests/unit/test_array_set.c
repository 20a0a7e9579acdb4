/* Values back into items of arrays: what is read again is what was written, and nothing that does not fit gets in. */
#include "test.h"

#include <math.h>

#include "format/array.h"

static bez_field field_of(bez_item_kind kind, uint64_t size, bool swap) {
  return (bez_field){.name = "value", .kind = kind, .size = size, .swap = swap};
}

static double there_and_back(bez_item_kind kind, uint64_t size, bool swap, double value) {
  bez_field f = field_of(kind, size, swap);
  uint8_t item[8] = {0};
  bez_array_set_number(&f, value, item);
  return bez_array_number(&f, item);
}

static void every_half_survives(void **state) {
  (void)state;
  for (int swap = 0; swap < 2; swap++) {
    bez_field f = field_of(BEZ_ITEM_FLOAT, 2, swap);
    for (uint32_t bits = 0; bits < 65536; bits++) {
      uint8_t item[2] = {(uint8_t)bits, (uint8_t)(bits >> 8)}, again[2];
      double value = bez_array_number(&f, item);
      bez_array_set_number(&f, value, again);
      if (!isnan(value)) assert_memory_equal(item, again, 2);
    }
  }
  assert_true(isinf(there_and_back(BEZ_ITEM_FLOAT, 2, false, 65520)));
  assert_true(there_and_back(BEZ_ITEM_FLOAT, 2, false, 65519) == 65504);
  assert_true(there_and_back(BEZ_ITEM_FLOAT, 2, false, 2049) == 2048); /* to even */
  assert_true(there_and_back(BEZ_ITEM_FLOAT, 2, false, 2051) == 2052);
}

static void whole_numbers_are_rounded_and_kept_in_range(void **state) {
  (void)state;
  const double values[] = {0, 1, 2.4, 2.6, -3, -3.7, 127, 128, 255, 256, 70000, -70000, 1e30, -1e30};
  for (uint64_t size = 1; size <= 8; size *= 2)
    for (size_t i = 0; i < sizeof values / sizeof *values; i++)
      for (int swap = 0; swap < 2; swap++) {
        double v = values[i], top = ldexp(1, (int)(8 * size));
        double want = fmin(fmax(round(v), -top / 2), size < 8 ? top / 2 - 1 : 0x1p63);
        assert_true(there_and_back(BEZ_ITEM_INT, size, swap, v) == want);
        want = fmin(fmax(round(v), 0), size < 8 ? top - 1 : 0x1p64);
        assert_true(there_and_back(BEZ_ITEM_UINT, size, swap, v) == want);
      }
  assert_true(there_and_back(BEZ_ITEM_INT, 4, false, NAN) == -0x1p31);
  assert_true(there_and_back(BEZ_ITEM_BOOL, 1, false, .7) == 1);
  assert_true(there_and_back(BEZ_ITEM_FLOAT, 4, true, .1) == (double).1f);
}

static void text_fits_or_is_refused(void **state) {
  (void)state;
  const struct {
    bez_item_kind kind;
    uint64_t size;
    const char *text;
    bool fits;
  } cases[] = {
      {BEZ_ITEM_INT, 1, "-128", true},     {BEZ_ITEM_INT, 1, "128", false},  {BEZ_ITEM_UINT, 1, "255", true},
      {BEZ_ITEM_UINT, 1, "256", false},    {BEZ_ITEM_UINT, 4, "-1", false},  {BEZ_ITEM_INT, 8, "1.5", false},
      {BEZ_ITEM_INT, 8, "", false},        {BEZ_ITEM_FLOAT, 4, "1.5", true}, {BEZ_ITEM_FLOAT, 4, "cat", false},
      {BEZ_ITEM_BOOL, 1, "true", true},    {BEZ_ITEM_BOOL, 1, "yes", false}, {BEZ_ITEM_BYTES, 3, "cat", true},
      {BEZ_ITEM_BYTES, 3, "bird", false},  {BEZ_ITEM_UCS4, 12, "caf", true}, {BEZ_ITEM_UCS4, 12, "caf\xc3\xa9", false},
      {BEZ_ITEM_UCS4, 4, "\xc3\xa9", true}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    bez_field f = field_of(cases[i].kind, cases[i].size, false);
    uint8_t item[16] = {0};
    bez_error err = {0};
    bez_status st = bez_array_set_text(&f, cases[i].text, strlen(cases[i].text), item, &err);
    if (st != (cases[i].fits ? BEZ_OK : BEZ_USAGE)) fail_msg("%s: %d", cases[i].text, (int)st);
    for (size_t k = cases[i].size; k < sizeof item; k++) assert_int_equal(item[k], 0);
  }
  bez_field time = field_of(BEZ_ITEM_TIME, 8, false);
  uint8_t item[8];
  bez_error err = {0};
  assert_int_equal(bez_array_set_text(&time, "2020-01-01", 10, item, &err), BEZ_UNSUPPORTED);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_half_survives),
      cmocka_unit_test(whole_numbers_are_rounded_and_kept_in_range),
      cmocka_unit_test(text_fits_or_is_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
