/* The model of gibberish, trained on the corpus itself: windows as they stand against made-up gibberish of three kinds.
 *
 *   words     different words of the corpus, each as likely as any other
 *   unigrams  words of the corpus, as often as they occur
 *   pieces    pieces of words, glued together at random: what random tokens of a byte-pair vocabulary look like */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/rng.h"
#include "detect/gibberish.h"
#include "math/spd.h"

#define NATURAL 12000u /* windows */
#define MADE 3000u     /* windows of each kind */
#define WORDS 65536u   /* words that gibberish is made of */
#define STEPS 30u
#define RIDGE 1.0
#define PIECE_BYTES 8u
#define STREAM 0xD028u

typedef struct word {
  uint32_t literal;
  const char *text;
  uint32_t len;
} word;

typedef struct trainer {
  bez_gibberish *g;
  uint64_t pick; /* rows with a hash below this give a window and words */
  double (*natural)[BEZ_GIB_TERMS];
  double (*made)[BEZ_GIB_TERMS];
  uint32_t n_natural, n_made;
  word *words;    /* as they occur */
  word *distinct; /* each once */
  uint32_t n_words, n_distinct;
  bez_gib_piece *piece;
  bez_buf text;
  bez_rng rng;
} trainer;

/* Every row has its own number, so that rows are picked alike for any order of work. */
static uint64_t row_hash(uint64_t row, uint64_t seed) {
  return bez_mix64(row * 0x9E3779B97F4A7C15ull + bez_mix64(seed ^ STREAM));
}

static void natural_window(trainer *t, uint64_t hash) {
  bez_gib_piece *p = t->piece;
  if (p->n < BEZ_GIB_LEAST || t->n_natural == NATURAL) return;
  uint32_t size = p->n < BEZ_GIB_WINDOW ? p->n : BEZ_GIB_WINDOW;
  uint32_t from = (uint32_t)(bez_mix64(hash) % (p->n - size + 1));
  bez_gib_terms(p, from, from + size, t->natural[t->n_natural++]);
}

static void take_words(trainer *t, const char *text) {
  const bez_gib_piece *p = t->piece;
  for (uint32_t i = 0; i < p->n && t->n_words < WORDS; i += 1 + p->n / 64) {
    const bez_token *k = &p->tokens[i];
    t->words[t->n_words++] = (word){k->literal, text + k->begin, k->end - k->begin};
  }
}

static bez_status gather(trainer *t, bez_error *err) {
  bez_gibberish *g = t->g;
  for (uint64_t row = 0; row < g->n_rows; row++) {
    uint64_t hash = row_hash(row, g->in->seed);
    if ((hash & 0xFFFFFFFFu) >= t->pick) continue;
    size_t len, from = 0;
    const char *text = bez_text_cell(g->text, row, &len);
    if (!bez_gib_next(t->piece, text, len, &from)) continue;
    bez_gib_look(g, t->piece, text, bez_gib_sampled(g, row));
    natural_window(t, hash);
    take_words(t, text);
  }
  (void)err;
  return BEZ_OK;
}

static int by_literal(const void *a, const void *b) {
  const word *x = a, *y = b;
  return (x->literal > y->literal) - (x->literal < y->literal);
}

/* The first of each literal in sorted order; which spelling stands for it does not matter, but must be the same. */
static void find_distinct(trainer *t) {
  memcpy(t->distinct, t->words, t->n_words * sizeof *t->words);
  qsort(t->distinct, t->n_words, sizeof *t->distinct, by_literal);
  uint32_t n = 0;
  for (uint32_t i = 0; i < t->n_words; i++) {
    if (n && t->distinct[n - 1].literal == t->distinct[i].literal) continue;
    if (bez_gib_counted(&t->g->words, bez_gib_word_hash(t->distinct[i].literal)) >= 2)
      t->distinct[n++] = t->distinct[i];
  }
  t->n_distinct = n;
}

/* How one window is made; drawn for each, because nobody knows how others make theirs. */
typedef struct recipe {
  double often; /* share of words drawn as often as they occur */
  double cut;   /* share of words that are cut to a piece */
  double gap;   /* share of words with a space before them */
  bool marks;   /* punctuation is drawn, too */
} recipe;

static recipe draw_recipe(trainer *t, unsigned kind) {
  double a = bez_rng_unit(&t->rng), b = bez_rng_unit(&t->rng), c = bez_rng_unit(&t->rng);
  bool marks = bez_rng_below(&t->rng, 2);
  switch (kind) {
    case 0: return (recipe){.often = 0, .cut = 0, .gap = 1, .marks = marks};
    case 1: return (recipe){.often = 1, .cut = 0, .gap = 1, .marks = marks};
    default: return (recipe){.often = 0.6 * a, .cut = 0.25 + 0.6 * b, .gap = 0.3 + 0.5 * c, .marks = marks};
  }
}

static bool is_mark(const word *w) {
  unsigned char c = (unsigned char)w->text[0];
  return c < 0x80 && !((c | 32) >= 'a' && (c | 32) <= 'z') && !(c >= '0' && c <= '9');
}

