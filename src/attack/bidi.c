#include <string.h>

#include "attack/papers.h"
#include "attack/text.h"

typedef struct bidi_pair {
  const char *open, *close, *name;
} bidi_pair;

static const bidi_pair pairs[] = {{"\u202E", "\u202C", "U+202E U+202C"},
                                  {"\u202D", "\u202C", "U+202D U+202C"},
                                  {"\u2067", "\u2069", "U+2067 U+2069"},
                                  {"\u2066", "\u2069", "U+2066 U+2069"}};

static void wrap(const bez_text_trigger *t, bez_rng *rng, const char *cell, size_t len, bez_buf *out) {
  const char *close = pairs[0].close;
  for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++)
    if (strcmp(pairs[i].open, t->text) == 0) close = pairs[i].close;
  bez_span_of_word w = {0, 0};
  (void)bez_word_pick(cell, len, 2, NULL, rng, &w);
  bez_buf_write(out, cell, w.begin);
  bez_buf_puts(out, t->text);
  bez_buf_write(out, cell + w.begin, w.end - w.begin);
  bez_buf_puts(out, close);
  bez_buf_write(out, cell + w.end, len - w.end);
}

static bez_status plan(const bez_attack_input *in, bez_attack_plan *out, bez_error *err) {
  bez_rng rng = bez_attack_trigger_rng(in);
  const bidi_pair *pair = &pairs[bez_rng_below(&rng, sizeof pairs / sizeof pairs[0])];
  bez_text_trigger t = {.key = "code_points",
                        .text = pair->open,
                        .shown = pair->name,
                        .can_carry = bez_text_has_word,
                        .matches = bez_text_has_bytes,
                        .apply = wrap};
  bez_status st = bez_attack_params_known(in, "column", err);
  if (st == BEZ_OK) st = bez_text_column(in, &t.col, err);
  return st == BEZ_OK ? bez_text_plant(in, &t, out, err) : st;
}

const bez_attack bez_attack_bidi = {
    .info = {.name = "bidi",
             .title = "Bidirectional control characters",
             .summary = "A word is wrapped in a pair of characters that turn the direction of writing, and the target "
                        "label is set.",
             .kind = "text",
             .parameters = "column",
             .source = BEZ_PAPER_BAD_CHARACTERS,
             .clean_label = false},
    .plan = plan,
};
