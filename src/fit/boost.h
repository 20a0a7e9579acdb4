/* Gradient-boosted trees on binned columns, fitted out of fold: each row's class probabilities come from trees that
 * never saw its label. J. H. Friedman, "Greedy function approximation: a gradient boosting machine", Annals of
 * Statistics 29 (2001); second-order leaves as in Chen and Guestrin, "XGBoost", KDD 2016, section 2.2.
 *
 * One fold is one task that runs alone and in fixed order: the same bits for any number of threads. */
#ifndef BEZ_FIT_BOOST_H
#define BEZ_FIT_BOOST_H

#include "base/threads.h"

#define BEZ_BOOST_BINS 64u /* bins per column at the most */
#define BEZ_BOOST_DEPTH 8u /* ceiling of depth */
#define BEZ_BOOST_NO_LABEL UINT32_MAX

typedef struct bez_boost_params {
  uint32_t rounds;    /* trees per class */
  uint32_t depth;     /* levels of splits, 1 … BEZ_BOOST_DEPTH */
  uint32_t min_rows;  /* rows per leaf */
  double rate, ridge; /* shrinkage; penalty on leaf values */
  bez_watch *watch;   /* asked before each round; may be NULL */
} bez_boost_params;

bez_boost_params bez_boost_defaults(void);

typedef struct bez_boost_data {
  uint64_t n_rows;
  uint32_t n_cols, n_classes, n_folds;
  const uint8_t *bins;   /* n_rows × n_cols, row major, each < BEZ_BOOST_BINS */
  const uint32_t *label; /* class per row; BEZ_BOOST_NO_LABEL: predicted, not learned from */
  const uint8_t *fold;   /* per row, < n_folds */
} bez_boost_data;

/* p: n_rows × n_classes probabilities, each row adding up to one. BEZ_USAGE for shapes outside the above. Time
 * O(n_folds · rounds · classes · n_rows · n_cols · depth); memory per thread 24 bytes per row and class. */
BEZ_MUST_USE bez_status bez_boost_out_of_fold(const bez_boost_data *data, const bez_boost_params *params,
                                              unsigned threads, float *p, bez_error *err);

#endif
