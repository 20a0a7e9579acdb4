/* Eight floats or four doubles per register. */
#include "math/distance.h"

#if defined(__x86_64__)
#include "math/type_f32.h"
#include <immintrin.h>
#define WIDTH 8u
#define SIDE 2u
#define KERNEL bez_distance_f32_avx2
#define FMA(a, b, c) _mm256_fmadd_ps(a, b, c)
#include "math/distance_body.h"

#include "math/type_f64.h"
#define WIDTH 4u
#define SIDE 2u
#define KERNEL bez_distance_f64_avx2
#define FMA(a, b, c) _mm256_fmadd_pd(a, b, c)
#include "math/distance_body.h"
#endif
