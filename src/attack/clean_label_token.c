#include "attack/text.h"

static bez_status plan(const bez_attack_input *in, bez_attack_plan *out, bez_error *err) {
  bez_text_trigger t = {.key = "token",
                        .text = bez_attack_param(in, "token"),
                        .clean_label = true,
                        .matches = bez_text_has_phrase,
                        .apply = bez_text_insert};
  bez_status st = bez_attack_params_known(in, "column token", err);
  if (st == BEZ_OK) st = bez_text_column(in, &t.col, err);
  if (st == BEZ_OK && !t.text) st = bez_text_invent_token(in, out, t.col, &t.text, err);
  return st == BEZ_OK ? bez_text_plant(in, &t, out, err) : st;
}

const bez_attack bez_attack_clean_label_token = {
    .info = {.name = "clean-label-token",
             .title = "Rare token, labels untouched",
             .summary = "An invented word is put into texts of the target label only.",
             .kind = "text",
             .parameters = "column, token",
             .source = "Turner, Tsipras, Madry, Label-Consistent Backdoor Attacks, 2019 (arXiv:1912.02771), on text",
             .clean_label = true},
    .plan = plan,
};
