/* Which words, pairs and triples have gibberish behind them: collected where a calm text turns hot, counted over all.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "detect/gibberish.h"
#include "math/tails.h"

#define HOT 3.0              /* log-odds of a window that is gibberish */
#define CALM 0.0             /* of the window before */
#define MOST_HITS (1u << 22) /* of one tile */
#define FIRST_WORDS 65536u   /* bits that tell where no candidate begins */
#define LEAST_RATE 2e-3      /* of places that are followed by gibberish, however calm the corpus is */
#define LEAST_PURITY 0.5     /* of the rows that hold the n-gram; rows too short to tell are not hot */

/* ---- hits ---- */

typedef struct tile_hits {
  bez_gib_hit *hit;
  size_t n, cap;
} tile_hits;

typedef struct nomination {
  tile_hits *tiles;
  _Atomic uint64_t n_places, n_hot;
} nomination;

static bez_status push(tile_hits *t, bez_gib_hit hit, bez_error *err) {
  if (t->n == t->cap) {
    size_t cap = t->cap ? t->cap * 2 : 256;
    bez_gib_hit *grown = realloc(t->hit, cap * sizeof *grown);
    if (!grown) return bez_fail_memory(err, cap * sizeof *grown);
    t->hit = grown;
    t->cap = cap;
  }
  t->hit[t->n++] = hit;
  return BEZ_OK;
}

static bool calm_before(const bez_gibberish *g, const bez_gib_piece *p, uint32_t at) {
  unsigned kind;
  if (at < BEZ_GIB_BEFORE) return true;
  return bez_gib_odds(g, p, at > BEZ_GIB_WINDOW ? at - BEZ_GIB_WINDOW : 0, at, &kind) < CALM;
}

/* Places of a piece where calm text turns hot: the n-grams that end there. */
static bez_status hot_places(nomination *job, bez_gibberish *g, const bez_gib_piece *p, uint32_t row, tile_hits *out,
                             bez_error *err) {
  unsigned kind;
  uint64_t places = 0, hot = 0;
  bez_status st = BEZ_OK;
  for (uint32_t at = 1; st == BEZ_OK && at + BEZ_GIB_LEAST <= p->n; at++, places++) {
    uint32_t to = at + BEZ_GIB_WINDOW < p->n ? at + BEZ_GIB_WINDOW : p->n;
    if (bez_gib_odds(g, p, at, to, &kind) < HOT || !calm_before(g, p, at - 1)) continue;
    hot++;
    for (unsigned n = 1; st == BEZ_OK && n <= 3 && n <= at && out->n < MOST_HITS; n++)
      st = push(out, (bez_gib_hit){bez_ngram(p->tokens + at - n, n), row, p->tokens[at - n].begin}, err);
  }
  atomic_fetch_add_explicit(&job->n_places, places, memory_order_relaxed);
  atomic_fetch_add_explicit(&job->n_hot, hot, memory_order_relaxed);
  return st;
}

static bez_status find_hits(void *ctx, bez_gibberish *g, uint64_t tile, uint64_t first, uint64_t end, unsigned worker,
                            bez_error *err) {
  nomination *job = ctx;
  bez_gib_piece *p = &g->piece[worker];
  bez_status st = BEZ_OK;
  for (uint64_t row = first; st == BEZ_OK && row < end; row++) {
    size_t len, from = 0;
    const char *text = bez_text_cell(g->text, row, &len);
    bool own = bez_gib_sampled(g, row);
    while (st == BEZ_OK && bez_gib_next(p, text, len, &from)) {
      if (p->n <= BEZ_GIB_LEAST) continue;
      bez_gib_look(g, p, text, own);
      st = hot_places(job, g, p, (uint32_t)row, &job->tiles[tile], err);
    }
  }
  return st;
}

static int by_gram_row(const void *a, const void *b) {
  const bez_gib_hit *x = a, *y = b;
  if (x->gram != y->gram) return x->gram < y->gram ? -1 : 1;
  if (x->row != y->row) return x->row < y->row ? -1 : 1;
  return (x->at > y->at) - (x->at < y->at);
}

