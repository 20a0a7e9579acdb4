/* Eight floats or four doubles per register. */
#include "math/order.h"

#if defined(__x86_64__)
#include <float.h>
#include <immintrin.h>

#include "math/type_f32.h"
#define WIDTH 8u
#define KERNEL bez_order_f32_avx2
#define LESSER(a, b) _mm256_min_ps(a, b)
#define GREATER(a, b) _mm256_max_ps(a, b)
#define INSIDE(count, x, low, high) ((count) - ((M)((x) >= (low)) & (M)((x) <= (high))))
#include "math/order_body.h"

#include "math/type_f64.h"
#define WIDTH 4u
#define KERNEL bez_order_f64_avx2
#define LESSER(a, b) _mm256_min_pd(a, b)
#define GREATER(a, b) _mm256_max_pd(a, b)
#define INSIDE(count, x, low, high) ((count) - ((M)((x) >= (low)) & (M)((x) <= (high))))
#include "math/order_body.h"
#endif
