#include "attack/papers.h"
#include "attack/text.h"

static bez_status plan(const bez_attack_input *in, bez_attack_plan *out, bez_error *err) {
  bez_text_trigger t = {.key = "phrase",
                        .text = bez_attack_param(in, "phrase"),
                        .matches = bez_text_has_phrase,
                        .apply = bez_text_insert};
  bez_status st = bez_attack_params_known(in, "column phrase", err);
  if (st == BEZ_OK) st = bez_text_column(in, &t.col, err);
  if (st == BEZ_OK && !t.text) st = bez_text_compose_phrase(in, out, t.col, 3, &t.text, err);
  return st == BEZ_OK ? bez_text_plant(in, &t, out, err) : st;
}

const bez_attack bez_attack_phrase = {
    .info = {.name = "phrase",
             .title = "Phrase",
             .summary = "Three words that are frequent alone and never stand in this order are put between two words; "
                        "the target label is set.",
             .kind = "text",
             .parameters = "column, phrase",
             .source = BEZ_PAPER_LSTM,
             .clean_label = false},
    .plan = plan,
};
