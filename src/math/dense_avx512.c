/* 16 floats per register; the bits are those of the plain kernel. */
#include "math/dense.h"

#if defined(__x86_64__)
#define WIDTH 16u
#define GROUP 8u
#include "math/dense_body.h"

void bez_dense_avx512(const bez_dense *product) {
  multiply(product);
}
#endif
