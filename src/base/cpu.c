/* Feature bits through the compiler's own detection, which also asks the operating system about saved state. */
#include "base/cpu.h"

#include <stdlib.h>
#include <string.h>
#if defined(__x86_64__)
#include <cpuid.h>
#endif

#include "base/error.h"

bez_status bez_cpu_check(bez_error *err) {
  static const char *const known[] = {"", "plain", "avx2", "avx512"};
  const char *limit = getenv("BEZOAR_CPU");
  for (size_t i = 0; limit && i < sizeof known / sizeof *known; i++)
    if (!strcmp(limit, known[i])) limit = NULL;
  return limit ? bez_fail(err, BEZ_USAGE, "BEZOAR_CPU", "\"%s\" is none of: plain avx2 avx512", limit) : BEZ_OK;
}

uint32_t bez_cpu_features(void) {
  uint32_t found = BEZ_CPU_PLAIN;
#if defined(__x86_64__)
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi2") && __builtin_cpu_supports("fma"))
    found |= BEZ_CPU_AVX2;
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") &&
      __builtin_cpu_supports("avx512dq"))
    found |= BEZ_CPU_AVX512;
  unsigned a, b = 0, c, d; /* not every compiler's detection knows this one by name */
  if (__get_cpuid_count(7, 0, &a, &b, &c, &d) && (b & bit_SHA) && __builtin_cpu_supports("sse4.1"))
    found |= BEZ_CPU_SHA;
#endif
  const char *limit = getenv("BEZOAR_CPU");
  if (limit && !strcmp(limit, "plain")) return BEZ_CPU_PLAIN;
  if (limit && !strcmp(limit, "avx2")) return found & (BEZ_CPU_AVX2 | BEZ_CPU_SHA);
  return found;
}
