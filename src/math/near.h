/* Squared distances from a few queries to a block of points, the inner loop of exact nearest neighbours.
 *
 * Points lie in blocks of 16, lane-major: num[d * 16 + lane], cat[c * 16 + lane]. A distance is
 * Σ_d (x_d − q_d)² over the numeric dimensions in order, then + weight_c for each categorical one that differs, in
 * order, each step rounded to float on its own. One lane is one point, so every instruction set gives the same bits. */
#ifndef BEZ_MATH_NEAR_H
#define BEZ_MATH_NEAR_H

#include <stdint.h>

#define BEZ_NEAR_LANES 16u
#define BEZ_NEAR_QUERIES 8u

typedef struct bez_near_block {
  uint32_t n_num, n_cat;
  const float *num;        /* n_num × 16 */
  const uint32_t *cat;     /* n_cat × 16 */
  const float *cat_weight; /* n_cat */
} bez_near_block;

/* Eight queries, dimension-major: num[d * 8 + query], cat[c * 8 + query]. bound[query]: distances at or above it are
 * of no interest. */
typedef struct bez_near_queries {
  const float *num;
  const uint32_t *cat;
  float bound[BEZ_NEAR_QUERIES];
} bez_near_queries;

/* Fills out[query * 16 + lane] and below[query], whose bit `lane` says that the distance is less than the bound.
 * Returns whether any bit is set; out is filled for queries with a bit at least. */
typedef int (*bez_near_fn)(const bez_near_block *block, const bez_near_queries *queries, float *out, uint16_t *below);

int bez_near_plain(const bez_near_block *block, const bez_near_queries *queries, float *out, uint16_t *below);
int bez_near_avx2(const bez_near_block *block, const bez_near_queries *queries, float *out, uint16_t *below);
int bez_near_avx512(const bez_near_block *block, const bez_near_queries *queries, float *out, uint16_t *below);

/* The fastest of a feature mask (base/cpu.h). */
bez_near_fn bez_near_choose(uint32_t cpu);

#endif
