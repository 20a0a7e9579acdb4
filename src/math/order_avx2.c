/* Eight floats or four doubles per register. */
#include "math/order.h"

#if defined(__x86_64__)
#include <float.h>
#include <immintrin.h>

#define REAL float
#define INT int32_t
#define WIDTH 8u
#define KERNEL bez_order_f32_avx2
#define NAME(x) f32_##x
#define LESSER(a, b) _mm256_min_ps(a, b)
#define GREATER(a, b) _mm256_max_ps(a, b)
#define LANES 16u
#define MOST FLT_MAX
#define TOTAL bez_lanes_f32
#define COUNT bez_lanes_i32
#define PAIR bez_distance_pair_f32
#define SQUARE_LOW 1e-25
#define SQUARE_HIGH 1e30
#define INSIDE(count, x, low, high) ((count) - ((M)((x) >= (low)) & (M)((x) <= (high))))
#include "math/order_body.h"

#define REAL double
#define INT int64_t
#define WIDTH 4u
#define KERNEL bez_order_f64_avx2
#define NAME(x) f64_##x
#define LESSER(a, b) _mm256_min_pd(a, b)
#define GREATER(a, b) _mm256_max_pd(a, b)
#define LANES 8u
#define MOST DBL_MAX
#define TOTAL bez_lanes_f64
#define COUNT bez_lanes_i64
#define PAIR bez_distance_pair_f64
#define SQUARE_LOW 1e-280
#define SQUARE_HIGH 1e300
#define INSIDE(count, x, low, high) ((count) - ((M)((x) >= (low)) & (M)((x) <= (high))))
#include "math/order_body.h"
#endif
