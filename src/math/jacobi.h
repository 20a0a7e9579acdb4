/* Eigenvectors of small symmetric matrices by cyclic Jacobi rotations (Golub and Van Loan, Matrix Computations, 8.5): a
 * fixed number of sweeps in fixed order, so the same bits everywhere. */
#ifndef BEZ_MATH_JACOBI_H
#define BEZ_MATH_JACOBI_H

#include <stdint.h>

/* a (n × n, symmetric) becomes diagonal; column j of vectors (n × n) belongs to a[j][j]. Unsorted. */
void bez_jacobi(double *a, uint32_t n, double *vectors);

#endif
