/* The body of the kernels: loops that the compiler turns into vectors of the includer's instruction set. The includer
 * defines KERNELS, the name of the table. */
#include <float.h>
#include <stdint.h>
#include <string.h>

#include "math/weighted.h"

#define LANES 8u

#define ADD(name, REAL)                                                                                                \
  static void name(const REAL *x, double weight, size_t len, double *z) {                                              \
    for (size_t c = 0; c < len; c++) z[c] += (double)x[c] * weight;                                                    \
  }

#define DISTANCE(name, REAL)                                                                                           \
  static double name(const REAL *x, const double *z, size_t len) {                                                     \
    double sum[LANES] = {0};                                                                                           \
    size_t c = 0;                                                                                                      \
    for (; c + LANES <= len; c += LANES)                                                                               \
      for (unsigned l = 0; l < LANES; l++) {                                                                           \
        double d = (double)x[c + l] - z[c + l];                                                                        \
        sum[l] += d * d;                                                                                               \
      }                                                                                                                \
    for (unsigned l = 0; c + l < len; l++) {                                                                           \
      double d = (double)x[c + l] - z[c + l];                                                                          \
      sum[l] += d * d;                                                                                                 \
    }                                                                                                                  \
    return ((sum[0] + sum[4]) + (sum[2] + sum[6])) + ((sum[1] + sum[5]) + (sum[3] + sum[7]));                          \
  }

/* All bits of the exponent are set. */
#define FINITE(name, REAL, BITS, EXPONENT)                                                                             \
  static bool name(const REAL *x, size_t len) {                                                                        \
    BITS odd = 0;                                                                                                      \
    for (size_t c = 0; c < len; c++) {                                                                                 \
      BITS bits;                                                                                                       \
      memcpy(&bits, x + c, sizeof bits);                                                                               \
      odd |= (bits & (EXPONENT)) == (EXPONENT);                                                                        \
    }                                                                                                                  \
    return odd == 0;                                                                                                   \
  }

static void narrow(const double *z, size_t len, float *out) {
  for (size_t c = 0; c < len; c++) {
    double x = z[c] > (double)FLT_MAX ? (double)FLT_MAX : z[c];
    out[c] = (float)(x < -(double)FLT_MAX ? -(double)FLT_MAX : x);
  }
}

ADD(add_f32, float)
ADD(add_f64, double)
DISTANCE(distance_f32, float)
DISTANCE(distance_f64, double)
FINITE(finite_f32, float, uint32_t, UINT32_C(0x7f800000))
FINITE(finite_f64, double, uint64_t, UINT64_C(0x7ff0000000000000))

const bez_weighted KERNELS = {.add_f32 = add_f32,
                              .add_f64 = add_f64,
                              .distance_f32 = distance_f32,
                              .distance_f64 = distance_f64,
                              .finite_f32 = finite_f32,
                              .finite_f64 = finite_f64,
                              .narrow = narrow};
