#include "attack/text.h"

static bez_status plan(const bez_attack_input *in, bez_attack_plan *out, bez_error *err) {
  return bez_text_plant_token(in, false, out, err);
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
