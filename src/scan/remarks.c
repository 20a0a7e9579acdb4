/* What reading noticed and survived becomes findings of the format room. */
#include "format/remarks.h"

#include <string.h>

#include "base/error.h"
#include "scan/scan.h"

/* The fingerprint names the file, not the folder it lies in: the same data elsewhere is the same finding. */
static const char *base_name(const char *path) {
  const char *slash = strrchr(path, '/');
  return slash ? slash + 1 : path;
}

static void add_remark(bez_report *report, const bez_remark_kind *kind, const bez_table_remark *r) {
  const char *path = r->path ? r->path : "";
  bez_finding *f = bez_report_add(report, &kind->rule, kind->severity);
  if (*path)
    bez_finding_title(report, f, "%s: %llu in %s", kind->rule.title, (unsigned long long)r->count, base_name(path));
  else /* of the data set as a whole */
    bez_finding_title(report, f, "%s: %llu", kind->rule.title, (unsigned long long)r->count);
  bez_finding_subject(report, f, base_name(path), NULL);
  bez_finding_number(report, f, "count", (double)r->count);
  if (*path) bez_finding_text(report, f, "file", "%s", path);
  if (r->first_line > 0) bez_finding_number(report, f, "first line", (double)r->first_line);
  if (r->example && *r->example) bez_finding_text(report, f, "example", "%s", r->example);
}

static uint64_t rows_of(const bez_table *table, const char *path) {
  for (size_t i = 0; path && i < table->n_files; i++)
    if (!strcmp(table->files[i].path, path)) return table->files[i].n_rows;
  return 0;
}

/* A file most of whose lines do not fit their first line was not examined as a table, whatever was found in the rest.
 */
static void say_unexamined(bez_scan *scan, const bez_table_remark *r) {
  if (!strcmp(r->rule, "one-column"))
    bez_report_not_checked(scan->report, true, r->path,
                           "its lines do not divide into columns: each was read as one cell");
  else if (!strcmp(r->rule, "ragged") && r->count > rows_of(scan->table, r->path) / 2)
    bez_report_not_checked(scan->report, true, r->path,
                           "%llu lines do not have as many cells as the first: the surplus was left out, the rest "
                           "taken as missing",
                           (unsigned long long)r->count);
}

#define MAX_NAMED 100u /* unread files that are named one by one, of each sort */

/* Files that could not be read while others could: the first by name, then how many more. */
static void say_unread(bez_report *report, const bez_table *table, bool requested) {
  uint64_t n = 0;
  const bez_table_unread *last = NULL;
  for (const bez_table_unread *u = table->unread; u; u = u->next) {
    if (u->requested != requested) continue;
    if (++n <= MAX_NAMED) bez_report_not_checked(report, requested, u->path, "%s", u->why);
    last = u;
  }
  if (n > MAX_NAMED)
    bez_report_not_checked(report, requested, last->path, "the last of %llu more files that were not read",
                           (unsigned long long)(n - MAX_NAMED));
}

bez_status bez_scan_remarks(bez_scan *scan, bez_error *err) {
  const bez_table *beside[] = {scan->golden, scan->reference};
  for (int requested = 1; requested >= 0; requested--) {
    say_unread(scan->report, scan->table, requested);
    for (size_t i = 0; i < sizeof beside / sizeof *beside; i++)
      if (beside[i]) say_unread(scan->report, beside[i], requested);
  }
  for (const bez_table_remark *r = scan->table->remarks; r; r = r->next) {
    const bez_remark_kind *kind = bez_remark_find(r->rule);
    if (!kind) return bez_fail(err, BEZ_INTERNAL, r->rule, "a remark without a row in remarks.def");
    say_unexamined(scan, r);
    if (bez_scan_wanted(scan->options, &kind->rule)) add_remark(scan->report, kind, r);
  }
  return bez_report_status(scan->report, err);
}
