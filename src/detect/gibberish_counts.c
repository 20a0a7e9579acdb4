/* Pieces of texts, and the counts of words and pairs over a bounded sample of the corpus. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/large_pages.h"
#include "detect/gibberish.h"

#define SAMPLE_BYTES ((uint64_t)48 << 20) /* of text that are counted; more text is no better known */
#define HUGE_PAGE ((size_t)2 << 20)
#define LEAST_LINES ((uint64_t)1 << 12)

static void add(bez_gib_counts *c, uint64_t hash) {
  uint64_t b, a = bez_gib_cells(c, hash, &b);
  atomic_fetch_add_explicit(&c->cell[a], 1, memory_order_relaxed);
  atomic_fetch_add_explicit(&c->cell[b], 1, memory_order_relaxed);
}

static bez_status make_counts(bez_gib_counts *c, uint64_t cells, bez_error *err) {
  c->lines = LEAST_LINES;
  while (c->lines * BEZ_GIB_CELLS < cells) c->lines *= 2;
  size_t bytes = c->lines * BEZ_GIB_CELLS * sizeof *c->cell; /* a power of two */
  c->cell = aligned_alloc(bytes < HUGE_PAGE ? 64 : HUGE_PAGE, bytes);
  if (!c->cell) return bez_fail_memory(err, bytes);
  bez_wish_large_pages((void *)c->cell, bytes);
  memset((void *)c->cell, 0, bytes);
  return BEZ_OK;
}

void bez_gib_counts_free(bez_gib_counts *c) {
  free((void *)c->cell);
  *c = (bez_gib_counts){0};
}

bez_status bez_gib_piece_create(bez_gib_piece *p, bez_error *err) {
  p->tokens = malloc(BEZ_GIB_PIECE * sizeof *p->tokens);
  p->word = malloc(BEZ_GIB_PIECE * sizeof *p->word);
  p->pair = malloc(BEZ_GIB_PIECE * sizeof *p->pair);
  p->own_word = malloc(BEZ_GIB_PIECE * sizeof *p->own_word);
  p->own_pair = malloc(BEZ_GIB_PIECE * sizeof *p->own_pair);
  p->sum = malloc((BEZ_GIB_PIECE + 1) * sizeof *p->sum);
  p->hot = malloc(BEZ_GIB_PIECE + 1);
  if (!p->tokens || !p->word || !p->pair || !p->own_word || !p->own_pair || !p->sum || !p->hot)
    return bez_fail_memory(err, BEZ_GIB_PIECE * sizeof *p->sum);
  return BEZ_OK;
}

void bez_gib_piece_free(bez_gib_piece *p) {
  free(p->tokens);
  free(p->word);
  free(p->pair);
  free(p->own_word);
  free(p->own_pair);
  free(p->sum);
  free(p->hot);
  free(p->own);
  *p = (bez_gib_piece){0};
}

bool bez_gib_next(bez_gib_piece *p, const char *text, size_t len, size_t *from) {
  if (*from >= len) return false;
  p->n = (uint32_t)bez_tokenize(text + *from, len - *from, p->tokens, BEZ_GIB_PIECE);
  for (uint32_t i = 0; *from && i < p->n; i++) {
    p->tokens[i].begin += (uint32_t)*from;
    p->tokens[i].end += (uint32_t)*from;
  }
  *from = p->n == BEZ_GIB_PIECE ? p->tokens[p->n - 1].end : len;
  return p->n > 0;
}

typedef struct sweep {
  bez_gibberish *g;
  bez_gib_fn fn;
  void *ctx;
} sweep;

static bez_status sweep_tile(void *ctx, uint64_t tile, unsigned worker, bez_error *err) {
  sweep *s = ctx;
  uint64_t first = tile * BEZ_GIB_TILE, end = first + BEZ_GIB_TILE < s->g->n_rows ? first + BEZ_GIB_TILE : s->g->n_rows;
  return s->fn(s->ctx, s->g, tile, first, end, worker, err);
}

bez_status bez_gib_sweep(bez_gibberish *g, const char *stage, bez_gib_fn fn, void *ctx, bez_error *err) {
  sweep s = {g, fn, ctx};
  bez_watch watch = bez_detect_watch(g->in, stage, "tiles");
  return bez_parallel_watched((g->n_rows + BEZ_GIB_TILE - 1) / BEZ_GIB_TILE, g->in->threads, &watch, sweep_tile, &s,
                              err);
}

typedef struct counting {
  _Atomic uint64_t n_tokens;
} counting;

static bez_status count_rows(void *ctx, bez_gibberish *g, uint64_t tile, uint64_t first, uint64_t end, unsigned worker,
                             bez_error *err) {
  counting *c = ctx;
  bez_gib_piece *p = &g->piece[worker];
  uint64_t n = 0;
  (void)tile, (void)err;
  for (uint64_t row = first; row < end; row++) {
    size_t len, from = 0;
    const char *text = bez_text_cell(g->text, row, &len);
    if (!bez_gib_sampled(g, row)) continue;
    while (bez_gib_next(p, text, len, &from)) {
      for (uint32_t i = 0; i < p->n; i++) {
        add(&g->words, bez_gib_word_hash(p->tokens[i].literal));
        if (i) add(&g->pairs, bez_gib_pair_hash(p->tokens[i - 1].literal, p->tokens[i].literal));
      }
      n += p->n;
    }
  }
  atomic_fetch_add_explicit(&c->n_tokens, n, memory_order_relaxed);
  return BEZ_OK;
}

bez_status bez_gib_count(bez_gibberish *g, bez_error *err) {
  uint64_t bytes = g->text->text_at[g->n_rows] - g->text->text_at[0];
  uint64_t counted = bytes < SAMPLE_BYTES ? bytes : SAMPLE_BYTES;
  counting c = {0};
  g->sampled_of = bytes <= SAMPLE_BYTES ? 65536 : 65536 * (SAMPLE_BYTES >> 10) / (bytes >> 10) + 1;
  bez_status st = make_counts(&g->words, counted / 16, err);
  if (st == BEZ_OK) st = make_counts(&g->pairs, counted / 2, err);
  if (st == BEZ_OK) st = bez_gib_sweep(g, "gibberish: counting", count_rows, &c, err);
  g->n_tokens = c.n_tokens;
  g->log_tokens = log((double)g->n_tokens + 2.0);
  g->log_of = calloc(BEZ_GIB_LOGS, sizeof *g->log_of);
  if (!g->log_of) return st == BEZ_OK ? bez_fail_memory(err, BEZ_GIB_LOGS * sizeof *g->log_of) : st;
  for (unsigned i = 1; i < BEZ_GIB_LOGS; i++) g->log_of[i] = log((double)i);
  return st;
}
