/* The body of the kernels: loops over vectors of WIDTH doubles, at most eight. The includer defines WIDTH; KERNELS, the
 * name of the table; and, unless the plain way will do, WIDEN(at): as many floats as doubles, FMA(a, b, c): a · b + c
 * rounded once, and SPLAT(x): x in every lane. */
#include <float.h>
#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "math/weighted.h"

#define CHUNK 32u  /* coordinates whose sums stay in registers */
#define AHEAD 256u /* bytes that memory is asked for beforehand */
#define INLINE static inline __attribute__((always_inline))

typedef double V __attribute__((vector_size(WIDTH * sizeof(double))));
typedef int64_t M __attribute__((vector_size(WIDTH * sizeof(double))));

#ifndef WIDEN
INLINE V widen(const float *at) {
  V x;
  for (unsigned l = 0; l < WIDTH; l++) x[l] = (double)at[l];
  return x;
}
#define WIDEN(at) widen(at)
INLINE V multiply_add(V a, V b, V c) {
  for (unsigned l = 0; l < WIDTH; l++) c[l] = fma(a[l], b[l], c[l]);
  return c;
}
#define FMA(a, b, c) multiply_add(a, b, c)
#define SPLAT(x) ((V){x, x})
#endif

INLINE V choose(M mask, V yes, V no) {
  return (V)(((M)yes & mask) | ((M)no & ~mask));
}

INLINE V within(V z) {
  const V most = (V){0} + (double)FLT_MAX;
  z = choose((M)(z > most), most, z);
  return choose((M)(z < -most), -most, z);
}

INLINE V load_double(const double *at) {
  V x;
  memcpy(&x, at, sizeof x);
  return x;
}

#define REAL float
#define NAME(x) f32_##x
#define LOAD(at) WIDEN(at)
#define LIMIT(z) within(z)
#include "math/weighted_rows.h"

#define REAL double
#define NAME(x) f64_##x
#define LOAD(at) load_double(at)
#define LIMIT(z) (z)
#include "math/weighted_rows.h"

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

FINITE(finite_f32, float, uint32_t, UINT32_C(0x7f800000))
FINITE(finite_f64, double, uint64_t, UINT64_C(0x7ff0000000000000))

const bez_weighted KERNELS = {.combine_f32 = f32_combine,
                              .combine_f64 = f64_combine,
                              .mix_f32 = f32_mix,
                              .mix_f64 = f64_mix,
                              .finite_f32 = finite_f32,
                              .finite_f64 = finite_f64,
                              .narrow = narrow};
