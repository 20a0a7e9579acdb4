/* Statistics of the difference of two matrices that are seen once, a few rows at a time: sums, changed items, energy of
 * rows and columns, and the largest singular values by Nyström's approximation.
 *
 * The kernel is one row at a time, lanes added up in fixed order: every instruction set gives the same bits. */
#ifndef BEZ_MATH_DIFF_STATS_H
#define BEZ_MATH_DIFF_STATS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "math/dense.h"

/* Of the rows so far. */
typedef struct bez_diff_sums {
  double base2;     /* Σ b² */
  double diff2;     /* Σ (a − b)² */
  double diff4;     /* Σ (a − b)⁴ · 2^BEZ_DIFF_SCALE4, which keeps small differences from vanishing */
  uint64_t changed; /* items whose bits differ */
  uint64_t odd;     /* … and whose difference is no finite number: it counts as 0 */
} bez_diff_sums;

#define BEZ_DIFF_SCALE4 80

/* a[i] becomes a[i] − b[i] (0 where not finite); columns[i] += (a[i] − b[i])². Returns the row's Σ (a − b)². */
typedef double (*bez_diff_row_fn)(float *a, const float *b, size_t n, float *columns, bez_diff_sums *sums);

double bez_diff_row_plain(float *a, const float *b, size_t n, float *columns, bez_diff_sums *sums);
double bez_diff_row_avx2(float *a, const float *b, size_t n, float *columns, bez_diff_sums *sums);
double bez_diff_row_avx512(float *a, const float *b, size_t n, float *columns, bez_diff_sums *sums);
bez_diff_row_fn bez_diff_row_choose(uint32_t cpu);

/* ---- the spectrum -------------------------------------------------------------------------------------------------
 * Y = D·S for a matrix S of signs, and Z = Dᵀ·Y: from YᵀY and ZᵀZ come the values of DᵀD on the space that Z spans.
 * Exact where the rank of D is below the number of columns of S; never too large else. Tropp, Yurtsever, Udell and
 * Cevher, "Fixed-rank approximation of a positive-semidefinite matrix from streaming data", NIPS 2017. */

#define BEZ_DIFF_RANK 32u /* columns of S: two times BEZ_DENSE_LANES */

/* The signs: cols × BEZ_DIFF_RANK floats, laid out as two blocks of cols × BEZ_DENSE_LANES. */
void bez_diff_signs(uint64_t seed, uint32_t cols, float *signs);

/* What one slab of rows adds up. */
typedef struct bez_diff_sketch {
  float *z;                                   /* as the signs */
  double gram[BEZ_DIFF_RANK * BEZ_DIFF_RANK]; /* YᵀY */
} bez_diff_sketch;

/* Adds `rows` rows of D (row major). y: rows × BEZ_DIFF_RANK floats, product: cols × BEZ_DENSE_LANES floats, scratch.
 */
void bez_diff_sketch_rows(bez_diff_sketch *sketch, bez_dense_fn dense, const float *d, uint32_t rows, uint32_t cols,
                          const float *signs, float *y, float *product);
/* sketch += other. */
void bez_diff_sketch_add(bez_diff_sketch *sketch, const bez_diff_sketch *other, uint32_t cols);
/* Squares of the singular values, descending, into squares[BEZ_DIFF_RANK] (0 behind the rank). False where numbers are
 * not finite. */
bool bez_diff_spectrum(const bez_diff_sketch *sketch, uint32_t cols, double squares[BEZ_DIFF_RANK]);

#endif
