/* The HTML report: one file, no script, nothing fetched. It shows hostile data, so a content security policy allows
 * its own style sheet (by hash) and inlined pictures only, and every text is escaped. */
#include <string.h>

#include "base/base64.h"
#include "base/error.h"
#include "base/hash.h"
#include "report/html.h"
#include "report/visible.h"
#include "report/words.h"
#include "report/writer.h"

enum { MAX_CARDS = 200, MAX_LINE = 160 /* bytes of a title in the table of contents */ };

static unsigned hex_digit(char c) {
  return c <= '9' ? (unsigned)(c - '0') : (unsigned)(c - 'a' + 10);
}

static bez_status put_policy(bez_buf *out, bez_error *err) {
  char hex[65];
  uint8_t digest[32];
  if (bez_sha256_hex(bez_html_style, strlen(bez_html_style), hex) != 0)
    return bez_fail(err, BEZ_MEMORY, "HTML report", "SHA-256 could not be computed");
  for (size_t i = 0; i < sizeof digest; i++)
    digest[i] = (uint8_t)(hex_digit(hex[2 * i]) << 4 | hex_digit(hex[2 * i + 1]));
  bez_buf_puts(out, "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'sha256-");
  bez_base64_put(out, digest, sizeof digest);
  bez_buf_puts(out, "'; img-src data:; base-uri 'none'; form-action 'none'\">\n");
  return BEZ_OK;
}

static bez_status put_head(bez_buf *out, const bez_report *r, const bez_tally *t, bez_error *err) {
  bez_buf_puts(out, "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n");
  bez_status st = put_policy(out, err);
  if (st != BEZ_OK) return st;
  bez_buf_printf(
      out,
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<meta name=\"referrer\" content=\"no-referrer\">\n<title>Bezoar report: %s</title>\n<style>%s</style>\n"
      "</head>\n<body>\n<a class=\"skip\" href=\"#findings\">Skip to the findings</a>\n",
      bez_verdict(r, t), bez_html_style);
  return BEZ_OK;
}

/* The first line: what was not checked. */
static void put_unchecked_line(bez_buf *out, const bez_report *r, const bez_tally *t) {
  bez_buf line = {0};
  bez_buf_printf(out, "<div class=\"unchecked%s\"><div class=\"in\">", t->requested ? " bad" : "");
  bez_put_not_checked_names(&line, r, t, NULL);
  bez_html_text(out, line.data, line.len);
  if (line.failed != BEZ_OK) out->failed = line.failed;
  bez_buf_free(&line);
  if (t->not_checked) bez_buf_puts(out, " \xC2\xB7 <a href=\"#not-checked\">what and why</a>");
  bez_buf_puts(out, "</div></div>\n");
}

static void put_tile(bez_buf *out, const char *kind, uint64_t n, const char *label) {
  bez_buf_printf(out, "<li class=\"%s\"><b>", n ? kind : "");
  bez_put_count(out, n);
  bez_buf_printf(out, "</b><span>%s</span></li>", label);
}

static void put_header(bez_buf *out, const bez_report *r, const bez_tally *t) {
  bool guessed = false;
  const char *label = bez_label_column(r, &guessed), *kind = t->errors ? "error" : t->warnings ? "warning" : "good";
  if (r->n_rules_run == 0 && !t->errors) kind = "warning";
  bez_buf_printf(out, "<header><p class=\"brand\">Bezoar <span>");
  bez_html_puts(out, r->command);
  bez_buf_printf(out, " report</span></p>\n<h1 class=\"%s\">%s</h1>\n<p class=\"lede\">", kind, bez_verdict(r, t));
  bez_put_tally(out, t);
  bez_buf_puts(out, " in ");
  bez_put_extent(out, r);
  bez_buf_puts(out, ".");
  if (label) {
    bez_buf_puts(out, " Label column <code>");
    bez_html_puts(out, label);
    bez_buf_puts(out, guessed ? "</code> <span class=\"badge warning\">guessed</span>" : "</code>.");
  }
  if (r->redacted) bez_buf_puts(out, " <span class=\"badge plain\">values redacted</span>");
  bez_buf_puts(out, "</p>\n<ul class=\"tiles\">");
  put_tile(out, "error", t->errors, t->errors == 1 ? "error" : "errors");
  put_tile(out, "warning", t->warnings, t->warnings == 1 ? "warning" : "warnings");
  put_tile(out, "note", t->notes, t->notes == 1 ? "note" : "notes");
  put_tile(out, "", t->suppressed, "suppressed");
  put_tile(out, "", r->n_rules_run, "checks ran");
  put_tile(out, t->requested ? "warning" : "", t->not_checked, "not checked");
  bez_buf_puts(out, "</ul></header>\n");
}

