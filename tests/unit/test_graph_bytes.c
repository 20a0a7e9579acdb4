/* What readers of graphs walk hostile bytes with: Protocol Buffers, FlatBuffers, paths, names; and where tensors are
 * said to lie. */
#include <string.h>

#include "decode/flatbuffer.h"
#include "decode/name_set.h"
#include "decode/outside.h"
#include "decode/protobuf.h"
#include "test.h"

static bez_cursor over(const void *bytes, size_t len) {
  return (bez_cursor){.data = bytes, .len = len};
}

/* ---- Protocol Buffers ----------------------------------------------------------------------------------------------
 */

static void test_fields_of_every_wire(void **state) {
  (void)state;
  static const uint8_t bytes[] = "\x08\x96\x01"                      /* 1: 150 */
                                 "\x12\x03two"                       /* 2: "two" */
                                 "\x1d\1\0\0\0"                      /* 3: fixed 32 */
                                 "\x21\2\0\0\0\0\0\0\0"              /* 4: fixed 64 */
                                 "\x2b\x08\x01\x33\x34\x2c\x30\x07"; /* group 5, a group in it, then 6: 7 */
  bez_cursor c = over(bytes, sizeof bytes - 1);
  bez_proto_field f;
  char text[8];
  assert_true(bez_proto_next(&c, &f) && bez_proto_is(&f, 1, BEZ_PROTO_VARINT) && f.value == 150);
  assert_true(bez_proto_next(&c, &f) && bez_proto_equals(&f, "two"));
  assert_string_equal(bez_proto_text(&f, text, sizeof text), "two");
  assert_string_equal(bez_proto_text(&f, text, 3), "tw");
  assert_true(bez_proto_next(&c, &f) && f.wire == BEZ_PROTO_FIXED32 && f.value == 1);
  assert_true(bez_proto_next(&c, &f) && f.wire == BEZ_PROTO_FIXED64 && f.value == 2);
  assert_true(bez_proto_next(&c, &f) && f.number == 6 && f.value == 7);
  assert_false(bez_proto_next(&c, &f));
  assert_int_equal(c.pos, c.len);
  for (size_t cut = 1; cut < sizeof bytes - 1; cut++) { /* cut anywhere it ends between two fields, or is broken */
    c = over(bytes, cut);
    while (bez_proto_next(&c, &f)) assert_true(c.pos <= cut);
    assert_true(c.pos < cut || cut == 3 || cut == 8 || cut == 13 || cut == 22 || cut == 28);
  }
}

static void broken(const char *bytes, size_t len) {
  bez_proto_field f;
  bez_cursor c = over(bytes, len);
  assert_false(bez_proto_next(&c, &f));
  assert_int_equal(c.pos, 0);
  assert_false(bez_proto_whole(over(bytes, len)));
}

static void test_broken_fields(void **state) {
  (void)state;
  char deep[400];
  broken("\0\0", 2);                                                /* no field has the number 0 */
  broken("\x0f", 1);                                                /* no wire type 7 */
  broken("\x0c", 1);                                                /* the end of no group */
  broken("\x0b\x14", 2);                                            /* the end of another group */
  broken("\x0b", 1);                                                /* a group without an end */
  broken("\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\1", 13); /* a number of more than ten bytes */
  broken("\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\1", 11);         /* 2^64 - 1 bytes */
  broken("\x0a\x02x", 3);                                           /* one byte short */
  memset(deep, 0x0b, 200);
  memset(deep + 200, 0x0c, 200);
  broken(deep, sizeof deep); /* groups in groups, too deep */
}

static void test_a_field_that_stands_twice(void **state) {
  (void)state;
  bez_proto_field kept = {0}, one = {.number = 1, .wire = 2, .bytes = (const uint8_t *)"a", .len = 1}, two = one;
  assert_false(bez_proto_last(&kept, &one));
  assert_false(bez_proto_last(&kept, &two));
  two.bytes = (const uint8_t *)"b";
  assert_true(bez_proto_last(&kept, &two));
  assert_int_equal(kept.bytes[0], 'b');
}

