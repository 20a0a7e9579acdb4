/* Out-of-fold weight of evidence and a ridge logistic regression on it, with the inverse Hessian kept so that any
 * few columns can be left out by a downdate instead of a refit.
 *
 *   bins   32 quantile bins per numeric column (a value with 1/32 of the rows or more, zero for instance, has a bin
 *          of its own; columns of few values one bin per value); one bin per value otherwise, at most 4,095, the
 *          rarer values share one
 *   W      ln((n1 + 10p)/(N1 + 10)) − ln((n0 + 10p)/(N0 + 10)), p = the bin's share, over the other folds; 0 unseen
 *   model  minimise Σ log-loss + λ/2·|b|², λ = 30, 8 Newton steps, on at most 131,072 rows of each class
 *          (drawn by row number; the intercept is corrected for the draw)
 *   leave  b' = b − H⁻¹[:,C]·(H⁻¹[C,C])⁻¹·b_C   (the constrained minimum of the quadratic model at b)
 *
 * All sums run over fixed tiles in fixed order: results are the same bits for any number of threads. */
#ifndef BEZ_FIT_WOE_H
#define BEZ_FIT_WOE_H

#include "format/table.h"

#define BEZ_WOE_FOLDS 5u
#define BEZ_WOE_MAX_LEAVE 4u /* columns that can be left out at once */

typedef struct bez_woe {
  uint32_t n_cols;      /* features, in the caller's order */
  const uint32_t *cols; /* table columns */
  uint64_t n_rows;
  uint64_t seed;            /* folds are drawn from it */
  uint32_t target;          /* label code of class 1 */
  uint64_t n_target, n_fit; /* rows of class 1, and rows with a label, that were fitted on */
  double prior_logit;       /* logit of class 1's share */
  uint32_t *n_bins;         /* per feature */
  uint16_t **bin_of_code;   /* per feature: value code → bin */
  float **raw_edge;         /* per feature: upper bin edges for the raw numbers of a truncated column; else NULL */
  float **weight;           /* per feature: [fold * n_bins + bin] */
  double *coef;             /* n_cols */
  double intercept;
  double *inverse; /* (n_cols+1)², row major, intercept last */
} bez_woe;

/* Fold of a row: depends on seed and row only. */
uint32_t bez_woe_fold(uint64_t seed, uint64_t row);

/* cols are indices of table columns that carry codes (copied). Rows whose label is missing are left out, and so are
 * those whose bit is set in `skip` ((n_rows + 63) / 64 words; NULL: none). BEZ_USAGE where the label has no codes.
 * A class without rows gives a model of zero coefficients. *out is owned by the caller. */
BEZ_MUST_USE bez_status bez_woe_fit_without(const bez_table *table, const uint32_t *cols, uint32_t n_cols, int label,
                                            uint32_t target, const uint64_t *skip, uint64_t seed, unsigned threads,
                                            bez_woe **out, bez_error *err);
/* The same with no row skipped. */
BEZ_MUST_USE bez_status bez_woe_fit(const bez_table *table, const uint32_t *cols, uint32_t n_cols, int label,
                                    uint32_t target, uint64_t seed, unsigned threads, bez_woe **out, bez_error *err);
void bez_woe_destroy(bez_woe *woe); /* NULL is fine */

/* W of one feature for rows [first, first + n): out[i]. */
void bez_woe_terms(const bez_woe *woe, const bez_table *table, uint32_t feature, uint64_t first, uint32_t n,
                   float *out);
/* W of one feature at one row. */
float bez_woe_term(const bez_woe *woe, const bez_table *table, uint32_t feature, uint64_t row);
/* Log-odds of class 1, out of fold, for rows [first, first + n), with the given coefficients (n_cols, then the
 * intercept). */
void bez_woe_scores(const bez_woe *woe, const bez_table *table, const double *coef, uint64_t first, uint32_t n,
                    double *out);

/* Coefficients (n_cols, then the intercept) with the k columns `out_cols` (feature indices) left out: their own
 * entries become 0. coef_out holds n_cols + 1 doubles. k ≤ BEZ_WOE_MAX_LEAVE. */
void bez_woe_leave_out(const bez_woe *woe, const uint32_t *out_cols, uint32_t k, double *coef_out);

/* gamma = (H⁻¹[C,C])⁻¹·b_C, so that the log-odds of a row without C are its log-odds − Σ_c gamma_c·h_c, where
 * h_c = H⁻¹[intercept,c] + Σ_j H⁻¹[j,c]·W_j. A column that carries nothing gets 0. */
void bez_woe_gamma(const bez_woe *woe, const uint32_t *out_cols, uint32_t k, double *gamma);

#endif
