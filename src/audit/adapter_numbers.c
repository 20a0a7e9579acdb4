/* The numbers of each low-rank change: its spectrum, how much of it lies in one row or column, and how heavy the tails
 * of its entries are. The change itself is never formed. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "audit/adapter.h"
#include "base/error.h"
#include "base/rng.h"
#include "math/thin_svd.h"

#define MOST_RANK 2048u
#define MOST_NUMBERS ((uint64_t)32 << 20) /* of A and B together: 256 MiB as doubles */
#define BLOCK 16384u                      /* numbers read at a time */
#define DRAWN 65536u                      /* entries that the kurtosis is taken over */

typedef struct work {
  const bez_weights *weights;
  bez_lora *lora;
} work;

/* Everything one module needs. */
typedef struct room {
  double *left, *right; /* columns of B, rows of A */
  double *gram;         /* A · Aᵀ */
  double *line;         /* one row of B */
  double *value, *scratch;
  float *block;
} room;

static bool make_room(const bez_lora_module *m, room *r) {
  const size_t rank = m->rank;
  r->left = calloc((size_t)m->rows * rank, sizeof *r->left);
  r->right = calloc((size_t)m->cols * rank, sizeof *r->right);
  r->gram = calloc(rank * rank, sizeof *r->gram);
  r->line = calloc(rank, sizeof *r->line);
  r->value = calloc(rank, sizeof *r->value);
  r->scratch = calloc(bez_product_scratch(m->rank), sizeof *r->scratch);
  r->block = calloc(BLOCK, sizeof *r->block);
  return r->left && r->right && r->gram && r->line && r->value && r->scratch && r->block;
}

static void free_room(room *r) {
  free(r->left);
  free(r->right);
  free(r->gram);
  free(r->line);
  free(r->value);
  free(r->scratch);
  free(r->block);
}

static bez_status read_down(const work *w, const bez_lora_module *m, room *r, bez_error *err) {
  const uint64_t n = m->cols * m->rank;
  for (uint64_t i = 0; i < n; i += BLOCK) {
    const size_t some = n - i < BLOCK ? (size_t)(n - i) : BLOCK;
    const bez_status st = bez_weights_read(w->weights, m->down, i, some, r->block, err);
    if (st != BEZ_OK) return st;
    for (size_t k = 0; k < some; k++) r->right[i + k] = (double)r->block[k];
  }
  return BEZ_OK;
}

/* B lies row by row and is wanted column by column. */
static bez_status read_up(const work *w, const bez_lora_module *m, room *r, bez_error *err) {
  const uint64_t n = m->rows * m->rank;
  for (uint64_t i = 0; i < n; i += BLOCK) {
    const size_t some = n - i < BLOCK ? (size_t)(n - i) : BLOCK;
    const bez_status st = bez_weights_read(w->weights, m->up, i, some, r->block, err);
    if (st != BEZ_OK) return st;
    for (size_t k = 0; k < some; k++) r->left[(i + k) % m->rank * m->rows + (i + k) / m->rank] = (double)r->block[k];
  }
  return BEZ_OK;
}

/* The heaviest line's share of Σ_i x_iᵀ · G · x_i with G the Gram matrix of the other factor. x: rank rows of n. */
static double heaviest(const double *x, uint64_t n, const double *other, uint64_t m, uint32_t rank, const room *r) {
  double most = 0.0, all = 0.0;
  for (uint32_t i = 0; i < rank; i++)
    for (uint32_t j = 0; j <= i; j++)
      r->gram[(size_t)i * rank + j] = r->gram[(size_t)j * rank + i] = bez_lane_dot(other + i * m, other + j * m, m);
  for (uint64_t line = 0; line < n; line++) {
    double energy = 0.0;
    for (uint32_t k = 0; k < rank; k++) r->line[k] = x[k * n + line];
    for (uint32_t k = 0; k < rank; k++) energy += r->line[k] * bez_lane_dot(r->gram + (size_t)k * rank, r->line, rank);
    energy = fmax(energy, 0.0);
    most = fmax(most, energy);
    all += energy;
  }
  return all > 0.0 ? most / all : 0.0;
}

