/* Words of a text column: what text attacks pick triggers and places from. A word is a run of ASCII letters. */
#ifndef BEZ_ATTACK_WORDS_H
#define BEZ_ATTACK_WORDS_H

#include "attack/plan.h"

typedef struct bez_span_of_word {
  size_t begin, end; /* bytes, end exclusive */
} bez_span_of_word;

/* The first word at or behind `from`; false when there is none. */
bool bez_word_next(const char *text, size_t len, size_t from, bez_span_of_word *word);
/* A random word of min_letters or more that holds one of `letters` (NULL: any); false when there is none. */
bool bez_word_pick(const char *text, size_t len, size_t min_letters, const char *letters, bez_rng *rng,
                   bez_span_of_word *word);
/* A random place to put a word: the beginning, the end, or behind a space. */
size_t bez_word_gap(const char *text, size_t len, bez_rng *rng);
/* Whether `phrase` stands in the text between non-letters, ASCII case ignored. */
bool bez_phrase_found(const char *text, size_t len, const char *phrase);

typedef struct bez_vocabulary {
  const char **word; /* lower case, in the order first seen */
  uint32_t *rows;    /* rows that hold it */
  uint32_t n;
  uint64_t n_rows; /* rows looked at: the first 200,000 at the most */
} bez_vocabulary;

/* Words of three letters or more; lives in the arena. */
BEZ_MUST_USE bez_status bez_vocabulary_make(const bez_table *table, uint32_t col, bez_arena *arena, bez_vocabulary *out,
                                            bez_error *err);
/* A random word of min_letters or more that stands in [low, high] of the rows (3 rows at the least); NULL when there
 * is none. */
const char *bez_vocabulary_pick(const bez_vocabulary *v, size_t min_letters, double low, double high, bez_rng *rng);

#endif