static void put_contents(bez_buf *out, const bez_groups *groups) {
  if (groups->n_active < 2) return;
  bez_buf_puts(out, "<section aria-labelledby=\"glance\"><h2 id=\"glance\">At a glance</h2>\n<div class=\"scroll\" "
                    "tabindex=\"0\" role=\"region\" aria-label=\"At a glance\"><table><caption>Most severe first"
                    "</caption><thead><tr><th scope=\"col\">severity</th><th scope=\"col\">what</th><th scope=\"col\">"
                    "checks</th><th scope=\"col\" class=\"num\">rows</th></tr></thead><tbody>\n");
  for (size_t i = 0; i < groups->n_active && i < MAX_CARDS; i++) {
    const bez_group *g = &groups->item[i];
    const char *level = bez_severity_text(g->severity);
    bez_buf_printf(out, "<tr><td><span class=\"badge %s\">%s</span></td><td><a href=\"#g%zu\">", level, level, i + 1);
    bez_html_short(out, g->title, MAX_LINE);
    bez_buf_puts(out, "</a></td><td class=\"nowrap\">");
    bez_html_puts(out, g->lead->rule->id);
    if (g->n_members > 1) bez_buf_printf(out, " +%zu", g->n_members - 1);
    bez_buf_puts(out, "</td><td class=\"num\">");
    if (g->n_rows) bez_put_count(out, g->n_rows);
    bez_buf_puts(out, "</td></tr>\n");
  }
  bez_buf_puts(out, "</tbody></table></div></section>\n");
}

static void put_findings(bez_buf *out, const bez_report *r, const bez_groups *groups) {
  bez_buf_puts(out, "<section aria-labelledby=\"findings\"><h2 id=\"findings\">Findings</h2>\n");
  if (!groups->n_active && r->n_rules_run) {
    bez_buf_puts(out, "<p class=\"empty\">The ");
    bez_put_counted(out, r->n_rules_run, "check");
    bez_buf_puts(out,
                 " listed below ran and found nothing. That is no proof of clean data: see what was not checked.</p>");
  }
  for (size_t i = 0; i < groups->n_active && i < MAX_CARDS; i++) bez_html_group(out, r, &groups->item[i], i + 1);
  if (groups->n_active > MAX_CARDS)
    bez_buf_printf(out, "<p>%zu more are left out of this page; the JSON report holds all.</p>\n",
                   groups->n_active - MAX_CARDS);
  size_t held = groups->n - groups->n_active;
  if (held) {
    bez_buf_printf(out, "<details><summary>%zu held back: suppressed, or known from the baseline</summary>\n", held);
    for (size_t i = groups->n_active; i < groups->n && i < groups->n_active + MAX_CARDS; i++)
      bez_html_group(out, r, &groups->item[i], i + 1);
    bez_buf_puts(out, "</details>\n");
  }
  bez_buf_puts(out, "</section>\n");
}

static void put_not_checked(bez_buf *out, const bez_report *r) {
  bez_buf what = {0};
  bez_buf_puts(out, "<section aria-labelledby=\"not-checked\"><h2 id=\"not-checked\">Not checked</h2>\n");
  bez_buf_puts(out, r->not_checked ? "<ul class=\"list\">\n" : "<p>Nothing was left out.</p>\n");
  for (const bez_not_checked *item = r->not_checked; item; item = item->next) {
    if (what.failed != BEZ_OK) out->failed = what.failed;
    bez_buf_clear(&what);
    if (!bez_put_not_checked_alike(&what, r, item)) continue;
    bez_buf_puts(out, "<li><b class=\"data\">");
    bez_html_text(out, what.data, what.len);
    bez_buf_puts(out, "</b>: <span class=\"data\">");
    bez_html_puts(out, item->reason);
    bez_buf_puts(out,
                 item->requested ? "</span> <span class=\"badge warning\">requested</span></li>\n" : "</span></li>\n");
  }
  if (r->not_checked) bez_buf_puts(out, "</ul>\n");
  if (what.failed != BEZ_OK) out->failed = what.failed;
  bez_buf_free(&what);
  bez_buf_puts(out, "</section>\n");
}

static bez_status render(const bez_report *report, const bez_write_options *options, bez_buf *out, bez_error *err) {
  bez_tally t = bez_tally_of(report);
  bez_groups groups;
  bez_status st = bez_groups_make(report, &groups, err);
  if (st != BEZ_OK) return st;
  BEZ_TRY(put_head(out, report, &t, err));
  put_unchecked_line(out, report, &t);
  bez_buf_puts(out, "<div class=\"page\">\n");
  put_header(out, report, &t);
  bez_buf_puts(out, "<main>\n");
  put_contents(out, &groups);
  put_findings(out, report, &groups);
  put_not_checked(out, report);
  bez_html_data(out, report);
  bez_html_suppressions(out, report);
  bez_html_checks(out, report);
  bez_html_settings(out, report, !options->without_run);
  bez_buf_puts(out, "</main>\n<footer class=\"fine\">Made by bezoar ");
  bez_html_puts(out, report->tool_version ? report->tool_version : BEZ_VERSION_STRING);
  bez_buf_printf(
      out, ", rule set %u. Row numbers count data rows from 0 in their file.</footer>\n</div>\n</body>\n</html>\n",
      report->ruleset);
cleanup:
  bez_groups_free(&groups);
  return st;
}

const bez_writer bez_writer_html = {
    .info = {.name = "html",
             .title = "HTML",
             .extensions = "html htm",
             .summary = "One self-contained page: triggers shown, example rows beside clean ones, plots, what was not "
                        "checked; light, dark and print."},
    .render = render,
};
