/* The listed rows as CSV: one line per row and finding, ascending by row. Labels stand as they are in the data: a
 * label that begins with = + - or @ is not changed, so import the file as text where a spreadsheet would run it. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "report/writer.h"

typedef struct bez_listing {
  const bez_finding *finding;
  const bez_row_hit *hit;
  size_t order; /* of the finding in the report */
} bez_listing;

static int by_row(const void *a, const void *b) {
  const bez_listing *x = a, *y = b;
  if (x->hit->row != y->hit->row) return x->hit->row < y->hit->row ? -1 : 1;
  int order = strcmp(x->finding->rule->id, y->finding->rule->id);
  return order ? order : (x->order > y->order) - (x->order < y->order);
}

/* RFC 4180: quoted where needed, quotes doubled. */
static void put_field(bez_buf *out, const char *text) {
  if (!text) return;
  if (!strpbrk(text, ",\"\r\n")) {
    bez_buf_puts(out, text);
    return;
  }
  bez_buf_putc(out, '"');
  for (const char *p = text; *p; p++) {
    if (*p == '"') bez_buf_putc(out, '"');
    bez_buf_putc(out, *p);
  }
  bez_buf_putc(out, '"');
}

static void put_number(bez_buf *out, double value) {
  char text[32];
  if (isnan(value)) return;
  bez_format_double(value, text);
  bez_buf_puts(out, text);
}

static void put_line(bez_buf *out, const bez_report *report, const bez_listing *l) {
  uint64_t local = l->hit->row;
  const bez_report_file *file = bez_report_locate(report, l->hit->row, &local);
  bez_buf_printf(out, "%llu,%s,%s,", (unsigned long long)(file ? local : l->hit->row), l->finding->rule->id,
                 bez_severity_text(l->finding->severity));
  put_number(out, l->hit->score);
  bez_buf_putc(out, ',');
  put_number(out, l->hit->q);
  bez_buf_putc(out, ',');
  put_field(out, l->hit->label);
  bez_buf_putc(out, ',');
  put_field(out, l->hit->suggested);
  bez_buf_putc(out, ',');
  if (l->finding->incident) bez_buf_printf(out, "%u", l->finding->incident);
  bez_buf_putc(out, ',');
  put_field(out, file ? file->path : NULL);
  bez_buf_putc(out, '\n');
}

static bez_status render(const bez_report *report, const bez_write_options *options, bez_buf *out, bez_error *err) {
  uint64_t n = bez_report_row_count(report), at = 0;
  bez_listing *list = calloc(n + 1, sizeof *list);
  if (!list) return bez_fail_memory(err, n * sizeof *list);
  for (size_t i = 0; i < report->n_findings; i++) {
    const bez_finding *f = report->findings[i];
    if (!bez_finding_active(report, f)) continue;
    for (uint64_t k = 0; k < f->n_rows; k++) list[at++] = (bez_listing){f, &f->rows[k], i};
  }
  qsort(list, at, sizeof *list, by_row);
  bez_buf_puts(out, "row,rule,severity,score,q,label,suggested_label,incident,file\n");
  for (uint64_t i = 0; i < at; i++) put_line(out, report, &list[i]);
  free(list);
  return BEZ_OK;
}

const bez_writer bez_writer_rows = {
    .info = {.name = "rows",
             .title = "Listed rows as CSV",
             .extensions = "csv",
             .summary = "One line per row and finding that counts: row (0-based data row of its file), rule, severity, "
                        "score, q, label, suggested_label, incident, file."},
    .render = render,
};
