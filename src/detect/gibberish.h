/* The stages of BZ-D028 share this: one text column's counts of words and pairs, its windows and the model of
 * gibberish. */
#ifndef BEZ_DETECT_GIBBERISH_H
#define BEZ_DETECT_GIBBERISH_H

#include <stdatomic.h>

#include "detect/detector.h"
#include "fit/tokens.h"

#define BEZ_GIB_WINDOW 64u   /* tokens */
#define BEZ_GIB_LEAST 32u    /* tokens that must be left for a window to be judged */
#define BEZ_GIB_BEFORE 16u   /* tokens before a place that tell what came before it */
#define BEZ_GIB_PIECE 16384u /* tokens of a text that are looked at together */
#define BEZ_GIB_TILE 256u    /* rows */
#define BEZ_GIB_MEANS 8u     /* numbers per token */
#define BEZ_GIB_TERMS 14u    /* of the model: 1, the means, squares of some */
#define BEZ_GIB_KINDS 3u     /* of gibberish that the model is trained on */
#define BEZ_GIB_CELLS 16u    /* of one line of counts */
#define BEZ_GIB_LOGS 4096u   /* logarithms of counts that are looked up */

/* Counts of hashed things in lines of 16: a conservative reading of two cells per thing (count-min sketch; Cormode,
 * Muthukrishnan, J. Algorithms 2005), both in one cache line. Additions commute: any number of threads, same counts. */
typedef struct bez_gib_counts {
  _Atomic uint32_t *cell;
  uint64_t lines; /* power of two */
} bez_gib_counts;

/* One piece of a text: its tokens, and what each says about its place. Scratch of one worker; zero-initialise. */
typedef struct bez_gib_piece {
  bez_token *tokens; /* BEZ_GIB_PIECE */
  uint32_t n;
  uint64_t *word, *pair;           /* per token: hashes of it and of the pair that ends with it */
  uint32_t *own_word, *own_pair;   /* per token: their places in own */
  double (*sum)[BEZ_GIB_MEANS];    /* n + 1: sums over the tokens before */
  struct bez_gib_own *own;         /* what the piece itself holds */
  uint32_t own_cap, own_used, now; /* own_used: power of two */
  uint8_t *hot;                    /* n + 1: window that begins here: 0 no, 1 yes */
} bez_gib_piece;

typedef struct bez_gibberish {
  const bez_detect_input *in;
  const bez_column *text;
  uint64_t n_rows;
  uint64_t sampled_of; /* rows with hash % 65536 below this feed the counts */
  uint64_t n_tokens;   /* counted */
  double log_tokens;
  double *log_of; /* BEZ_GIB_LOGS */
  bez_gib_counts words, pairs;
  double weight[BEZ_GIB_KINDS][BEZ_GIB_TERMS];
  double rate;              /* of places with a calm past that gibberish follows */
  uint64_t n_places, n_hot; /* such places, and those that gibberish follows */
  bez_gib_piece *piece;     /* per worker */
} bez_gibberish;

/* Rows that hold an n-gram with gibberish behind it. */
typedef struct bez_gib_hit {
  uint64_t gram;
  uint32_t row;
  uint32_t at; /* byte where the n-gram begins */
} bez_gib_hit;

/* Work on all rows in tiles: fn(ctx, g, tile, first row, end row, worker). */
typedef bez_status (*bez_gib_fn)(void *ctx, bez_gibberish *g, uint64_t tile, uint64_t first, uint64_t end,
                                 unsigned worker, bez_error *err);
BEZ_MUST_USE bez_status bez_gib_sweep(bez_gibberish *g, const char *stage, bez_gib_fn fn, void *ctx, bez_error *err);

BEZ_MUST_USE bez_status bez_gib_piece_create(bez_gib_piece *p, bez_error *err);
void bez_gib_piece_free(bez_gib_piece *p);
/* The next piece of text[*from, len): tokens with bytes counted from the text's begin. False: nothing is left. */
bool bez_gib_next(bez_gib_piece *p, const char *text, size_t len, size_t *from);
static inline bool bez_gib_sampled(const bez_gibberish *g, uint64_t row) {
  return (bez_mix64(row ^ 0x6769626265726973ull) & 65535) < g->sampled_of;
}

