#include "attack/papers.h"
#include "attack/patch.h"

static bez_status plan(const bez_attack_input *in, bez_attack_plan *out, bez_error *err) {
  return bez_patch_plan(in, true, false, out, err);
}

const bez_attack bez_attack_badnets_clean = {
    .info = {.name = "badnets-clean",
             .title = "Fixed patch, labels untouched",
             .summary = "A small square is painted at one place of pictures of the target label only.",
             .kind = "image",
             .parameters = BEZ_PATCH_PARAMETERS,
             .source = BEZ_PAPER_LABEL_CONSISTENT ", without the perturbation",
             .clean_label = true},
    .plan = plan,
};
