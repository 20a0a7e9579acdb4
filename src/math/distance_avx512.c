/* Sixteen floats or eight doubles per register. */
#include "math/distance.h"

#if defined(__x86_64__)
#include <immintrin.h>

#include "math/type_f32.h"
#define WIDTH 16u
#define SIDE 4u
#define KERNEL bez_distance_f32_avx512
#define FMA(a, b, c) _mm512_fmadd_ps(a, b, c)
#include "math/distance_body.h"

#include "math/type_f64.h"
#define WIDTH 8u
#define SIDE 4u
#define KERNEL bez_distance_f64_avx512
#define FMA(a, b, c) _mm512_fmadd_pd(a, b, c)
#include "math/distance_body.h"
#endif
