/* Tests of whether two models' weights are independent of each other, over plain arrays of unit vectors.
 *
 * Null: the two models were initialised independently of each other, and each one's hidden units come in an order that
 * means nothing (weights drawn alike for all of them, training that treats them alike). Then the first model with its
 * units in any other order is as likely as it is. (Zhu et al. 2025, "Independence Tests for Language Models".) */
#ifndef BEZ_AUDIT_LINEAGE_TEST_H
#define BEZ_AUDIT_LINEAGE_TEST_H

#include <stdint.h>

#include "bezoar/base.h"

#define BEZ_LINEAGE_DRAWS 99999u /* random orders, at most: the smallest p-value is one in a hundred thousand */

typedef struct bez_lineage_result {
  double p;
  double statistic; /* aligned: the mean cosine of unit i with unit i; matched: the share of units whose two matches
                       agree */
} bez_lineage_result;

/* Units in the same order on both sides. a and b: k rows of d numbers, k ≥ 2; unit i of one is compared with unit i of
 * the other, and the mean cosine with that of random pairings. Exact: P(p ≤ α) ≤ α under the null, for every α.
 * Besag and Clifford 1991, "Sequential Monte Carlo p-values": few orders where the first ones already speak against.
 * seed and stream: of the orders. O(k² · d). */
BEZ_MUST_USE bez_status bez_lineage_aligned(const float *a, const float *b, uint32_t k, uint32_t d, uint64_t seed,
                                            uint64_t stream, bez_lineage_result *out, bez_error *err);

/* Units in any order. Each hidden unit has two vectors (into a gate and into a value; or in and out). a1, a2: those of
 * k units of the first model; b1, b2: those of n units of the second; d1 and d2 numbers each. Unit i is matched to the
 * second model's by the largest |cosine| of the first vectors, and again by the second ones: in a model that was
 * derived the two agree whatever the order. Against random pairings of the two matches. Not exact (the two vectors of a
 * unit are trained together); docs/benchmarks/audit_models.md has how it behaves. O(k · n · (d1 + d2)). */
BEZ_MUST_USE bez_status bez_lineage_matched(const float *const a[2], const float *const b[2], const uint32_t d[2],
                                            uint32_t k, uint32_t n, uint64_t seed, uint64_t stream,
                                            bez_lineage_result *out, bez_error *err);

#endif
