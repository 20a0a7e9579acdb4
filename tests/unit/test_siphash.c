/* SipHash-2-4 against the vectors of the paper's appendix and the reference implementation's first entries. */
#include "base/siphash.h"
#include "test.h"

static void test_vectors(void **state) {
  (void)state;
  const bez_sipkey key = {0x0706050403020100ull, 0x0f0e0d0c0b0a0908ull};
  uint8_t bytes[16];
  for (uint8_t i = 0; i < sizeof bytes; i++) bytes[i] = i;
  assert_int_equal(bez_siphash(key, bytes, 0), 0x726fdb47dd0e0e31ull);
  assert_int_equal(bez_siphash(key, bytes, 1), 0x74f839c593dc67fdull);
  assert_int_equal(bez_siphash(key, bytes, 8), 0x93f5f5799a932462ull);
  assert_int_equal(bez_siphash(key, bytes, 15), 0xa129ca6149be45e5ull);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_vectors)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
