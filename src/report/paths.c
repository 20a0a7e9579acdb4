#include "report/paths.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"

static int by_path(const void *a, const void *b) {
  const bez_report_file *x = *(const bez_report_file *const *)a, *y = *(const bez_report_file *const *)b;
  int order = strcmp(x->path, y->path);
  return order ? order : (x > y) - (x < y);
}

bez_status bez_paths_make(const bez_report *report, size_t n, bez_paths *out, bez_error *err) {
  *out = (bez_paths){.sorted = calloc(n + 1, sizeof(bez_report_file *)), .n = n};
  if (!out->sorted) return bez_fail_memory(err, (n + 1) * sizeof(bez_report_file *));
  for (size_t i = 0; i < n; i++) out->sorted[i] = &report->files[i];
  if (n) qsort((void *)out->sorted, n, sizeof *out->sorted, by_path);
  return BEZ_OK;
}

void bez_paths_free(bez_paths *paths) {
  free((void *)paths->sorted);
  *paths = (bez_paths){0};
}

const bez_report_file *bez_paths_find(const bez_paths *paths, const char *path) {
  size_t low = 0, high = paths->n;
  while (low < high) { /* the first that is not below */
    const size_t mid = low + (high - low) / 2;
    if (strcmp(paths->sorted[mid]->path, path) < 0)
      low = mid + 1;
    else
      high = mid;
  }
  return low < paths->n && !strcmp(paths->sorted[low]->path, path) ? paths->sorted[low] : NULL;
}
