#include "fit/text_model.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/hash.h"
#include "base/rng.h"
#include "base/threads.h"
#include "fit/naive_bayes.h"

#define TILE 512u              /* rows */
#define TRAIN_BYTES (8u << 20) /* of text that machines are trained on, for two classes */
#define EPOCHS 12u
#define COST 0.2
#define CALIBRATION_ROWS 100000u

/* What only training needs. */
typedef struct training {
  bez_text_model *m;
  uint64_t *rows; /* the rows trained on */
  uint64_t n;
  uint64_t *at; /* n + 1: where each row's grams begin */
  bez_gram *grams;
  uint32_t *df; /* per slot */
  bez_grams *scratch;
  float *margin; /* n × n_machines, out of fold */
  bez_watch *watch;
} training;

static uint32_t fold_of(const bez_text_model *m, uint64_t row) {
  return (uint32_t)(bez_mix64(row ^ bez_mix64(m->seed ^ 0x666f6c64ull)) % BEZ_TEXT_FOLDS);
}

/* All rows, or a sample by a hash of the row where the text is too much. */
static bez_status choose_rows(training *t, bez_error *err) {
  const bez_text_model *m = t->m;
  uint64_t bytes = m->text->text_at[m->n_rows] + 16 * m->n_rows;
  uint64_t most = TRAIN_BYTES / (m->n_machines > 2 ? (m->n_machines + 1) / 2 : 1);
  uint64_t keep = bytes <= most ? UINT64_MAX : (uint64_t)((double)most / (double)bytes * 18446744073709549568.0);
  t->rows = malloc((m->n_rows + 1) * sizeof *t->rows);
  if (!t->rows) return bez_fail_memory(err, (m->n_rows + 1) * sizeof *t->rows);
  for (uint64_t r = 0; r < m->n_rows; r++)
    if (m->cls[r] != BEZ_TEXT_NONE && bez_mix64(bez_mix64(r) ^ m->seed ^ 0x73616d70ull) <= keep) t->rows[t->n++] = r;
  t->m->n_trained = t->n;
  return BEZ_OK;
}

static bez_status load(const training *t, uint64_t i, bez_grams *g, bez_error *err) {
  size_t len;
  const char *text = bez_text_cell(t->m->text, t->rows[i], &len);
  return bez_grams_load(g, text, len, t->m->slots, err);
}

static bez_status count_tile(void *ctx, uint64_t tile, unsigned worker, bez_error *err) {
  training *t = ctx;
  bez_grams *g = &t->scratch[worker];
  for (uint64_t i = tile * TILE; i < t->n && i < (tile + 1) * TILE; i++) {
    bez_status st = load(t, i, g, err);
    if (st != BEZ_OK) return st;
    t->at[i + 1] = g->n;
    for (uint32_t k = 0; k < g->n; k++) __atomic_fetch_add(&t->df[g->grams[k].slot], 1, __ATOMIC_RELAXED);
  }
  return BEZ_OK;
}

static bez_status fill_tile(void *ctx, uint64_t tile, unsigned worker, bez_error *err) {
  training *t = ctx;
  bez_grams *g = &t->scratch[worker];
  for (uint64_t i = tile * TILE; i < t->n && i < (tile + 1) * TILE; i++) {
    bez_status st = load(t, i, g, err);
    if (st != BEZ_OK) return st;
    bez_grams_weigh(g, t->m->idf);
    memcpy(t->grams + t->at[i], g->grams, g->n * sizeof *g->grams);
  }
  return BEZ_OK;
}

static bez_status build_matrix(training *t, unsigned threads, bez_error *err) {
  bez_text_model *m = t->m;
  uint64_t tiles = (t->n + TILE - 1) / TILE;
  t->at = calloc(t->n + 1, sizeof *t->at);
  t->df = calloc(m->slots, sizeof *t->df);
  m->idf = malloc(m->slots * sizeof *m->idf);
  if (!t->at || !t->df || !m->idf) return bez_fail_memory(err, m->slots * sizeof *t->df);
  bez_status st = bez_parallel_watched(tiles, threads, t->watch, count_tile, t, err);
  if (st != BEZ_OK) return st;
  for (uint64_t i = 0; i < t->n; i++) t->at[i + 1] += t->at[i];
  for (uint32_t s = 0; s < m->slots; s++) /* seen in one text only: says nothing of another */
    m->idf[s] = t->df[s] < 2 ? 0.0f : (float)(1.0 + log((1.0 + (double)t->n) / (1.0 + t->df[s])));
  t->grams = malloc((t->at[t->n] + 1) * sizeof *t->grams);
  if (!t->grams) return bez_fail_memory(err, t->at[t->n] * sizeof *t->grams);
  return bez_parallel_watched(tiles, threads, t->watch, fill_tile, t, err);
}

