/* What is measured of the difference of two tensors: one pass over both, a few rows at a time, in slabs that depend on
 * the shape alone. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "audit/base_difference.h"
#include "base/cpu.h"
#include "base/error.h"
#include "base/threads.h"

#define TILE 65536u            /* items read at a time: rows as many as fit */
#define MOST_COLS (1u << 18)   /* more are looked at as a list */
#define MOST_SKETCH (1u << 16) /* columns of a matrix whose spectrum is looked at: Z is 128 bytes each */
#define MOST_ROWS (1u << 24)
#define SLAB (1u << 20) /* items, at least */
#define MOST_SLABS 16u

typedef struct slab {
  bez_diff_sums sums;
  bez_diff_sketch sketch;
  float *columns;
} slab;

typedef struct job {
  const bez_weights *model, *base;
  uint32_t model_tensor, base_tensor;
  uint64_t items;
  uint32_t rows, cols;        /* of the matrix; a list is rows of TILE numbers, the last one shorter */
  uint32_t per_slab, n_slabs; /* rows */
  bool list, sketch;
  float *signs;
  double *row_energy;
  slab *slabs;
  bez_diff_row_fn diff;
  bez_dense_fn dense;
} job;

/* ---- a slab ----------------------------------------------------------------------------------------------------- */

typedef struct tile_memory {
  float *a, *b, *y, *product;
} tile_memory;

static bool tile_alloc(const job *j, uint32_t tile_rows, tile_memory *t) {
  const size_t items = (size_t)tile_rows * j->cols;
  *t = (tile_memory){.a = malloc(items * sizeof(float)), .b = malloc(items * sizeof(float))};
  if (j->sketch) {
    t->y = malloc((size_t)tile_rows * BEZ_DIFF_RANK * sizeof(float));
    t->product = malloc((size_t)j->cols * BEZ_DENSE_LANES * sizeof(float));
  }
  return t->a && t->b && (!j->sketch || (t->y && t->product));
}

static void tile_free(tile_memory *t) {
  free(t->a);
  free(t->b);
  free(t->y);
  free(t->product);
}

/* Rows [row, row + n) of both. */
static bez_status take_tile(const job *j, slab *s, const tile_memory *t, uint32_t row, uint32_t n, bez_error *err) {
  const uint64_t first = (uint64_t)row * j->cols;
  const size_t items = first + (uint64_t)n * j->cols > j->items ? (size_t)(j->items - first) : (size_t)n * j->cols;
  bez_status st = bez_weights_read(j->model, j->model_tensor, first, items, t->a, err);
  if (st == BEZ_OK) st = bez_weights_read(j->base, j->base_tensor, first, items, t->b, err);
  if (st != BEZ_OK) return st;
  const uint64_t changed = s->sums.changed;
  for (uint32_t r = 0; r < n; r++) {
    const size_t at = (size_t)r * j->cols, len = items - at < j->cols ? items - at : j->cols;
    j->row_energy[row + r] = j->diff(t->a + at, t->b + at, len, s->columns, &s->sums);
  }
  if (j->sketch && s->sums.changed > changed)
    bez_diff_sketch_rows(&s->sketch, j->dense, t->a, n, j->cols, j->signs, t->y, t->product);
  return BEZ_OK;
}

static bez_status slab_tile(void *ctx, uint64_t tile, unsigned worker, bez_error *err) {
  const job *j = ctx;
  (void)worker;
  slab *s = &j->slabs[tile];
  const uint32_t first = (uint32_t)tile * j->per_slab,
                 end = j->rows - first < j->per_slab ? j->rows : first + j->per_slab;
  const uint32_t fit = TILE / j->cols ? TILE / j->cols : 1, step = fit < end - first ? fit : end - first;
  tile_memory t;
  bez_status st = tile_alloc(j, step, &t) ? BEZ_OK : bez_fail_memory(err, (size_t)step * j->cols * sizeof(float));
  for (uint32_t row = first; st == BEZ_OK && row < end; row += step)
    st = take_tile(j, s, &t, row, end - row < step ? end - row : step, err);
  tile_free(&t);
  return st;
}

/* ---- a tensor --------------------------------------------------------------------------------------------------- */

/* A matrix of the first dimension and all others; a list where that is none or too wide or too tall. */
static void lay_out(job *j, const bez_model_tensor *t) {
  const uint64_t rows = t->n_dims > 1 ? t->shape[0] : 1, cols = rows ? j->items / rows : 0;
  j->list = rows < 2 || cols < 2 || rows > MOST_ROWS || cols > MOST_COLS;
  j->cols = j->list ? TILE : (uint32_t)cols;
  j->rows = j->list ? (uint32_t)((j->items + TILE - 1) / TILE) : (uint32_t)rows;
  if (j->list && j->items < TILE) j->cols = (uint32_t)j->items;
  j->sketch = !j->list && cols <= MOST_SKETCH;
  const uint64_t slabs = j->items / SLAB, n = slabs < 1 ? 1 : slabs > MOST_SLABS ? MOST_SLABS : slabs;
  j->per_slab = (uint32_t)((j->rows + n - 1) / n);
  j->n_slabs = (j->rows + j->per_slab - 1) / j->per_slab;
}