/* gibberish_counts.c: counts words and pairs of the sampled rows. */
BEZ_MUST_USE bez_status bez_gib_count(bez_gibberish *g, bez_error *err);
void bez_gib_counts_free(bez_gib_counts *c);
/* The two cells of a hash. */
static inline uint64_t bez_gib_cells(const bez_gib_counts *c, uint64_t hash, uint64_t *other) {
  uint64_t line = (hash >> 8 & (c->lines - 1)) * BEZ_GIB_CELLS;
  uint64_t a = hash & (BEZ_GIB_CELLS - 1), b = hash >> 4 & (BEZ_GIB_CELLS - 1);
  *other = line + (a == b ? a ^ 1 : b);
  return line + a;
}
static inline uint32_t bez_gib_counted(const bez_gib_counts *c, uint64_t hash) {
  uint64_t b, a = bez_gib_cells(c, hash, &b);
  uint32_t x = atomic_load_explicit(&c->cell[a], memory_order_relaxed);
  uint32_t y = atomic_load_explicit(&c->cell[b], memory_order_relaxed);
  return x < y ? x : y;
}
static inline uint64_t bez_gib_word_hash(uint32_t literal) {
  return bez_mix64(literal + 0x5700000000ull);
}
static inline uint64_t bez_gib_pair_hash(uint32_t first, uint32_t second) {
  return bez_mix64(((uint64_t)first << 32 | second) ^ 0x9E3779B97F4A7C15ull);
}

/* gibberish_windows.c: what each token of the piece says, as sums; own: the piece is among what was counted. */
void bez_gib_look(const bez_gibberish *g, bez_gib_piece *p, const char *text, bool own);
/* log-odds that tokens [from, to) are gibberish rather than text of this corpus: of the kind that fits best. */
double bez_gib_odds(const bez_gibberish *g, const bez_gib_piece *p, uint32_t from, uint32_t to, unsigned *kind);
void bez_gib_terms(const bez_gib_piece *p, uint32_t from, uint32_t to, double terms[BEZ_GIB_TERMS]);

/* gibberish_model.c: trains the model on windows of the corpus against made-up gibberish. */
BEZ_MUST_USE bez_status bez_gib_train(bez_gibberish *g, bez_error *err);

#define BEZ_GIB_LEAST_ROWS 8u /* with gibberish behind the n-gram */
#define BEZ_GIB_WARNING 10.0  /* a lower score is no finding */
#define BEZ_GIB_ERROR 16.0

/* gibberish_triggers.c */
typedef struct bez_gib_trigger {
  uint64_t gram;
  size_t first, n; /* its rows among the hits */
  uint64_t n_hot;  /* of them not yet reported */
  uint64_t n_rows; /* rows that hold it, without those reported */
  double per_row;  /* places it stands at, per row */
  double score;    /* −log10 of the tail */
} bez_gib_trigger;
/* Hits ascending by (gram, row), and the n-grams with enough of them. Both are owned by the caller. */
BEZ_MUST_USE bez_status bez_gib_nominate(bez_gibberish *g, bez_gib_hit **hits, size_t *n_hits, bez_gib_trigger **out,
                                         size_t *n_out, bez_error *err);
/* The score of n_hot rows among n_rows. */
void bez_gib_judge(const bez_gibberish *g, bez_gib_trigger *t);

/* gibberish_phrase.c: the whole phrase behind an n-gram, and the rows that hold it. */
#define BEZ_GIB_PHRASE 24u /* tokens */
typedef struct bez_gib_phrase {
  uint32_t literal[BEZ_GIB_PHRASE];
  uint32_t n;
  char last[32]; /* bytes of the last token; last_len 0: too long to keep */
  uint32_t last_len;
} bez_gib_phrase;
typedef struct bez_gib_row {
  uint32_t row;
  uint32_t begin, end; /* bytes of the phrase */
  uint32_t behind;     /* byte where the window behind it ends */
  float odds;          /* log-odds of that window */
  bool glued;          /* the phrase's last word goes on */
  bool ends_soon;      /* too few tokens follow to tell */
} bez_gib_row;
BEZ_MUST_USE bez_status bez_gib_phrase_of(bez_gibberish *g, const bez_gib_hit *hits, size_t n, uint64_t gram,
                                          bez_gib_phrase *out, bez_error *err);
/* Every row that holds the phrase, ascending, with its first place. *out is owned by the caller. */
BEZ_MUST_USE bez_status bez_gib_rows_of(bez_gibberish *g, const bez_gib_phrase *phrase, bez_gib_row **out,
                                        size_t *n_out, bez_error *err);

/* gibberish_report.c: one finding. */
BEZ_MUST_USE bez_status bez_gib_report(bez_gibberish *g, bez_report *report, const bez_gib_trigger *t,
                                       const bez_gib_row *rows, size_t n, bez_error *err);

#endif
