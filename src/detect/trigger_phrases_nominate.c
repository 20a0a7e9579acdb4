/* Which n-grams are worth judging? Those that occur in rows which contradict their label even after the best stretch of
 * words was taken away (a trigger is one stretch, so it cannot defend its row).
 *
 *   1. per (n-gram, class), hashed: rows, and contradicted ("odd") rows among them
 *   2. n-grams of odd rows whose slot stands out get a flag (with a sampling rate where they are frequent)
 *   3. all rows with a flagged n-gram are listed and sorted
 *
 * All counters are integers, added in any order; a collision can only nominate too much. */
#include "detect/trigger_phrases.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/large_pages.h"

#define WINDOW 16u           /* tokens of the longest stretch that is taken away */
#define MOST_SHARE 0.06      /* of all rows: more frequent n-grams are no triggers */
#define LEAST_ODD 3u         /* odd rows */
#define RATE_BITS 24u        /* flags */
#define WANTED_ROWS 1500000u /* listed rows the cut aims at */
#define CUTS 256u
#define SLOT_BYTES (32u << 20) /* of text that is counted; of more, a sample of the rows */
#define MOST_GRAMS 512u        /* addresses fetched ahead */

/* rows in the lower half, odd rows in the upper one: one addition for both. */
typedef uint64_t slot;

static uint32_t slot_rows(slot s) {
  return (uint32_t)s;
}

static uint32_t slot_odd(slot s) {
  return (uint32_t)(s >> 32);
}

typedef struct list {
  bez_phrase_row *rows;
  size_t n, cap;
} list;

typedef struct nomination {
  slot *slots;
  uint64_t mask;
  unsigned shift; /* 1 of 2^shift rows is counted */
  double odd_share[BEZ_NB_MAX_CLASSES];
  double cut;
  uint8_t *rate; /* per hashed n-gram: 0 not flagged, else 1 + log2 of the sampling rate */
  list *lists;   /* per tile */
  double **weights;
  size_t *cap_weights;
} nomination;

static uint64_t slot_of(const nomination *m, uint64_t gram, uint32_t k) {
  return bez_mix64(gram + k * 0x9E3779B97F4A7C15ull) & m->mask;
}

/* The largest sum that at most WINDOW successive tokens contribute, half of the text or 3 at the most. */
static double best_stretch(const double *token, size_t n) {
  double best = 0;
  size_t most = n / 2 < 3 ? 3 : n / 2 < WINDOW ? n / 2 : WINDOW;
  for (size_t i = 0; i < n; i++) {
    double sum = 0;
    for (size_t j = i; j < n && j < i + most; j++) {
      sum += token[j];
      if (sum > best) best = sum;
    }
  }
  return best;
}

/* Is the row contradicted by its words, its best stretch aside? */
static bez_status is_odd(nomination *m, bez_phrases *p, uint64_t row, bez_doc *doc, unsigned worker, bool *odd,
                         bez_error *err) {
  size_t want = doc->n_features + doc->n_tokens + 1;
  if (want > m->cap_weights[worker]) {
    double *grown = realloc(m->weights[worker], want * 2 * sizeof *grown);
    if (!grown) return bez_fail_memory(err, want * 2 * sizeof *grown);
    m->weights[worker] = grown;
    m->cap_weights[worker] = want * 2;
  }
  double *w = m->weights[worker], *token = w + doc->n_features;
  uint32_t k = p->cls[row], own = p->state[row] & BEZ_ROW_DUPLICATE ? UINT32_MAX : k;
  double margin = bez_nb_margin(p->nb, doc->features, doc->n_features, k, own, w);
  memset(token, 0, (doc->n_tokens + 1) * sizeof *token);
  for (size_t i = 0; i < doc->n_features; i++)
    if (doc->features[i].at != UINT32_MAX) token[doc->features[i].at] += w[i];
  margin -= best_stretch(token, doc->n_tokens);
  *odd = p->slope[k] * bez_nb_damp(margin) + p->bias[k] < 0;
  return BEZ_OK;
}

static bool taken(const bez_phrases *p, uint64_t row) {
  return p->cls[row] != BEZ_PHRASE_NONE && !(p->state[row] & BEZ_ROW_PEELED);
}

