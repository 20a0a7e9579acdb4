/* The same loops for this instruction set; the bits are those of the plain kernels. */
#include "math/weighted.h"

#if defined(__x86_64__)
#include <immintrin.h>

#define WIDEN(at) _mm512_cvtps_pd(_mm256_loadu_ps(at))
#define FMA(a, b, c) _mm512_fmadd_pd(a, b, c)
#define SPLAT(x) _mm512_set1_pd(x)
#define WIDTH 8u
#define KERNELS bez_weighted_avx512
#include "math/weighted_body.h"
#endif
