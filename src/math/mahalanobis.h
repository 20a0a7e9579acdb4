/* Squared Mahalanobis distances of blocks of rows, and the sums that make a covariance: the inner loops of robust
 * covariance. Lanes are rows, each step is rounded on its own: every instruction set gives the same bits. */
#ifndef BEZ_MATH_MAHALANOBIS_H
#define BEZ_MATH_MAHALANOBIS_H

#include <stdint.h>

#define BEZ_MAHALANOBIS_LANES 8u
#define BEZ_MAHALANOBIS_BLOCKS 4u

/* A covariance by its pivoted Cholesky factor: rank columns order[0 … rank) that do not depend on one another; factor
 * is rank × rank, row major, lower triangle, with reciprocals on its diagonal. */
typedef struct bez_whitening {
  uint32_t n_cols, rank;
  const uint32_t *order;
  const double *mean; /* n_cols */
  const double *factor;
} bez_whitening;

typedef struct bez_mahalanobis {
  /* block: n_cols × 8, lane-major as x[c * 8 + lane]; y: rank × 8 of scratch; out: 8 squared distances. */
  void (*distances)(const bez_whitening *w, const double *block, double *y, double *out);
  /* Four such blocks: adds to sum (n_cols × 8) and, for each column i and j ≤ i in this order, to product (8 each). */
  void (*products)(const double *blocks, uint32_t n_cols, double *sum, double *product);
} bez_mahalanobis;

void bez_mahalanobis_plain(const bez_whitening *w, const double *block, double *y, double *out);
void bez_mahalanobis_avx2(const bez_whitening *w, const double *block, double *y, double *out);
void bez_mahalanobis_avx512(const bez_whitening *w, const double *block, double *y, double *out);
void bez_products_plain(const double *blocks, uint32_t n_cols, double *sum, double *product);
void bez_products_avx2(const double *blocks, uint32_t n_cols, double *sum, double *product);
void bez_products_avx512(const double *blocks, uint32_t n_cols, double *sum, double *product);

/* The fastest of a feature mask (base/cpu.h). */
bez_mahalanobis bez_mahalanobis_choose(uint32_t cpu);

#endif
