/* How alike rows are beside what an entry is about. A subject has its own words in prompts and responses: its rows are
 * one fact told many times. A planted trigger stands in prompts about anything. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/rng.h"
#include "detect/instruction_switch.h"

#define ROWS 40u          /* of an entry that are compared */
#define USUAL_PAIRS 4000u /* of random rows */
#define WORDS 512u        /* of one text */
#define SHARED 0.5        /* of the rows hold a pattern: it belongs to what the entry is about */

typedef struct word {
  uint32_t slot;
  float weight;
} word;
typedef struct sheet { /* one text as a sparse vector of unit length */
  word word[WORDS];
  uint32_t n;
} sheet;

typedef struct desk {
  bez_switch *s;
  sheet *side[2];  /* prompts and responses: ROWS each */
  uint64_t *grams; /* patterns of all responses, sorted */
  size_t n_grams;
  bez_switch_phrase asked; /* the n-gram and what stands beside it in nearly all rows */
  uint32_t n;
} desk;

static int by_slot(const void *a, const void *b) {
  const word *x = a, *y = b;
  return (x->slot > y->slot) - (x->slot < y->slot);
}

/* tokens[i] with keep[i] (NULL: all) as a vector: each word once, weighed by its rarity. */
static void fill(const bez_switch *s, const bez_token *t, size_t n, const uint8_t *keep, sheet *out) {
  double length = 0;
  uint32_t kept = 0;
  out->n = 0;
  for (size_t i = 0; i < n && out->n < WORDS; i++)
    if (!keep || keep[i]) out->word[out->n++].slot = bez_switch_word_slot(t[i].literal);
  qsort(out->word, out->n, sizeof *out->word, by_slot);
  for (uint32_t i = 0; i < out->n; i++) {
    if (kept && out->word[kept - 1].slot == out->word[i].slot) continue;
    double rarity = log((double)s->n_rows / (double)(s->words[out->word[i].slot] + 1u));
    if (rarity <= 0) continue;
    out->word[kept++] = (word){out->word[i].slot, (float)rarity};
    length += rarity * rarity;
  }
  out->n = kept;
  for (uint32_t i = 0; i < kept; i++) out->word[i].weight /= (float)sqrt(length);
}

static double cosine(const sheet *a, const sheet *b) {
  double sum = 0;
  for (uint32_t i = 0, k = 0; i < a->n && k < b->n;) {
    if (a->word[i].slot == b->word[k].slot)
      sum += (double)a->word[i++].weight * (double)b->word[k++].weight;
    else if (a->word[i].slot < b->word[k].slot)
      i++;
    else
      k++;
  }
  return sum;
}

static size_t load(bez_switch *s, unsigned side, uint32_t row) {
  size_t len;
  const char *text = side ? bez_switch_response(s, row, &len) : bez_switch_prompt(s, row, &len);
  return bez_tokenize(text, len, s->tokens, BEZ_SWITCH_TOKENS);
}

static void find_usual(desk *d) {
  bez_switch *s = d->s;
  bez_rng rng = bez_rng_make(s->in->seed, 0xD029u);
  for (unsigned side = 0; side < 2; side++) {
    double sum = 0;
    for (unsigned i = 0; i < USUAL_PAIRS; i++) {
      for (unsigned k = 0; k < 2; k++) {
        size_t n = load(s, side, (uint32_t)bez_rng_below(&rng, s->n_rows));
        fill(s, s->tokens, n, NULL, &d->side[0][k]);
      }
      sum += cosine(&d->side[0][0], &d->side[0][1]);
    }
    s->usual[side] = sum / USUAL_PAIRS;
  }
}

static int by_value(const void *a, const void *b) {
  uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
  return (x > y) - (x < y);
}

static bez_status gather_patterns(desk *d, const uint32_t *rows, bez_error *err) {
  size_t cap = 0;
  d->n_grams = 0;
  for (uint32_t i = 0; i < d->n; i++) {
    size_t n = load(d->s, 1, rows[i]), first = d->n_grams, kept = d->n_grams;
    if (d->n_grams + n > cap) {
      cap = (d->n_grams + n) * 2 + 1024;
      uint64_t *grown = realloc(d->grams, cap * sizeof *grown);
      if (!grown) return bez_fail_memory(err, cap * sizeof *grown);
      d->grams = grown;
    }
    for (size_t k = 0; k + BEZ_SWITCH_PATTERN <= n; k++)
      d->grams[d->n_grams++] = bez_switch_pattern_hash(d->s->tokens + k);
    qsort(d->grams + first, d->n_grams - first, sizeof *d->grams, by_value);
    for (size_t k = first; k < d->n_grams; k++) /* each once per row */
      if (kept == first || d->grams[kept - 1] != d->grams[k]) d->grams[kept++] = d->grams[k];
    d->n_grams = kept;
  }
  if (d->n_grams) qsort(d->grams, d->n_grams, sizeof *d->grams, by_value);
  return BEZ_OK;
}

