/* The model that phrases are judged against: who is a duplicate, naive Bayes counts, calibration. */
#include "detect/trigger_phrases.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/threads.h"

#define CALIBRATION_ROWS 30000u
#define KEPT_BYTES (16u << 20) /* of text whose tokens are kept; they take about nine times as much */

typedef struct sweep_job {
  bez_phrases *p;
  bez_phrase_fn fn;
  void *ctx;
} sweep_job;

static bez_status sweep_tile(void *ctx, uint64_t tile, unsigned worker, bez_error *err) {
  sweep_job *job = ctx;
  uint64_t first = tile * BEZ_PHRASE_TILE, end = first + BEZ_PHRASE_TILE;
  if (end > job->p->n_rows) end = job->p->n_rows;
  return job->fn(job->ctx, job->p, tile, first, end, worker, err);
}

bez_status bez_phrases_sweep(bez_phrases *p, bez_phrase_fn fn, void *ctx, bez_error *err) {
  sweep_job job = {p, fn, ctx};
  bez_watch watch = bez_detect_watch(p->in, "trigger phrases", "tiles");
  return bez_parallel_watched((p->n_rows + BEZ_PHRASE_TILE - 1) / BEZ_PHRASE_TILE, p->in->threads, &watch, sweep_tile,
                              &job, err);
}

static bez_status load_text(bez_phrases *p, uint64_t row, bez_doc *doc, bez_error *err) {
  size_t len;
  const char *text = bez_text_cell(p->text, row, &len);
  return bez_doc_load(doc, text, len, err);
}

bez_status bez_phrases_load(bez_phrases *p, uint64_t row, bez_doc *doc, bez_error *err) {
  return p->kept ? bez_kept_docs_load(p->kept, row, doc, err) : load_text(p, row, doc, err);
}

bez_status bez_phrases_tokens(bez_phrases *p, uint64_t row, bez_doc *doc, bez_error *err) {
  if (p->kept) return bez_kept_docs_tokens(p->kept, row, doc, err);
  size_t len;
  const char *text = bez_text_cell(p->text, row, &len);
  return bez_doc_tokens(doc, text, len, err);
}

static bez_status keep_rows(void *ctx, bez_phrases *p, uint64_t tile, uint64_t first, uint64_t end, unsigned worker,
                            bez_error *err) {
  bez_kept_docs *kept = ctx;
  for (uint64_t r = first; r < end; r++) {
    bez_status st = load_text(p, r, &p->doc[worker], err);
    if (st == BEZ_OK) st = bez_kept_docs_add(kept, tile, &p->doc[worker], err);
    if (st != BEZ_OK) return st;
  }
  return BEZ_OK;
}

bez_status bez_phrases_keep(bez_phrases *p, bez_error *err) {
  uint64_t bytes = p->text->text_at[p->n_rows] - p->text->text_at[0];
  bez_kept_docs *kept;
  if (bytes > KEPT_BYTES || p->n_rows > KEPT_BYTES) return BEZ_OK;
  bez_status st = bez_kept_docs_create(p->n_rows, BEZ_PHRASE_TILE, &kept, err);
  if (st != BEZ_OK) return st;
  st = bez_phrases_sweep(p, keep_rows, kept, err);
  p->kept = kept; /* from here on; freed with the rest */
  return st;
}

static bez_status hash_rows(void *ctx, bez_phrases *p, uint64_t tile, uint64_t first, uint64_t end, unsigned worker,
                            bez_error *err) {
  uint64_t *hash = ctx;
  for (uint64_t r = first; r < end; r++) {
    size_t len;
    const char *text = bez_text_cell(p->text, r, &len);
    hash[r] = bez_hash64(text, len, p->cls[r]) | 1;
  }
  return BEZ_OK;
}

/* The first of equal rows with equal labels counts, the others are duplicates. */
static bez_status mark_duplicates(bez_phrases *p, bez_error *err) {
  bez_status st = BEZ_OK;
  size_t slots = 16;
  while (slots < p->n_rows * 2) slots *= 2;
  uint64_t *hash = calloc(p->n_rows + 1, sizeof *hash), *seen = calloc(slots, sizeof *seen);
  if (!hash || !seen) {
    st = bez_fail_memory(err, slots * sizeof *seen);
    goto cleanup;
  }
  BEZ_TRY(bez_phrases_sweep(p, hash_rows, hash, err));
  for (uint64_t r = 0; r < p->n_rows; r++) {
    size_t at = (size_t)(hash[r] >> 20) & (slots - 1);
    while (seen[at] && seen[at] != hash[r]) at = (at + 1) & (slots - 1);
    if (seen[at]) p->state[r] |= BEZ_ROW_DUPLICATE;
    seen[at] = hash[r];
  }
cleanup:
  free(hash);
  free(seen);
  return st;
}

