/* Sixteen floats or eight doubles per register. */
#include "math/order.h"

#if defined(__x86_64__)
#include <immintrin.h>

#define REAL float
#define INT int32_t
#define WIDTH 16u
#define KERNEL bez_order_f32_avx512
#define NAME(x) f32_##x
#define LESSER(a, b) _mm512_min_ps(a, b)
#define GREATER(a, b) _mm512_max_ps(a, b)
#include "math/order_body.h"

#define REAL double
#define INT int64_t
#define WIDTH 8u
#define KERNEL bez_order_f64_avx512
#define NAME(x) f64_##x
#define LESSER(a, b) _mm512_min_pd(a, b)
#define GREATER(a, b) _mm512_max_pd(a, b)
#include "math/order_body.h"
#endif