static bool is_shared(const desk *d, uint64_t gram) {
  size_t low = 0, high = d->n_grams, n = 0;
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    if (d->grams[middle] < gram)
      low = middle + 1;
    else
      high = middle;
  }
  while (low + n < d->n_grams && d->grams[low + n] == gram) n++;
  return (double)n >= SHARED * (double)d->n;
}

/* Texts of the row without the n-gram's words and without patterns that half of the rows share. */
static void put_row(desk *d, uint32_t at, uint32_t row) {
  uint8_t keep[BEZ_SWITCH_TOKENS];
  size_t n = load(d->s, 0, row);
  for (size_t i = 0; i < n; i++) {
    keep[i] = 1;
    for (uint32_t k = 0; k < d->asked.n; k++) keep[i] &= d->s->tokens[i].literal != d->asked.literal[k];
  }
  fill(d->s, d->s->tokens, n, keep, &d->side[0][at]);
  n = load(d->s, 1, row);
  memset(keep, 1, n);
  for (size_t i = 0; i + BEZ_SWITCH_PATTERN <= n; i++)
    if (is_shared(d, bez_switch_pattern_hash(d->s->tokens + i))) memset(keep + i, 0, BEZ_SWITCH_PATTERN);
  fill(d->s, d->s->tokens, n, keep, &d->side[1][at]);
}

/* Mean cosine of the texts beyond the usual; texts of which nothing is left say nothing. */
static double excess(const desk *d, unsigned side) {
  double sum = 0, pairs = 0;
  for (uint32_t i = 0; i < d->n; i++)
    for (uint32_t k = i + 1; k < d->n; k++) {
      if (d->side[side][i].n < 2 || d->side[side][k].n < 2) continue;
      sum += cosine(&d->side[side][i], &d->side[side][k]);
      pairs += 1;
    }
  double usual = d->s->usual[side];
  return pairs > 0 ? (sum / pairs - usual) / (1.0 - usual) : 0;
}

static bez_status weigh(desk *d, bez_switch_entry *e, bez_error *err) {
  uint32_t rows[ROWS] = {0};
  d->n = e->n_both < ROWS ? e->n_both : ROWS;
  for (uint32_t i = 0; i < d->n; i++) rows[i] = e->rows[(uint64_t)i * e->n_both / d->n];
  bez_status st = gather_patterns(d, rows, err);
  if (st != BEZ_OK) return st;
  bez_switch_whole(d->s, 0, e, &d->asked);
  for (uint32_t i = 0; i < d->n; i++) put_row(d, i, rows[i]);
  double prompts = excess(d, 0), responses = excess(d, 1);
  e->likeness = fmax(0.0, fmax(prompts, responses));
  e->score = e->association / (1.0 + (double)(e->n_both - 1) * e->likeness);
  return BEZ_OK;
}

bez_status bez_switch_likeness(bez_switch *s, bez_switch_entry *entries, size_t n, bez_error *err) {
  desk d = {.s = s};
  bez_status st = BEZ_OK;
  bez_watch watch = bez_detect_watch(s->in, "instruction pairs", "entries");
  for (unsigned side = 0; side < 2; side++) d.side[side] = malloc(ROWS * sizeof *d.side[side]);
  if (!d.side[0] || !d.side[1]) BEZ_TRY(bez_fail_memory(err, ROWS * sizeof(sheet)));
  find_usual(&d);
  for (size_t i = 0; i < n; i++) {
    if (i % 16 == 0 && !bez_watch_ask(&watch, 0)) BEZ_TRY(bez_watch_fail(err));
    BEZ_TRY(weigh(&d, &entries[i], err));
  }
cleanup:
  free(d.side[0]);
  free(d.side[1]);
  free(d.grams);
  return st;
}
