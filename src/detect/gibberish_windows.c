/* What a window of tokens looks like: how many of its pairs other texts hold, how strongly they belong together, how
 * many of its words are new, rare, repeated, marks or long. Counts leave the text's own tokens out. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "detect/gibberish.h"

#define LEAST_PMI (-2.0)
#define MOST_PMI 6.0
#define LONG_TOKEN 20u /* bytes */
#define AHEAD 12u      /* tokens whose counts are fetched early */

enum { HIT, PMI, NEW_WORD, RARITY, REPEAT, MARK, ODD, NEW_PAIR };

/* A word or pair of the piece. */
struct bez_gib_own {
  uint64_t key;
  uint32_t stamp, count, first;
};

static bez_status own_room(bez_gib_piece *p) {
  uint32_t want = 256;
  while (want < p->n * 4) want *= 2;
  p->own_used = want;
  if (want <= p->own_cap) return BEZ_OK;
  free(p->own);
  p->own = calloc(want, sizeof *p->own);
  p->own_cap = p->own ? want : 0;
  p->now = 0;
  return p->own ? BEZ_OK : BEZ_MEMORY;
}

/* Notes that the piece holds the key at token i; returns where that is kept. */
static uint32_t note(bez_gib_piece *p, uint64_t key, uint32_t i) {
  uint32_t at = (uint32_t)(key >> 20) & (p->own_used - 1);
  while (p->own[at].stamp == p->now && p->own[at].key != key) at = (at + 1) & (p->own_used - 1);
  struct bez_gib_own *o = &p->own[at];
  if (o->stamp != p->now) *o = (struct bez_gib_own){.key = key, .stamp = p->now, .first = i};
  o->count++;
  return at;
}

static uint32_t without(uint32_t counted, uint32_t own) {
  return counted > own ? counted - own : 0;
}

static inline double log_of(const bez_gibberish *g, uint32_t count) {
  return count < BEZ_GIB_LOGS ? g->log_of[count] : log((double)count);
}

/* Pointwise mutual information of a pair, clipped; a pair that was expected and never came speaks against. */
static double pmi_of(const bez_gibberish *g, uint32_t a, uint32_t b, uint32_t ab) {
  if (!a || !b) return 0;
  double pmi =
      ab ? log_of(g, ab) - log_of(g, a) - log_of(g, b) + g->log_tokens : -((double)a * (double)b / (double)g->n_tokens);
  return pmi < LEAST_PMI ? LEAST_PMI : pmi > MOST_PMI ? MOST_PMI : pmi;
}

enum { LETTER = 1, DIGIT = 2 };

static inline unsigned byte_kind(unsigned char c) {
  unsigned lower = c | 32u;
  return c >= 0x80 || (lower >= 'a' && lower <= 'z') ? LETTER : c >= '0' && c <= '9' ? DIGIT : 0;
}

static void spelling(const bez_token *t, const char *text, double *x) {
  unsigned holds = 0;
  for (uint32_t i = t->begin; i < t->end && holds != (LETTER | DIGIT); i++) holds |= byte_kind((unsigned char)text[i]);
  x[MARK] = holds == 0;
  x[ODD] = holds == (LETTER | DIGIT) || t->end - t->begin > LONG_TOKEN;
}

static void fetch(const bez_gib_counts *c, uint64_t hash) {
  __builtin_prefetch((const void *)&c->cell[(hash >> 8 & (c->lines - 1)) * 16]);
}

/* Where the piece's words are kept, and its pairs where their own counts are to be left out. */
static void note_all(bez_gib_piece *p, bool own) {
  if (++p->now == 0) {
    memset(p->own, 0, p->own_cap * sizeof *p->own);
    p->now = 1;
  }
  for (uint32_t i = 0; i < p->n; i++) {
    p->word[i] = bez_gib_word_hash(p->tokens[i].literal);
    p->pair[i] = i ? bez_gib_pair_hash(p->tokens[i - 1].literal, p->tokens[i].literal) : 0;
    p->own_word[i] = note(p, p->word[i], i);
    if (own && i) p->own_pair[i] = note(p, p->pair[i], i);
  }
}

void bez_gib_look(const bez_gibberish *g, bez_gib_piece *p, const char *text, bool own) {
  memset(p->sum[0], 0, sizeof p->sum[0]);
  if (own_room(p) != BEZ_OK) {
    p->n = 0;
    return;
  }
  note_all(p, own);
  uint32_t before = 0;
  for (uint32_t i = 0; i < p->n; i++) {
    double x[BEZ_GIB_MEANS] = {0};
    if (i + AHEAD < p->n) {
      fetch(&g->words, p->word[i + AHEAD]);
      fetch(&g->pairs, p->pair[i + AHEAD]);
    }
    const struct bez_gib_own *word = &p->own[p->own_word[i]];
    uint32_t count = without(bez_gib_counted(&g->words, p->word[i]), own ? word->count : 0);
    spelling(&p->tokens[i], text, x);
    x[NEW_WORD] = count == 0;
    x[RARITY] = 1.0 - log_of(g, count + 1) / g->log_tokens;
    x[REPEAT] = word->first < i;
    if (i) {
      uint32_t both = without(bez_gib_counted(&g->pairs, p->pair[i]), own ? p->own[p->own_pair[i]].count : 0);
      x[HIT] = both > 0;
      x[PMI] = pmi_of(g, before, count, both);
      x[NEW_PAIR] = !both && before && count;
    }
    for (unsigned k = 0; k < BEZ_GIB_MEANS; k++) p->sum[i + 1][k] = p->sum[i][k] + x[k];
    before = count;
  }
}

void bez_gib_terms(const bez_gib_piece *p, uint32_t from, uint32_t to, double terms[BEZ_GIB_TERMS]) {
  double n = (double)(to - from);
  terms[0] = 1.0;
  for (unsigned k = 0; k < BEZ_GIB_MEANS; k++) terms[1 + k] = (p->sum[to][k] - p->sum[from][k]) / n;
  double *m = terms + 1;
  terms[9] = m[HIT] * m[HIT];
  terms[10] = m[PMI] * m[PMI];
  terms[11] = m[NEW_WORD] * m[NEW_WORD];
  terms[12] = m[RARITY] * m[RARITY];
  terms[13] = m[MARK] * m[MARK];
}

double bez_gib_odds(const bez_gibberish *g, const bez_gib_piece *p, uint32_t from, uint32_t to, unsigned *kind) {
  double terms[BEZ_GIB_TERMS], best = -1e9;
  bez_gib_terms(p, from, to, terms);
  for (unsigned k = 0; k < BEZ_GIB_KINDS; k++) {
    double sum = 0;
    for (unsigned i = 0; i < BEZ_GIB_TERMS; i++) sum += g->weight[k][i] * terms[i];
    if (sum > best) {
      best = sum;
      *kind = k;
    }
  }
  return best;
}
