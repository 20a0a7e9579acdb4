/* Markdown for comments in CI: short, and nothing from the data can become markup, a mention or a link. */
#include <string.h>

#include "base/utf8.h"
#include "report/groups.h"
#include "report/visible.h"
#include "report/words.h"
#include "report/writer.h"

enum { MAX_GROUPS = 15, MAX_NOT_CHECKED = 15, MAX_TEXT = 200 /* bytes of a title or pattern */ };

static void put(bez_buf *out, const char *text) {
  size_t len = text ? strlen(text) : 0;
  bool cut = len > MAX_TEXT;
  if (cut)
    for (len = MAX_TEXT; len > 0 && ((unsigned char)text[len] & 0xC0) == 0x80;) len--;
  if (len) bez_markup_text(out, BEZ_MARKUP_MARKDOWN, text, len);
  if (cut) bez_buf_puts(out, "\xE2\x80\xA6");
}

static void put_group(bez_buf *out, const bez_group *g) {
  static const char *const icons[] = {"note", "**warning**", "**error**", ""};
  bez_buf_printf(out, "| %s | ", icons[g->severity]);
  put(out, g->title);
  if (g->lead->pattern) {
    bez_buf_puts(out, "<br><code>");
    put(out, g->lead->pattern);
    bez_buf_puts(out, "</code>");
    if (g->lead->target) {
      bez_buf_puts(out, " \xE2\x86\x92 <code>");
      put(out, g->lead->target);
      bez_buf_puts(out, "</code>");
    }
  }
  bez_buf_puts(out, " | ");
  bez_put_count(out, g->n_rows);
  bez_buf_puts(out, " | ");
  for (size_t i = 0; i < g->n_members; i++) {
    bool seen = false;
    for (size_t k = 0; k < i && !seen; k++) seen = !strcmp(g->member[k]->rule->id, g->member[i]->rule->id);
    if (seen || i >= 8) continue;
    if (i) bez_buf_puts(out, " ");
    put(out, g->member[i]->rule->id);
  }
  bez_buf_puts(out, " | ");
  put(out, bez_remedy_of(g->lead));
  bez_buf_puts(out, " |\n");
}

static void put_not_checked(bez_buf *out, const bez_report *r, const bez_tally *t) {
  size_t shown = 0;
  bez_buf what = {0};
  if (!t->not_checked) return;
  bez_buf_printf(out, "\n<details><summary>Not checked: %zu</summary>\n\n", t->not_checked);
  for (const bez_not_checked *item = r->not_checked; item; item = item->next) {
    if (what.failed != BEZ_OK) out->failed = what.failed;
    bez_buf_clear(&what);
    if (!bez_put_not_checked_alike(&what, r, item) || shown++ >= MAX_NOT_CHECKED) continue;
    bez_buf_puts(out, item->requested ? "- **requested:** " : "- ");
    put(out, what.data);
    bez_buf_puts(out, ": ");
    put(out, item->reason);
    bez_buf_putc(out, '\n');
  }
  if (shown > MAX_NOT_CHECKED) bez_buf_printf(out, "- %zu more\n", shown - MAX_NOT_CHECKED);
  if (what.failed != BEZ_OK) out->failed = what.failed;
  bez_buf_free(&what);
  bez_buf_puts(out, "\n</details>\n");
}

static void put_suppressions(bez_buf *out, const bez_report *r) {
  if (!r->n_suppressions) return;
  bez_buf_printf(out, "\n<details><summary>Suppressions: %zu</summary>\n\n", r->n_suppressions);
  for (size_t i = 0; i < r->n_suppressions && i < MAX_NOT_CHECKED; i++) {
    const bez_suppression *s = &r->suppressions[i];
    bez_buf_puts(out, "- ");
    put(out, s->rule ? s->rule : "any rule");
    bez_buf_puts(out, ", owner ");
    put(out, s->owner ? s->owner : "not named");
    bez_buf_printf(out, ", %s ", s->expired ? "**expired**" : "until");
    put(out, s->expires ? s->expires : "ever");
    bez_buf_puts(out, s->used ? ": " : " (matches nothing): ");
    put(out, s->justification ? s->justification : "no reason given");
    bez_buf_putc(out, '\n');
  }
  bez_buf_puts(out, "\n</details>\n");
}

static bez_status render(const bez_report *report, const bez_write_options *options, bez_buf *out, bez_error *err) {
  bez_tally t = bez_tally_of(report);
  bez_groups groups;
  bool guessed = false;
  bez_status st = bez_groups_make(report, &groups, err);
  if (st != BEZ_OK) return st;
  bez_put_not_checked(out, &t);
  bez_buf_printf(out, "\n\n### Bezoar: %s\n\n", bez_verdict(report, &t));
  bez_put_tally(out, &t);
  bez_buf_puts(out, " in ");
  bez_put_extent(out, report);
  const char *label = bez_label_column(report, &guessed);
  if (label) {
    bez_buf_puts(out, guessed ? "; label guessed: " : "; label: ");
    put(out, label);
  }
  bez_buf_puts(out, report->redacted ? "; values redacted\n" : "\n");
  if (groups.n_active) bez_buf_puts(out, "\n| severity | what | rows | checks | what to do |\n|---|---|--:|---|---|\n");
  for (size_t i = 0; i < groups.n_active && i < MAX_GROUPS; i++) put_group(out, &groups.item[i]);
  if (groups.n_active > MAX_GROUPS)
    bez_buf_printf(out, "\n%zu more in the full report.\n", groups.n_active - MAX_GROUPS);
  put_suppressions(out, report);
  put_not_checked(out, report, &t);
  bez_groups_free(&groups);
  return BEZ_OK;
}

const bez_writer bez_writer_markdown = {
    .info = {.name = "md",
             .title = "Markdown",
             .extensions = "md markdown",
             .summary = "A short comment for pull requests: verdict, the most severe incidents, what was not checked."},
    .render = render,
};
