/* Singular values of a product of two thin matrices, B · A with B of m × r and A of r × n, without forming it: QR of B
 * and of Aᵀ, then an SVD of r × r. Plain fixed-order arithmetic: the same bits everywhere. */
#ifndef BEZ_MATH_THIN_SVD_H
#define BEZ_MATH_THIN_SVD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Doubles of scratch that bez_product_spectrum needs. */
size_t bez_product_scratch(uint32_t r);

/* left: r rows of m numbers, the columns of B; right: r rows of n numbers, the rows of A; both are overwritten.
 * r, m, n ≥ 1. value: r singular values, descending; those beyond min(m, n, r) are 0. Relative error of each about
 * 1e-15 · r · the largest. False where a number is not finite or the rotations do not settle. O((m + n) · r² + r³).
 * Golub and Van Loan, Matrix Computations, 4th edition: 5.2.2 (Householder QR), 8.6.3 (one-sided Jacobi). */
bool bez_product_spectrum(double *left, size_t m, double *right, size_t n, uint32_t r, double *value, double *scratch);

/* Σ x[i] · y[i], added up in eight lanes that do not depend on the instruction set. */
double bez_lane_dot(const double *x, const double *y, size_t n);

#endif
