/* Can a model tell the data from the reference? A classifier two-sample test over all columns that both have. */
#ifndef BEZ_DETECT_REFERENCE_JOINT_H
#define BEZ_DETECT_REFERENCE_JOINT_H

#include "detect/reference_align.h"

typedef struct bez_joint_column {
  const bez_column *side[2]; /* data, reference */
  const bez_aligned *aligned;
} bez_joint_column;

typedef struct bez_joint {
  double auc, deviation, p; /* deviation of the AUC if nothing can be told; one-sided p */
  uint64_t n[2];            /* rows used */
} bez_joint;

/* D. Lopez-Paz, M. Oquab, "Revisiting classifier two-sample tests", ICLR 2017, with out-of-fold boosted trees and the
 * mean AUC of two folds; its deviation is that of the Mann-Whitney statistic with ties for one of them. At most 20,000
 * rows per side, drawn by seed. p = 1 below 50 rows on a side. */
BEZ_MUST_USE bez_status bez_joint_test(const bez_detect_input *in, const bez_joint_column *columns, uint32_t n_columns,
                                       bez_joint *out, bez_error *err);

#endif
