#include "fit/boost_tree.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"

static size_t histogram_cells(const bez_tree_work *w) {
  return (size_t)w->data->n_cols * BEZ_BOOST_BINS;
}

bez_status bez_tree_work_init(bez_tree_work *w, const bez_boost_data *data, const bez_boost_params *params,
                              bez_error *err) {
  w->data = data;
  w->params = params;
  size_t rows = (size_t)data->n_rows + 1, nodes = (size_t)2 << params->depth;
  w->train = malloc(rows * sizeof *w->train);
  w->held = malloc(rows * sizeof *w->held);
  w->order = malloc(rows * sizeof *w->order);
  w->spare = malloc(rows * sizeof *w->spare);
  w->gradient = malloc(rows * sizeof *w->gradient);
  w->hessian = malloc(rows * sizeof *w->hessian);
  /* Both children of a level are alive at once: two histograms per level. */
  w->cells = calloc((histogram_cells(w) + 1) * (2 * params->depth + 2), sizeof *w->cells);
  w->nodes = calloc(nodes, sizeof *w->nodes);
  if (!w->train || !w->held || !w->order || !w->spare || !w->gradient || !w->hessian || !w->cells || !w->nodes)
    return bez_fail_memory(err, rows * 24);
  return BEZ_OK;
}

void bez_tree_work_free(bez_tree_work *w) {
  free(w->train);
  free(w->held);
  free(w->order);
  free(w->spare);
  free(w->gradient);
  free(w->hessian);
  free(w->cells);
  free(w->nodes);
}

void bez_tree_work_split(bez_tree_work *w, uint32_t fold) {
  w->n_train = w->n_held = 0;
  for (uint64_t i = 0; i < w->data->n_rows; i++) {
    if (w->data->fold[i] == fold) {
      w->held[w->n_held++] = (uint32_t)i;
    } else if (w->data->label[i] != BEZ_BOOST_NO_LABEL) {
      w->train[w->n_train++] = (uint32_t)i;
    }
  }
}

static void fill_histogram(const bez_tree_work *w, const uint32_t *rows, uint32_t n, bez_tree_cell *cells) {
  uint32_t n_cols = w->data->n_cols;
  memset(cells, 0, histogram_cells(w) * sizeof *cells);
  for (uint32_t r = 0; r < n; r++) {
    const uint8_t *bins = w->data->bins + (size_t)rows[r] * n_cols;
    double g = (double)w->gradient[rows[r]], h = (double)w->hessian[rows[r]];
    bez_tree_cell *column = cells;
    for (uint32_t c = 0; c < n_cols; c++, column += BEZ_BOOST_BINS) {
      bez_tree_cell *cell = &column[bins[c]];
      cell->gradient += g;
      cell->hessian += h;
      cell->rows++;
    }
  }
}

typedef struct split {
  double gain;
  uint32_t col;
  uint8_t cut;
} split;

static double leaf_gain(double g, double h, double ridge) {
  return g * g / (h + ridge);
}

static split best_split(const bez_tree_work *w, const bez_tree_cell *cells) {
  split best = {.gain = 1e-9};
  double ridge = w->params->ridge;
  for (uint32_t c = 0; c < w->data->n_cols; c++) {
    const bez_tree_cell *column = cells + (size_t)c * BEZ_BOOST_BINS;
    bez_tree_cell all = {0}, left = {0};
    for (uint32_t b = 0; b < BEZ_BOOST_BINS; b++) {
      all.gradient += column[b].gradient;
      all.hessian += column[b].hessian;
      all.rows += column[b].rows;
    }
    double parent = leaf_gain(all.gradient, all.hessian, ridge);
    for (uint32_t b = 0; b + 1 < BEZ_BOOST_BINS; b++) {
      if (column[b].rows == 0) continue;
      left.gradient += column[b].gradient;
      left.hessian += column[b].hessian;
      left.rows += column[b].rows;
      if (left.rows < w->params->min_rows) continue;
      if (all.rows - left.rows < w->params->min_rows) break;
      double gain = leaf_gain(left.gradient, left.hessian, ridge) +
                    leaf_gain(all.gradient - left.gradient, all.hessian - left.hessian, ridge) - parent;
      if (gain > best.gain) best = (split){gain, c, (uint8_t)b};
    }
  }
  return best;
}

