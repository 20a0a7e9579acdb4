/* Sixteen floats or eight doubles per register. */
#include "math/order.h"

#if defined(__x86_64__)
#include <float.h>
#include <immintrin.h>

#include "math/type_f32.h"
#define WIDTH 16u
#define KERNEL bez_order_f32_avx512
#define LESSER(a, b) _mm512_min_ps(a, b)
#define GREATER(a, b) _mm512_max_ps(a, b)
#define ANY_BEYOND(v) (_mm512_cmp_ps_mask(_mm512_abs_ps(v), _mm512_set1_ps(MOST), _CMP_NLE_UQ) != 0)
#define ANY_NAN(v) (_mm512_cmp_ps_mask(v, v, _CMP_UNORD_Q) != 0)
#define INSIDE(count, x, low, high)                                                                                    \
  (M) _mm512_mask_sub_epi32((__m512i)(count),                                                                          \
                            _mm512_mask_cmp_ps_mask(_mm512_cmp_ps_mask(x, low, _CMP_GE_OQ), x, high, _CMP_LE_OQ),      \
                            (__m512i)(count), _mm512_set1_epi32(-1))
#include "math/order_body.h"

#include "math/type_f64.h"
#define WIDTH 8u
#define KERNEL bez_order_f64_avx512
#define LESSER(a, b) _mm512_min_pd(a, b)
#define GREATER(a, b) _mm512_max_pd(a, b)
#define ANY_BEYOND(v) (_mm512_cmp_pd_mask(_mm512_abs_pd(v), _mm512_set1_pd(MOST), _CMP_NLE_UQ) != 0)
#define ANY_NAN(v) (_mm512_cmp_pd_mask(v, v, _CMP_UNORD_Q) != 0)
#define INSIDE(count, x, low, high)                                                                                    \
  (M) _mm512_mask_sub_epi64((__m512i)(count),                                                                          \
                            _mm512_mask_cmp_pd_mask(_mm512_cmp_pd_mask(x, low, _CMP_GE_OQ), x, high, _CMP_LE_OQ),      \
                            (__m512i)(count), _mm512_set1_epi64(-1))
#include "math/order_body.h"
#endif
