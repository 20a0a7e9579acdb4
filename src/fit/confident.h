/* Confident learning: which labels a model confidently disputes. C. G. Northcutt, L. Jiang, I. L. Chuang, "Confident
 * learning: estimating uncertainty in dataset labels", JAIR 70 (2021), section 4.
 *
 *   threshold  t_k = mean of p_k over the rows labelled k (2 where there is none: never reached)
 *   guess      the class whose p_k ≥ t_k − 1e-6; with several the one of largest p; none: the row is not counted
 *   joint      rows by (given label, guess); the off-diagonal rows are disputed
 *   issue      a disputed row whose given label is not itself the model's first choice */
#ifndef BEZ_FIT_CONFIDENT_H
#define BEZ_FIT_CONFIDENT_H

#include "bezoar/base.h"

#define BEZ_CONFIDENT_NONE UINT32_MAX

/* Sums and counts per class over rows of some tile: sum[k] += p_k, n[k]++ for the rows labelled k. Rows whose label
 * is BEZ_CONFIDENT_NONE are left out. p is n × k_classes, row major. */
void bez_confident_add(const float *p, const uint32_t *label, uint64_t n, uint32_t n_classes, double *sum,
                       uint64_t *count);
/* threshold[k] = sum / count. May be in place of sum. */
void bez_confident_thresholds(const double *sum, const uint64_t *count, uint32_t n_classes, double *threshold);
/* The confident class of one row, BEZ_CONFIDENT_NONE where no class reaches its threshold. */
uint32_t bez_confident_guess(const float *p, uint32_t n_classes, const double *threshold);
/* Whether the row is an issue, given its guess. */
bool bez_confident_is_issue(const float *p, uint32_t n_classes, uint32_t label, uint32_t guess);

/* All of it over an array. threshold: n_classes; joint: n_classes², [label * n_classes + guess]; suggested: per row
 * the guess where the row is an issue, else BEZ_CONFIDENT_NONE. joint and suggested may be NULL. Sums run over fixed
 * tiles: the same bits for any number of threads. */
BEZ_MUST_USE bez_status bez_confident_find(const float *p, const uint32_t *label, uint64_t n, uint32_t n_classes,
                                           unsigned threads, double *threshold, uint64_t *joint, uint32_t *suggested,
                                           bez_error *err);

#endif
