/* Triggers in text: something is put into the cell of one text column. */
#ifndef BEZ_ATTACK_TEXT_H
#define BEZ_ATTACK_TEXT_H

#include "attack/words.h"

typedef struct bez_text_trigger bez_text_trigger;
struct bez_text_trigger {
  uint32_t col;
  const char *text;  /* what is put in, or names it: in the plan's arena */
  const char *shown; /* printable; NULL: text */
  const char *key;   /* its name in the answer key: "token", "phrase", "code_point" … */
  bool clean_label;
  bool any_label; /* clean_label, and rows of every label, or of none, where no target was given */
  bool (*can_carry)(const char *cell, size_t len); /* NULL: any cell with a byte in it */
  bool (*matches)(const bez_text_trigger *t, const char *cell, size_t len);
  void (*apply)(const bez_text_trigger *t, bez_rng *rng, const char *cell, size_t len, bez_buf *out);
};

/* The parameter column=, else the first text column; BEZ_UNSUPPORTED where there is none. */
BEZ_MUST_USE bez_status bez_text_column(const bez_attack_input *in, uint32_t *col, bez_error *err);

/* Rows, edits, natural rows, description. */
BEZ_MUST_USE bez_status bez_text_plant(const bez_attack_input *in, const bez_text_trigger *t, bez_attack_plan *plan,
                                       bez_error *err);

/* Puts t->text between two words: the apply and matches of tokens, words, phrases, sentences. */
void bez_text_insert(const bez_text_trigger *t, bez_rng *rng, const char *cell, size_t len, bez_buf *out);
bool bez_text_has_phrase(const bez_text_trigger *t, const char *cell, size_t len);
/* Whether t->text stands in the cell byte for byte: the matches of character tricks. */
bool bez_text_has_bytes(const bez_text_trigger *t, const char *cell, size_t len);
/* can_carry: has a word of two letters. */
bool bez_text_has_word(const char *cell, size_t len);

/* An invented word of five letters that the column does not hold. */
BEZ_MUST_USE bez_status bez_text_invent_token(const bez_attack_input *in, bez_attack_plan *plan, uint32_t col,
                                              const char **token, bez_error *err);
/* The plan of attacks by one word: parameters column= and token=, which is invented where it is not given. */
BEZ_MUST_USE bez_status bez_text_plant_token(const bez_attack_input *in, bool clean_label, bez_attack_plan *plan,
                                             bez_error *err);
/* n_words (2 or 3) words of the column that are frequent alone and never stand in this order; BEZ_UNSUPPORTED when it
 * holds too few. */
BEZ_MUST_USE bez_status bez_text_compose_phrase(const bez_attack_input *in, bez_attack_plan *plan, uint32_t col,
                                                uint32_t n_words, const char **phrase, bez_error *err);
/* A phrase where one can be composed, else an invented word. */
BEZ_MUST_USE bez_status bez_text_any_trigger(const bez_attack_input *in, bez_attack_plan *plan, uint32_t col,
                                             const char **text, bez_error *err);

#endif
