/* Isolation forest (Liu, Ting, Zhou 2012): each tree splits a small sample of the rows at random until every row stands
 * alone or the tree is log2(sample) deep; odd rows stand alone early. Trees draw from streams of their own, so they can
 * be grown in any order; a row's depths are added in the order of the trees. */
#include <float.h>
#include <math.h>
#include <stdlib.h>

#include "base/error.h"
#include "fit/draw.h"
#include "fit/median.h"
#include "fit/outliers.h"
#include "math/isolation.h"

#define LANES BEZ_ISOLATION_LANES
#define TILE 512u
#define TILE_CELLS 65536u /* a tile's numbers stay in the cache */
#define FOREST_COLUMNS 1000000u
#define STREAM 0x150f0e57u

typedef struct forest {
  const bez_matrix *m;
  uint32_t n_trees, sample, levels;
  uint32_t tile; /* rows per tile */
  uint64_t seed;
  float *threshold, *depth; /* n_trees × nodes_per_tree */
  int32_t *feature;
  size_t nodes_per_tree;
  float *fill; /* per column: what stands for a missing value */
  bez_isolation_fn fn;
  double unit; /* c(sample) */
  double *score;
} forest;

/* One tree under construction. */
typedef struct grower {
  const forest *f;
  float *x;        /* sample × n_cols */
  uint32_t *item;  /* rows of the sample, partitioned in place */
  uint32_t *order; /* columns in the order in which they are tried */
  bez_rng rng;
  float *threshold, *depth; /* of this tree */
  int32_t *feature;
} grower;

typedef struct branch {
  uint32_t place, begin, end, level; /* place: within the level */
} branch;

double bez_isolation_depth(uint64_t n) {
  if (n <= 1) return 0.0;
  if (n == 2) return 1.0;
  double k = (double)n;
  return 2.0 * (log(k - 1.0) + 0.57721566490153286061) - 2.0 * (k - 1.0) / k;
}

static float narrow(double x, float fill) {
  if (isnan(x)) return fill;
  if (x > FLT_MAX) return FLT_MAX;
  if (x < -FLT_MAX) return -FLT_MAX;
  return (float)x;
}

static void copy_row(const forest *f, uint64_t row, float *out) {
  const double *from = f->m->x + row * f->m->n_cols;
  for (uint32_t c = 0; c < f->m->n_cols; c++) out[c] = narrow(from[c], f->fill[c]);
}

static bez_status draw_sample(grower *g, bez_error *err) {
  uint32_t n = (uint32_t)g->f->m->n_rows, n_cols = g->f->m->n_cols;
  bez_status st = bez_draw_distinct(&g->rng, n, g->f->sample, g->item, err);
  for (uint32_t i = 0; st == BEZ_OK && i < g->f->sample; i++) {
    copy_row(g->f, g->item[i], g->x + (size_t)i * n_cols);
    g->item[i] = i;
  }
  return st;
}

/* A column drawn among those that vary between the rows of the branch; false where none does. */
static bool choose_column(grower *g, const branch *b, uint32_t *column, float *low, float *high) {
  uint32_t n_cols = g->f->m->n_cols;
  for (uint32_t k = 0; k < n_cols; k++) {
    uint32_t pick = k + (uint32_t)bez_rng_below(&g->rng, n_cols - k), c = g->order[pick];
    g->order[pick] = g->order[k];
    g->order[k] = c;
    *low = *high = g->x[(size_t)g->item[b->begin] * n_cols + c];
    for (uint32_t i = b->begin + 1; i < b->end; i++) {
      float v = g->x[(size_t)g->item[i] * n_cols + c];
      if (v < *low) *low = v;
      if (v > *high) *high = v;
    }
    *column = c;
    if (*low < *high) return true;
  }
  return false;
}

static uint32_t partition(grower *g, const branch *b, uint32_t column, float threshold) {
  uint32_t low = b->begin, high = b->end;
  while (low < high) {
    if (g->x[(size_t)g->item[low] * g->f->m->n_cols + column] <= threshold) {
      low++;
      continue;
    }
    uint32_t held = g->item[--high];
    g->item[high] = g->item[low];
    g->item[low] = held;
  }
  return low;
}

/* A leaf above the last level leads down on the left; the arrays start as such. */
static void make_leaf(grower *g, const branch *b) {
  size_t last = (size_t)b->place << (g->f->levels - b->level);
  g->depth[last] = (float)((double)b->level + bez_isolation_depth(b->end - b->begin));
}

static void grow(grower *g) {
  branch stack[64];
  uint32_t height = 1, column = 0;
  stack[0] = (branch){0, 0, g->f->sample, 0};
  for (uint32_t c = 0; c < g->f->m->n_cols; c++) g->order[c] = c;
  for (size_t i = 0; i < g->f->nodes_per_tree; i++) g->threshold[i] = INFINITY;
  while (height > 0) {
    branch b = stack[--height];
    float low = 0, high = 0;
    if (b.end - b.begin <= 1 || b.level >= g->f->levels || !choose_column(g, &b, &column, &low, &high)) {
      make_leaf(g, &b);
      continue;
    }
    float threshold = (float)((double)low + bez_rng_unit(&g->rng) * ((double)high - (double)low));
    if (!(threshold < high)) threshold = low;
    uint32_t middle = partition(g, &b, column, threshold), at = (1u << b.level) + b.place;
    g->threshold[at] = threshold;
    g->feature[at] = (int32_t)(column * LANES);
    stack[height++] = (branch){2 * b.place + 1, middle, b.end, b.level + 1};
    stack[height++] = (branch){2 * b.place, b.begin, middle, b.level + 1};
  }
}

