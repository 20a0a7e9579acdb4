/* The same loops for this instruction set; the bits are those of the plain kernels. */
#include "math/weighted.h"

#if defined(__x86_64__)
#include <immintrin.h>

#define WIDEN(at) _mm256_cvtps_pd(_mm_loadu_ps(at))
#define FMA(a, b, c) _mm256_fmadd_pd(a, b, c)
#define SPLAT(x) _mm256_set1_pd(x)
#define WIDTH 4u
#define KERNELS bez_weighted_avx2
#include "math/weighted_body.h"
#endif
