/* What changed between two reports, by fingerprint. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "finding/finding.h"
#include "report/words.h"
#include "report/wrap.h"
#include "report/writer.h"

typedef struct bez_side {
  const bez_finding **item; /* report order */
  bool *matched;
  size_t n;
} bez_side;

static const char *name_of(const bez_finding *f) {
  return f->fingerprint ? f->fingerprint : "";
}

static int by_name(const void *a, const void *b) {
  return strcmp(name_of(*(const bez_finding *const *)a), name_of(*(const bez_finding *const *)b));
}

static bez_status side_make(const bez_report *report, bez_side *out, bez_error *err) {
  out->item = calloc(report->n_findings + 1, sizeof *out->item);
  out->matched = calloc(report->n_findings + 1, sizeof *out->matched);
  if (!out->item || !out->matched) return bez_fail_memory(err, report->n_findings * sizeof *out->item);
  for (size_t i = 0; i < report->n_findings; i++)
    if (!report->findings[i]->suppressed) out->item[out->n++] = report->findings[i];
  return BEZ_OK;
}

static void side_free(bez_side *side) {
  free((void *)side->item);
  free(side->matched);
}

/* Marks what stands in `other` too. Fingerprints are unique within a report. */
static bez_status match(bez_side *side, const bez_side *other, bez_error *err) {
  const bez_finding **sorted = calloc(other->n + 1, sizeof *sorted);
  if (!sorted) return bez_fail_memory(err, other->n * sizeof *sorted);
  memcpy((void *)sorted, (const void *)other->item, other->n * sizeof *sorted);
  qsort((void *)sorted, other->n, sizeof *sorted, by_name);
  for (size_t i = 0; i < side->n; i++)
    side->matched[i] = bsearch(&side->item[i], (const void *)sorted, other->n, sizeof *sorted, by_name) != NULL;
  free((void *)sorted);
  return BEZ_OK;
}

static size_t count_matched(const bez_side *side, bool matched) {
  size_t n = 0;
  for (size_t i = 0; i < side->n; i++) n += side->matched[i] == matched;
  return n;
}

static void text_part(const bez_paper *paper, const char *heading, const char *sign, const bez_side *side,
                      bool matched) {
  bez_buf line = {0};
  size_t n = count_matched(side, matched);
  bez_buf_printf(paper->out, "%s: %zu\n", heading, n);
  for (size_t i = 0; i < side->n; i++) {
    if (side->matched[i] != matched) continue;
    const bez_finding *f = side->item[i];
    bez_buf_printf(&line, "[%s] %s %s (%llu row%s)", bez_severity_text(f->severity), f->rule->id, f->title,
                   (unsigned long long)f->n_rows, f->n_rows == 1 ? "" : "s");
    bez_buf_printf(paper->out, "  %s ", sign);
    bez_wrap_take(paper, 4, 4, &line);
    bez_buf_printf(paper->out, "    %s\n", name_of(f));
  }
  bez_buf_free(&line);
}

static void json_part(bez_json *j, const char *key, const bez_side *side, bool matched) {
  bez_json_key(j, key);
  bez_json_open(j, '[');
  for (size_t i = 0; i < side->n; i++) {
    if (side->matched[i] != matched) continue;
    const bez_finding *f = side->item[i];
    bez_json_open(j, '{');
    bez_json_kstr(j, "rule", f->rule->id);
    bez_json_kstr(j, "severity", bez_severity_text(f->severity));
    bez_json_kstr(j, "title", f->title);
    bez_json_kstr(j, "pattern", f->pattern);
    bez_json_kstr(j, "target", f->target);
    bez_json_kuint(j, "rows", f->n_rows);
    bez_json_kstr(j, "fingerprint", name_of(f));
    bez_json_close(j, '}');
  }
  bez_json_close(j, ']');
}

static void put_json(bez_buf *out, const bez_side *before, const bez_side *after) {
  bez_json j = bez_json_make(out, true);
  bez_json_open(&j, '{');
  bez_json_kstr(&j, "schema", "urn:bezoar:report-diff:1");
  json_part(&j, "new", after, false);
  json_part(&j, "gone", before, false);
  json_part(&j, "kept", after, true);
  bez_json_close(&j, '}');
  bez_buf_putc(out, '\n');
}

/* A comparison is only as good as what both sides examined: that comes first. */
static void put_text(bez_buf *out, const bez_report *was, const bez_report *now, const bez_side *before,
                     const bez_side *after) {
  bez_paper paper = {.out = out, .width = 80};
  bez_tally old_tally = bez_tally_of(was), new_tally = bez_tally_of(now);
  bez_buf_puts(out, "Old: ");
  bez_put_not_checked(out, &old_tally);
  bez_buf_puts(out, "\nNew: ");
  bez_put_not_checked(out, &new_tally);
  if (was->ruleset != now->ruleset)
    bez_buf_printf(out, "\nRule sets differ: %u and %u; findings of changed rules come and go", was->ruleset,
                   now->ruleset);
  bez_buf_puts(out, "\n\n");
  text_part(&paper, "New findings", "+", after, false);
  text_part(&paper, "Gone findings", "-", before, false);
  text_part(&paper, "Kept findings", "=", after, true);
}

bez_status bez_report_diff(const bez_report *old_report, const bez_report *new_report, bool json, char **bytes,
                           size_t *len, size_t *n_new, size_t *n_gone, bez_error *err) {
  bez_side before = {0}, after = {0};
  bez_buf out = {0};
  bez_status st = BEZ_OK;
  BEZ_TRY(side_make(old_report, &before, err));
  BEZ_TRY(side_make(new_report, &after, err));
  BEZ_TRY(match(&before, &after, err));
  BEZ_TRY(match(&after, &before, err));
  if (json)
    put_json(&out, &before, &after);
  else
    put_text(&out, old_report, new_report, &before, &after);
  BEZ_TRY(bez_buf_status(&out, err));
  if (n_new) *n_new = count_matched(&after, false);
  if (n_gone) *n_gone = count_matched(&before, false);
  *bytes = out.data;
  *len = out.len;
  out = (bez_buf){0};
cleanup:
  bez_buf_free(&out);
  side_free(&before);
  side_free(&after);
  return st;
}
