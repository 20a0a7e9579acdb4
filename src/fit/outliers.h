/* Outlier scores of the rows of a numeric matrix, higher is odder. Four definitions from the literature:
 *
 *   isolation forest   F. T. Liu, K. M. Ting, Z.-H. Zhou, "Isolation-based anomaly detection", ACM TKDD 6 (2012)
 *   ECOD               Z. Li, Y. Zhao, X. Hu, N. Botta, C. Ionescu, G. H. Chen, "ECOD: unsupervised outlier detection
 *                      using empirical cumulative distribution functions", IEEE TKDE 35 (2023)
 *   COPOD              Z. Li, Y. Zhao, N. Botta, C. Ionescu, X. Hu, "COPOD: copula-based outlier detection", ICDM 2020
 *   robust covariance  P. J. Rousseeuw, K. Van Driessen, "A fast algorithm for the minimum covariance determinant
 *                      estimator", Technometrics 41 (1999)
 *
 * NaN is a missing value: it adds nothing to ECOD and COPOD, and counts as the column's median in the others. The same
 * bits for any number of threads and any instruction set. */
#ifndef BEZ_FIT_OUTLIERS_H
#define BEZ_FIT_OUTLIERS_H

#include "base/threads.h"

typedef struct bez_matrix {
  const double *x; /* n_rows × n_cols, row major, borrowed */
  uint64_t n_rows; /* < 2³²; at most 2⁴⁰ cells */
  uint32_t n_cols;
} bez_matrix;

typedef struct bez_outlier_params {
  uint64_t seed;    /* isolation forest and robust covariance draw */
  unsigned threads; /* 0: all processors */
  uint32_t cpu;     /* kernel mask (base/cpu.h) */
  uint32_t trees;   /* isolation forest, 0: 100 */
  uint32_t sample;  /* rows per tree, 0: 256, at most BEZ_FOREST_SAMPLE */
  double support;   /* robust covariance: share of the rows that is fitted, 0: (n + p + 1)/2n */
  bez_watch *watch; /* may be NULL */
} bez_outlier_params;

#define BEZ_FOREST_SAMPLE 16384u
#define BEZ_FOREST_TREES 10000u
#define BEZ_MCD_COLUMNS 256u

/* All fill n_rows scores. BEZ_USAGE for shapes outside the above, BEZ_LIMIT where a method cannot hold the matrix. */

/* 2^(−mean path length / c(sample)), in (0, 1]. O(rows · trees · log sample) time, 4 bytes per cell. */
BEZ_MUST_USE bez_status bez_isolation_forest(const bez_matrix *m, const bez_outlier_params *params, double *score,
                                             bez_error *err);
/* Σ over columns of max(U_l, U_r, U_skew), U = −ln of the empirical tail. O(rows · columns) time, 88 bytes per row and
 * 16 per row and thread. */
BEZ_MUST_USE bez_status bez_ecod(const bez_matrix *m, const bez_outlier_params *params, double *score, bez_error *err);
/* Σ over columns of max((U_l + U_r)/2, U_skew). As bez_ecod. */
BEZ_MUST_USE bez_status bez_copod(const bez_matrix *m, const bez_outlier_params *params, double *score, bez_error *err);
/* Squared Mahalanobis distance under the reweighted minimum covariance determinant estimate. O(rows · columns²) time,
 * 8 bytes per cell. BEZ_LIMIT above BEZ_MCD_COLUMNS columns. */
BEZ_MUST_USE bez_status bez_robust_covariance(const bez_matrix *m, const bez_outlier_params *params, double *score,
                                              bez_error *err);

/* c(n) of Liu et al.: the mean depth of an unsuccessful search in a binary tree of n values. c(0) = c(1) = 0. */
double bez_isolation_depth(uint64_t n);

/* BEZ_USAGE unless the shape is one that the functions above take. */
BEZ_MUST_USE bez_status bez_matrix_check(const bez_matrix *m, bez_error *err);

#endif