static void make_word(trainer *t, const recipe *r) {
  const word *w;
  unsigned tries = 0;
  do
    w = bez_rng_unit(&t->rng) < r->often ? &t->words[bez_rng_below(&t->rng, t->n_words)]
                                         : &t->distinct[bez_rng_below(&t->rng, t->n_distinct)];
  while (!r->marks && is_mark(w) && tries++ < 20);
  uint32_t begin = 0, len = w->len;
  if (len > 2 && bez_rng_unit(&t->rng) < r->cut) {
    begin = (uint32_t)bez_rng_below(&t->rng, len - 1);
    uint32_t most = len - begin < PIECE_BYTES ? len - begin : PIECE_BYTES;
    len = 1 + (uint32_t)bez_rng_below(&t->rng, most);
  }
  if (bez_rng_unit(&t->rng) < r->gap) bez_buf_putc(&t->text, ' ');
  bez_buf_write(&t->text, w->text + begin, len);
}

static bez_status make_gibberish(trainer *t, unsigned kind, bez_error *err) {
  t->rng = bez_rng_make(t->g->in->seed, ((uint64_t)STREAM << 8) + kind);
  t->n_made = 0;
  while (t->n_made < MADE) {
    size_t from = 0;
    bez_buf_clear(&t->text);
    recipe r = draw_recipe(t, kind);
    for (unsigned i = 0; i < 3 * BEZ_GIB_WINDOW; i++) make_word(t, &r);
    bez_status st = bez_buf_status(&t->text, err);
    if (st != BEZ_OK) return st;
    if (!bez_gib_next(t->piece, t->text.data, t->text.len, &from)) continue;
    bez_gib_look(t->g, t->piece, t->text.data, false);
    uint32_t n = t->piece->n < BEZ_GIB_WINDOW ? t->piece->n : BEZ_GIB_WINDOW;
    if (n < BEZ_GIB_LEAST) n = t->piece->n;
    bez_gib_terms(t->piece, 0, n, t->made[t->n_made++]);
  }
  return BEZ_OK;
}

/* ---- logistic regression, both sides weighing alike ---- */

typedef struct newton {
  double gradient[BEZ_GIB_TERMS], hessian[BEZ_GIB_TERMS * BEZ_GIB_TERMS];
} newton;

static void add_side(newton *s, const double *w, double (*x)[BEZ_GIB_TERMS], uint32_t n, bool made) {
  double each = 1000.0 / (double)n;
  for (uint32_t r = 0; r < n; r++) {
    double z = 0;
    for (unsigned i = 0; i < BEZ_GIB_TERMS; i++) z += w[i] * x[r][i];
    double p = 1.0 / (1.0 + exp(-z)), residual = each * ((made ? 1.0 : 0.0) - p), h = each * p * (1.0 - p);
    for (unsigned i = 0; i < BEZ_GIB_TERMS; i++) {
      s->gradient[i] += residual * x[r][i];
      for (unsigned k = 0; k <= i; k++) s->hessian[i * BEZ_GIB_TERMS + k] += h * x[r][i] * x[r][k];
    }
  }
}

static void fit(const trainer *t, double *w) {
  memset(w, 0, BEZ_GIB_TERMS * sizeof *w);
  for (unsigned step = 0; step < STEPS; step++) {
    newton s = {0};
    double most = 0;
    add_side(&s, w, t->natural, t->n_natural, false);
    add_side(&s, w, t->made, t->n_made, true);
    for (unsigned i = 0; i < BEZ_GIB_TERMS; i++) {
      s.gradient[i] -= i ? RIDGE * w[i] : 0;
      s.hessian[i * BEZ_GIB_TERMS + i] += i ? RIDGE : 1e-6;
    }
    if (!bez_spd_factor(s.hessian, BEZ_GIB_TERMS)) return;
    bez_spd_solve(s.hessian, BEZ_GIB_TERMS, s.gradient);
    for (unsigned i = 0; i < BEZ_GIB_TERMS; i++) most = fabs(s.gradient[i]) > most ? fabs(s.gradient[i]) : most;
    double slow = most > 10.0 ? 10.0 / most : 1.0;
    for (unsigned i = 0; i < BEZ_GIB_TERMS; i++) w[i] += slow * s.gradient[i];
    if (most < 1e-6) return;
  }
}

bez_status bez_gib_train(bez_gibberish *g, bez_error *err) {
  bez_status st = BEZ_OK;
  trainer t = {.g = g, .piece = &g->piece[0]};
  t.pick = g->n_rows <= NATURAL ? (uint64_t)1 << 32 : ((uint64_t)NATURAL << 32) / g->n_rows;
  t.natural = calloc(NATURAL, sizeof *t.natural);
  t.made = calloc(MADE, sizeof *t.made);
  t.words = calloc(WORDS, sizeof *t.words);
  t.distinct = calloc(WORDS, sizeof *t.distinct);
  if (!t.natural || !t.made || !t.words || !t.distinct) {
    st = bez_fail_memory(err, NATURAL * sizeof *t.natural);
    goto cleanup;
  }
  BEZ_TRY(gather(&t, err));
  find_distinct(&t);
  memset(g->weight, 0, sizeof g->weight);
  for (unsigned k = 0; k < BEZ_GIB_KINDS; k++) g->weight[k][0] = -1e6;
  if (!t.n_distinct || !t.n_natural) goto cleanup;
  for (unsigned k = 0; k < BEZ_GIB_KINDS; k++) {
    BEZ_TRY(make_gibberish(&t, k, err));
    fit(&t, g->weight[k]);
  }
cleanup:
  free(t.natural);
  free(t.made);
  free(t.words);
  free(t.distinct);
  bez_buf_free(&t.text);
  return st;
}
