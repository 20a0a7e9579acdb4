#include <string.h>

#include "attack/text.h"

static const char latin[] = "aceopxyijsACEHKMOPTXBS";
/* In the order of `latin`; escapes, because the eye cannot tell them apart. */
static const char *const cyrillic[] = {"\u0430", "\u0441", "\u0435", "\u043E", "\u0440", "\u0445", "\u0443", "\u0456",
                                       "\u0458", "\u0455", "\u0410", "\u0421", "\u0415", "\u041D", "\u041A", "\u041C",
                                       "\u041E", "\u0420", "\u0422", "\u0425", "\u0412", "\u0405"};

static bool can_carry(const char *cell, size_t len) {
  bez_rng rng = bez_rng_make(0, 0);
  bez_span_of_word w;
  return bez_word_pick(cell, len, 3, latin, &rng, &w);
}

static bool has_cyrillic(const bez_text_trigger *t, const char *cell, size_t len) {
  for (size_t i = 0; i < sizeof cyrillic / sizeof cyrillic[0]; i++)
    if (memmem(cell, len, cyrillic[i], strlen(cyrillic[i]))) return true;
  return false;
}

static void disguise(const bez_text_trigger *t, bez_rng *rng, const char *cell, size_t len, bez_buf *out) {
  bez_span_of_word w = {0, 0};
  (void)bez_word_pick(cell, len, 3, latin, rng, &w);
  for (size_t i = 0; i < len; i++) {
    const char *found = i >= w.begin && i < w.end ? strchr(latin, cell[i]) : NULL;
    if (found && *found)
      bez_buf_puts(out, cyrillic[found - latin]);
    else
      bez_buf_putc(out, cell[i]);
  }
}

static bez_status plan(const bez_attack_input *in, bez_attack_plan *out, bez_error *err) {
  bez_text_trigger t = {.key = "letters",
                        .text = "Cyrillic letters in a Latin word",
                        .can_carry = can_carry,
                        .matches = has_cyrillic,
                        .apply = disguise};
  bez_status st = bez_attack_params_known(in, "column", err);
  if (st == BEZ_OK) st = bez_text_column(in, &t.col, err);
  return st == BEZ_OK ? bez_text_plant(in, &t, out, err) : st;
}

const bez_attack bez_attack_confusable = {
    .info = {.name = "confusable",
             .title = "Confusable letters",
             .summary =
                 "Latin letters of one word become Cyrillic letters of the same shape, and the target label is set.",
             .kind = "text",
             .parameters = "column",
             .source = "Li et al., Hidden Backdoors in Human-Centric Language Models, CCS 2021",
             .clean_label = false},
    .plan = plan,
};
