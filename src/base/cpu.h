/* CPU features found at run time. Kernels take a feature mask so that tests can force every subset. */
#ifndef BEZ_BASE_CPU_H
#define BEZ_BASE_CPU_H

#include "bezoar/base.h"

enum {
  BEZ_CPU_PLAIN = 0,
  BEZ_CPU_AVX2 = 1u << 0,   /* and BMI2, FMA */
  BEZ_CPU_AVX512 = 1u << 1, /* F, BW, VL, DQ */
  BEZ_CPU_SHA = 1u << 2     /* the SHA extensions, and SSE4.1 */
};

/* What this machine has, less what the environment variable BEZOAR_CPU forbids: "plain" leaves the plain kernels,
 * "avx2" those up to AVX2 and the SHA extensions, "avx512" (and nothing) all. */
uint32_t bez_cpu_features(void);
/* BEZ_USAGE for any other value of BEZOAR_CPU. */
BEZ_MUST_USE bez_status bez_cpu_check(bez_error *err);

#endif
