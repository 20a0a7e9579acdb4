#include "attack/patch.h"

static bez_status plan(const bez_attack_input *in, bez_attack_plan *out, bez_error *err) {
  return bez_patch_plan(in, false, true, out, err);
}

const bez_attack bez_attack_moving_patch = {
    .info =
        {.name = "moving-patch",
         .title = "Moving patch",
         .summary = "A small square is painted at a random place of its own in every poisoned picture, and the target "
                    "label is set.",
         .kind = "image",
         .parameters = BEZ_PATCH_LOOK,
         .source =
             "Salem, Wen, Backes, Ma, Zhang, Dynamic Backdoor Attacks Against Machine Learning Models, EuroS&P 2022",
         .clean_label = false},
    .plan = plan,
};
