/* Many digests at once are the digests one by one, whatever the processor has. */
#include "test.h"

#include "base/cpu.h"
#include "base/hash.h"
#include "crypto/sha256_many.h"

#define MESSAGES 400u

static void check(uint32_t cpu, const bez_sha256_job *jobs, size_t n) {
  uint8_t expected[32];
  for (size_t i = 0; i < n; i++) memset(jobs[i].out, 0, 32);
  bez_sha256_many(cpu, jobs, n);
  for (size_t i = 0; i < n; i++) {
    bez_sha256(jobs[i].bytes, jobs[i].len, expected);
    assert_memory_equal(jobs[i].out, expected, 32);
  }
}

static void as_one_by_one(void **state) {
  const uint32_t masks[] = {BEZ_CPU_PLAIN, bez_cpu_features()};
  static uint8_t bytes[1 << 16], out[MESSAGES][32];
  bez_sha256_job jobs[MESSAGES];
  for (size_t i = 0; i < sizeof bytes; i++) bytes[i] = (uint8_t)bez_mix64(i + 1);
  for (size_t m = 0; m < 2; m++) {
    for (size_t i = 0; i < MESSAGES; i++) /* every length around the ends of blocks, at every alignment */
      jobs[i] = (bez_sha256_job){.bytes = bytes + i, .len = i, .out = out[i]};
    check(masks[m], jobs, MESSAGES);
    for (uint64_t seed = 1; seed < 60; seed++) {
      size_t n = bez_mix64(seed) % MESSAGES, most = seed % 3 ? 300 : 40000;
      for (size_t i = 0; i < n; i++)
        jobs[i] =
            (bez_sha256_job){.bytes = bytes + i, .len = (size_t)(bez_mix64(seed << 32 | i) % most), .out = out[i]};
      check(masks[m], jobs, n);
    }
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(as_one_by_one)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
