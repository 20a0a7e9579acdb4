/* The reference parts of the HTML report: data, checks, suppressions, options. */
#include <string.h>

#include "report/html.h"
#include "report/words.h"

/* Opens a table in its scroll box; headings are separated by '|', those that begin with '#' are numbers. */
static void open_table(bez_buf *out, const char *caption, const char *headings) {
  bez_buf_printf(out,
                 "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"%s\"><table><caption>%s</caption>"
                 "<thead><tr>",
                 caption, caption);
  for (const char *at = headings; *at;) {
    size_t len = strcspn(at, "|");
    bool number = *at == '#';
    bez_buf_printf(out, "<th scope=\"col\"%s>%.*s</th>", number ? " class=\"num\"" : "", (int)len - number,
                   at + number);
    at += len + (at[len] == '|');
  }
  bez_buf_puts(out, "</tr></thead><tbody>\n");
}

static void close_table(bez_buf *out) {
  bez_buf_puts(out, "</tbody></table></div>\n");
}

static void head_cell(bez_buf *out, const char *text) {
  bez_buf_puts(out, "<tr><th scope=\"row\">");
  bez_html_puts(out, text);
  bez_buf_puts(out, "</th>");
}

static void text_cell(bez_buf *out, const char *text) {
  bez_buf_puts(out, "<td>");
  bez_html_puts(out, text);
  bez_buf_puts(out, "</td>");
}

static void count_cell(bez_buf *out, uint64_t n) {
  bez_buf_puts(out, "<td class=\"num\">");
  bez_put_count(out, n);
  bez_buf_puts(out, "</td>");
}

static void put_columns(bez_buf *out, const bez_report *r) {
  open_table(out, "Columns", "column|type|role|#distinct|#missing");
  for (size_t i = 0; i < r->n_columns; i++) {
    const bez_report_column *c = &r->columns[i];
    head_cell(out, c->name);
    text_cell(out, c->type);
    bez_buf_puts(out, "<td>");
    bez_html_puts(out, c->role);
    if (!c->role_given && !strcmp(c->role, "label")) bez_buf_puts(out, " <span class=\"badge warning\">guessed</span>");
    bez_buf_puts(out, "</td>");
    count_cell(out, c->distinct);
    count_cell(out, c->missing);
    bez_buf_puts(out, "</tr>\n");
  }
  close_table(out);
}

#define MAX_LISTED 50u /* a folder of pictures has a file per row; the JSON report names them all */

/* A model's digest, and what it says of itself. */
static void put_model_cells(bez_buf *out, const bez_report *r, const bez_report_file *f) {
  const char *why = bez_file_unchecked(r, f);
  bez_buf_puts(out, "<td><code>");
  bez_html_puts(out, f->sha256 && *f->sha256 ? f->sha256 : "not computed");
  bez_buf_puts(out, "</code></td><td>");
  for (size_t i = 0; i < f->n_about; i++) {
    bez_html_puts(out, f->about[i].key);
    bez_buf_puts(out, ": ");
    bez_html_short(out, f->about[i].value, 120);
    bez_buf_puts(out, "<br>");
  }
  bez_buf_puts(out,
               why ? "</td><td><span class=\"badge warning\">not all</span> " : "</td><td>all that the checks need");
  bez_html_puts(out, why);
  bez_buf_puts(out, "</td>");
}

static bool any_model(const bez_report *r) {
  for (size_t i = 0; i < r->n_files; i++)
    if (bez_file_is_model(&r->files[i])) return true;
  return false;
}

