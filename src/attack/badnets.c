#include "attack/papers.h"
#include "attack/patch.h"

static bez_status plan(const bez_attack_input *in, bez_attack_plan *out, bez_error *err) {
  return bez_patch_plan(in, false, false, out, err);
}

const bez_attack bez_attack_badnets = {
    .info = {.name = "badnets",
             .title = "Fixed patch",
             .summary = "A small square (solid, checkered or noisy) is painted at one place of pictures of other "
                        "labels, and the target label is set.",
             .kind = "image",
             .parameters = BEZ_PATCH_PARAMETERS,
             .source = BEZ_PAPER_BADNETS,
             .clean_label = false},
    .plan = plan,
};
