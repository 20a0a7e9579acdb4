/* The largest eigenvalue of a symmetric matrix, in plain fixed-order arithmetic: the same bits everywhere. */
#ifndef BEZ_MATH_LANCZOS_H
#define BEZ_MATH_LANCZOS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Doubles of scratch for a matrix of n × n. */
size_t bez_lanczos_scratch(uint32_t n);

/* a is n × n, symmetric, all of it read, n ≥ 1. value: the largest eigenvalue; vector: n, of length 1, its entry of
 * largest magnitude positive. False where it does not settle (then bez_symeig will) or a holds numbers that are not
 * finite. Some tens of products a · x where the eigenvalue stands alone.
 * Golub and Van Loan, Matrix Computations, 4th edition, 10.3: Lanczos steps, every vector made orthogonal to all
 * before, restarted from the best one. */
bool bez_lanczos_top(const double *a, uint32_t n, double *value, double *vector, double *scratch);

#endif
