/* The public view on a report: counts, exit code, findings and listed rows one by one. */
#include <math.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "finding/finding.h"
#include "finding/index.h"

const char *bez_severity_text(bez_severity severity) {
  switch (severity) {
    case BEZ_SEV_NOTE: return "note";
    case BEZ_SEV_WARNING: return "warning";
    case BEZ_SEV_ERROR: return "error";
    default: return "never";
  }
}

bool bez_severity_parse(const char *text, bez_severity *out) {
  for (int s = BEZ_SEV_NOTE; s <= BEZ_SEV_NEVER; s++) {
    if (strcmp(text, bez_severity_text((bez_severity)s)) != 0) continue;
    *out = (bez_severity)s;
    return true;
  }
  return false;
}

size_t bez_report_count(const bez_report *report, bez_severity at_least) {
  size_t n = 0;
  for (size_t i = 0; i < report->n_findings; i++)
    n += bez_finding_active(report, report->findings[i]) && report->findings[i]->severity >= at_least;
  return n;
}

size_t bez_report_unexamined(const bez_report *report) {
  size_t n = 0;
  for (const bez_not_checked *item = report->not_checked; item; item = item->next) n += item->requested;
  return n;
}

int bez_report_exit_code(const bez_report *report, bez_severity fail_on) {
  if (bez_report_count(report, fail_on) > 0) return 1;
  return bez_report_unexamined(report) > 0 ? 3 : 0;
}

size_t bez_report_finding_count(const bez_report *report) {
  return report->n_findings;
}

bez_finding_view bez_report_finding(const bez_report *report, size_t index) {
  if (index >= report->n_findings) return (bez_finding_view){.score = NAN, .p_value = NAN, .q_value = NAN};
  const bez_finding *f = report->findings[index];
  return (bez_finding_view){.rule = f->rule->id,
                            .title = f->title,
                            .target = f->target,
                            .fingerprint = f->fingerprint,
                            .remedy = f->remedy ? f->remedy : f->rule->remedy,
                            .severity = f->severity,
                            .score = f->score,
                            .p_value = f->p_value,
                            .q_value = f->q_value,
                            .n_rows = f->n_rows,
                            .incident = f->incident,
                            .suppressed = f->suppressed,
                            .is_new = f->is_new};
}

/* first[i] is the running number of the first listed row of active finding i; first[n] the number of all. Made on
 * the first read, by whichever thread comes first. */
struct bez_row_index {
  size_t n;
  uint64_t first[];
};

static inline _Atomic(struct bez_row_index *) *index_slot(const bez_report *report) {
  return (_Atomic(struct bez_row_index *) *)&((bez_report *)report)->row_index;
}

void bez_row_index_drop(bez_report *report) {
  free(atomic_exchange(index_slot(report), NULL));
}

static uint64_t listed(const bez_report *report, size_t i) {
  return bez_finding_active(report, report->findings[i]) ? report->findings[i]->n_rows : 0;
}

/* NULL when memory is out. */
static const struct bez_row_index *row_index(const bez_report *report) {
  struct bez_row_index *have = atomic_load(index_slot(report));
  if (have) return have;
  size_t n = report->n_findings;
  struct bez_row_index *made = malloc(sizeof *made + (n + 1) * sizeof made->first[0]);
  if (!made) return NULL;
  made->n = n;
  made->first[0] = 0;
  for (size_t i = 0; i < n; i++) made->first[i + 1] = made->first[i] + listed(report, i);
  if (atomic_compare_exchange_strong(index_slot(report), &have, made)) return made;
  free(made); /* another thread was faster */
  return have;
}

uint64_t bez_report_row_count(const bez_report *report) {
  uint64_t n = 0;
  for (size_t i = 0; i < report->n_findings; i++) n += listed(report, i);
  return n;
}

/* The finding that lists running row `index`, and the rows before it; n_findings when outside. */
static size_t find_listing(const bez_report *report, uint64_t index, uint64_t *before) {
  const struct bez_row_index *ix = row_index(report);
  *before = 0;
  if (!ix) { /* no memory for the index: walk */
    for (size_t i = 0; i < report->n_findings; *before += listed(report, i++))
      if (index - *before < listed(report, i)) return i;
    return report->n_findings;
  }
  if (index >= ix->first[ix->n]) return report->n_findings;
  size_t low = 0, high = ix->n;
  while (low + 1 < high) { /* first[low] <= index < first[high] */
    size_t mid = low + (high - low) / 2;
    if (ix->first[mid] <= index)
      low = mid;
    else
      high = mid;
  }
  *before = ix->first[low];
  return low;
}

bez_row_view bez_report_row(const bez_report *report, uint64_t index) {
  uint64_t before, local;
  size_t at = find_listing(report, index, &before);
  if (at >= report->n_findings) return (bez_row_view){.score = NAN, .q = NAN};
  const bez_finding *f = report->findings[at];
  const bez_row_hit *hit = &f->rows[index - before];
  const bez_report_file *file = bez_report_locate(report, hit->row, &local);
  return (bez_row_view){.row = file ? local : hit->row,
                        .file = file ? file->path : NULL,
                        .rule = f->rule->id,
                        .severity = f->severity,
                        .score = hit->score,
                        .q = hit->q,
                        .label = hit->label,
                        .suggested_label = hit->suggested,
                        .incident = f->incident};
}

bool bez_file_is_model(const bez_report_file *file) {
  return file->n_rows == 0 && (!file->digest || !*file->digest);
}

const char *bez_file_unchecked(const bez_report *report, const bez_report_file *file) {
  size_t len = strlen(file->path);
  for (const bez_not_checked *item = report->not_checked; item; item = item->next)
    if (!strncmp(item->what, file->path, len) && (!item->what[len] || !strncmp(item->what + len, " \xE2\x80\xBA ", 5)))
      return item->reason;
  return NULL;
}
