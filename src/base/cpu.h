/* CPU features found at run time. Kernels take a feature mask so that tests can force every subset. */
#ifndef BEZ_BASE_CPU_H
#define BEZ_BASE_CPU_H

#include <stdint.h>

enum { BEZ_CPU_PLAIN = 0, BEZ_CPU_AVX2 = 1u << 0, BEZ_CPU_AVX512 = 1u << 1 /* F, BW, VL, DQ */ };

/* What this machine has, less what the environment variable BEZOAR_CPU forbids ("plain", "avx2"). */
uint32_t bez_cpu_features(void);

#endif