/* ---- FlatBuffers ---------------------------------------------------------------------------------------------------
 */

static void test_flat_tables(void **state) {
  (void)state;
  /* A table at 20, its table of fields at 8: field 0 a number, field 1 a string at 32, field 2 its default. */
  uint8_t own[47];
  memset(own, 0, sizeof own);
  memcpy(own, "\x14\0\0\0TFL3\x0a\0\x0c\0\x04\0\x08\0\0\0\0\0\x0c\0\0\0\x2a\0\0\0\x04\0\0\0\x03\0\0\0xyz", 39);
  char text[8];
  bez_flat f = {.bytes = own, .len = sizeof own, .budget = 100};
  const uint64_t root = bez_flat_root(&f);
  assert_int_equal(root, 20);
  assert_int_equal(bez_flat_number(&f, root, 0, 4, 7), 42);
  assert_string_equal(bez_flat_text(&f, root, 1, text, sizeof text), "xyz");
  assert_int_equal(bez_flat_number(&f, root, 2, 4, 7), 7);
  assert_int_equal(bez_flat_number(&f, root, 9, 4, 7), 7);
  assert_false(f.broken);
  f.len = 33; /* the string's length lies beyond the end */
  (void)bez_flat_items(&f, root, 1, 1);
  assert_true(f.broken);
  f = (bez_flat){.bytes = own, .len = sizeof own, .budget = 2};
  (void)bez_flat_text(&f, 20, 1, text, sizeof text);
  assert_true(f.broken); /* the budget is spent */
  memset(own + 20, 0xff, 4);
  f = (bez_flat){.bytes = own, .len = sizeof own, .budget = 100};
  assert_int_equal(bez_flat_field(&f, 20, 0), 0); /* its table of fields is far away */
}

/* ---- paths and names ------------------------------------------------------------------------------------------------
 */

static void test_paths(void **state) {
  (void)state;
  static const char *const inside[] = {"w.bin", "weights/w.bin", "./w.bin", "a..b",
                                       "...",   "..a/b",         "a/.../b", "w.bin."};
  static const char *const outside[] = {"/w",       "../w",    "a/../../w",  "a/..",        "..",  "\\w",
                                        "a\\..\\b", "C:w",     "c:\\w",      "\\\\host\\w", "~/w", "file:///w",
                                        "a//../w",  ".//../w", "http://h/w", "a\\w"};
  for (size_t i = 0; i < sizeof inside / sizeof *inside; i++)
    if (bez_path_leads_out(inside[i], strlen(inside[i]))) fail_msg("%s", inside[i]);
  for (size_t i = 0; i < sizeof outside / sizeof *outside; i++)
    if (!bez_path_leads_out(outside[i], strlen(outside[i]))) fail_msg("%s", outside[i]);
  assert_non_null(bez_path_leads_out("a\0b", 3));
  assert_null(bez_path_leads_out("", 0));
}

static void test_names(void **state) {
  (void)state;
  char name[16];
  bez_name_set set = {0};
  assert_false(bez_name_set_has(&set, "x"));
  for (int i = 999; i >= 0; i--) {
    snprintf(name, sizeof name, "f%d", i);
    assert_true(bez_name_set_add(&set, name));
  }
  bez_name_set_sort(&set);
  assert_true(bez_name_set_has(&set, "f0") && bez_name_set_has(&set, "f999") && bez_name_set_has(&set, "f500"));
  assert_false(bez_name_set_has(&set, "f1000") || bez_name_set_has(&set, ""));
  bez_name_set_free(&set);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_fields_of_every_wire),
                                     cmocka_unit_test(test_broken_fields),
                                     cmocka_unit_test(test_a_field_that_stands_twice),
                                     cmocka_unit_test(test_flat_tables),
                                     cmocka_unit_test(test_paths),
                                     cmocka_unit_test(test_names)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
