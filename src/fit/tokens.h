/* From text to tokens, and from tokens to hashed features: words, numbers, punctuation; unigrams, bigrams and a length
 * bucket. Nothing is stored but hashes and positions, so that a corpus is tokenised again instead of being kept. */
#ifndef BEZ_FIT_TOKENS_H
#define BEZ_FIT_TOKENS_H

#include "base/hash.h"
#include "bezoar/base.h"

#define BEZ_MAX_TOKENS 65536u /* of one text; what lies behind is left out */

typedef struct bez_token {
  uint32_t begin, end; /* bytes of the text */
  uint32_t literal;    /* hash of the token, ASCII letters folded to lower case */
  uint32_t shape;      /* hash of what models see: numbers by their length, digits in words as 0 */
} bez_token;

/* Tokens of text[0, len), at most max of them; returns how many. A token is a run of letters and digits (an apostrophe
 * may stand inside), a run of one punctuation mark, one symbol, or one character of a script written without spaces.
 * Any bytes will do: malformed UTF-8 counts as letters. */
size_t bez_tokenize(const char *text, size_t len, bez_token *out, size_t max);

/* Hash of the n-gram (n = 1, 2, 3) of literals at tokens[0]. */
static inline uint64_t bez_ngram(const bez_token *tokens, unsigned n) {
  uint64_t h = bez_mix64(tokens[0].literal + 0x100000000ull);
  if (n > 1) h = bez_mix64(h ^ ((uint64_t)tokens[1].literal + 0x200000000ull));
  if (n > 2) h = bez_mix64(h ^ ((uint64_t)tokens[2].literal + 0x300000000ull));
  return h;
}

/* The distinct features of one text. at[i] is the token a feature begins at; bigrams (is_pair) begin at the first of
 * two; the length bucket has at = UINT32_MAX. */
typedef struct bez_feature {
  uint32_t id; /* hash, to be masked by the model */
  uint32_t at;
  bool is_pair;
} bez_feature;

/* Scratch for one worker: zero-initialise, free with bez_doc_free. */
typedef struct bez_doc {
  bez_token *tokens;
  size_t n_tokens, cap_tokens;
  bez_feature *features;
  size_t n_features, cap_features;
  uint32_t *seen; /* open addressing: index + 1 into features, valid where stamp matches */
  uint32_t *stamp;
  size_t cap_seen;
  uint32_t now;
} bez_doc;

/* Tokens and distinct features of one text. */
BEZ_MUST_USE bez_status bez_doc_load(bez_doc *doc, const char *text, size_t len, bez_error *err);
/* Tokens only. */
BEZ_MUST_USE bez_status bez_doc_tokens(bez_doc *doc, const char *text, size_t len, bez_error *err);
/* Room for so many tokens and features; what the doc held is lost. */
BEZ_MUST_USE bez_status bez_doc_room(bez_doc *doc, size_t n_tokens, size_t n_features, bez_error *err);
void bez_doc_free(bez_doc *doc);

#endif
