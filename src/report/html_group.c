/* One incident in HTML: what was found, the trigger, the evidence, the rows, what to do. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "report/html.h"
#include "report/taxonomy.h"
#include "report/words.h"

enum { MAX_LISTED = 1000 /* rows of one finding in the page */, MAX_CHIP = 300 /* bytes of a pattern's clause */ };

static void put_fact(bez_buf *out, const char *key, const char *value) {
  bez_buf_puts(out, "<div><dt>");
  bez_html_puts(out, key);
  bez_buf_puts(out, "</dt><dd>");
  bez_html_puts(out, value);
  bez_buf_puts(out, "</dd></div>");
}

static void put_fact_number(bez_buf *out, const char *key, double value) {
  char text[32];
  if (isnan(value)) return;
  bez_short_number(value, text);
  put_fact(out, key, text);
}

static void put_evidence(bez_buf *out, const bez_evidence *e) {
  bez_buf key = {0}, value = {0};
  bez_put_key(&key, e->key);
  bez_put_value(&value, e);
  put_fact(out, key.data, value.data);
  if (key.failed != BEZ_OK || value.failed != BEZ_OK) out->failed = BEZ_MEMORY;
  bez_buf_free(&key);
  bez_buf_free(&value);
}

/* Numbers first, then words. */
static void put_facts(bez_buf *out, const bez_finding *f) {
  if (isnan(f->score) && isnan(f->p_value) && isnan(f->q_value) && !f->evidence) return;
  bez_buf_puts(out, "<dl class=\"facts\">");
  put_fact_number(out, "score", f->score);
  put_fact_number(out, "p-value", f->p_value);
  put_fact_number(out, "q-value", f->q_value);
  for (int words = 0; words < 2; words++)
    for (const bez_evidence *e = f->evidence; e; e = e->next)
      if ((isnan(e->number) != 0) == (words == 1)) put_evidence(out, e);
  bez_buf_puts(out, "</dl>\n");
}

/* The pattern's clauses as chips, then the label they push to. */
static void put_trigger(bez_buf *out, const bez_report *r, const bez_finding *f) {
  const char *pattern = bez_shown_pattern(r, f);
  if (!pattern && !f->target) return;
  bez_buf_puts(out, "<div class=\"trigger\">");
  for (const char *at = pattern; at;) {
    const char *next = strstr(at, " & ");
    size_t len = next ? (size_t)(next - at) : strlen(at);
    bez_buf_puts(out, f->ranked_list ? "<code class=\"chip to\">" : "<code class=\"chip\">");
    if (len <= MAX_CHIP)
      bez_html_text(out, at, len);
    else
      bez_html_short(out, at, MAX_CHIP);
    bez_buf_puts(out, "</code>");
    if (next) bez_buf_puts(out, " <span class=\"dim\">and</span> ");
    at = next ? next + 3 : NULL;
  }
  if (f->target) {
    bez_buf_puts(out, " <span class=\"dim\">pushes to</span> <code class=\"chip to\">");
    bez_html_short(out, f->target, MAX_CHIP);
    bez_buf_puts(out, "</code>");
  }
  bez_buf_puts(out, "</div>\n");
}

static void put_number_cell(bez_buf *out, double value) {
  char text[32] = "";
  if (!isnan(value)) bez_format_double(value, text);
  bez_buf_puts(out, "<td class=\"num\">");
  bez_html_puts(out, text);
  bez_buf_puts(out, "</td>");
}

static void put_text_cell(bez_buf *out, const char *text) {
  bez_buf_puts(out, "<td>");
  bez_html_short(out, text, MAX_CHIP);
  bez_buf_puts(out, "</td>");
}

/* Which columns of a row list hold anything. */
typedef struct bez_listed {
  bool score, q, label, suggested, file;
} bez_listed;

static bez_listed listed_columns(const bez_report *r, const bez_finding *f) {
  bez_listed has = {.file = r->n_files > 1};
  for (uint64_t i = 0; i < f->n_rows && i < MAX_LISTED; i++) {
    has.score |= !isnan(f->rows[i].score);
    has.q |= !isnan(f->rows[i].q);
    has.label |= f->rows[i].label != NULL;
    has.suggested |= f->rows[i].suggested != NULL;
  }
  return has;
}

static void put_hit(bez_buf *out, const bez_report *r, const bez_row_hit *hit, const bez_listed *has) {
  uint64_t local = hit->row;
  const bez_report_file *file = bez_report_locate(r, hit->row, &local);
  bez_buf_printf(out, "<tr><td class=\"num\">%llu</td>", (unsigned long long)(file ? local : hit->row));
  if (has->score) put_number_cell(out, hit->score);
  if (has->q) put_number_cell(out, hit->q);
  if (has->label) put_text_cell(out, hit->label);
  if (has->suggested) put_text_cell(out, hit->suggested);
  if (has->file) put_text_cell(out, file ? file->path : NULL);
  bez_buf_puts(out, "</tr>\n");
}

