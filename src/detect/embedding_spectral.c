/* BZ-D016, spectral signatures: B. Tran, J. Li, A. Madry, "Spectral signatures in backdoor attacks", NeurIPS 2018.
 * Poisoned rows shift the mean of their label, so they stand out along the direction in which the label's vectors,
 * centred, vary most; the score is the squared projection on it.
 *
 * On pixels and small networks that direction is mostly natural variety, so it is also taken after whitening by the
 * variation that all labels share. A row's score is the whitened one; both directions are searched for a gap. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "detect/embedding_classes.h"

typedef struct view {
  double *value, *along;
  uint8_t *side;
  bez_split split;
  double share; /* of the label's variance on the direction */
} view;

static bez_status look(const bez_rows *r, view *v, double *room, bez_error *err) {
  double top, total = 0.0, *mean = room, *direction = room + r->dim;
  uint32_t found;
  bez_status st = bez_embedding_directions(r, 1, mean, direction, &top, &found, err);
  if (st != BEZ_OK) return st;
  for (uint32_t i = 0; i < r->n; i++) {
    const float *x = bez_rows_at(r, i);
    double sum = 0.0;
    for (uint32_t d = 0; d < r->dim; d++) {
      double c = (double)x[d] - mean[d];
      total += c * c;
      sum += found ? c * direction[d] : 0.0;
    }
    v->value[i] = sum;
  }
  v->share = found && total > 0.0 ? top * r->n / total : 0.0;
  bez_split_values(v->value, r->n, r->dim, v->side, v->along, &v->split);
  return BEZ_OK;
}

static bez_status judge(const bez_space *s, uint32_t k, bez_embedding_class *out, bez_error *err) {
  bez_rows plain = bez_space_class(s, s->x, k), white = bez_space_class(s, s->z, k);
  size_t n = plain.n;
  double *room = malloc(2 * (size_t)s->dim * sizeof *room), *numbers = malloc(3 * n * sizeof *numbers);
  uint8_t *side = malloc(n);
  bez_status st = BEZ_OK;
  if (!room || !numbers || !side) BEZ_TRY(bez_fail_memory(err, n * 25 + (size_t)s->dim * 16));
  view first = {.value = numbers, .along = numbers + n, .side = side};
  view second = {.value = numbers + 2 * n, .along = out->along, .side = out->side};
  BEZ_TRY(look(&plain, &first, room, err));
  BEZ_TRY(look(&white, &second, room, err));
  for (size_t i = 0; i < n; i++) out->score[i] = second.value[i] * second.value[i];
  out->split = second.split;
  if (bez_split_better(&first.split, &second.split)) {
    out->split = first.split;
    memcpy(out->side, side, n);
    memcpy(out->along, first.along, n * sizeof *first.along);
  }
  out->measure[0] = first.share;
  out->measure[1] = second.share;
cleanup:
  free(room);
  free(numbers);
  free(side);
  return st;
}

static bez_status run(const bez_detect_input *in, bez_report *report, bez_error *err) {
  const bez_embedding_method method = {
      .rule = &bez_detector_spectral_signatures.rule,
      .stage = "embeddings, spectral signatures",
      .score_name = "squared projection on the first direction of the label's whitened vectors",
      .measure_name = {"share of the label's variance on its first direction", "the same after whitening"},
      .judge = judge};
  return bez_embedding_detect(in, &method, report, err);
}

const bez_detector bez_detector_spectral_signatures = {
    .rule = {.id = "BZ-D016",
             .name = "spectral-signatures",
             .title = "Spectral signatures of embeddings",
             .summary =
                 "Rows that stand out along the direction in which the embeddings of their label vary most, plain "
                 "and whitened: a finding where they stand apart with a gap, else a ranked list.",
             .remedy = "Look at the group beside other rows of the label; drop it if it shares a mark or belongs to "
                       "another class. Never drop a ranked list whole: rare but honest rows stand at its top too.",
             .taxonomy = "ATLAS:AML.T0020 NIST:NISTAML.013 OWASP:LLM04 OWASP-ML:ML02"},
    .needs = BEZ_NEED_LABEL | BEZ_NEED_VECTORS,
    .null_hypothesis = "Along its first direction a label varies without an empty gap.",
    .calibration = "Gap and rows between as for BZ-D019: docs/detect/embeddings.md.",
    .cost = "O(rows · components²) time, 8 · rows · components bytes (shared by the embedding detectors)",
    .source = "Tran, Li, Madry, Spectral signatures in backdoor attacks, NeurIPS 2018",
    .run = run,
};
