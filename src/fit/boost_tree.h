/* One regression tree on gradients and hessians over binned columns; the work space of a fold. Private to fit/. */
#ifndef BEZ_FIT_BOOST_TREE_H
#define BEZ_FIT_BOOST_TREE_H

#include "fit/boost.h"

typedef struct bez_tree_cell {
  double gradient, hessian;
  uint64_t rows;
} bez_tree_cell;

typedef struct bez_tree_node {
  uint32_t col; /* split: rows with bin ≤ cut go to child, the others to child + 1 */
  uint8_t cut;
  bool leaf;
  uint32_t child;
  double value;
} bez_tree_node;

typedef struct bez_tree_work {
  const bez_boost_data *data;
  const bez_boost_params *params;
  uint32_t *train; /* rows learned from, ascending */
  uint32_t *held;  /* rows of the fold */
  uint32_t n_train, n_held;
  uint32_t *order, *spare;   /* training rows, parted by node */
  float *gradient, *hessian; /* per row */
  bez_tree_cell *cells;      /* depth + 1 histograms of n_cols × BEZ_BOOST_BINS */
  bez_tree_node *nodes;
  uint32_t n_nodes;
} bez_tree_work;

BEZ_MUST_USE bez_status bez_tree_work_init(bez_tree_work *w, const bez_boost_data *data, const bez_boost_params *params,
                                           bez_error *err);
void bez_tree_work_free(bez_tree_work *w);
/* Which rows are learned from and which are held out. */
void bez_tree_work_split(bez_tree_work *w, uint32_t fold);
/* Grows the tree of the current gradients. */
void bez_tree_grow(bez_tree_work *w);
/* score[row] += the tree's value, for training and held-out rows. */
void bez_tree_apply(const bez_tree_work *w, double *score);

#endif
