/* Where findings lie, in SARIF: files, what is packed in them, rows and bytes. */
#ifndef BEZ_REPORT_SARIF_WHERE_H
#define BEZ_REPORT_SARIF_WHERE_H

#include "base/json.h"
#include "report/groups.h"
#include "report/paths.h"

/* What is packed in a file, or in something that is packed there. */
typedef struct bez_sarif_nested {
  const char *name; /* borrowed, not NUL-terminated */
  size_t len;
  size_t file;   /* of the report */
  size_t parent; /* among the nested; SIZE_MAX: the file itself */
} bez_sarif_nested;

typedef struct bez_sarif_where {
  const bez_report *report;
  bez_paths paths;
  uint32_t *artifact; /* per file: its number among the artifacts, from 1; 0: not listed */
  uint32_t n_listed;
  bez_sarif_nested *nested; /* behind the files among the artifacts, parents first */
  size_t n_nested, room;
  bez_buf text;    /* scratch */
} bez_sarif_where; /* zero-initialise; release with bez_sarif_where_free */

/* For the first n groups. */
BEZ_MUST_USE bez_status bez_sarif_where_make(const bez_report *report, const bez_group *groups, size_t n,
                                             bez_sarif_where *out, bez_error *err);
void bez_sarif_where_free(bez_sarif_where *where);

void bez_sarif_artifacts(bez_sarif_where *where, bez_json *j);
/* "locations", and for what is packed in a file "relatedLocations" with the byte in it. */
void bez_sarif_locations(bez_sarif_where *where, bez_json *j, const bez_finding *lead);

#endif