/* Adds the n-grams of one row; addresses first, so that the cache misses overlap. */
static void count_grams(nomination *m, const bez_doc *doc, uint32_t k, bool odd) {
  slot *at[MOST_GRAMS];
  size_t n = 0;
  uint64_t by = 1 + ((uint64_t)odd << 32);
  for (size_t i = 0; i < doc->n_tokens; i++)
    for (unsigned len = 1; len <= 3 && i + len <= doc->n_tokens; len++) {
      at[n] = &m->slots[slot_of(m, bez_ngram(doc->tokens + i, len), k)];
      __builtin_prefetch(at[n], 1);
      if (++n < MOST_GRAMS) continue;
      for (n = 0; n < MOST_GRAMS; n++) __atomic_fetch_add(at[n], by, __ATOMIC_RELAXED);
      n = 0;
    }
  for (size_t i = 0; i < n; i++) __atomic_fetch_add(at[i], by, __ATOMIC_RELAXED);
}

/* Rows that are counted: all, or a sample of a large corpus. */
static bool is_counted(const nomination *m, const bez_phrases *p, uint64_t row) {
  return taken(p, row) && !(p->state[row] & BEZ_ROW_DUPLICATE) &&
         !(bez_mix64(row + 0xC0FFEEull) & (((uint64_t)1 << m->shift) - 1));
}

static bez_status fill_slots(void *ctx, bez_phrases *p, uint64_t tile, uint64_t first, uint64_t end, unsigned worker,
                             bez_error *err) {
  nomination *m = ctx;
  bez_doc *doc = &p->doc[worker];
  for (uint64_t r = first; r < end; r++) {
    p->state[r] &= (uint8_t)~BEZ_ROW_ODD;
    if (!is_counted(m, p, r)) continue;
    bool odd = false;
    bez_status st = bez_phrases_load(p, r, doc, err);
    if (st == BEZ_OK) st = is_odd(m, p, r, doc, worker, &odd, err);
    if (st != BEZ_OK) return st;
    if (odd) p->state[r] |= BEZ_ROW_ODD;
    count_grams(m, doc, p->cls[r], odd);
  }
  return BEZ_OK;
}

/* How far the odd rows of a slot exceed what its class has anywhere, in standard deviations or so. */
static double excess(const nomination *m, slot s, uint32_t k) {
  double expected = m->odd_share[k] * slot_rows(s);
  return (slot_odd(s) - expected) / sqrt(expected + 1.0);
}

/* The excess above which about WANTED_ROWS rows would be listed. Slots do not tell their class: the largest odd share
 * is taken, which can only cut too little. */
static void choose_cut(nomination *m, const bez_phrases *p) {
  uint64_t per_cut[CUTS] = {0}, sum = 0;
  uint32_t k_most = 0;
  for (uint32_t k = 1; k < p->n_classes; k++)
    if (m->odd_share[k] < m->odd_share[k_most]) k_most = k;
  for (uint64_t i = 0; i <= m->mask; i++) {
    slot s = m->slots[i];
    if (slot_odd(s) < LEAST_ODD) continue;
    double z = excess(m, s, k_most);
    if (z < 0) continue;
    unsigned cut = z * 8 < CUTS - 1 ? (unsigned)(z * 8) : CUTS - 1;
    uint64_t rows = (uint64_t)slot_rows(s) << m->shift;
    per_cut[cut] += rows < BEZ_PHRASE_ROWS ? rows : BEZ_PHRASE_ROWS;
  }
  unsigned cut = CUTS - 1;
  for (sum = per_cut[cut]; cut > 0 && sum + per_cut[cut - 1] <= WANTED_ROWS; sum += per_cut[cut]) cut--;
  m->cut = cut / 8.0;
}

static void flag(nomination *m, bez_phrases *p, uint64_t gram) {
  uint64_t total = 0;
  for (uint32_t k = 0; k < p->n_classes; k++) total += (uint64_t)slot_rows(m->slots[slot_of(m, gram, k)]) << m->shift;
  if ((double)total > MOST_SHARE * (double)p->n_rows + 8) return;
  uint8_t rate = 1;
  for (; total > BEZ_PHRASE_ROWS; total /= 2) rate++;
  uint8_t *at = &m->rate[gram >> (64 - RATE_BITS)], old = __atomic_load_n(at, __ATOMIC_RELAXED);
  while (old < rate && !__atomic_compare_exchange_n(at, &old, rate, true, __ATOMIC_RELAXED, __ATOMIC_RELAXED)) continue;
}

