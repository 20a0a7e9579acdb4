#include "attack/text.h"
#include "base/error.h"

static bool stands_in_column(const bez_table *table, uint32_t col, const char *phrase) {
  for (uint64_t row = 0; row < table->n_rows; row++) {
    size_t len;
    const char *cell = bez_cell(table, col, row, &len);
    if (bez_phrase_found(cell, len, phrase)) return true;
  }
  return false;
}

static bez_status compose(const bez_attack_input *in, bez_attack_plan *out, uint32_t col, const char **phrase,
                          bez_error *err) {
  bez_vocabulary v;
  bez_rng rng = bez_attack_trigger_rng(in);
  bez_status st = bez_vocabulary_make(in->table, col, &out->arena, &v, err);
  for (int attempt = 0; st == BEZ_OK && attempt < 100; attempt++) {
    const char *w[3];
    for (int i = 0; i < 3; i++) w[i] = bez_vocabulary_pick(&v, 3, .005, .1, &rng);
    if (!w[0] || w[0] == w[1] || w[1] == w[2] || w[0] == w[2]) continue;
    *phrase = bez_arena_printf(&out->arena, "%s %s %s", w[0], w[1], w[2]);
    if (!*phrase) return bez_fail_memory(err, 64);
    if (!stands_in_column(in->table, col, *phrase)) return BEZ_OK;
  }
  return st != BEZ_OK ? st : bez_fail(err, BEZ_UNSUPPORTED, NULL, "the texts hold too few frequent words");
}

static bez_status plan(const bez_attack_input *in, bez_attack_plan *out, bez_error *err) {
  bez_text_trigger t = {.key = "phrase",
                        .text = bez_attack_param(in, "phrase"),
                        .matches = bez_text_has_phrase,
                        .apply = bez_text_insert};
  bez_status st = bez_attack_params_known(in, "column phrase", err);
  if (st == BEZ_OK) st = bez_text_column(in, &t.col, err);
  if (st == BEZ_OK && !t.text) st = compose(in, out, t.col, &t.text, err);
  return st == BEZ_OK ? bez_text_plant(in, &t, out, err) : st;
}

const bez_attack bez_attack_phrase = {
    .info = {.name = "phrase",
             .title = "Phrase",
             .summary = "Three words that are frequent alone and never stand in this order are put between two words; "
                        "the target label is set.",
             .kind = "text",
             .parameters = "column, phrase",
             .source =
                 "Dai, Chen, Li, A Backdoor Attack Against LSTM-Based Text Classification Systems, IEEE Access 2019",
             .clean_label = false},
    .plan = plan,
};
