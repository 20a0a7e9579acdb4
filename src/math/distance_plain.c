/* The reference kernels: plain C with vectors that any compiler can lower. */
#include "math/distance.h"

#include <math.h>

typedef float floats __attribute__((vector_size(16)));
typedef double doubles __attribute__((vector_size(16)));

static floats f32_fma(floats a, floats b, floats c) {
  for (unsigned l = 0; l < 4; l++) c[l] = fmaf(a[l], b[l], c[l]);
  return c;
}

static doubles f64_fma(doubles a, doubles b, doubles c) {
  for (unsigned l = 0; l < 2; l++) c[l] = fma(a[l], b[l], c[l]);
  return c;
}

#include "math/type_f32.h"
#define WIDTH 4u
#define SIDE 1u
#define KERNEL bez_distance_f32_plain
#define FMA(a, b, c) f32_fma(a, b, c)
#include "math/distance_body.h"

#include "math/type_f64.h"
#define WIDTH 2u
#define SIDE 1u
#define KERNEL bez_distance_f64_plain
#define FMA(a, b, c) f64_fma(a, b, c)
#include "math/distance_body.h"