static void put_rows(bez_buf *out, const bez_report *r, const bez_finding *f) {
  if (!f->n_rows) return;
  bez_listed has = listed_columns(r, f);
  bez_buf_puts(out, "<details><summary>");
  bez_put_counted(out, f->n_rows, "row");
  if (f->ranked_list) bez_buf_puts(out, " to review");
  bez_buf_puts(out,
               "</summary><div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Rows\"><table><caption>"
               "Rows, numbered from 0 in their file");
  if (f->n_rows > MAX_LISTED) {
    bez_buf_printf(out, "; the first %d of ", MAX_LISTED);
    bez_put_count(out, f->n_rows);
    bez_buf_puts(out, ", --rows rows.csv lists all");
  }
  bez_buf_puts(out, "</caption><thead><tr><th scope=\"col\" class=\"num\">row</th>");
  if (has.score) bez_buf_puts(out, "<th scope=\"col\" class=\"num\">score</th>");
  if (has.q) bez_buf_puts(out, "<th scope=\"col\" class=\"num\">q</th>");
  if (has.label) bez_buf_puts(out, "<th scope=\"col\">label</th>");
  if (has.suggested) bez_buf_puts(out, "<th scope=\"col\">suggested</th>");
  if (has.file) bez_buf_puts(out, "<th scope=\"col\">file</th>");
  bez_buf_puts(out, "</tr></thead><tbody>\n");
  for (uint64_t i = 0; i < f->n_rows && i < MAX_LISTED; i++) put_hit(out, r, &f->rows[i], &has);
  bez_buf_puts(out, "</tbody></table></div></details>\n");
}

static void put_taxonomy(bez_buf *out, const bez_rule *rule) {
  bez_taxon taxon;
  bool any = false;
  for (const char *at = rule->taxonomy ? rule->taxonomy : ""; bez_taxon_next(&at, &taxon);) {
    bez_buf_puts(out, any ? " \xC2\xB7 " : "<br>Classified as ");
    any = true;
    if (taxon.taxonomy) {
      bez_html_puts(out, taxon.taxonomy->name);
      if (strcmp(taxon.taxonomy->prefix, "NIST") != 0) bez_buf_printf(out, " %s", taxon.taxonomy->version);
      bez_buf_putc(out, ' ');
    }
    bez_html_text(out, taxon.id, taxon.len);
    if (*taxon.title) bez_buf_printf(out, " (%s)", taxon.title);
  }
}

static void put_finding(bez_buf *out, const bez_report *r, const bez_group *g, const bez_finding *f) {
  bool active = bez_finding_active(r, f);
  bez_buf_puts(out, "<div class=\"finding\"><h4><code>");
  bez_html_puts(out, f->rule->id);
  bez_buf_puts(out, "</code> ");
  bez_html_puts(out, f->rule->title);
  if (g->n_members > 1)
    bez_buf_printf(out, " <span class=\"badge %s\">%s</span>", bez_severity_text(f->severity),
                   bez_severity_text(f->severity));
  if (f->suppressed) bez_buf_puts(out, " <span class=\"badge plain\">suppressed</span>");
  if (!active && !f->suppressed) bez_buf_puts(out, " <span class=\"badge plain\">known</span>");
  bez_buf_puts(out, "</h4>\n");
  if (strcmp(f->title, g->title) != 0) {
    bez_buf_puts(out, "<p class=\"data\">");
    bez_html_puts(out, f->title);
    bez_buf_puts(out, "</p>\n");
  }
  if (f->suppressed_by) {
    bez_buf_puts(out, "<p class=\"dim\">Suppressed: ");
    bez_html_puts(out, f->suppressed_by);
    bez_buf_puts(out, "</p>\n");
  }
  put_trigger(out, r, f);
  put_facts(out, f);
  for (const bez_exhibit *x = f->exhibit; x; x = x->next) bez_html_exhibit(out, x);
  put_rows(out, r, f);
  if (f == g->member[0] || strcmp(bez_remedy_of(g->member[0]), bez_remedy_of(f)) != 0) {
    bez_buf_puts(out, "<p class=\"do\"><b>What to do:</b> ");
    bez_html_puts(out, bez_remedy_of(f));
    bez_buf_puts(out, "</p>\n");
  }
  bez_buf_puts(out, "<p class=\"fine\">Fingerprint <code>");
  bez_html_puts(out, f->fingerprint);
  bez_buf_puts(out, "</code>");
  put_taxonomy(out, f->rule);
  bez_buf_puts(out, "</p></div>\n");
}

void bez_html_group(bez_buf *out, const bez_report *report, const bez_group *g, size_t number) {
  const char *level = bez_severity_text(g->severity);
  bez_buf_printf(out,
                 "<article class=\"card %s\" id=\"g%zu\"><div class=\"top\"><span class=\"badge %s\">%s</span><h3>",
                 level, number, level, level);
  if (g->incident) bez_buf_printf(out, "Incident %u: ", g->incident->id);
  bez_html_puts(out, g->title);
  bez_buf_puts(out, "</h3>");
  if (report->has_baseline) bez_buf_printf(out, "<span class=\"badge plain\">%s</span>", g->is_new ? "new" : "known");
  if (g->n_rows) {
    bez_buf_puts(out, "<span class=\"dim nowrap\">");
    bez_put_counted(out, g->n_rows, "row");
    bez_buf_puts(out, "</span>");
  }
  bez_buf_puts(out, "</div>\n");
  for (size_t i = 0; i < g->n_members; i++) put_finding(out, report, g, g->member[i]);
  bez_buf_puts(out, "</article>\n");
}
