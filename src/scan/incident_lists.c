/* Ranked lists beside incidents. A list accuses nobody, so it founds no incident; but where most of it is what an
 * incident is about, it belongs there, and where it holds most of an incident's rows, the incident says so. */
#include <string.h>

#include "base/error.h"
#include "scan/scan.h"

/* Rows that both name; rows are ascending, each list short against the other is looked up in it. */
static uint64_t in_common(const bez_finding *a, const bez_finding *b) {
  const bez_finding *few = a->n_rows <= b->n_rows ? a : b, *many = few == a ? b : a;
  uint64_t n = 0, from = 0;
  for (uint64_t i = 0; i < few->n_rows; i++) {
    uint64_t lo = from, hi = many->n_rows, row = few->rows[i].row;
    if (i && row == few->rows[i - 1].row) continue;
    while (lo < hi) {
      uint64_t mid = lo + (hi - lo) / 2;
      if (many->rows[mid].row < row)
        lo = mid + 1;
      else
        hi = mid;
    }
    n += lo < many->n_rows && many->rows[lo].row == row;
    from = lo;
  }
  return n;
}

static bool is_list(const bez_finding *f) {
  return f->ranked_list && !f->suppressed && f->n_rows;
}

/* What the list has in common with each incident, told by the incident's first finding, which is its strongest. seen: a
 * byte per incident. */
static void compare(bez_report *report, bez_finding *list, uint8_t *seen) {
  uint64_t most = 0;
  uint32_t home = 0;
  for (size_t i = 0; i < report->n_findings; i++) {
    bez_finding *f = report->findings[i];
    if (!f->incident || f->ranked_list || seen[f->incident]) continue;
    seen[f->incident] = 1;
    uint64_t common = in_common(list, f);
    if (2 * common < f->n_rows) continue;
    const char *key = bez_arena_printf(&report->arena, "rows also in the list of %s", list->rule->id);
    if (!key) report->out_of_memory = true;
    if (key) bez_finding_number(report, f, key, (double)common);
    if (2 * common >= list->n_rows && common > most) most = common, home = f->incident;
  }
  list->incident = home;
}

#define MOST_FOUND 2000u /* incidents: beyond, nobody reads what lists say of them */

bez_status bez_scan_place_lists(bez_report *report, bez_error *err) {
  uint8_t seen[MOST_FOUND + 1];
  if (report->n_incidents > MOST_FOUND) return BEZ_OK;
  for (size_t i = 0; i < report->n_findings; i++) {
    if (!is_list(report->findings[i])) continue;
    memset(seen, 0, sizeof seen);
    compare(report, report->findings[i], seen);
  }
  return bez_report_status(report, err);
}