static bez_status tree_task(void *ctx, uint64_t tree, unsigned worker, bez_error *err) {
  forest *f = ctx;
  grower g = {.f = f, .rng = bez_rng_make(f->seed, ((uint64_t)STREAM << 32) + tree)};
  g.threshold = f->threshold + tree * f->nodes_per_tree;
  g.feature = f->feature + tree * f->nodes_per_tree;
  g.depth = f->depth + tree * f->nodes_per_tree;
  g.x = malloc((size_t)f->sample * f->m->n_cols * sizeof *g.x);
  g.item = malloc((size_t)f->sample * sizeof *g.item);
  g.order = malloc((size_t)f->m->n_cols * sizeof *g.order);
  bez_status st = BEZ_OK;
  if (!g.x || !g.item || !g.order) {
    st = bez_fail_memory(err, (size_t)f->sample * f->m->n_cols * 4);
    goto cleanup;
  }
  BEZ_TRY(draw_sample(&g, err));
  grow(&g);
cleanup:
  free(g.x);
  free(g.item);
  free(g.order);
  return st;
}

static bez_status score_tile(void *ctx, uint64_t tile, unsigned worker, bez_error *err) {
  forest *f = ctx;
  uint64_t first = tile * f->tile, left = f->m->n_rows - first;
  uint32_t rows = left < f->tile ? (uint32_t)left : f->tile, n_cols = f->m->n_cols;
  uint32_t blocks = (rows + LANES - 1) / LANES;
  float *x = calloc((size_t)blocks * LANES * n_cols, sizeof *x);
  double *sum = calloc((size_t)blocks * LANES, sizeof *sum);
  bez_status st = BEZ_OK;
  if (!x || !sum) {
    st = bez_fail_memory(err, (size_t)blocks * LANES * n_cols * sizeof *x);
    goto cleanup;
  }
  for (uint32_t r = 0; r < rows; r++) {
    const double *from = f->m->x + (first + r) * n_cols;
    float *to = x + (size_t)(r / LANES) * LANES * n_cols + r % LANES;
    for (uint32_t c = 0; c < n_cols; c++) to[(size_t)c * LANES] = narrow(from[c], f->fill[c]);
  }
  for (uint32_t t = 0; t < f->n_trees; t++) {
    size_t at = t * f->nodes_per_tree;
    bez_isolation_tree tree = {f->threshold + at, f->feature + at, f->depth + at, f->levels};
    f->fn(&tree, x, blocks, n_cols, sum);
  }
  for (uint32_t r = 0; r < rows; r++)
    f->score[first + r] = f->unit > 0.0 ? exp2(-sum[r] / (double)f->n_trees / f->unit) : 0.5;
cleanup:
  free(x);
  free(sum);
  return st;
}

static bez_status forest_shape(forest *f, const bez_outlier_params *params, bez_error *err) {
  f->n_trees = params->trees ? params->trees : 100;
  f->sample = params->sample ? params->sample : 256;
  if (f->n_trees > BEZ_FOREST_TREES || f->sample > BEZ_FOREST_SAMPLE || f->sample < 2)
    return bez_fail(err, BEZ_USAGE, "isolation forest", "at most %u trees of 2 to %u rows", BEZ_FOREST_TREES,
                    BEZ_FOREST_SAMPLE);
  if (f->m->n_cols > FOREST_COLUMNS)
    return bez_fail(err, BEZ_LIMIT, "isolation forest", "more than %u columns", FOREST_COLUMNS);
  if (f->sample > f->m->n_rows) f->sample = (uint32_t)f->m->n_rows;
  while (((uint64_t)1 << f->levels) < f->sample) f->levels++;
  f->nodes_per_tree = (size_t)2 << f->levels;
  if (f->nodes_per_tree < BEZ_ISOLATION_NODES) f->nodes_per_tree = BEZ_ISOLATION_NODES;
  f->unit = bez_isolation_depth(f->sample);
  f->tile = TILE_CELLS / f->m->n_cols / LANES * LANES;
  if (f->tile < LANES) f->tile = LANES;
  if (f->tile > TILE) f->tile = TILE;
  return BEZ_OK;
}

bez_status bez_isolation_forest(const bez_matrix *m, const bez_outlier_params *params, double *score, bez_error *err) {
  forest f = {.m = m, .seed = params->seed, .score = score, .fn = bez_isolation_choose(params->cpu)};
  bez_status st;
  BEZ_TRY(bez_matrix_check(m, err));
  BEZ_TRY(forest_shape(&f, params, err));
  size_t nodes = f.nodes_per_tree * f.n_trees;
  f.threshold = calloc(nodes + BEZ_ISOLATION_NODES, sizeof *f.threshold);
  f.feature = calloc(nodes + BEZ_ISOLATION_NODES, sizeof *f.feature);
  f.depth = calloc(nodes, sizeof *f.depth);
  f.fill = calloc(m->n_cols, sizeof *f.fill);
  if (!f.threshold || !f.feature || !f.depth || !f.fill) {
    st = bez_fail_memory(err, nodes * 12);
    goto cleanup;
  }
  BEZ_TRY(bez_missing_fill(m, f.fill, err));
  BEZ_TRY(bez_parallel_watched(f.n_trees, params->threads, params->watch, tree_task, &f, err));
  BEZ_TRY(bez_parallel_watched((m->n_rows + f.tile - 1) / f.tile, params->threads, params->watch, score_tile, &f, err));
cleanup:
  free(f.threshold);
  free(f.feature);
  free(f.depth);
  free(f.fill);
  return st;
}
