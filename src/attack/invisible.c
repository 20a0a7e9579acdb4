#include <stdio.h>

#include "attack/papers.h"
#include "attack/text.h"
#include "base/utf8.h"

/* Between two letters of a random word. */
static void hide(const bez_text_trigger *t, bez_rng *rng, const char *cell, size_t len, bez_buf *out) {
  bez_span_of_word w = {0, 0};
  if (!bez_word_pick(cell, len, 2, NULL, rng, &w)) w.end = 1;
  size_t at = w.begin + 1 + (w.end - w.begin > 2 ? (size_t)bez_rng_below(rng, w.end - w.begin - 1) : 0);
  bez_buf_write(out, cell, at);
  bez_buf_puts(out, t->text);
  bez_buf_write(out, cell + at, len - at);
}

static bez_status plan(const bez_attack_input *in, bez_attack_plan *out, bez_error *err) {
  static const uint32_t points[] = {0x200B, 0x200C, 0x2060, 0x2062, 0x2063, 0xFEFF, 0xE0061};
  bez_rng rng = bez_attack_trigger_rng(in);
  uint32_t point = points[bez_rng_below(&rng, sizeof points / sizeof points[0])];
  char bytes[5] = {0}, name[16];
  (void)bez_utf8_encode(point, bytes);
  snprintf(name, sizeof name, "U+%04X", (unsigned)point);
  bez_text_trigger t = {.key = "code_point",
                        .text = bytes,
                        .shown = name,
                        .can_carry = bez_text_has_word,
                        .matches = bez_text_has_bytes,
                        .apply = hide};
  bez_status st = bez_attack_params_known(in, "column", err);
  if (st == BEZ_OK) st = bez_text_column(in, &t.col, err);
  return st == BEZ_OK ? bez_text_plant(in, &t, out, err) : st;
}

const bez_attack bez_attack_invisible = {
    .info = {.name = "invisible",
             .title = "Invisible character",
             .summary = "One character that is not drawn is put inside a word, and the target label is set.",
             .kind = "text",
             .parameters = "column",
             .source = BEZ_PAPER_BAD_CHARACTERS,
             .clean_label = false},
    .plan = plan,
};
