#include "report/checks.h"

#include <string.h>

#include "report/words.h"

enum { INDENT = 2 };

/* What counts of one rule's findings, in words; "nothing" where none does. */
static void put_outcome(bez_buf *line, const bez_report *r, const bez_rule *rule) {
  static const char *const nouns[] = {"note", "warning", "error"};
  size_t n[3] = {0}, held_back = 0;
  bool first = true;
  for (size_t i = 0; i < r->n_findings; i++) {
    const bez_finding *f = r->findings[i];
    if (strcmp(f->rule->id, rule->id) != 0) continue;
    if (!bez_finding_active(r, f))
      held_back++;
    else if (f->severity <= BEZ_SEV_ERROR)
      n[f->severity]++;
  }
  for (int s = BEZ_SEV_ERROR; s >= BEZ_SEV_NOTE; s--) {
    if (!n[s]) continue;
    bez_buf_puts(line, first ? "" : ", ");
    bez_put_counted(line, n[s], nouns[s]);
    first = false;
  }
  if (first) bez_buf_puts(line, "nothing");
  if (held_back) bez_buf_printf(line, " (%zu held back)", held_back);
}

/* Something of the rule stands among what was not checked: "nothing" is then no more than half the truth. */
static bool in_part(const bez_report *r, const bez_rule *rule) {
  for (const bez_not_checked *u = r->not_checked; u; u = u->next)
    if (!strncmp(u->what, rule->id, strlen(rule->id))) return true;
  return false;
}

void bez_put_checks(const bez_paper *paper, const bez_report *report) {
  bez_buf line = {0};
  if (report->n_rules_run) bez_buf_puts(paper->out, "\nChecked\n");
  for (size_t i = 0; i < report->n_rules_run; i++) {
    const bez_rule *rule = report->rules_run[i];
    bez_buf_printf(&line, "%s %s: ", rule->id, rule->name);
    put_outcome(&line, report, rule);
    if (in_part(report, rule)) bez_buf_puts(&line, "; not all was checked, see below");
    bez_spaces(paper->out, INDENT);
    bez_wrap_take(paper, INDENT, INDENT + 2, &line);
  }
  bez_buf_free(&line);
}
