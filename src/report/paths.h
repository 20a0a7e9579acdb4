/* A report's files by their paths. */
#ifndef BEZ_REPORT_PATHS_H
#define BEZ_REPORT_PATHS_H

#include "finding/finding.h"

typedef struct bez_paths {
  const bez_report_file **sorted;
  size_t n;
} bez_paths; /* zero-initialise; release with bez_paths_free */

/* Of the first n files. */
BEZ_MUST_USE bez_status bez_paths_make(const bez_report *report, size_t n, bez_paths *out, bez_error *err);
void bez_paths_free(bez_paths *paths);
/* The first file of that path; NULL. */
const bez_report_file *bez_paths_find(const bez_paths *paths, const char *path);

#endif
