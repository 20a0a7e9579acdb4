/* 8 doubles per register; the bits are those of the plain kernel. */
#include "math/gram.h"

#if defined(__x86_64__)
#define WIDTH 8u
#include "math/gram_body.h"

void bez_gram_avx512(const double *x, uint32_t rows, uint32_t width, uint32_t first, uint32_t n, uint32_t last,
                     double *out) {
  accumulate(x, rows, width, first, n, last, out);
}
#endif
