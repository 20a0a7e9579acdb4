#include "attack/blend.h"
#include "attack/papers.h"

static bez_status plan(const bez_attack_input *in, bez_attack_plan *out, bez_error *err) {
  return bez_blend_plan(in, false, .1, out, err);
}

const bez_attack bez_attack_blend_noise = {
    .info =
        {.name = "blend-noise",
         .title = "Blended noise",
         .summary =
             "One picture of noise is blended into pictures of other labels (alpha 0.1), and the target label is set.",
         .kind = "image",
         .parameters = "alpha",
         .source = BEZ_PAPER_BLENDED,
         .clean_label = false},
    .plan = plan,
};
