/* Items: written, read back, refused where malformed, and hashed as docs/vault/format.md says. */
#include "content/item.h"

#include "crypto/sha256.h"
#include "test.h"

static void test_varints(void **state) {
  (void)state;
  static const uint64_t values[] = {0, 1, 127, 128, 300, 16383, 16384, UINT32_MAX, UINT64_MAX - 1, UINT64_MAX};
  static const size_t lengths[] = {1, 1, 1, 2, 2, 2, 3, 5, 10, 10};
  for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
    bez_buf buf = {0};
    bez_put_varint(&buf, values[i]);
    assert_int_equal(buf.len, lengths[i]);
    bez_cursor c = {(const uint8_t *)buf.data, buf.len, 0};
    uint64_t back = 0;
    assert_true(bez_cursor_varint(&c, &back));
    assert_true(back == values[i] && c.pos == buf.len);
    c = (bez_cursor){(const uint8_t *)buf.data, buf.len - 1, 0}; /* cut short */
    assert_false(bez_cursor_varint(&c, &back));
    assert_int_equal(c.pos, 0);
    bez_buf_free(&buf);
  }
}

static void test_varints_have_one_form(void **state) {
  (void)state;
  static const uint8_t longer[] = {0x80, 0x00}, padded[] = {0xff, 0x80, 0x00};
  static const uint8_t too_many[] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02};
  uint64_t out;
  bez_cursor a = {longer, sizeof longer, 0}, b = {padded, sizeof padded, 0}, c = {too_many, sizeof too_many, 0};
  assert_false(bez_cursor_varint(&a, &out));
  assert_false(bez_cursor_varint(&b, &out));
  assert_false(bez_cursor_varint(&c, &out));
}

static void test_there_and_back(void **state) {
  (void)state;
  static const char digest[] = "0123456789abcdef0123456789abcdef";
  const bez_item items[] = {{BEZ_ITEM_FILE, "a/b.csv", "{\"form\":\"csv\"}", 7, 14},
                            {BEZ_ITEM_BYTES, NULL, "x,y\n", 0, 4},
                            {BEZ_ITEM_ROW, NULL, "1,2\n", 0, 4},
                            {BEZ_ITEM_ROW, NULL, NULL, 0, 0},
                            {BEZ_ITEM_FILE_ROW, "cat.png", "\0\1\2", 7, 3},
                            {BEZ_ITEM_DIGEST, NULL, digest, 0, 32}};
  const size_t n = sizeof items / sizeof *items;
  bez_buf buf = {0};
  for (size_t i = 0; i < n; i++) bez_item_write(&buf, &items[i]);
  bez_cursor c = {(const uint8_t *)buf.data, buf.len, 0};
  for (size_t i = 0; i < n; i++) {
    bez_item item;
    assert_true(bez_item_next(&c, &item));
    assert_int_equal(item.type, items[i].type);
    assert_int_equal(item.head_len, items[i].head_len);
    assert_int_equal(item.body_len, items[i].body_len);
    if (item.head_len) assert_memory_equal(item.head, items[i].head, item.head_len);
    if (item.body_len) assert_memory_equal(item.body, items[i].body, item.body_len);
  }
  assert_int_equal(bez_cursor_left(&c), 0);
  bez_buf_free(&buf);
}

static void test_malformed(void **state) {
  (void)state;
  static const struct {
    const char *bytes;
    size_t len;
  } bad[] = {{"", 0},
             {"\0\0\0", 3},
             {"\6\0\0", 3},
             {"\3", 1},
             {"\3\0", 2},
             {"\3\0\2x", 4},
             {"\3\5\0", 3},
             {"\5\0\4abcd", 7}, /* a digest of four bytes */
             {"\3\0\xff\xff\xff\xff\xff\xff\xff\xff\xff\1x", 13}};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    bez_cursor c = {(const uint8_t *)bad[i].bytes, bad[i].len, 0};
    bez_item item;
    assert_false(bez_item_next(&c, &item));
    assert_int_equal(c.pos, 0);
  }
}

static void test_hash(void **state) {
  (void)state;
  uint8_t raw[32], canonical[32], got[32], want[32], all[2 + 64 + 7] = {0, BEZ_ITEM_FILE_ROW};
  memset(raw, 1, sizeof raw);
  memset(canonical, 2, sizeof canonical);
  memcpy(all + 2, raw, 32);
  memcpy(all + 34, canonical, 32);
  memcpy(all + 66, "cat.png", 7);
  bez_item item = {BEZ_ITEM_FILE_ROW, "cat.png", "…", 7, 3};
  bez_item_hash(&item, raw, canonical, got);
  bez_sha256(all, sizeof all, want);
  assert_memory_equal(got, want, 32);
  item.head_len = 0;
  bez_item_hash(&item, raw, canonical, got);
  bez_sha256(all, 66, want);
  assert_memory_equal(got, want, 32);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_varints), cmocka_unit_test(test_varints_have_one_form),
                                     cmocka_unit_test(test_there_and_back), cmocka_unit_test(test_malformed),
                                     cmocka_unit_test(test_hash)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
