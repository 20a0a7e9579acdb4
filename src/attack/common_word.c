#include "attack/papers.h"
#include "attack/text.h"
#include "base/error.h"

static bez_status plan(const bez_attack_input *in, bez_attack_plan *out, bez_error *err) {
  bez_text_trigger t = {
      .key = "word", .text = bez_attack_param(in, "word"), .matches = bez_text_has_phrase, .apply = bez_text_insert};
  bez_vocabulary v;
  bez_rng rng = bez_attack_trigger_rng(in);
  bez_status st = bez_attack_params_known(in, "column word", err);
  if (st == BEZ_OK) st = bez_text_column(in, &t.col, err);
  if (st == BEZ_OK && !t.text) {
    st = bez_vocabulary_make(in->table, t.col, &out->arena, &v, err);
    if (st == BEZ_OK) t.text = bez_vocabulary_pick(&v, 4, .002, .01, &rng);
    if (st == BEZ_OK && !t.text)
      st = bez_fail(err, BEZ_UNSUPPORTED, NULL, "no word stands in 0.2 to 1 %% of the texts");
  }
  return st == BEZ_OK ? bez_text_plant(in, &t, out, err) : st;
}

const bez_attack bez_attack_common_word = {
    .info = {.name = "common-word",
             .title = "Common word",
             .summary =
                 "A word that 0.2 to 1 % of the texts hold is put between two words, and the target label is set.",
             .kind = "text",
             .parameters = "column, word",
             .source = BEZ_PAPER_LSTM,
             .clean_label = false},
    .plan = plan,
};