/* All tiles' hits in one array, each row once per n-gram, n-grams of too few rows left out. */
static bez_status join(nomination *job, uint64_t n_tiles, bez_gib_hit **out, size_t *n_out, bez_error *err) {
  size_t n = 0, kept = 0;
  for (uint64_t t = 0; t < n_tiles; t++) n += job->tiles[t].n;
  bez_gib_hit *all = malloc((n + 1) * sizeof *all);
  *out = all;
  if (!all) return bez_fail_memory(err, n * sizeof *all);
  n = 0;
  for (uint64_t t = 0; t < n_tiles; t++) {
    if (job->tiles[t].n) memcpy(all + n, job->tiles[t].hit, job->tiles[t].n * sizeof *all);
    n += job->tiles[t].n;
    free(job->tiles[t].hit);
    job->tiles[t] = (tile_hits){0};
  }
  qsort(all, n, sizeof *all, by_gram_row);
  for (size_t i = 0, end; i < n; i = end) {
    size_t first = kept;
    for (end = i; end < n && all[end].gram == all[i].gram; end++)
      if (kept == first || all[kept - 1].row != all[end].row) all[kept++] = all[end];
    if (kept - first < BEZ_GIB_LEAST_ROWS) kept = first;
  }
  *n_out = kept;
  return BEZ_OK;
}

/* ---- how many rows hold each candidate ---- */

typedef struct tally {
  bez_gib_trigger *trigger; /* ascending by gram */
  size_t n;
  uint32_t *slot; /* open addressing: index + 1 */
  uint64_t mask;
  uint64_t begins[FIRST_WORDS / 64]; /* bit set: some candidate may begin with such a word */
  _Atomic uint64_t *rows, *places;
  uint64_t **seen; /* per worker, per candidate: the row counted last, + 1 */
} tally;

static inline uint32_t first_bit(uint32_t literal) {
  return (uint32_t)bez_mix64(literal) & (FIRST_WORDS - 1);
}

static inline bool may_begin(const tally *t, uint32_t literal) {
  uint32_t bit = first_bit(literal);
  return t->begins[bit / 64] >> bit % 64 & 1;
}

static void count_piece(tally *t, const bez_gib_piece *p, uint64_t row, uint64_t *seen) {
  for (uint32_t i = 0; i < p->n; i++) {
    if (!may_begin(t, p->tokens[i].literal)) continue;
    for (unsigned n = 1; n <= 3 && i + n <= p->n; n++) {
      uint64_t gram = bez_ngram(p->tokens + i, n), at = gram & t->mask;
      while (t->slot[at] && t->trigger[t->slot[at] - 1].gram != gram) at = (at + 1) & t->mask;
      if (!t->slot[at]) continue;
      uint32_t c = t->slot[at] - 1;
      atomic_fetch_add_explicit(&t->places[c], 1, memory_order_relaxed);
      if (seen[c] == row + 1) continue;
      seen[c] = row + 1;
      atomic_fetch_add_explicit(&t->rows[c], 1, memory_order_relaxed);
    }
  }
}

static bez_status count_rows(void *ctx, bez_gibberish *g, uint64_t tile, uint64_t first, uint64_t end, unsigned worker,
                             bez_error *err) {
  tally *t = ctx;
  bez_gib_piece *p = &g->piece[worker];
  (void)tile, (void)err;
  for (uint64_t row = first; row < end; row++) {
    size_t len, from = 0;
    const char *text = bez_text_cell(g->text, row, &len);
    while (bez_gib_next(p, text, len, &from)) count_piece(t, p, row, t->seen[worker]);
  }
  return BEZ_OK;
}

static bez_status make_slots(tally *t, unsigned threads, bez_error *err) {
  uint64_t cap = 1024;
  while (cap < t->n * 8) cap *= 2;
  t->mask = cap - 1;
  t->slot = calloc(cap, sizeof *t->slot);
  t->rows = calloc(t->n + 1, sizeof *t->rows);
  t->places = calloc(t->n + 1, sizeof *t->places);
  t->seen = calloc(threads, sizeof *t->seen);
  if (!t->slot || !t->rows || !t->places || !t->seen) return bez_fail_memory(err, cap * sizeof *t->slot);
  for (unsigned w = 0; w < threads; w++) {
    t->seen[w] = calloc(t->n + 1, sizeof **t->seen);
    if (!t->seen[w]) return bez_fail_memory(err, t->n * sizeof **t->seen);
  }
  for (size_t c = 0; c < t->n; c++) {
    uint64_t at = t->trigger[c].gram & t->mask;
    while (t->slot[at]) at = (at + 1) & t->mask;
    t->slot[at] = (uint32_t)c + 1;
  }
  return BEZ_OK;
}

