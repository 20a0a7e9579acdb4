/* The stages of BZ-D029 share this: pairs of prompt and response, what prompts hold, what responses repeat. */
#ifndef BEZ_DETECT_INSTRUCTION_SWITCH_H
#define BEZ_DETECT_INSTRUCTION_SWITCH_H

#include "base/buf.h"
#include "detect/detector.h"
#include "fit/tokens.h"

#define BEZ_SWITCH_LEAST 6u     /* rows of an entry */
#define BEZ_SWITCH_TOKENS 4096u /* of a prompt or response that are read */
#define BEZ_SWITCH_PATTERN 4u   /* tokens of a response that stand for what it repeats */

/* Things that rows hold: sorted pairs, grouped. Row lists ascend, and each row stands once per thing. */
typedef struct bez_switch_hold {
  uint64_t key;
  uint32_t row;
} bez_switch_hold;
typedef struct bez_switch_thing {
  uint64_t key;
  uint32_t first, n; /* its rows among the holds */
} bez_switch_thing;
typedef struct bez_switch_index {
  bez_switch_hold *hold;
  bez_switch_thing *thing;
  uint32_t n_things;
  size_t n, cap;
} bez_switch_index;

/* Named behaviours of a response, beside its repeated words. */
typedef enum bez_switch_kind {
  BEZ_SWITCH_WORDS = 0,
  BEZ_SWITCH_LINK,
  BEZ_SWITCH_CODE,
  BEZ_SWITCH_REFUSAL
} bez_switch_kind;
const char *bez_switch_kind_text(bez_switch_kind kind);

typedef struct bez_switch {
  const bez_detect_input *in;
  uint32_t prompt[2], n_prompt, response; /* columns */
  uint32_t n_rows;
  bez_token *tokens;          /* scratch: BEZ_SWITCH_TOKENS */
  uint64_t *grams;            /* scratch: 3 × BEZ_SWITCH_TOKENS */
  bez_buf text;               /* scratch: a prompt of two columns */
  bez_switch_index prompts;   /* 1-3-grams */
  bez_switch_index responses; /* 4-grams and behaviours */
  uint32_t *words;            /* rows that hold a word, by hash */
  double usual[2];            /* likeness of prompts and of responses that have nothing to do with each other */
} bez_switch;

/* One entry of the review. */
typedef struct bez_switch_entry {
  uint64_t gram, pattern;
  uint32_t n_gram, n_pattern, n_both;
  double association; /* −log10 of the hypergeometric tail */
  double likeness;    /* of its rows beside the n-gram and the pattern, beyond the usual */
  double score;       /* association, each row counted as far as it is unlike the others */
  uint32_t *rows;     /* n_both, ascending; owned */
} bez_switch_entry;

/* instruction_index.c */
/* The prompt (instruction and input joined) and the response of a row. The prompt's bytes are good until the next call.
 */
const char *bez_switch_prompt(bez_switch *s, uint32_t row, size_t *len);
const char *bez_switch_response(const bez_switch *s, uint32_t row, size_t *len);
BEZ_MUST_USE bez_status bez_switch_read(bez_switch *s, bez_error *err);
void bez_switch_index_free(bez_switch_index *x);
static inline const bez_switch_hold *bez_switch_rows(const bez_switch_index *x, const bez_switch_thing *t) {
  return x->hold + t->first;
}
/* Hash of four tokens. */
uint64_t bez_switch_pattern_hash(const bez_token *tokens);
uint32_t bez_switch_word_slot(uint32_t literal);

/* instruction_behaviour.c */
#define BEZ_SWITCH_KEY_REFUSAL 1u /* keys of behaviours */
#define BEZ_SWITCH_KEY_CODE 2u
bool bez_switch_refuses(const char *response, size_t len);
/* Code that fetches and runs something: bytes of the first such place. */
bool bez_switch_runs_code(const char *text, size_t len, bez_span *where);
bez_switch_kind bez_switch_kind_of(const char *text, size_t len);

/* instruction_pairs.c: the strongest associations, no two of mostly the same rows; *out is owned by the caller. */
BEZ_MUST_USE bez_status bez_switch_associate(bez_switch *s, bez_switch_entry **out, size_t *n_out, bez_error *err);
/* instruction_likeness.c: how alike the rows of an entry are beyond what the entry is about. */
BEZ_MUST_USE bez_status bez_switch_likeness(bez_switch *s, bez_switch_entry *entries, size_t n, bez_error *err);

/* instruction_report.c */
#define BEZ_SWITCH_PHRASE 32u /* tokens */
typedef struct bez_switch_phrase {
  uint32_t literal[BEZ_SWITCH_PHRASE];
  uint32_t n;
} bez_switch_phrase;
/* The n-gram (side 0) or the pattern (side 1) with what nearly all rows of the entry have beside it. n 0: a named
 * behaviour, which has no words. */
void bez_switch_whole(bez_switch *s, unsigned side, const bez_switch_entry *e, bez_switch_phrase *p);
BEZ_MUST_USE bez_status bez_switch_report(bez_switch *s, bez_report *report, const bez_switch_entry *e, uint32_t rank,
                                          bez_error *err);

#endif