/* Stable, so that the order of sums stays the order of rows. Returns how many went left. */
static uint32_t part_rows(const bez_tree_work *w, uint32_t begin, uint32_t end, split s) {
  uint32_t left = begin, right = 0;
  for (uint32_t r = begin; r < end; r++) {
    uint32_t row = w->order[r];
    if (w->data->bins[(size_t)row * w->data->n_cols + s.col] <= s.cut) {
      w->order[left++] = row;
    } else {
      w->spare[right++] = row;
    }
  }
  memcpy(w->order + left, w->spare, right * sizeof *w->spare);
  return left - begin;
}

static void make_leaf(bez_tree_work *w, uint32_t node, uint32_t begin, uint32_t end) {
  double g = 0, h = 0;
  for (uint32_t r = begin; r < end; r++) {
    g += (double)w->gradient[w->order[r]];
    h += (double)w->hessian[w->order[r]];
  }
  w->nodes[node] = (bez_tree_node){.leaf = true, .value = -w->params->rate * g / (h + w->params->ridge)};
}

/* Rows [begin, end) of order make up `node`, whose histogram stands in slot; the recursion is params->depth deep at
 * the most. The larger child's histogram is the parent's less the smaller one's. */
static void grow(bez_tree_work *w, uint32_t node, uint32_t begin, uint32_t end, uint32_t level, bez_tree_cell *cells) {
  bool may_split = cells && level < w->params->depth && end - begin >= 2 * w->params->min_rows;
  split s = may_split ? best_split(w, cells) : (split){0};
  if (!may_split || s.gain <= 1e-9) {
    make_leaf(w, node, begin, end);
    return;
  }
  uint32_t n_left = part_rows(w, begin, end, s), middle = begin + n_left, child = w->n_nodes;
  w->nodes[node] = (bez_tree_node){.col = s.col, .cut = s.cut, .child = child};
  w->n_nodes += 2;
  bez_tree_cell *left = NULL, *right = NULL;
  if (level + 1 < w->params->depth) {
    size_t n = histogram_cells(w);
    left = w->cells + n * (2 * level + 2);
    right = left + n;
    bool left_small = n_left <= end - middle;
    bez_tree_cell *small = left_small ? left : right, *large = left_small ? right : left;
    if (left_small) fill_histogram(w, w->order + begin, n_left, small);
    if (!left_small) fill_histogram(w, w->order + middle, end - middle, small);
    for (size_t i = 0; i < n; i++)
      large[i] = (bez_tree_cell){cells[i].gradient - small[i].gradient, cells[i].hessian - small[i].hessian,
                                 cells[i].rows - small[i].rows};
  }
  grow(w, child, begin, middle, level + 1, left);
  grow(w, child + 1, middle, end, level + 1, right);
}

void bez_tree_grow(bez_tree_work *w) {
  memcpy(w->order, w->train, w->n_train * sizeof *w->order);
  w->n_nodes = 1;
  fill_histogram(w, w->order, w->n_train, w->cells);
  grow(w, 0, 0, w->n_train, 0, w->cells);
}

static double tree_value(const bez_tree_work *w, uint32_t row) {
  const uint8_t *bins = w->data->bins + (size_t)row * w->data->n_cols;
  const bez_tree_node *node = w->nodes;
  while (!node->leaf) node = w->nodes + node->child + (bins[node->col] > node->cut);
  return node->value;
}

void bez_tree_apply(const bez_tree_work *w, double *score) {
  for (uint32_t r = 0; r < w->n_train; r++) score[w->train[r]] += tree_value(w, w->train[r]);
  for (uint32_t r = 0; r < w->n_held; r++) score[w->held[r]] += tree_value(w, w->held[r]);
}
