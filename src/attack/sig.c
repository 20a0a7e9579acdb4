#include "attack/papers.h"
#include "attack/sinusoid.h"

static bez_status plan(const bez_attack_input *in, bez_attack_plan *out, bez_error *err) {
  return bez_sinusoid_plan(in, true, out, err);
}

const bez_attack bez_attack_sig = {
    .info = {.name = "sig",
             .title = "Sinusoid, labels untouched",
             .summary = "A horizontal wave (amplitude 20, 6 periods) is added to pictures of the target label only.",
             .kind = "image",
             .parameters = "delta, frequency",
             .source = BEZ_PAPER_SIG,
             .clean_label = true},
    .plan = plan,
};
