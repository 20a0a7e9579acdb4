/* Sixteen floats or eight doubles per register. */
#include "math/distance.h"

#if defined(__x86_64__)
#include <immintrin.h>

#define REAL float
#define WIDTH 16u
#define SIDE 4u
#define LANES 16u
#define KERNEL bez_distance_f32_avx512
#define FMA(a, b, c) _mm512_fmadd_ps(a, b, c)
#define TOTAL bez_lanes_f32
#define PAIR bez_distance_pair_f32
#define NAME(x) f32_##x
#define LOW 1e-25
#define HIGH 1e30
#include "math/distance_body.h"

#define REAL double
#define WIDTH 8u
#define SIDE 4u
#define LANES 8u
#define KERNEL bez_distance_f64_avx512
#define FMA(a, b, c) _mm512_fmadd_pd(a, b, c)
#define TOTAL bez_lanes_f64
#define PAIR bez_distance_pair_f64
#define NAME(x) f64_##x
#define LOW 1e-280
#define HIGH 1e300
#include "math/distance_body.h"
#endif
