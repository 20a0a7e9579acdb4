/* Where rows end up in one isolation tree: the inner loop of the isolation forest.
 *
 * A tree is complete: level l has 2^l nodes, those of place p lead to places 2p and 2p + 1 of the next level. A row
 * goes right where its value exceeds the threshold; a threshold of +infinity leads down on the left. Values are
 * compared and copied, never computed with, so every instruction set gives the same bits. */
#ifndef BEZ_MATH_ISOLATION_H
#define BEZ_MATH_ISOLATION_H

#include <stdint.h>

#define BEZ_ISOLATION_LANES 16u
#define BEZ_ISOLATION_NODES 32u /* the arrays of a tree have this many entries at least, and 2^(levels + 1) */

typedef struct bez_isolation_tree {
  const float *threshold; /* level l at 2^l … 2^(l+1) − 1 */
  const int32_t *feature; /* BEZ_ISOLATION_LANES × column */
  const float *depth;     /* 2^levels: what a row that ends there adds */
  uint32_t levels;        /* at most 14 */
} bez_isolation_tree;

/* x: n_blocks blocks of n_cols × 16, lane-major, no NaN. Adds each row's depth to sum (n_blocks × 16), in double. */
typedef void (*bez_isolation_fn)(const bez_isolation_tree *tree, const float *x, uint32_t n_blocks, uint32_t n_cols,
                                 double *sum);

void bez_isolation_plain(const bez_isolation_tree *tree, const float *x, uint32_t n_blocks, uint32_t n_cols,
                         double *sum);
void bez_isolation_avx2(const bez_isolation_tree *tree, const float *x, uint32_t n_blocks, uint32_t n_cols,
                        double *sum);
void bez_isolation_avx512(const bez_isolation_tree *tree, const float *x, uint32_t n_blocks, uint32_t n_cols,
                          double *sum);

/* The fastest of a feature mask (base/cpu.h). */
bez_isolation_fn bez_isolation_choose(uint32_t cpu);

#endif
