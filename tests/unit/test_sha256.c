/* SHA-256 against the examples of FIPS 180-4 and, for every length up to a few blocks and every way to cut a message
 * in two, against the other path into OpenSSL. */
#include "crypto/sha256.h"

#include <string.h>

#include "crypto/digest.h"
#include "test.h"

static void test_examples(void **state) {
  (void)state;
  static const char *const cases[][2] = {{"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
                                         {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
                                         {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
                                          "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    uint8_t out[BEZ_SHA256];
    char hex[65];
    bez_sha256(cases[i][0], strlen(cases[i][0]), out);
    bez_hex(out, sizeof out, hex);
    assert_string_equal(hex, cases[i][1]);
  }
}

static void test_lengths_and_pieces(void **state) {
  (void)state;
  uint8_t bytes[300], want[BEZ_DIGEST_MOST], out[BEZ_SHA256];
  bez_error err = {0};
  for (size_t i = 0; i < sizeof bytes; i++) bytes[i] = (uint8_t)(i * 131 + 7);
  for (size_t len = 0; len <= sizeof bytes; len++) {
    assert_int_equal(bez_digest_bytes(BEZ_DIGEST_SHA256, bytes, len, want, &err), BEZ_OK);
    bez_sha256(bytes, len, out);
    assert_memory_equal(out, want, sizeof out);
    size_t cut = len * 37 % (len + 1);
    bez_sha256_state pieces;
    bez_sha256_begin(&pieces);
    bez_sha256_add(&pieces, bytes, cut);
    bez_sha256_add(&pieces, bytes + cut, len - cut);
    bez_sha256_end(&pieces, out);
    assert_memory_equal(out, want, sizeof out);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_examples), cmocka_unit_test(test_lengths_and_pieces)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
