/* The reference kernels: plain C with vectors that any compiler can lower. */
#include "math/distance.h"

#define REAL float
#define WIDTH 4u
#define SIDE 1u
#define LANES 16u
#define KERNEL bez_distance_f32_plain
#define PAIR bez_distance_pair_f32
#define NAME(x) f32_##x
#define LOW 1e-25
#define HIGH 1e30
#include "math/distance_body.h"

#define REAL double
#define WIDTH 2u
#define SIDE 1u
#define LANES 8u
#define KERNEL bez_distance_f64_plain
#define PAIR bez_distance_pair_f64
#define NAME(x) f64_##x
#define LOW 1e-280
#define HIGH 1e300
#include "math/distance_body.h"
