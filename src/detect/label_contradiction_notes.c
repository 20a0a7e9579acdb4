/* Columns that decide by nature: several of their values carry one label whatever the other columns say. Such a
 * column hides a trigger, so it is said aloud; but a note it stays. */
#include <stdlib.h>

#include "base/error.h"
#include "detect/label_contradiction.h"

#define MAX_NAMED 6u

static bool notable(const bez_lco_patterns *patterns, const bez_lco_pattern *p) {
  return p->k == 1 && p->decisive && bez_lco_q(p->strength, patterns->tested) <= BEZ_LCO_Q_WARNING;
}

bez_status bez_lco_notes(const bez_detect_input *in, const bez_lco_patterns *patterns, bez_report *report,
                         bez_error *err) {
  uint8_t *done = calloc(in->n_features ? in->n_features : 1, 1);
  if (!done) return bez_fail_memory(err, in->n_features);
  for (size_t i = 0; i < patterns->n; i++) {
    const bez_lco_pattern *p = &patterns->item[i];
    if (!notable(patterns, p) || done[p->col[0]]) continue;
    done[p->col[0]] = 1;
    uint32_t n = 0;
    double rows = 0;
    const char *names = "", *column = in->table->cols[in->features[p->col[0]]].name;
    for (size_t j = i; j < patterns->n && names; j++) {
      const bez_lco_pattern *o = &patterns->item[j];
      if (!notable(patterns, o) || o->col[0] != p->col[0]) continue;
      rows += o->n_target;
      const char *text = bez_lco_value_text(in, report, o->col[0], o->code[0], true);
      if (n++ < MAX_NAMED && text) names = bez_arena_printf(&report->arena, "%s%s%s", names, n > 1 ? ", " : "", text);
    }
    bez_finding *f = bez_report_add(report, &bez_detector_label_contradiction.rule, BEZ_SEV_NOTE);
    if (!names || !f) break;
    bez_finding_title(
        report, f, "%s decides the label by itself: %u of its values carry one label in (nearly) all rows", column, n);
    bez_finding_subject(report, f, bez_arena_printf(&report->arena, "%s decides", column), NULL);
    bez_finding_number(report, f, "values", n);
    bez_finding_number(report, f, "rows", rows);
    bez_finding_text(report, f, "such_as", "%s", names);
    bez_finding_remedy(report, f,
                       "Nothing, if the column is meant to decide. A trigger among its values would look "
                       "the same: compare them with a source you trust.");
  }
  free(done);
  return BEZ_OK;
}
