/* Baseline: which findings are new since an earlier report. */
#include <stdlib.h>
#include <string.h>

#include "finding/index.h"
#include "finding/text.h"
#include "finding/wire.h"

static int by_text(const void *a, const void *b) {
  return strcmp(*(const char *const *)a, *(const char *const *)b);
}

void bez_report_apply_baseline(bez_report *report, const bez_report *old, bool new_only) {
  const char **known = bez_report_array(report, old->n_findings, sizeof *known);
  if (!known) return;
  for (size_t i = 0; i < old->n_findings; i++)
    known[i] = old->findings[i]->fingerprint ? old->findings[i]->fingerprint : "";
  qsort(known, old->n_findings, sizeof *known, by_text);
  for (size_t i = 0; i < report->n_findings; i++) {
    const char *name = report->findings[i]->fingerprint;
    report->findings[i]->is_new = !name || !bsearch(&name, known, old->n_findings, sizeof *known, by_text);
  }
  report->has_baseline = true;
  report->new_only = new_only;
  bez_row_index_drop(report);
}