static bool job_alloc(job *j, uint64_t seed) {
  const size_t wide = (size_t)j->cols * BEZ_DIFF_RANK;
  bool good = (j->row_energy = calloc(j->rows, sizeof *j->row_energy)) != NULL &&
              (j->slabs = calloc(j->n_slabs, sizeof *j->slabs)) != NULL;
  if (good && j->sketch) good = (j->signs = malloc(wide * sizeof *j->signs)) != NULL;
  if (good && j->sketch) bez_diff_signs(seed, j->cols, j->signs);
  for (uint32_t s = 0; good && s < j->n_slabs; s++) {
    good = (j->slabs[s].columns = calloc(j->cols, sizeof(float))) != NULL;
    if (good && j->sketch) good = (j->slabs[s].sketch.z = calloc(wide, sizeof(float))) != NULL;
  }
  return good;
}

static void job_free(job *j) {
  for (uint32_t s = 0; j->slabs && s < j->n_slabs; s++) {
    free(j->slabs[s].columns);
    free(j->slabs[s].sketch.z);
  }
  free(j->slabs);
  free(j->signs);
  free(j->row_energy);
}

/* Slabs in order, into the first. */
static void reduce(job *j) {
  slab *all = j->slabs;
  for (uint32_t s = 1; s < j->n_slabs; s++) {
    const slab *more = &j->slabs[s];
    all->sums.base2 += more->sums.base2;
    all->sums.diff2 += more->sums.diff2;
    all->sums.diff4 += more->sums.diff4;
    all->sums.changed += more->sums.changed;
    all->sums.odd += more->sums.odd;
    for (uint32_t c = 0; c < j->cols; c++) all->columns[c] += more->columns[c];
    if (j->sketch) bez_diff_sketch_add(&all->sketch, &more->sketch, j->cols);
  }
}

static void spectrum_of(const job *j, const slab *all, bez_base_stats *out) {
  double squares[BEZ_DIFF_RANK], sum = 0;
  out->rank99 = BEZ_DIFF_RANK + 1;
  out->spectrum = bez_diff_spectrum(&all->sketch, j->cols, squares);
  for (uint32_t k = 0; out->spectrum && k < BEZ_DIFF_RANK; k++) {
    out->share[k] = squares[k] / all->sums.diff2;
    sum += out->share[k];
    if (sum >= 0.99 && out->rank99 > BEZ_DIFF_RANK) out->rank99 = k + 1;
  }
}

/* The four largest rows, and how the largest compares with the base's rows. */
static void rows_of(const job *j, const slab *all, bez_base_stats *out) {
  double top[5] = {0};
  for (uint32_t r = 0; r < j->rows; r++) {
    out->changed_rows += j->row_energy[r] > 0;
    if (j->row_energy[r] > j->row_energy[out->row]) out->row = r;
    unsigned k = 4;
    for (; k > 0 && top[k - 1] < j->row_energy[r]; k--) top[k] = top[k - 1];
    top[k] = j->row_energy[r];
  }
  out->top_row = top[0] / all->sums.diff2;
  out->top_rows = (top[0] + top[1] + top[2] + top[3]) / all->sums.diff2;
  out->row_relative = sqrt(top[0] * (double)j->rows / all->sums.base2);
}

static void conclude(const job *j, bez_base_stats *out) {
  const slab *all = j->slabs;
  const double energy = all->sums.diff2, n = (double)j->items;
  *out = (bez_base_stats){.items = j->items,
                          .changed = all->sums.changed,
                          .odd = all->sums.odd,
                          .rows = j->list ? 1 : j->rows,
                          .cols = j->cols,
                          .base_norm = sqrt(all->sums.base2),
                          .norm = sqrt(energy),
                          .kurtosis = NAN};
  if (!(energy > 0) || !isfinite(energy)) return;
  out->relative = all->sums.base2 > 0 ? sqrt(energy / all->sums.base2) : INFINITY;
  out->kurtosis = n * ldexp(all->sums.diff4, -BEZ_DIFF_SCALE4) / (energy * energy);
  if (!j->list) rows_of(j, all, out);
  for (uint32_t c = 1; c < j->cols && !j->list; c++)
    if (all->columns[c] > all->columns[out->col]) out->col = c;
  out->top_col = j->list ? 0 : (double)all->columns[out->col] / energy;
  if (j->sketch) spectrum_of(j, all, out);
}

bez_status bez_base_measure(const bez_base_side *model, const bez_base_side *base, bez_base_pair *pair,
                            const bez_audit_context *context, bez_error *err) {
  bez_status st = BEZ_OK;
  const bez_base_file *own = &model->files[pair->model->file], *its = &base->files[pair->base->file];
  const uint32_t cpu = bez_cpu_features();
  job j = {.model = own->weights,
           .base = its->weights,
           .model_tensor = pair->model->tensor,
           .base_tensor = pair->base->tensor,
           .items = bez_weights_items(own->weights, pair->model->tensor),
           .diff = bez_diff_row_choose(cpu),
           .dense = bez_dense_choose(cpu)};
  bez_watch watch = {.progress = context->progress, .ctx = context->progress_ctx, .stage = "comparing weights"};
  if (!j.items) return BEZ_OK;
  lay_out(&j, &own->file->model->tensors[pair->model->tensor]);
  watch.unit = "slabs";
  watch.total = j.n_slabs;
  if (!job_alloc(&j, context->seed)) BEZ_TRY(bez_fail_memory(err, (size_t)j.cols * BEZ_DIFF_RANK * sizeof(float)));
  BEZ_TRY(bez_parallel_watched(j.n_slabs, context->threads, &watch, slab_tile, &j, err));
  reduce(&j);
  conclude(&j, &pair->stats);
cleanup:
  job_free(&j);
  return st;
}
