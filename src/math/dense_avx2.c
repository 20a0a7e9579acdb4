/* 8 floats per register; the bits are those of the plain kernel. */
#include "math/dense.h"

#if defined(__x86_64__)
#define WIDTH 8u
#define GROUP 4u
#include "math/dense_body.h"

void bez_dense_avx2(const bez_dense *product) {
  multiply(product);
}
#endif