static double dot(const float *w, const bez_gram *x, uint64_t n) {
  double sum = 0;
  for (uint64_t k = 0; k < n; k++) sum += (double)w[x[k].slot] * x[k].value;
  return sum;
}

/* Rows come in random order: the next one's weights, and the grams of the one after, are on their way while this one is
 * worked on. */
static void fetch_weights(const training *t, const float *w, uint64_t i) {
  for (uint64_t k = t->at[i]; k < t->at[i + 1]; k++) __builtin_prefetch(w + t->grams[k].slot, 1);
}

static void fetch_grams(const training *t, uint64_t i) {
  for (uint64_t k = t->at[i]; k < t->at[i + 1]; k += 64 / sizeof *t->grams) __builtin_prefetch(t->grams + k);
}

/* One pass of dual coordinate descent over the rows outside the fold, in the given order. */
static void descend(const training *t, float *w, double *alpha, const uint64_t *order, uint64_t n, uint32_t machine) {
  const bez_text_model *m = t->m;
  uint32_t positive = m->n_machines == 1 ? 1 : machine;
  const double diagonal = 1.0 / (2.0 * COST), q = 2.0 + diagonal; /* |x|² = 1, and 1 for the bias */
  for (uint64_t k = 0; k < n; k++) {
    uint64_t i = order[k], len = t->at[i + 1] - t->at[i];
    const bez_gram *x = t->grams + t->at[i];
    if (k + 1 < n) fetch_weights(t, w, order[k + 1]);
    if (k + 2 < n) fetch_grams(t, order[k + 2]);
    double y = m->cls[t->rows[i]] == positive ? 1.0 : -1.0;
    double g = y * (dot(w, x, len) + w[m->slots]) - 1.0 + alpha[i] * diagonal;
    double next = alpha[i] - g / q;
    if (next < 0) next = 0;
    float step = (float)((next - alpha[i]) * y);
    alpha[i] = next;
    if (step == 0.0f) continue;
    for (uint64_t f = 0; f < len; f++) w[x[f].slot] += step * x[f].value;
    w[m->slots] += step;
  }
}

static bez_status train_machine(void *ctx, uint64_t tile, unsigned worker, bez_error *err) {
  training *t = ctx;
  bez_text_model *m = t->m;
  uint32_t fold = (uint32_t)tile / m->n_machines, machine = (uint32_t)tile % m->n_machines;
  float *w = m->weight[tile];
  bez_status st = BEZ_OK;
  double *alpha = calloc(t->n + 1, sizeof *alpha);
  uint64_t *order = malloc((t->n + 1) * sizeof *order), n = 0;
  if (!alpha || !order) {
    st = bez_fail_memory(err, t->n * sizeof *alpha);
    goto cleanup;
  }
  for (uint64_t i = 0; i < t->n; i++)
    if (fold_of(m, t->rows[i]) != fold) order[n++] = i;
  bez_rng rng = bez_rng_make(m->seed, 0x74657874u + tile);
  for (unsigned epoch = 0; epoch < EPOCHS && n; epoch++) {
    if (!bez_watch_ask(t->watch, worker)) BEZ_TRY(bez_watch_fail(err));
    bez_rng_shuffle(&rng, order, n);
    descend(t, w, alpha, order, n, machine);
  }
  for (uint64_t i = 0; i < t->n; i++)
    if (fold_of(m, t->rows[i]) == fold)
      t->margin[i * m->n_machines + machine] =
          (float)(dot(w, t->grams + t->at[i], t->at[i + 1] - t->at[i]) + w[m->slots]);
cleanup:
  free(alpha);
  free(order);
  return st;
}

