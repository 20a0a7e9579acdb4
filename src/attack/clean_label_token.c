#include "attack/papers.h"
#include "attack/text.h"

static bez_status plan(const bez_attack_input *in, bez_attack_plan *out, bez_error *err) {
  return bez_text_plant_token(in, true, out, err);
}

const bez_attack bez_attack_clean_label_token = {
    .info = {.name = "clean-label-token",
             .title = "Rare token, labels untouched",
             .summary = "An invented word is put into texts of the target label only.",
             .kind = "text",
             .parameters = "column, token",
             .source = BEZ_PAPER_LABEL_CONSISTENT ", on text",
             .clean_label = true},
    .plan = plan,
};