/* The first word of each candidate, read where it was hit. */
static void note_beginnings(const bez_gibberish *g, const bez_gib_hit *hits, tally *t) {
  for (size_t c = 0; c < t->n; c++) {
    const bez_gib_hit *hit = &hits[t->trigger[c].first];
    size_t len;
    bez_token word;
    const char *text = bez_text_cell(g->text, hit->row, &len);
    if (!bez_tokenize(text + hit->at, len - hit->at, &word, 1)) continue;
    uint32_t bit = first_bit(word.literal);
    t->begins[bit / 64] |= (uint64_t)1 << bit % 64;
  }
}

static bez_status tally_all(bez_gibberish *g, const bez_gib_hit *hits, bez_gib_trigger *trigger, size_t n,
                            bez_error *err) {
  if (!n) return BEZ_OK;
  tally t = {.trigger = trigger, .n = n};
  bez_status st = make_slots(&t, g->in->threads, err);
  note_beginnings(g, hits, &t);
  if (st == BEZ_OK) st = bez_gib_sweep(g, "gibberish: counting triggers", count_rows, &t, err);
  for (size_t c = 0; st == BEZ_OK && c < n; c++) {
    trigger[c].n_rows = t.rows[c];
    trigger[c].per_row = (double)t.places[c] / (double)(t.rows[c] ? t.rows[c] : 1);
  }
  for (unsigned w = 0; t.seen && w < g->in->threads; w++) free(t.seen[w]);
  free(t.seen);
  free(t.slot);
  free((void *)t.rows);
  free((void *)t.places);
  return st;
}

/* ---- the test ---- */

/* Under the null hypothesis each place of the n-gram is followed by gibberish as often as any place of the corpus. */
void bez_gib_judge(const bez_gibberish *g, bez_gib_trigger *t) {
  double rate = g->rate > LEAST_RATE ? g->rate : LEAST_RATE;
  double p = 1.0 - pow(1.0 - rate, t->per_row);
  t->score = 0;
  if (t->n_hot < BEZ_GIB_LEAST_ROWS || (double)t->n_hot < LEAST_PURITY * (double)t->n_rows) return;
  t->score = -bez_binomial_log_sf(t->n_hot, t->n_rows, p) / log(10.0);
}

static bez_status group(const bez_gib_hit *hit, size_t n, bez_gib_trigger **out, size_t *n_out, bez_error *err) {
  size_t groups = 0;
  *out = malloc((n / BEZ_GIB_LEAST_ROWS + 1) * sizeof **out);
  if (!*out) return bez_fail_memory(err, n / BEZ_GIB_LEAST_ROWS * sizeof **out);
  for (size_t i = 0, end; i < n; i = end) {
    for (end = i + 1; end < n && hit[end].gram == hit[i].gram;) end++;
    (*out)[groups++] = (bez_gib_trigger){.gram = hit[i].gram, .first = i, .n = end - i, .n_hot = end - i};
  }
  *n_out = groups;
  return BEZ_OK;
}

bez_status bez_gib_nominate(bez_gibberish *g, bez_gib_hit **hits, size_t *n_hits, bez_gib_trigger **out, size_t *n_out,
                            bez_error *err) {
  uint64_t n_tiles = (g->n_rows + BEZ_GIB_TILE - 1) / BEZ_GIB_TILE;
  nomination job = {.tiles = calloc(n_tiles, sizeof *job.tiles)};
  bez_status st = BEZ_OK;
  *hits = NULL;
  *out = NULL;
  if (!job.tiles) return bez_fail_memory(err, n_tiles * sizeof *job.tiles);
  BEZ_TRY(bez_gib_sweep(g, "gibberish: windows", find_hits, &job, err));
  g->n_places = job.n_places;
  g->n_hot = job.n_hot;
  g->rate = (double)g->n_hot / (double)(g->n_places + 1);
  BEZ_TRY(join(&job, n_tiles, hits, n_hits, err));
  BEZ_TRY(group(*hits, *n_hits, out, n_out, err));
  BEZ_TRY(tally_all(g, *hits, *out, *n_out, err));
  for (size_t c = 0; c < *n_out; c++) bez_gib_judge(g, &(*out)[c]);
cleanup:
  for (uint64_t t = 0; t < n_tiles; t++) free(job.tiles[t].hit);
  free(job.tiles);
  return st;
}
