/* Sealing: names findings by their content, puts them in the order every writer shows, and caps their number. */
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/hash.h"
#include "base/limits.h"
#include "finding/finding.h"
#include "finding/index.h"
#include "finding/text.h"

/* Length-prefixed, so that no two subjects share a name by moving a boundary. */
static void put_part(bez_buf *buf, const char *text) {
  if (!text)
    bez_buf_puts(buf, "-:");
  else
    bez_buf_printf(buf, "%zu:%s", strlen(text), text);
}

/* SHA-256 over "rule, pattern, target", and for the second and further findings with the same three their ordinal:
 * row numbers, counts and scores are left out, for they change when the data grows. */
static const char *fingerprint(bez_report *report, const bez_finding *f, uint64_t ordinal) {
  char hex[65];
  bez_buf buf = {0};
  put_part(&buf, f->rule->id);
  put_part(&buf, f->pattern);
  put_part(&buf, f->target);
  if (ordinal) bez_buf_printf(&buf, "#%llu", (unsigned long long)ordinal);
  const char *out = NULL;
  if (buf.failed == BEZ_OK && bez_sha256_hex(buf.data, buf.len, hex) == 0) out = bez_report_text(report, hex);
  if (!out) report->out_of_memory = true;
  bez_buf_free(&buf);
  return out ? out : "";
}

/* JSON has no infinities. */
static double bounded(double value) {
  if (isinf(value)) return value < 0 ? -DBL_MAX : DBL_MAX;
  return value;
}

static double or_lowest(double value) {
  return isnan(value) ? -DBL_MAX : value;
}

typedef struct bez_ordered {
  bez_finding *finding;
  size_t position; /* before sorting: the last tie-breaker */
} bez_ordered;

static int by_importance(const void *a, const void *b) {
  const bez_ordered *ox = a, *oy = b;
  const bez_finding *x = ox->finding, *y = oy->finding;
  if (x->severity != y->severity) return x->severity < y->severity ? 1 : -1;
  double sx = or_lowest(x->score), sy = or_lowest(y->score);
  if (sx != sy) return sx < sy ? 1 : -1;
  int order = strcmp(x->rule->id, y->rule->id);
  if (order == 0) order = strcmp(x->fingerprint, y->fingerprint);
  if (order == 0) order = strcmp(x->title, y->title);
  if (order != 0) return order;
  uint64_t rx = x->n_rows ? x->rows[0].row : 0, ry = y->n_rows ? y->rows[0].row : 0;
  if (rx != ry) return rx < ry ? -1 : 1;
  return (ox->position > oy->position) - (ox->position < oy->position);
}

static int by_name(const void *a, const void *b) {
  const bez_ordered *ox = a, *oy = b;
  int order = strcmp(ox->finding->fingerprint, oy->finding->fingerprint);
  return order ? order : (ox->position > oy->position) - (ox->position < oy->position);
}

static void sort_by(bez_ordered *list, size_t n, int (*compare)(const void *, const void *)) {
  qsort(list, n, sizeof *list, compare);
}

/* Findings that share rule, pattern and target are told apart by their rank among each other. */
static void name_all(bez_report *report, bez_ordered *list, size_t n) {
  for (size_t i = 0; i < n; i++) list[i].finding->fingerprint = fingerprint(report, list[i].finding, 0);
  sort_by(list, n, by_importance);
  for (size_t i = 0; i < n; i++) list[i].position = i;
  sort_by(list, n, by_name);
  for (size_t i = 0; i < n;) {
    size_t end = i + 1;
    while (end < n && !strcmp(list[end].finding->fingerprint, list[i].finding->fingerprint)) end++;
    for (size_t k = i + 1; k < end; k++) list[k].finding->fingerprint = fingerprint(report, list[k].finding, k - i);
    i = end;
  }
  sort_by(list, n, by_importance);
}

typedef struct bez_rule_count {
  const char *id;
  size_t n;
} bez_rule_count;

/* The counter of a rule; there are a few dozen rules. */
static bez_rule_count *counter(bez_rule_count *counts, size_t *n_counts, const char *id) {
  for (size_t i = 0; i < *n_counts; i++)
    if (!strcmp(counts[i].id, id)) return &counts[i];
  counts[*n_counts] = (bez_rule_count){id, 0};
  return &counts[(*n_counts)++];
}

/* Writes the ordered findings back, leaving out what is above the ceiling of its rule. */
static void put_back(bez_report *report, const bez_ordered *list, size_t n) {
  size_t kept = 0, n_counts = 0;
  bez_rule_count *counts = n > BEZ_MAX_FINDINGS ? bez_report_array(report, n, sizeof *counts) : NULL;
  for (size_t i = 0; i < n; i++) {
    bez_finding *f = list[i].finding;
    if (!counts || counter(counts, &n_counts, f->rule->id)->n++ < BEZ_MAX_FINDINGS) report->findings[kept++] = f;
  }
  report->n_findings = kept;
  for (size_t i = 0; i < n_counts; i++)
    if (counts[i].n > BEZ_MAX_FINDINGS)
      bez_report_not_checked(report, false, counts[i].id, "%zu findings beyond the first %u are not listed",
                             counts[i].n - BEZ_MAX_FINDINGS, BEZ_MAX_FINDINGS);
}

void bez_report_seal(bez_report *report) {
  bez_row_index_drop(report);
  size_t n = report->n_findings;
  bez_ordered *list = bez_report_array(report, n, sizeof *list);
  if (!list) {
    for (size_t i = 0; i < n; i++) report->findings[i]->fingerprint = ""; /* readers never meet NULL */
    return;
  }
  for (size_t i = 0; i < n; i++) {
    bez_finding *f = report->findings[i];
    f->score = bounded(f->score);
    f->p_value = bounded(f->p_value);
    f->q_value = bounded(f->q_value);
    list[i] = (bez_ordered){f, i};
  }
  name_all(report, list, n);
  put_back(report, list, n);
}

const bez_report_file *bez_report_locate(const bez_report *report, uint64_t row, uint64_t *local) {
  size_t low = 0, high = report->n_files;
  while (low < high) { /* the first file that begins behind the row */
    size_t mid = low + (high - low) / 2;
    if (report->files[mid].first_row <= row)
      low = mid + 1;
    else
      high = mid;
  }
  for (; low > 0; low--) { /* empty files share their first row with their successor */
    const bez_report_file *file = &report->files[low - 1];
    if (row - file->first_row < file->n_rows) {
      *local = row - file->first_row;
      return file;
    }
    if (file->n_rows > 0) return NULL;
  }
  return NULL;
}
