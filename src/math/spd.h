/* Small symmetric positive definite systems, in plain fixed-order arithmetic: the same bits everywhere. */
#ifndef BEZ_MATH_SPD_H
#define BEZ_MATH_SPD_H

#include <stdbool.h>
#include <stdint.h>

/* In place: the lower triangle of a (n×n, row major) becomes its Cholesky factor. False where a is not positive
 * definite. Golub and Van Loan, Matrix Computations, 4.2. */
bool bez_spd_factor(double *a, uint32_t n);
/* Solves L·Lᵀ·x = b in place for the factor of bez_spd_factor. */
void bez_spd_solve(const double *factor, uint32_t n, double *b);
/* inverse (n×n) from the factor. */
void bez_spd_inverse(const double *factor, uint32_t n, double *inverse);

#endif
