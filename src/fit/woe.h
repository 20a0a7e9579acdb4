/* Out-of-fold weight of evidence and a ridge logistic regression on it, with the inverse Hessian kept so that any
 * few columns can be left out by a downdate instead of a refit.
 *
 *   bins   32 quantile bins per numeric column (zero-inflated: a bin of its own for zero), one per value otherwise
 *   W      ln((n1 + 10p)/(N1 + 10)) − ln((n0 + 10p)/(N0 + 10)), p = the bin's share, over the other folds; 0 unseen
 *   model  minimise Σ log-loss + λ/2·|b|², λ = 30, 8 Newton steps
 *   leave  b' = b − H⁻¹[:,C]·(H⁻¹[C,C])⁻¹·b_C   (the constrained minimum of the quadratic model at b)
 *
 * All sums run over fixed tiles in fixed order: results are the same bits for any number of threads. */
#ifndef BEZ_FIT_WOE_H
#define BEZ_FIT_WOE_H

#include "format/table.h"

#define BEZ_WOE_FOLDS 5u

typedef struct bez_woe {
  uint32_t n_cols;      /* features, in the caller's order */
  const uint32_t *cols; /* table columns */
  uint64_t n_rows;
  uint32_t target;        /* label code of class 1 */
  double prior_logit;     /* logit of class 1's share */
  uint32_t *n_bins;       /* per feature */
  uint16_t **bin_of_code; /* per feature: value code → bin */
  float **weight;         /* per feature: [fold * n_bins + bin] */
  double *coef;           /* n_cols */
  double intercept;
  double *inverse; /* (n_cols+1)², row major, intercept last */
} bez_woe;

/* Fold of a row: depends on seed and row only. */
uint32_t bez_woe_fold(uint64_t seed, uint64_t row);

BEZ_MUST_USE bez_status bez_woe_fit(const bez_table *table, const uint32_t *cols, uint32_t n_cols, int label,
                                    uint32_t target, uint64_t seed, unsigned threads, bez_woe **out, bez_error *err);
void bez_woe_destroy(bez_woe *woe);

/* Coefficients (n_cols, then the intercept) with the k columns `out_cols` (feature indices) left out: their own
 * entries become 0. coef_out holds n_cols + 1 doubles. */
void bez_woe_leave_out(const bez_woe *woe, const uint32_t *out_cols, uint32_t k, double *coef_out);

#endif
