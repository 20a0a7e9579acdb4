#include "attack/papers.h"
#include "attack/sinusoid.h"

static bez_status plan(const bez_attack_input *in, bez_attack_plan *out, bez_error *err) {
  return bez_sinusoid_plan(in, false, out, err);
}

const bez_attack bez_attack_sig_dirty = {
    .info = {.name = "sig-dirty",
             .title = "Sinusoid",
             .summary = "A horizontal wave (amplitude 20, 6 periods) is added to pictures of other labels, and the "
                        "target label is set.",
             .kind = "image",
             .parameters = "delta, frequency",
             .source = BEZ_PAPER_SIG ", with dirty labels",
             .clean_label = false},
    .plan = plan,
};