static bool counts(const bez_phrases *p, uint64_t row) {
  return p->cls[row] != BEZ_PHRASE_NONE && !(p->state[row] & (BEZ_ROW_DUPLICATE | BEZ_ROW_PEELED));
}

static bez_status count_rows(void *ctx, bez_phrases *p, uint64_t tile, uint64_t first, uint64_t end, unsigned worker,
                             bez_error *err) {
  bez_doc *doc = &p->doc[worker];
  for (uint64_t r = first; r < end; r++) {
    if (!counts(p, r)) continue;
    bez_status st = bez_phrases_load(p, r, doc, err);
    if (st != BEZ_OK) return st;
    bez_nb_add(p->nb, doc->features, doc->n_features, p->cls[r], 1);
  }
  return BEZ_OK;
}

bez_status bez_phrases_model(bez_phrases *p, bez_error *err) {
  bez_status st = mark_duplicates(p, err);
  if (st != BEZ_OK) return st;
  uint64_t bytes = p->text->text_at[p->n_rows];
  unsigned log2_slots = 12, most = 22;
  for (uint32_t k = 2; k < p->n_classes; k *= 2) most--;
  while (log2_slots < most && ((uint64_t)1 << log2_slots) < bytes) log2_slots++;
  st = bez_nb_create(p->n_classes, log2_slots, &p->nb, err);
  if (st == BEZ_OK) st = bez_phrases_sweep(p, count_rows, NULL, err);
  if (st != BEZ_OK) return st;
  for (uint64_t r = 0; r < p->n_rows; r++)
    if (counts(p, r)) bez_nb_rows(p->nb, p->cls[r], 1);
  return bez_nb_prepare(p->nb, err);
}

bez_status bez_phrases_peel(bez_phrases *p, const uint32_t *rows, size_t n, bez_error *err) {
  for (size_t i = 0; i < n; i++) {
    uint64_t r = rows[i];
    if (counts(p, r)) {
      bez_status st = bez_phrases_load(p, r, &p->doc[0], err);
      if (st != BEZ_OK) return st;
      bez_nb_add(p->nb, p->doc[0].features, p->doc[0].n_features, p->cls[r], -1);
      bez_nb_rows(p->nb, p->cls[r], -1);
    }
    p->state[r] |= BEZ_ROW_PEELED;
  }
  return bez_nb_prepare(p->nb, err);
}

/* How much more often than they say do improbable labels occur? Where the model overrates itself its probabilities are
 * worth less. */
static void check_tail(bez_phrases *p, uint32_t t, const double *x, const uint8_t *y, size_t n) {
  for (size_t b = 0; b < BEZ_PHRASE_LEVELS; b++) {
    double seen = 0, expected = 1.0;
    for (size_t i = 0; i < n; i++) {
      double prob = 1.0 / (1.0 + exp(-(p->slope[t] * x[i] + p->bias[t])));
      if (prob >= bez_phrase_level[b]) continue;
      seen += y[i];
      expected += prob > BEZ_PHRASE_LEAST_P ? prob : BEZ_PHRASE_LEAST_P;
    }
    p->inflate[t][b] = seen > expected ? seen / expected : 1.0;
  }
}

/* One task per class: margins of a strided sample, then Platt's sigmoid. */
static bez_status calibrate_class(void *ctx, uint64_t tile, unsigned worker, bez_error *err) {
  bez_phrases *p = ctx;
  bez_status st = BEZ_OK;
  uint32_t t = (uint32_t)tile;
  uint64_t most = CALIBRATION_ROWS / (p->n_classes > 8 ? p->n_classes / 8 : 1);
  uint64_t stride = (p->n_rows + most - 1) / most;
  double *x = malloc((size_t)(most + 1) * sizeof *x);
  uint8_t *y = malloc((size_t)most + 1);
  size_t n = 0;
  if (!x || !y) {
    st = bez_fail_memory(err, (size_t)most * sizeof *x);
    goto cleanup;
  }
  for (uint64_t r = 0; r < p->n_rows && n < most; r += stride) {
    if (!counts(p, r)) continue;
    bez_doc *doc = &p->doc[worker];
    BEZ_TRY(bez_phrases_load(p, r, doc, err));
    x[n] = bez_nb_damp(bez_nb_margin(p->nb, doc->features, doc->n_features, t, p->cls[r], NULL));
    y[n++] = p->cls[r] == t;
  }
  bez_platt_fit(x, y, n, &p->slope[t], &p->bias[t]);
  check_tail(p, t, x, y, n);
cleanup:
  free(x);
  free(y);
  return st;
}

bez_status bez_phrases_calibrate(bez_phrases *p, bez_error *err) {
  bez_watch watch = bez_detect_watch(p->in, "trigger phrases", "classes");
  return bez_parallel_watched(p->n_classes, p->in->threads, &watch, calibrate_class, p, err);
}
