/* Files, columns and roles go into the report; the columns that detectors look at are chosen. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "scan/scan.h"

static const char *keep(bez_report *report, const char *text) {
  return bez_arena_strdup(&report->arena, text ? text : "");
}

static bez_status copy_files(bez_scan *scan, bez_error *err) {
  const bez_table *t = scan->table;
  bez_report *r = scan->report;
  r->files = bez_arena_array(&r->arena, t->n_files, sizeof *r->files);
  if (!r->files) return bez_fail_memory(err, t->n_files * sizeof *r->files);
  for (size_t i = 0; i < t->n_files; i++) {
    const bez_table_file *f = &t->files[i];
    r->files[i] = (bez_report_file){.path = keep(r, f->path),
                                    .first_row = f->first_row,
                                    .n_rows = f->n_rows,
                                    .bytes = f->bytes,
                                    .format = keep(r, f->format),
                                    .digest = f->digest ? bez_arena_printf(&r->arena, "%016" PRIx64, f->digest) : ""};
    if (!r->files[i].digest) return bez_fail_memory(err, 0);
    if (!r->files[i].path || !r->files[i].format) return bez_fail_memory(err, 0);
  }
  r->n_files = t->n_files;
  r->n_rows = t->n_rows;
  return BEZ_OK;
}

static bez_status copy_columns(bez_scan *scan, bez_error *err) {
  const bez_table *t = scan->table;
  bez_report *r = scan->report;
  r->columns = bez_arena_array(&r->arena, t->n_cols, sizeof *r->columns);
  if (!r->columns) return bez_fail_memory(err, t->n_cols * sizeof *r->columns);
  for (uint32_t c = 0; c < t->n_cols; c++) {
    const bez_column *col = &t->cols[c];
    r->columns[c] = (bez_report_column){.name = keep(r, col->name),
                                        .type = bez_column_type_text(col->type),
                                        .role = bez_column_role_text(col->role),
                                        .distinct = col->n_distinct,
                                        .missing = col->n_missing,
                                        .type_given = col->type_given,
                                        .role_given = col->role_given};
    if (!r->columns[c].name) return bez_fail_memory(err, 0);
  }
  r->n_columns = t->n_cols;
  return BEZ_OK;
}

static uint32_t count_classes(const bez_table *t) {
  if (t->label < 0) return 0;
  const bez_column *col = &t->cols[t->label];
  uint32_t n = 0;
  for (uint32_t code = BEZ_CODE_RARE; code < col->n_values; code++) n += col->count[code] > 0;
  return n;
}

/* A label somebody named is a request: where no check can use it, the scan must not end as if all were well. The same
 * where no column is left to look into. */
static void say_unusable(bez_scan *scan) {
  const bez_table *t = scan->table;
  if (t->n_rows == 0) {
    bez_report_not_checked(scan->report, true, t->n_files ? t->files[0].path : "the data", "there are no rows");
    return;
  }
  const char *why = bez_scan_label_unusable(scan);
  if (t->label >= 0 && t->cols[t->label].role_given && why)
    bez_report_not_checked(scan->report, true, t->cols[t->label].name, "%s", why);
  if (t->label >= 0 && !why && t->cols[t->label].n_missing)
    bez_report_not_checked(scan->report, false, t->cols[t->label].name,
                           "%llu rows have no label: checks that need one leave them out",
                           (unsigned long long)t->cols[t->label].n_missing);
  if (!scan->n_features && !scan->n_texts && t->source < 0 && !t->images && !t->vectors)
    bez_report_not_checked(scan->report, true, "the columns",
                           "none to look into: each is the label, or (nearly) all its values differ");
}

bez_status bez_scan_schema(bez_scan *scan, bez_error *err) {
  const bez_table *t = scan->table;
  bez_status st = copy_files(scan, err);
  if (st == BEZ_OK) st = copy_columns(scan, err);
  if (st != BEZ_OK) return st;
  scan->features = malloc((t->n_cols + 1) * sizeof *scan->features);
  scan->texts = malloc((t->n_cols + 1) * sizeof *scan->texts);
  if (!scan->features || !scan->texts) return bez_fail_memory(err, t->n_cols * sizeof *scan->features);
  for (uint32_t c = 0; c < t->n_cols; c++) {
    const bez_column *col = &t->cols[c];
    bool text = col->text_at && (col->role == BEZ_ROLE_TEXT || col->role == BEZ_ROLE_FEATURE);
    if (text) scan->texts[scan->n_texts++] = c;
    if (!text && col->role == BEZ_ROLE_FEATURE && col->width) scan->features[scan->n_features++] = c;
  }
  scan->n_classes = count_classes(t);
  say_unusable(scan);
  if (t->n_rows < t->n_rows_seen)
    bez_report_not_checked(scan->report, false, "rows", "sampled %llu of %llu rows", (unsigned long long)t->n_rows,
                           (unsigned long long)t->n_rows_seen);
  return bez_report_status(scan->report, err);
}