static void put_files(bez_buf *out, const bez_report *r) {
  bool models = any_model(r);
  if (r->n_files > 12) bez_buf_printf(out, "<details><summary>%zu files</summary>", r->n_files);
  open_table(out, "Files",
             models ? "file|format|#rows|#bytes|SHA-256|says of itself|examined" : "file|format|#rows|#bytes");
  size_t listed = r->n_files <= MAX_LISTED ? r->n_files : MAX_LISTED;
  for (size_t i = 0; i < listed; i++) {
    head_cell(out, r->files[i].path);
    text_cell(out, r->files[i].format);
    count_cell(out, r->files[i].n_rows);
    count_cell(out, r->files[i].bytes);
    if (models && bez_file_is_model(&r->files[i])) put_model_cells(out, r, &r->files[i]);
    bez_buf_puts(out, "</tr>\n");
  }
  close_table(out);
  if (listed < r->n_files)
    bez_buf_printf(out, "<p>and %zu more; the JSON report names them all.</p>", r->n_files - listed);
  if (r->n_files > 12) bez_buf_puts(out, "</details>");
}

void bez_html_data(bez_buf *out, const bez_report *report) {
  bez_buf_puts(out, "<section aria-labelledby=\"data\"><h2 id=\"data\">The data</h2>\n");
  put_files(out, report);
  put_columns(out, report);
  bez_buf_puts(out, "</section>\n");
}

void bez_html_checks(bez_buf *out, const bez_report *report) {
  bez_buf_puts(out, "<section aria-labelledby=\"checks\"><h2 id=\"checks\">Checks that ran</h2>\n");
  open_table(out, "Checks", "check|what it finds|#findings");
  for (size_t i = 0; i < report->n_rules_run; i++) {
    const bez_rule *rule = report->rules_run[i];
    size_t n = 0;
    for (size_t k = 0; k < report->n_findings; k++)
      n += bez_finding_active(report, report->findings[k]) && !strcmp(report->findings[k]->rule->id, rule->id);
    bez_buf_puts(out, "<tr><th scope=\"row\"><code>");
    bez_html_puts(out, rule->id);
    bez_buf_puts(out, "</code><br>");
    bez_html_puts(out, rule->title);
    bez_buf_puts(out, "</th>");
    text_cell(out, rule->summary);
    count_cell(out, n);
    bez_buf_puts(out, "</tr>\n");
  }
  close_table(out);
  bez_buf_puts(out, "</section>\n");
}

void bez_html_suppressions(bez_buf *out, const bez_report *report) {
  if (!report->n_suppressions) return;
  bez_buf_puts(out, "<section aria-labelledby=\"suppressions\"><h2 id=\"suppressions\">Suppressions</h2>\n");
  open_table(out, "Suppressions that were given", "rule|fingerprint|owner|justification|expires|state");
  for (size_t i = 0; i < report->n_suppressions; i++) {
    const bez_suppression *s = &report->suppressions[i];
    head_cell(out, s->rule ? s->rule : "any");
    text_cell(out, s->fingerprint ? s->fingerprint : "every finding");
    text_cell(out, s->owner);
    text_cell(out, s->justification);
    text_cell(out, s->expires ? s->expires : "never");
    bez_buf_printf(out, "<td><span class=\"badge %s\">%s</span></td></tr>\n", s->expired ? "warning" : "plain",
                   s->expired ? "expired"
                   : s->used  ? "in use"
                              : "matches nothing");
  }
  close_table(out);
  bez_buf_puts(out, "</section>\n");
}

static void put_pairs(bez_buf *out, const char *caption, const bez_kv *pairs, size_t n) {
  open_table(out, caption, "name|value");
  for (size_t i = 0; i < n; i++) {
    head_cell(out, pairs[i].key);
    text_cell(out, pairs[i].value);
    bez_buf_puts(out, "</tr>\n");
  }
  close_table(out);
}

void bez_html_settings(bez_buf *out, const bez_report *report, bool with_run) {
  with_run = with_run && report->n_run;
  if (!report->n_options && !with_run) return;
  bez_buf_puts(out, "<section aria-labelledby=\"options\"><h2 id=\"options\">Options and run</h2>\n");
  if (report->n_options) put_pairs(out, "Options in effect", report->options, report->n_options);
  if (with_run) {
    put_pairs(out, "This run", report->run, report->n_run);
  }
  bez_buf_puts(out, "</section>\n");
}
