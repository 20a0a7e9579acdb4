/* JUnit XML, for the test views of CI systems: one test case per check that ran (an error-level finding fails it),
 * one per thing that was not checked (an error where it was requested, else skipped). */
#include <string.h>

#include "report/visible.h"
#include "report/words.h"
#include "report/writer.h"

static void put_attribute(bez_buf *out, const char *name, const char *value) {
  bez_buf_printf(out, " %s=\"", name);
  bez_markup_puts(out, BEZ_MARKUP_XML, value);
  bez_buf_putc(out, '"');
}

static size_t count_of(const bez_report *r, const bez_rule *rule, bez_severity at_least) {
  size_t n = 0;
  for (size_t i = 0; i < r->n_findings; i++) {
    const bez_finding *f = r->findings[i];
    n += !strcmp(f->rule->id, rule->id) && bez_finding_active(r, f) && f->severity >= at_least;
  }
  return n;
}

static void put_finding(bez_buf *out, const bez_report *r, const bez_finding *f) {
  bez_buf line = {0};
  bez_buf_printf(&line, "[%s] %s: %llu row%s", bez_severity_text(f->severity), f->title, (unsigned long long)f->n_rows,
                 f->n_rows == 1 ? "" : "s");
  if (f->n_rows) bez_buf_puts(&line, ": ");
  bez_put_rows(&line, r, f, 10, true);
  bez_markup_text(out, BEZ_MARKUP_XML, line.data ? line.data : "", line.len);
  if (line.failed != BEZ_OK) out->failed = line.failed;
  bez_buf_clear(&line);
  bez_buf_puts(out, "\n  ");
  bez_put_evidence(&line, f);
  bez_markup_text(out, BEZ_MARKUP_XML, line.data ? line.data : "", line.len);
  bez_buf_puts(out, "\n  ");
  bez_markup_puts(out, BEZ_MARKUP_XML, bez_remedy_of(f));
  bez_buf_printf(out, "\n  %s\n", f->fingerprint);
  if (line.failed != BEZ_OK) out->failed = line.failed;
  bez_buf_free(&line);
}

/* Findings of a rule with severity in [low, high]. */
static void put_findings(bez_buf *out, const bez_report *r, const bez_rule *rule, bez_severity low, bez_severity high) {
  for (size_t i = 0; i < r->n_findings; i++) {
    const bez_finding *f = r->findings[i];
    if (strcmp(f->rule->id, rule->id) != 0 || !bez_finding_active(r, f)) continue;
    if (f->severity >= low && f->severity <= high) put_finding(out, r, f);
  }
}

static void put_rule(bez_buf *out, const bez_report *r, const bez_rule *rule) {
  size_t errors = count_of(r, rule, BEZ_SEV_ERROR), all = count_of(r, rule, BEZ_SEV_NOTE);
  bez_buf_puts(out, "    <testcase classname=\"bezoar\"");
  bez_buf_printf(out, " name=\"");
  bez_markup_puts(out, BEZ_MARKUP_XML, rule->id);
  bez_buf_putc(out, ' ');
  bez_markup_puts(out, BEZ_MARKUP_XML, rule->name);
  bez_buf_puts(out, all ? "\">\n" : "\"/>\n");
  if (errors) {
    bez_buf_printf(out, "      <failure message=\"%zu error-level finding%s: ", errors, errors == 1 ? "" : "s");
    bez_markup_puts(out, BEZ_MARKUP_XML, rule->title);
    bez_buf_puts(out, "\">");
    put_findings(out, r, rule, BEZ_SEV_ERROR, BEZ_SEV_ERROR);
    bez_buf_puts(out, "</failure>\n");
  }
  if (all > errors) {
    bez_buf_puts(out, "      <system-out>");
    put_findings(out, r, rule, BEZ_SEV_NOTE, BEZ_SEV_WARNING);
    bez_buf_puts(out, "</system-out>\n");
  }
  if (all) bez_buf_puts(out, "    </testcase>\n");
}

static void put_not_checked(bez_buf *out, const bez_not_checked *item) {
  const char *tag = item->requested ? "error" : "skipped";
  bez_buf_puts(out, "    <testcase classname=\"bezoar.not_checked\"");
  put_attribute(out, "name", item->what);
  bez_buf_printf(out, ">\n      <%s", tag);
  put_attribute(out, "message", item->reason);
  bez_buf_puts(out, "/>\n    </testcase>\n");
}

/* Rules with findings whose check did not run to its end still need a test case. */
static bool listed(const bez_report *r, const bez_rule *rule, size_t before) {
  for (size_t i = 0; i < r->n_rules_run; i++)
    if (!strcmp(r->rules_run[i]->id, rule->id)) return true;
  for (size_t i = 0; i < before; i++)
    if (bez_finding_active(r, r->findings[i]) && !strcmp(r->findings[i]->rule->id, rule->id)) return true;
  return false;
}

static bez_status render(const bez_report *report, const bez_write_options *options, bez_buf *out, bez_error *err) {
  bez_tally t = bez_tally_of(report);
  bez_buf cases = {0};
  size_t n = t.not_checked, failures = 0;
  for (size_t i = 0; i < report->n_rules_run; i++) {
    put_rule(&cases, report, report->rules_run[i]);
    failures += count_of(report, report->rules_run[i], BEZ_SEV_ERROR) > 0;
    n++;
  }
  for (size_t i = 0; i < report->n_findings; i++) {
    const bez_rule *rule = report->findings[i]->rule;
    if (!bez_finding_active(report, report->findings[i]) || listed(report, rule, i)) continue;
    put_rule(&cases, report, rule);
    failures += count_of(report, rule, BEZ_SEV_ERROR) > 0;
    n++;
  }
  for (const bez_not_checked *item = report->not_checked; item; item = item->next) put_not_checked(&cases, item);
  bez_buf_puts(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n  <testsuite");
  put_attribute(out, "name", "bezoar");
  bez_buf_printf(out, " tests=\"%zu\" failures=\"%zu\" errors=\"%zu\" skipped=\"%zu\">\n", n, failures, t.requested,
                 t.not_checked - t.requested);
  if (cases.len) bez_buf_write(out, cases.data, cases.len);
  bez_buf_puts(out, "  </testsuite>\n</testsuites>\n");
  bez_status st = bez_buf_status(&cases, err);
  bez_buf_free(&cases);
  return st;
}

const bez_writer bez_writer_junit = {
    .info = {.name = "junit",
             .title = "JUnit XML",
             .extensions = "xml",
             .summary = "For the test view of CI systems: one test case per check, failed by error-level findings; "
                        "what was not checked is an error where it was requested, else skipped."},
    .render = render,
};