static bez_status raise_flags(void *ctx, bez_phrases *p, uint64_t tile, uint64_t first, uint64_t end, unsigned worker,
                              bez_error *err) {
  nomination *m = ctx;
  bez_doc *doc = &p->doc[worker];
  for (uint64_t r = first; r < end; r++) {
    if (!taken(p, r) || !(p->state[r] & BEZ_ROW_ODD)) continue;
    bez_status st = bez_phrases_tokens(p, r, doc, err);
    if (st != BEZ_OK) return st;
    for (size_t i = 0; i < doc->n_tokens; i++)
      for (unsigned n = 1; n <= 3 && i + n <= doc->n_tokens; n++) {
        uint64_t gram = bez_ngram(doc->tokens + i, n);
        slot s = m->slots[slot_of(m, gram, p->cls[r])];
        if (slot_odd(s) >= LEAST_ODD && excess(m, s, p->cls[r]) >= m->cut) flag(m, p, gram);
      }
  }
  return BEZ_OK;
}

static bez_status list_rows(void *ctx, bez_phrases *p, uint64_t tile, uint64_t first, uint64_t end, unsigned worker,
                            bez_error *err) {
  nomination *m = ctx;
  bez_doc *doc = &p->doc[worker];
  list *l = &m->lists[tile];
  for (uint64_t r = first; r < end; r++) {
    if (!taken(p, r)) continue;
    bez_status st = bez_phrases_tokens(p, r, doc, err);
    if (st != BEZ_OK) return st;
    uint64_t draw = bez_mix64(r + 0x5EEDull);
    for (size_t i = 0; i < doc->n_tokens; i++)
      for (unsigned n = 1; n <= 3 && i + n <= doc->n_tokens; n++) {
        uint64_t gram = bez_ngram(doc->tokens + i, n);
        uint8_t rate = m->rate[gram >> (64 - RATE_BITS)];
        if (!rate || draw & (((uint64_t)1 << (rate - 1)) - 1)) continue;
        if (l->n == l->cap) {
          size_t cap = l->cap ? l->cap * 2 : 256;
          bez_phrase_row *grown = realloc(l->rows, cap * sizeof *grown);
          if (!grown) return bez_fail_memory(err, cap * sizeof *grown);
          l->rows = grown;
          l->cap = cap;
        }
        l->rows[l->n++] = (bez_phrase_row){gram, (uint32_t)r};
      }
  }
  return BEZ_OK;
}

static int by_gram(const void *a, const void *b) {
  const bez_phrase_row *x = a, *y = b;
  if (x->gram != y->gram) return x->gram < y->gram ? -1 : 1;
  return (x->row > y->row) - (x->row < y->row);
}

/* One list, sorted, each row once per n-gram. */
static bez_status join(nomination *m, uint64_t n_tiles, bez_phrase_row **out, size_t *n_out, bez_error *err) {
  size_t n = 0, kept = 0;
  for (uint64_t t = 0; t < n_tiles; t++) n += m->lists[t].n;
  bez_phrase_row *rows = malloc((n + 1) * sizeof *rows);
  if (!rows) return bez_fail_memory(err, (n + 1) * sizeof *rows);
  n = 0;
  for (uint64_t t = 0; t < n_tiles; t++) {
    if (m->lists[t].n) memcpy(rows + n, m->lists[t].rows, m->lists[t].n * sizeof *rows);
    n += m->lists[t].n;
  }
  qsort(rows, n, sizeof *rows, by_gram);
  for (size_t i = 0; i < n; i++)
    if (!kept || by_gram(&rows[kept - 1], &rows[i])) rows[kept++] = rows[i];
  *out = rows;
  *n_out = kept;
  return BEZ_OK;
}

static void odd_shares(nomination *m, const bez_phrases *p) {
  uint64_t rows[BEZ_NB_MAX_CLASSES] = {0}, odd[BEZ_NB_MAX_CLASSES] = {0};
  for (uint64_t r = 0; r < p->n_rows; r++) {
    if (!is_counted(m, p, r)) continue;
    rows[p->cls[r]]++;
    odd[p->cls[r]] += (p->state[r] & BEZ_ROW_ODD) != 0;
  }
  for (uint32_t k = 0; k < p->n_classes; k++) m->odd_share[k] = rows[k] ? (double)odd[k] / (double)rows[k] : 0.0;
}

