/* The reference kernels: plain C with vectors that any compiler can lower. */
#include "math/order.h"

#include <float.h>

#define REAL float
#define INT int32_t
#define WIDTH 4u
#define KERNEL bez_order_f32_plain
#define NAME(x) f32_##x
#define LESSER(a, b) f32_choose((a) < (b), a, b)
#define GREATER(a, b) f32_choose((a) > (b), a, b)
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
#define WIDTH 2u
#define KERNEL bez_order_f64_plain
#define NAME(x) f64_##x
#define LESSER(a, b) f64_choose((a) < (b), a, b)
#define GREATER(a, b) f64_choose((a) > (b), a, b)
#define LANES 8u
#define MOST DBL_MAX
#define TOTAL bez_lanes_f64
#define COUNT bez_lanes_i64
#define PAIR bez_distance_pair_f64
#define SQUARE_LOW 1e-280
#define SQUARE_HIGH 1e300
#define INSIDE(count, x, low, high) ((count) - ((M)((x) >= (low)) & (M)((x) <= (high))))
#include "math/order_body.h"
