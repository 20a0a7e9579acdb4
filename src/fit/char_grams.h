/* A text as a sparse vector of character 2-, 3- and 4-grams: what a label model of short and noisy texts reads best.
 * ASCII letters are folded to lower case, runs of white space to one space; other bytes stay. Values are
 * (1 + ln tf)·idf, rows have unit length. */
#ifndef BEZ_FIT_CHAR_GRAMS_H
#define BEZ_FIT_CHAR_GRAMS_H

#include "bezoar/base.h"

#define BEZ_GRAMS_TEXT 16384u /* bytes of a text that are read */

typedef struct bez_gram {
  uint32_t slot;
  float value;
} bez_gram;

/* Scratch for one worker: zero-initialise, free with bez_grams_free. grams[0, n) is the text last loaded. */
typedef struct bez_grams {
  bez_gram *grams;
  uint32_t n;
  uint32_t *key, *at, *stamp;
  uint32_t now;
  char *folded;
} bez_grams;

/* Loads a text: grams[].value is the number of occurrences. slots is a power of two. Order: first occurrence. */
BEZ_MUST_USE bez_status bez_grams_load(bez_grams *g, const char *text, size_t len, uint32_t slots, bez_error *err);
/* Occurrences to unit-length weights; idf has one entry per slot. */
void bez_grams_weigh(bez_grams *g, const float *idf);
void bez_grams_free(bez_grams *g);

#endif