static bez_status calibrate(training *t, bez_error *err) {
  bez_text_model *m = t->m;
  uint64_t stride = (t->n + CALIBRATION_ROWS - 1) / CALIBRATION_ROWS, n;
  if (!stride) stride = 1;
  double *x = malloc((t->n / stride + 1) * sizeof *x);
  uint8_t *y = malloc(t->n / stride + 1);
  bez_status st = BEZ_OK;
  if (!x || !y) {
    st = bez_fail_memory(err, t->n * sizeof *x);
    goto cleanup;
  }
  for (uint32_t machine = 0; machine < m->n_machines; machine++) {
    n = 0;
    for (uint64_t i = 0; i < t->n; i += stride, n++) {
      x[n] = (double)t->margin[i * m->n_machines + machine];
      y[n] = m->cls[t->rows[i]] == (m->n_machines == 1 ? 1 : machine);
    }
    bez_platt_fit(x, y, n, &m->slope[machine], &m->bias[machine]);
  }
cleanup:
  free(x);
  free(y);
  return st;
}

static bez_status allocate(training *t, unsigned threads, bez_error *err) {
  bez_text_model *m = t->m;
  size_t machines = (size_t)BEZ_TEXT_FOLDS * m->n_machines;
  m->weight = calloc(machines, sizeof *m->weight);
  t->margin = calloc(t->n * m->n_machines + 1, sizeof *t->margin);
  if (!m->weight || !t->margin) return bez_fail_memory(err, t->n * m->n_machines * sizeof *t->margin);
  for (size_t i = 0; i < machines; i++) {
    m->weight[i] = calloc((size_t)m->slots + 1, sizeof **m->weight);
    if (!m->weight[i]) return bez_fail_memory(err, m->slots * sizeof **m->weight);
  }
  return BEZ_OK;
}

bez_status bez_text_model_fit(const bez_column *text, const uint8_t *cls, uint64_t n_rows, uint32_t n_classes,
                              uint64_t seed, unsigned threads, bez_watch *watch, bez_text_model **out, bez_error *err) {
  bez_status st = BEZ_OK;
  training t = {.watch = watch};
  *out = NULL;
  t.m = calloc(1, sizeof *t.m);
  t.scratch = calloc(threads, sizeof *t.scratch);
  if (!t.m || !t.scratch) {
    st = bez_fail_memory(err, sizeof *t.m);
    goto cleanup;
  }
  *t.m = (bez_text_model){.text = text,
                          .n_rows = n_rows,
                          .cls = cls,
                          .n_classes = n_classes,
                          .seed = seed,
                          .n_machines = n_classes == 2 ? 1 : n_classes,
                          .slots = n_classes > 4 ? 1u << 18 : 1u << 20};
  BEZ_TRY(choose_rows(&t, err));
  BEZ_TRY(build_matrix(&t, threads, err));
  BEZ_TRY(allocate(&t, threads, err));
  BEZ_TRY(bez_parallel_watched((uint64_t)BEZ_TEXT_FOLDS * t.m->n_machines, threads, watch, train_machine, &t, err));
  BEZ_TRY(calibrate(&t, err));
  *out = t.m;
  t.m = NULL;
cleanup:
  for (unsigned w = 0; t.scratch && w < threads; w++) bez_grams_free(&t.scratch[w]);
  free(t.scratch);
  free(t.rows);
  free(t.at);
  free(t.grams);
  free(t.df);
  free(t.margin);
  bez_text_model_destroy(t.m);
  return st;
}

void bez_text_model_destroy(bez_text_model *m) {
  if (!m) return;
  for (size_t i = 0; m->weight && i < (size_t)BEZ_TEXT_FOLDS * m->n_machines; i++) free(m->weight[i]);
  free(m->weight);
  free(m->idf);
  free(m);
}

bez_status bez_text_model_row(const bez_text_model *m, bez_grams *g, uint64_t row, float *p, bez_error *err) {
  size_t len;
  const char *text = bez_text_cell(m->text, row, &len);
  bez_status st = bez_grams_load(g, text, len, m->slots, err);
  if (st != BEZ_OK) return st;
  bez_grams_weigh(g, m->idf);
  double sum = 0;
  for (uint32_t k = 0; k < m->n_machines; k++) {
    const float *w = m->weight[(size_t)fold_of(m, row) * m->n_machines + k];
    double margin = dot(w, g->grams, g->n) + w[m->slots];
    double prob = 1.0 / (1.0 + exp(-(m->slope[k] * margin + m->bias[k])));
    if (m->n_machines == 1) {
      p[1] = (float)prob;
      p[0] = (float)(1.0 - prob);
      return BEZ_OK;
    }
    p[k] = (float)prob;
    sum += prob;
  }
  for (uint32_t k = 0; k < m->n_classes; k++) p[k] = sum > 0 ? (float)(p[k] / sum) : 1.0f / (float)m->n_classes;
  return BEZ_OK;
}