static bez_status prepare(nomination *m, const bez_phrases *p, uint64_t n_tiles, bez_error *err) {
  uint64_t bytes = p->text->text_at[p->n_rows], slots = 1 << 12;
  while (slots < bytes * 2 && slots < (1u << 24)) slots *= 2;
  m->mask = slots - 1;
  for (; bytes > SLOT_BYTES; bytes /= 2) m->shift++;
  m->slots = calloc(slots, sizeof *m->slots);
  m->rate = calloc((size_t)1 << RATE_BITS, 1);
  bez_wish_large_pages(m->slots, slots * sizeof *m->slots);
  bez_wish_large_pages(m->rate, (size_t)1 << RATE_BITS);
  m->lists = calloc(n_tiles + 1, sizeof *m->lists);
  m->weights = calloc(p->in->threads, sizeof *m->weights);
  m->cap_weights = calloc(p->in->threads, sizeof *m->cap_weights);
  if (!m->slots || !m->rate || !m->lists || !m->weights || !m->cap_weights)
    return bez_fail_memory(err, slots * sizeof *m->slots);
  return BEZ_OK;
}

bez_status bez_phrases_nominate(bez_phrases *p, bez_phrase_row **out, size_t *n_out, bez_error *err) {
  bez_status st = BEZ_OK;
  uint64_t n_tiles = (p->n_rows + BEZ_PHRASE_TILE - 1) / BEZ_PHRASE_TILE;
  nomination m = {0};
  BEZ_TRY(prepare(&m, p, n_tiles, err));
  BEZ_TRY(bez_phrases_sweep(p, fill_slots, &m, err));
  odd_shares(&m, p);
  choose_cut(&m, p);
  BEZ_TRY(bez_phrases_sweep(p, raise_flags, &m, err));
  BEZ_TRY(bez_phrases_sweep(p, list_rows, &m, err));
  BEZ_TRY(join(&m, n_tiles, out, n_out, err));
cleanup:
  for (uint64_t t = 0; m.lists && t < n_tiles; t++) free(m.lists[t].rows);
  for (unsigned w = 0; m.weights && w < p->in->threads; w++) free(m.weights[w]);
  free(m.lists);
  free(m.weights);
  free(m.cap_weights);
  free(m.slots);
  free(m.rate);
  return st;
}

typedef struct search {
  uint64_t gram;
  list *lists;
} search;

static bez_status search_rows(void *ctx, bez_phrases *p, uint64_t tile, uint64_t first, uint64_t end, unsigned worker,
                              bez_error *err) {
  search *s = ctx;
  bez_doc *doc = &p->doc[worker];
  list *l = &s->lists[tile];
  for (uint64_t r = first; r < end; r++) {
    if (!taken(p, r)) continue;
    size_t at;
    unsigned n;
    bez_status st = bez_phrases_tokens(p, r, doc, err);
    if (st != BEZ_OK) return st;
    if (!bez_phrases_find(doc, s->gram, 0, &at, &n)) continue;
    if (l->n == l->cap) {
      size_t cap = l->cap ? l->cap * 2 : 16;
      bez_phrase_row *grown = realloc(l->rows, cap * sizeof *grown);
      if (!grown) return bez_fail_memory(err, cap * sizeof *grown);
      l->rows = grown;
      l->cap = cap;
    }
    l->rows[l->n++] = (bez_phrase_row){s->gram, (uint32_t)r};
  }
  return BEZ_OK;
}

bez_status bez_phrases_collect(bez_phrases *p, uint64_t gram, uint32_t **out, size_t *n_out, bez_error *err) {
  bez_status st = BEZ_OK;
  uint64_t n_tiles = (p->n_rows + BEZ_PHRASE_TILE - 1) / BEZ_PHRASE_TILE;
  size_t n = 0;
  search s = {gram, calloc(n_tiles + 1, sizeof *s.lists)};
  *out = NULL;
  if (!s.lists) return bez_fail_memory(err, n_tiles * sizeof *s.lists);
  BEZ_TRY(bez_phrases_sweep(p, search_rows, &s, err));
  for (uint64_t t = 0; t < n_tiles; t++) n += s.lists[t].n;
  *out = malloc((n + 1) * sizeof **out);
  if (!*out) {
    st = bez_fail_memory(err, (n + 1) * sizeof **out);
    goto cleanup;
  }
  n = 0;
  for (uint64_t t = 0; t < n_tiles; t++)
    for (size_t i = 0; i < s.lists[t].n; i++) (*out)[n++] = s.lists[t].rows[i].row;
  *n_out = n;
cleanup:
  for (uint64_t t = 0; t < n_tiles; t++) free(s.lists[t].rows);
  free(s.lists);
  return st;
}
