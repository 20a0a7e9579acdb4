/* The reference kernels: plain C with vectors that any compiler can lower. */
#include "math/order.h"

#include <float.h>

#include "math/type_f32.h"
#define WIDTH 4u
#define KERNEL bez_order_f32_plain
#define LESSER(a, b) f32_choose((a) < (b), a, b)
#define GREATER(a, b) f32_choose((a) > (b), a, b)
#define INSIDE(count, x, low, high) ((count) - ((M)((x) >= (low)) & (M)((x) <= (high))))
#include "math/order_body.h"

#include "math/type_f64.h"
#define WIDTH 2u
#define KERNEL bez_order_f64_plain
#define LESSER(a, b) f64_choose((a) < (b), a, b)
#define GREATER(a, b) f64_choose((a) > (b), a, b)
#define INSIDE(count, x, low, high) ((count) - ((M)((x) >= (low)) & (M)((x) <= (high))))
#include "math/order_body.h"
