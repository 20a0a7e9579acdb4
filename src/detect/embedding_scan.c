/* BZ-D019, SCAn: is a class one group of vectors, or two? D. Tang, X. Wang, H. Tang, K. Zhang, "Demon in the variant:
 * statistical analysis of DNNs for robust backdoor contamination detection", USENIX Security 2021. Variation inside
 * classes is taken to be the same for all of them; a class that hides a second identity gains likelihood when two means
 * are allowed. Its statistic, the gain per row, is compared between classes in median absolute deviations.
 *
 * Natural classes hold groups too (films, writing hands), and with few classes that index says little. So the index is
 * evidence only, and a finding asks for a gap: embedding_split.h. */
#include <math.h>
#include <stdlib.h>

#include "base/compare.h"
#include "base/error.h"
#include "base/limits.h"
#include "detect/embedding_classes.h"

#define STARTS 8u

static bez_status judge(const bez_space *s, uint32_t k, bez_embedding_class *out, bez_error *err) {
  bez_rows r = bez_space_class(s, s->z, k);
  double *room = malloc((size_t)s->dim * (STARTS + 1) * sizeof *room), value[STARTS];
  uint32_t found;
  bez_status st = BEZ_OK;
  if (!room) return bez_fail_memory(err, (size_t)s->dim * (STARTS + 1) * sizeof *room);
  BEZ_TRY(bez_embedding_directions(&r, STARTS, room, room + s->dim, value, &found, err));
  BEZ_TRY(bez_split_rows(&r, room + s->dim, found, out->side, out->along, &out->split, err));
  for (uint32_t i = 0; i < r.n; i++) out->score[i] = out->along[i] * out->split.gap;
  out->measure[0] = out->split.gain;
cleanup:
  free(room);
  return st;
}

static double median(double *x, uint32_t n) {
  qsort(x, n, sizeof *x, bez_compare_double);
  return n % 2 ? x[n / 2] : (x[n / 2 - 1] + x[n / 2]) / 2.0;
}

/* measure[1]: |gain − median| / (1.4826 · median absolute deviation). */
static void compare(const bez_space *s, bez_embedding_class *classes) {
  double x[BEZ_MAX_CLASSES], middle;
  uint32_t n = 0;
  for (uint32_t k = 0; k < s->n_classes && n < BEZ_MAX_CLASSES; k++)
    if (classes[k].judged) x[n++] = classes[k].measure[0];
  if (n < 3) return;
  middle = median(x, n);
  for (uint32_t i = 0; i < n; i++) x[i] = fabs(x[i] - middle);
  double deviation = 1.4826 * median(x, n);
  for (uint32_t k = 0; k < s->n_classes && deviation > 0.0; k++)
    classes[k].measure[1] = (classes[k].measure[0] - middle) / deviation;
}

static bez_status run(const bez_detect_input *in, bez_report *report, bez_error *err) {
  const bez_embedding_method method = {
      .rule = &bez_detector_scan_embeddings.rule,
      .stage = "embeddings, two groups per label",
      .score_name = "position between the two groups of the label, times their gap",
      .measure_name = {"likelihood gain per row", "index (median absolute deviations of the gains of all labels)"},
      .judge = judge,
      .compare = compare};
  return bez_embedding_detect(in, &method, report, err);
}

const bez_detector bez_detector_scan_embeddings = {
    .rule = {.id = "BZ-D019",
             .name = "scan-embeddings",
             .title = "Two identities under one label (SCAn)",
             .summary =
                 "Labels whose embeddings part into two groups with a gap, once the variation that all labels share "
                 "is taken out: rows of another class that were given this label by a trigger form such a group.",
             .remedy =
                 "Look at rows of both groups side by side. If the smaller group shares a mark, a patch or a source, "
                 "or belongs to another class, drop it and find out where it came from.",
             .taxonomy = "ATLAS:AML.T0020 NIST:NISTAML.013 OWASP:LLM04 OWASP-ML:ML02"},
    .needs = BEZ_NEED_LABEL | BEZ_NEED_VECTORS,
    .null_hypothesis = "The vectors of a label vary about one mean, or about several without an empty gap between.",
    .calibration =
        "The gap (3.2) and the share of rows between (.03) were set on clean GTSRB-8 and MNIST, pixels and small "
        "networks, whole tracks left out at random: docs/detect/embeddings.md.",
    .cost = "O(rows · components²) time, 8 · rows · components bytes",
    .source = "Tang, Wang, Tang, Zhang, Demon in the variant, USENIX Security 2021; gap criterion: Bezoar, "
              "docs/detect/embeddings.md",
    .run = run,
};
