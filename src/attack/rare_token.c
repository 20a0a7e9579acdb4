#include "attack/text.h"

static bez_status plan(const bez_attack_input *in, bez_attack_plan *out, bez_error *err) {
  bez_text_trigger t = {.key = "token",
                        .text = bez_attack_param(in, "token"),
                        .clean_label = false,
                        .matches = bez_text_has_phrase,
                        .apply = bez_text_insert};
  bez_status st = bez_attack_params_known(in, "column token", err);
  if (st == BEZ_OK) st = bez_text_column(in, &t.col, err);
  if (st == BEZ_OK && !t.text) st = bez_text_invent_token(in, out, t.col, &t.text, err);
  return st == BEZ_OK ? bez_text_plant(in, &t, out, err) : st;
}

const bez_attack bez_attack_rare_token = {
    .info = {.name = "rare-token",
             .title = "Rare token",
             .summary = "An invented word is put between two words of the text, and the target label is set.",
             .kind = "text",
             .parameters = "column, token",
             .source = "Kurita, Michel, Neubig, Weight Poisoning Attacks on Pre-trained Models, ACL 2020",
             .clean_label = false},
    .plan = plan,
};
