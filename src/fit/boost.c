#include "fit/boost.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/threads.h"
#include "fit/boost_tree.h"

bez_boost_params bez_boost_defaults(void) {
  return (bez_boost_params){.rounds = 100, .depth = 5, .min_rows = 20, .rate = 0.1, .ridge = 1.0};
}

typedef struct task {
  const bez_boost_data *data;
  const bez_boost_params *params;
  float *p;
} task;

/* What one fold needs; scores and gradients are class major. */
typedef struct fold_state {
  bez_tree_work tree;
  uint32_t n_scores; /* 1 for two classes, else one per class */
  double *score;     /* n_scores × n_rows */
  float *prob;       /* n_scores × n_rows, of all classes before a round's first tree */
  double *start;     /* n_scores */
} fold_state;

static void fold_free(fold_state *s) {
  bez_tree_work_free(&s->tree);
  free(s->score);
  free(s->prob);
  free(s->start);
}

static bez_status fold_alloc(const task *t, fold_state *s, bez_error *err) {
  const bez_boost_data *d = t->data;
  s->n_scores = d->n_classes == 2 ? 1 : d->n_classes;
  size_t cells = (size_t)d->n_rows * s->n_scores;
  s->score = malloc((cells + 1) * sizeof *s->score);
  s->prob = malloc((cells + 1) * sizeof *s->prob);
  s->start = calloc(s->n_scores, sizeof *s->start);
  if (!s->score || !s->prob || !s->start) return bez_fail_memory(err, cells * 12);
  return bez_tree_work_init(&s->tree, d, t->params, err);
}

/* Log-odds (log shares) of the training rows, with half a row added. */
static void start_scores(const bez_boost_data *d, uint32_t fold, fold_state *s) {
  double total = 0.5 * d->n_classes;
  for (uint32_t k = 0; k < s->n_scores; k++) s->start[k] = 0.5;
  for (uint64_t i = 0; i < d->n_rows; i++) {
    uint32_t y = d->label[i];
    if (d->fold[i] == fold || y == BEZ_BOOST_NO_LABEL) continue;
    total += 1.0;
    if (s->n_scores > 1) s->start[y] += 1.0;
    if (s->n_scores == 1 && y == 1) s->start[0] += 1.0;
  }
  for (uint32_t k = 0; k < s->n_scores; k++)
    s->start[k] = s->n_scores == 1 ? log(s->start[k] / (total - s->start[k])) : log(s->start[k] / total);
  for (uint32_t k = 0; k < s->n_scores; k++)
    for (uint64_t i = 0; i < d->n_rows; i++) s->score[k * d->n_rows + i] = s->start[k];
}

/* Probabilities of row i from its scores, one per score. */
static void row_probabilities(const fold_state *s, uint64_t n_rows, uint64_t i, float *out, size_t stride) {
  if (s->n_scores == 1) {
    out[0] = (float)(1.0 / (1.0 + exp(-s->score[i])));
    return;
  }
  double most = -INFINITY, sum = 0.0;
  for (uint32_t k = 0; k < s->n_scores; k++)
    if (s->score[k * n_rows + i] > most) most = s->score[k * n_rows + i];
  for (uint32_t k = 0; k < s->n_scores; k++) sum += exp(s->score[k * n_rows + i] - most);
  for (uint32_t k = 0; k < s->n_scores; k++) out[k * stride] = (float)(exp(s->score[k * n_rows + i] - most) / sum);
}

static void boost_round(const bez_boost_data *d, fold_state *s) {
  bez_tree_work *w = &s->tree;
  for (uint32_t r = 0; r < w->n_train; r++)
    row_probabilities(s, d->n_rows, w->train[r], s->prob + w->train[r], d->n_rows);
  for (uint32_t k = 0; k < s->n_scores; k++) {
    uint32_t positive = s->n_scores == 1 ? 1 : k;
    for (uint32_t r = 0; r < w->n_train; r++) {
      uint32_t row = w->train[r];
      float p = s->prob[k * d->n_rows + row];
      w->gradient[row] = p - (float)(d->label[row] == positive);
      w->hessian[row] = p * (1.0f - p);
    }
    bez_tree_grow(w);
    bez_tree_apply(w, s->score + k * d->n_rows);
  }
}

static bez_status run_fold(void *ctx, uint64_t fold, unsigned worker, bez_error *err) {
  const task *t = ctx;
  const bez_boost_data *d = t->data;
  fold_state s = {0};
  bez_status st;
  BEZ_TRY(fold_alloc(t, &s, err));
  start_scores(d, (uint32_t)fold, &s);
  bez_tree_work_split(&s.tree, (uint32_t)fold);
  for (uint32_t round = 0; round < t->params->rounds && s.tree.n_train > 0; round++) {
    if (!bez_watch_ask(t->params->watch, worker)) BEZ_TRY(bez_watch_fail(err));
    boost_round(d, &s);
  }
  for (uint64_t i = 0; i < d->n_rows; i++) {
    if (d->fold[i] != fold) continue;
    float *p = t->p + i * d->n_classes;
    row_probabilities(&s, d->n_rows, i, s.n_scores == 1 ? p + 1 : p, 1);
    if (s.n_scores == 1) p[0] = 1.0f - p[1];
  }
cleanup:
  fold_free(&s);
  return st;
}

bez_status bez_boost_out_of_fold(const bez_boost_data *data, const bez_boost_params *params, unsigned threads, float *p,
                                 bez_error *err) {
  if (data->n_rows >= UINT32_MAX || data->n_classes < 2 || data->n_folds < 2 || params->depth == 0 ||
      params->depth > BEZ_BOOST_DEPTH)
    return bez_fail(err, BEZ_USAGE, "boosted trees", "rows, classes, folds or depth outside the stated range");
  task t = {data, params, p};
  return bez_parallel_watched(data->n_folds, threads, params->watch, run_fold, &t, err);
}
