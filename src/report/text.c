/* Text for people at a terminal: what was not checked first, then the verdict, then one block per incident. */
#include <stdlib.h>
#include <string.h>

#include "report/checks.h"
#include "report/columns.h"
#include "report/files.h"
#include "report/groups.h"
#include "report/visible.h"
#include "report/words.h"
#include "report/wrap.h"
#include "report/writer.h"

enum {
  KEY = 2,         /* indent of a block's keys */
  VALUE = 14,      /* column of their values */
  MAX_GROUPS = 40, /* blocks shown in full; the other formats hold all */
  MAX_ITEMS = 12,  /* row ranges listed */
  MAX_LINES = 8,   /* columns of a cell exhibit */
  MAX_EXAMPLES = 2 /* exhibits of a finding */
};

static const char *paint(const bez_paper *paper, bez_severity severity) {
  static const char *const codes[] = {"\x1b[36m", "\x1b[33m", "\x1b[1;31m", ""};
  return paper->color ? codes[severity] : "";
}

static const char *unpaint(const bez_paper *paper) {
  return paper->color ? "\x1b[0m" : "";
}

static void put_key(const bez_paper *paper, const char *key) {
  size_t len = bez_columns(key, strlen(key));
  bez_spaces(paper->out, KEY);
  bez_visible(paper->out, key, strlen(key), paper->ascii);
  bez_spaces(paper->out, len + KEY < VALUE ? (unsigned)(VALUE - KEY - len) : 1);
}

static void put_field(const bez_paper *paper, const char *key, const char *value) {
  if (!value || !*value) return;
  put_key(paper, key);
  bez_wrap(paper, VALUE, VALUE, value, strlen(value));
}

/* A field whose value a helper writes; empty values leave the field out. */
static void put_built(const bez_paper *paper, const char *key, bez_buf *value) {
  if (value->len) put_field(paper, key, value->data);
  if (value->failed != BEZ_OK) paper->out->failed = value->failed;
  bez_buf_clear(value);
}

static bool highlighted(const bez_exhibit *x, uint32_t col) {
  for (uint32_t r = 0; r < x->n_rows; r++)
    if (x->highlight[(size_t)r * x->n_cols + col]) return true;
  return false;
}

/* The first row that is flagged and the first that is not: the pair that explains most in little room. */
static uint32_t pick_rows(const bez_exhibit *x, uint32_t picked[2]) {
  uint32_t n = 0;
  for (uint32_t r = 1; r < x->n_rows && n == 0; r++)
    if (strcmp(x->role[r], x->role[0]) != 0) n = r;
  picked[0] = 0;
  picked[1] = n ? n : 1;
  return x->n_rows < 2 ? x->n_rows : 2;
}

static void put_cell_line(const bez_paper *paper, const bez_exhibit *x, uint32_t col, const uint32_t *rows, uint32_t n,
                          unsigned wide) {
  bool mark = highlighted(x, col);
  bez_spaces(paper->out, VALUE);
  bez_buf_puts(paper->out, mark ? "* " : "  ");
  bez_fit(paper, wide, true, x->header[col]);
  for (uint32_t i = 0; i < n; i++) {
    size_t at = (size_t)rows[i] * x->n_cols + col;
    bool lit = x->highlight[at] != 0;
    bez_spaces(paper->out, 2);
    if (lit) bez_buf_puts(paper->out, paint(paper, BEZ_SEV_ERROR));
    bez_fit(paper, wide, i + 1 < n, x->cells[at]);
    if (lit) bez_buf_puts(paper->out, unpaint(paper));
  }
  bez_buf_putc(paper->out, '\n');
}

/* Columns become lines, highlighted ones first, so that wide tables fit. */
static void put_cells(const bez_paper *paper, const bez_exhibit *x) {
  uint32_t rows[2], n = pick_rows(x, rows), lines = 0;
  if (n == 0 || x->n_cols == 0) return;
  unsigned wide = (paper->width - VALUE - 2 - 2 * n) / (n + 1);
  put_field(paper, "example", x->caption);
  bez_spaces(paper->out, VALUE + 2);
  bez_spaces(paper->out, wide);
  for (uint32_t i = 0; i < n; i++) {
    bez_spaces(paper->out, 2);
    bez_fit(paper, wide, i + 1 < n, x->role[rows[i]]);
  }
  bez_buf_putc(paper->out, '\n');
  for (int pass = 0; pass < 2; pass++)
    for (uint32_t c = 0; c < x->n_cols && lines < MAX_LINES; c++) {
      if (highlighted(x, c) != (pass == 0)) continue;
      put_cell_line(paper, x, c, rows, n, wide);
      lines++;
    }
  if (lines < x->n_cols) {
    bez_spaces(paper->out, VALUE + 2);
    bez_buf_printf(paper->out, "(%u more columns)\n", x->n_cols - lines);
  }
}

