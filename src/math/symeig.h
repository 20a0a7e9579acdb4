/* Eigenvalues and eigenvectors of a symmetric matrix, in plain fixed-order arithmetic: the same bits everywhere. */
#ifndef BEZ_MATH_SYMEIG_H
#define BEZ_MATH_SYMEIG_H

#include <stdbool.h>
#include <stdint.h>

/* a is n × n, row major, symmetric (the lower triangle is read), n ≥ 1. On return row k of a is the unit eigenvector of
 * value[k], values descending; its entry of largest magnitude (the first of equals) is positive. scratch: n doubles.
 * False where the iteration does not settle (a holds numbers that are not finite). O(n³).
 * Golub and Van Loan, Matrix Computations, 4th edition, 8.3: Householder tridiagonalisation, implicit QL steps. */
bool bez_symeig(double *a, uint32_t n, double *value, double *scratch);

#endif
