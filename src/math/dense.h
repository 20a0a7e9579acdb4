/* Products of dense float matrices, sixteen columns at a time: the inner loop of transforms, projections and
 * covariances of pictures. (math/gram.h adds up in double.)
 *
 * out[i][l] = Σ_k a[i][k] · b[k][l] for l < 16, k in order, each product and each sum rounded to float on its own. A
 * lane is one sum, so every instruction set gives the same bits. */
#ifndef BEZ_MATH_DENSE_H
#define BEZ_MATH_DENSE_H

#include <stddef.h>
#include <stdint.h>

#define BEZ_DENSE_LANES 16u

/* Strides count floats: a[i * a_row + k * a_step], b[k * b_step + l], out[i * out_row + l]. */
typedef struct bez_dense {
  uint32_t rows, depth;
  const float *a;
  size_t a_row, a_step;
  const float *b;
  size_t b_step;
  float *out;
  size_t out_row;
} bez_dense;

typedef void (*bez_dense_fn)(const bez_dense *product);

void bez_dense_plain(const bez_dense *product);
void bez_dense_avx2(const bez_dense *product);
void bez_dense_avx512(const bez_dense *product);

/* The fastest of a feature mask (base/cpu.h). */
bez_dense_fn bez_dense_choose(uint32_t cpu);

#endif
