#include "report/columns.h"

#include <string.h>

#include "report/visible.h"

enum { KEY = 2, VALUE = 15, MAX_NAMES = 24 };

/* What a line is about: a role, or for features their type. */
static const char *kind_of(const bez_report_column *c) {
  return strcmp(c->role, "feature") ? c->role : c->type;
}

static void put_names(bez_buf *line, const bez_report *r, const char *kind) {
  size_t n = 0;
  for (size_t i = 0; i < r->n_columns; i++) {
    const bez_report_column *c = &r->columns[i];
    if (strcmp(kind_of(c), kind) != 0) continue;
    if (n++ >= MAX_NAMES) continue;
    bez_buf_printf(line, "%s%s%s", n > 1 ? ", " : "", c->name, c->type_given ? " (type given)" : "");
  }
  if (n > MAX_NAMES) bez_buf_printf(line, ", … (%zu more)", n - MAX_NAMES);
}

void bez_put_schema(const bez_paper *paper, const bez_report *report) {
  static const char *const kinds[] = {"label",       "text", "source",     "id",     "numeric",
                                      "categorical", "time", "identifier", "ignored"};
  bez_buf line = {0};
  if (report->n_columns) bez_buf_puts(paper->out, "\nColumns\n");
  for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
    put_names(&line, report, kinds[i]);
    if (line.failed != BEZ_OK) paper->out->failed = line.failed;
    if (!line.len) continue;
    bez_spaces(paper->out, KEY);
    bez_buf_puts(paper->out, kinds[i]);
    bez_spaces(paper->out, VALUE - KEY - (unsigned)strlen(kinds[i]));
    bez_wrap(paper, VALUE, VALUE, line.data, line.len);
    bez_buf_clear(&line);
  }
  bez_buf_free(&line);
}