static void put_excerpt(const bez_paper *paper, const bez_exhibit *x) {
  bez_buf marked = {0};
  size_t at = 0;
  const char *open = paper->ascii ? ">>" : "\xC2\xBB", *close = paper->ascii ? "<<" : "\xC2\xAB";
  for (uint32_t i = 0; i < x->n_spans; i++) {
    bez_buf_write(&marked, x->text + at, x->spans[i].begin - at);
    bez_buf_puts(&marked, open);
    bez_buf_write(&marked, x->text + x->spans[i].begin, x->spans[i].end - x->spans[i].begin);
    bez_buf_puts(&marked, close);
    at = x->spans[i].end;
  }
  bez_buf_puts(&marked, x->text + at);
  put_field(paper, "example", x->caption);
  if (marked.len) {
    bez_spaces(paper->out, VALUE);
    bez_wrap_take(paper, VALUE, VALUE, &marked);
  }
  if (marked.failed != BEZ_OK) paper->out->failed = marked.failed;
  bez_buf_free(&marked);
}

static void put_examples(const bez_paper *paper, const bez_finding *f) {
  unsigned shown = 0;
  for (const bez_exhibit *x = f->exhibit; x && shown < MAX_EXAMPLES; x = x->next) {
    if (x->kind == BEZ_EXHIBIT_CELLS) put_cells(paper, x);
    if (x->kind == BEZ_EXHIBIT_TEXT) put_excerpt(paper, x);
    shown += x->kind == BEZ_EXHIBIT_CELLS || x->kind == BEZ_EXHIBIT_TEXT;
  }
}

static bool same_rows(const bez_finding *a, const bez_finding *b) {
  if (!a || a == b || !a->n_rows || a->n_rows != b->n_rows) return false;
  for (uint64_t i = 0; i < a->n_rows; i++)
    if (a->rows[i].row != b->rows[i].row) return false;
  return true;
}

/* first: the incident's first finding that was put; NULL: this one is. */
static void put_finding(const bez_paper *paper, const bez_report *r, const bez_finding *f, const bez_finding *first,
                        const char *shown_title) {
  bez_buf line = {0};
  put_field(paper, f->rule->id, f->rule->title);
  if (strcmp(f->title, shown_title) != 0) put_field(paper, "", f->title);
  put_field(paper, "pattern", bez_shown_pattern(r, f));
  put_field(paper, "pushes to", f->target);
  bez_put_evidence(&line, f);
  put_built(paper, "evidence", &line);
  if (same_rows(first, f)) {
    bez_buf_printf(&line, "the same as above");
    put_built(paper, "rows", &line);
  } else if (f->n_rows) {
    bez_put_counted(&line, f->n_rows, "row");
    if (f->ranked_list) bez_buf_puts(&line, " to review");
    bez_buf_puts(&line, ": ");
    bez_put_rows(&line, r, f, MAX_ITEMS, paper->ascii);
    put_built(paper, "rows", &line);
  }
  put_examples(paper, f);
  if (!first || strcmp(bez_remedy_of(first), bez_remedy_of(f)) != 0) put_field(paper, "do", bez_remedy_of(f));
  put_field(paper, "fingerprint", f->fingerprint);
  bez_buf_free(&line);
}

static void put_group(const bez_paper *paper, const bez_report *r, const bez_group *g) {
  bez_buf title = {0};
  const char *level = bez_severity_text(g->severity);
  unsigned indent = (unsigned)strlen(level) + 3;
  bez_buf_printf(paper->out, "\n%s[%s]%s ", paint(paper, g->severity), level, unpaint(paper));
  if (g->incident) bez_buf_printf(&title, "Incident %u: ", g->incident->id);
  bez_buf_puts(&title, g->title);
  if (r->has_baseline && !g->is_new) bez_buf_puts(&title, " (known from the baseline)");
  bez_wrap_take(paper, indent, indent, &title);
  bez_buf_free(&title);
  const bez_finding *first = NULL;
  for (size_t i = 0; i < g->n_members; i++) {
    if (!bez_finding_active(r, g->member[i])) continue;
    put_finding(paper, r, g->member[i], first, g->title);
    if (!first) first = g->member[i];
  }
}

