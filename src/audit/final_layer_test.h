/* Is one class of a classifier's last layer unlike the others? Over a plain array. */
#ifndef BEZ_AUDIT_FINAL_LAYER_TEST_H
#define BEZ_AUDIT_FINAL_LAYER_TEST_H

#include <stdint.h>

#include "bezoar/base.h"

#define BEZ_CLASS_LEAST 5u
#define BEZ_CLASS_MOST 10000u

typedef struct bez_class_outlier {
  uint32_t row;  /* the class whose statistic is largest */
  double z;      /* (its statistic − median) / (1.4826 · MAD) over the classes */
  double mean_z; /* the same of the plain mean of its weights */
  double p;      /* P(max z ≥ this) for as many statistics of one normal law */
  bool any;      /* false: the classes cannot be compared (all alike, or numbers that are not finite) */
} bez_class_outlier;

/* weights: classes × width, row major; classes in [BEZ_CLASS_LEAST, BEZ_CLASS_MOST], width ≥ 2. The statistic of a
 * class is the mean of its positive weights (negative ones count as 0) over the standard deviation of all its weights:
 * a backdoor's target is reached by raising weights towards it from many features at once (Fields et al. 2021, "Trojan
 * Signatures in DNN Weights"). unit: by how much each feature's weights are multiplied first, the length of the vector
 * that feeds it (a ReLU unit may be made larger and the weights behind it smaller without changing anything); NULL: by
 * nothing. p is drawn for up to 1,000 classes (9,999 times at most, fixed seed), and 1 − Φ(z)^classes above. */
BEZ_MUST_USE bez_status bez_class_outlier_find(const float *weights, const double *unit, uint32_t classes,
                                               uint32_t width, bez_class_outlier *out, bez_error *err);

#endif