/* Two passes over the same positions: the mean, then the second and fourth powers about it. Positions depend on the
 * shape alone. */
static double kurtosis_of(const bez_lora_module *m, const room *r) {
  const bool drawn = m->rows > DRAWN / m->cols;
  const uint64_t n = drawn ? DRAWN : m->rows * m->cols;
  double mean = 0.0, second = 0.0, fourth = 0.0;
  for (int pass = 0; pass < 2; pass++) {
    bez_rng rng = bez_rng_make(0, m->rows ^ (m->cols << 32));
    for (uint64_t i = 0; i < n; i++) {
      const uint64_t row = drawn ? bez_rng_below(&rng, m->rows) : i / m->cols;
      const uint64_t col = drawn ? bez_rng_below(&rng, m->cols) : i % m->cols;
      double x = 0.0;
      for (uint32_t k = 0; k < m->rank; k++) x += r->left[k * m->rows + row] * r->right[k * m->cols + col];
      const double off = x - mean, square = off * off;
      if (pass == 0) mean += x / (double)n;
      if (pass == 1) second += square / (double)n;
      if (pass == 1) fourth += square * square / (double)n;
    }
  }
  return second > 0.0 && isfinite(fourth) ? fourth / second / second : NAN;
}

static void from_spectrum(bez_lora_module *m, const double *value) {
  double sum = 0.0, entropy = 0.0;
  if (!(value[0] > 0.0)) return;
  for (uint32_t k = 0; k < m->rank; k++) sum += value[k] / value[0] * (value[k] / value[0]);
  for (uint32_t k = 0; k < m->rank; k++) {
    const double p = value[k] / value[0] * (value[k] / value[0]) / sum;
    if (p > 0.0) entropy -= p * log(p);
  }
  for (uint32_t k = 0; k < m->rank && k < BEZ_LORA_TOP; k++) m->top[k] = fabs(m->scale) * value[k];
  m->norm = m->top[0] * sqrt(sum);
  m->effective_rank = exp(entropy);
  m->top_share = 1.0 / sum;
}

static bez_status measure(void *ctx, uint64_t tile, unsigned worker, bez_error *err) {
  const work *w = ctx;
  bez_lora_module *m = &w->lora->modules[tile];
  room r = {0};
  bez_status st = BEZ_OK;
  (void)worker;
  if (m->skipped) return BEZ_OK;
  if (m->rank > MOST_RANK || m->rows > MOST_NUMBERS / m->rank || m->cols > MOST_NUMBERS / m->rank - m->rows) {
    m->skipped = "larger than is worked out";
    return BEZ_OK;
  }
  if (!make_room(m, &r)) {
    st = bez_fail_memory(err, (size_t)(m->rows + m->cols) * m->rank * sizeof(double));
    goto cleanup;
  }
  BEZ_TRY(read_down(w, m, &r, err));
  BEZ_TRY(read_up(w, m, &r, err));
  m->row_share = heaviest(r.left, m->rows, r.right, m->cols, m->rank, &r);
  m->col_share = heaviest(r.right, m->cols, r.left, m->rows, m->rank, &r);
  m->kurtosis = kurtosis_of(m, &r);
  if (bez_product_spectrum(r.left, m->rows, r.right, m->cols, m->rank, r.value, r.scratch))
    from_spectrum(m, r.value);
  else
    m->skipped = "holds numbers that are not finite";
cleanup:
  free_room(&r);
  return st;
}

bez_status bez_lora_measure(const bez_check_input *in, const bez_weights *weights, bez_lora *lora, bez_error *err) {
  work w = {.weights = weights, .lora = lora};
  bez_watch watch = {.progress = in->context->progress,
                     .ctx = in->context->progress_ctx,
                     .stage = "spectrum of the adapter",
                     .unit = "modules",
                     .total = lora->n};
  return bez_parallel_watched(lora->n, in->context->threads, &watch, measure, &w, err);
}