/* The first two or three lines: what was not checked, the verdict, the extent. */
static void put_head(const bez_paper *paper, const bez_report *r) {
  bez_tally t = bez_tally_of(r);
  bez_buf line = {0};
  bool guessed = false;
  bez_put_not_checked_names(&line, r, &t, "details at the end");
  bez_wrap_take(paper, 0, 2, &line);
  bez_severity level = t.errors ? BEZ_SEV_ERROR : t.warnings ? BEZ_SEV_WARNING : BEZ_SEV_NEVER;
  const char *verdict = bez_verdict(r, &t);
  bez_buf_printf(paper->out, "%s%s%s: ", paint(paper, level), verdict, unpaint(paper));
  bez_put_tally(&line, &t);
  bez_wrap_take(paper, (unsigned)strlen(verdict) + 2, 2, &line);
  bez_put_extent(&line, r);
  const char *label = bez_label_column(r, &guessed);
  if (label) bez_buf_printf(&line, "; label \"%s\"%s", label, guessed ? " (guessed: name it with --label)" : "");
  bez_buf_puts(&line, "; ");
  bez_put_counted(&line, r->n_rules_run, "check");
  bez_buf_printf(&line, ", rule set %u%s", r->ruleset, r->redacted ? "; values redacted" : "");
  bez_wrap_take(paper, 0, 2, &line);
  bez_buf_free(&line);
}

static void put_suppressions(const bez_paper *paper, const bez_report *r) {
  bez_buf line = {0};
  if (r->n_suppressions) bez_buf_puts(paper->out, "\nSuppressions\n");
  for (size_t i = 0; i < r->n_suppressions; i++) {
    const bez_suppression *s = &r->suppressions[i];
    bez_buf_printf(&line, "%s by %s, %s %s%s: %s", s->fingerprint ? s->fingerprint : "every finding of the rule",
                   s->owner ? s->owner : "nobody named", s->expired ? "EXPIRED" : "until",
                   s->expires ? s->expires : "ever", s->used ? "" : ", matches nothing",
                   s->justification ? s->justification : "no reason given");
    put_built(paper, s->rule ? s->rule : "any rule", &line);
  }
  bez_buf_free(&line);
}

static void put_not_checked(const bez_paper *paper, const bez_report *r) {
  bez_buf line = {0};
  if (r->not_checked) bez_buf_puts(paper->out, "\nNot checked\n");
  for (const bez_not_checked *item = r->not_checked; item; item = item->next) {
    if (!bez_put_not_checked_alike(&line, r, item)) continue;
    bez_buf_printf(&line, ": %s%s", item->reason, item->requested ? " (requested)" : "");
    bez_spaces(paper->out, KEY);
    bez_buf_puts(paper->out, "- ");
    bez_wrap_take(paper, KEY + 2, KEY + 2, &line);
  }
  bez_buf_free(&line);
}

static bez_status render(const bez_report *report, const bez_write_options *options, bez_buf *out, bez_error *err) {
  bez_paper paper = {.out = out, .width = options->width, .ascii = options->ascii, .color = options->color};
  bez_groups groups;
  bez_status st = bez_groups_make(report, &groups, err);
  if (st != BEZ_OK) return st;
  put_head(&paper, report);
  bez_put_schema(&paper, report);
  for (size_t i = 0; i < groups.n_active && i < MAX_GROUPS; i++) put_group(&paper, report, &groups.item[i]);
  if (groups.n_active > MAX_GROUPS)
    bez_buf_printf(out, "\n%zu more are left out here; --report r.html or r.json holds all\n",
                   groups.n_active - MAX_GROUPS);
  bez_put_files(&paper, report);
  put_suppressions(&paper, report);
  bez_put_checks(&paper, report);
  put_not_checked(&paper, report);
  bez_groups_free(&groups);
  return BEZ_OK;
}

const bez_writer bez_writer_text = {
    .info = {.name = "text",
             .title = "Text",
             .extensions = "txt text",
             .summary = "For people at a terminal: fits the width, first line says what was not checked."},
    .render = render,
};
