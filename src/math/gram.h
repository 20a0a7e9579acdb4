/* Sums of products of columns in double, added up tile by tile: the inner loop of covariances of embeddings.
 * (math/dense.h multiplies float matrices once; pictures use it.)
 *
 * out[i][l] += Σ_k x[k][i] · x[k][l], rows k in order, each product and each sum rounded to double on its own. A lane
 * is one sum, so every instruction set gives the same bits. */
#ifndef BEZ_MATH_GRAM_H
#define BEZ_MATH_GRAM_H

#include <stdint.h>

#define BEZ_GRAM_LANES 8u

/* x: rows × width, width a multiple of BEZ_GRAM_LANES; columns [first, first + n) against columns [0, last), last a
 * multiple of BEZ_GRAM_LANES; out: n × width, row i belongs to column first + i. */
typedef void (*bez_gram_fn)(const double *x, uint32_t rows, uint32_t width, uint32_t first, uint32_t n, uint32_t last,
                            double *out);

void bez_gram_plain(const double *x, uint32_t rows, uint32_t width, uint32_t first, uint32_t n, uint32_t last,
                    double *out);
void bez_gram_avx2(const double *x, uint32_t rows, uint32_t width, uint32_t first, uint32_t n, uint32_t last,
                   double *out);
void bez_gram_avx512(const double *x, uint32_t rows, uint32_t width, uint32_t first, uint32_t n, uint32_t last,
                     double *out);

/* The fastest of a feature mask (base/cpu.h). */
bez_gram_fn bez_gram_choose(uint32_t cpu);

#endif
