/* The finding: the one currency of Bezoar, and the report that holds findings as data.
 *
 * Strings handed out belong to the report and live until it is destroyed. A report is not thread safe while it
 * is being filled; a finished report may be read from any number of threads. */
#ifndef BEZOAR_FINDING_H
#define BEZOAR_FINDING_H

#include "bezoar/base.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum bez_severity { BEZ_SEV_NOTE = 0, BEZ_SEV_WARNING = 1, BEZ_SEV_ERROR = 2, BEZ_SEV_NEVER = 3 } bez_severity;

/* "note", "warning", "error", "never". */
BEZ_API const char *bez_severity_text(bez_severity severity);
BEZ_API BEZ_MUST_USE bool bez_severity_parse(const char *text, bez_severity *out);

typedef struct bez_report bez_report;
BEZ_API void bez_report_destroy(bez_report *report); /* NULL is fine */

/* Reads a report from JSON of a published schema version (docs/schema/report-1.json). Hostile bytes are fine. */
BEZ_API BEZ_MUST_USE bez_status bez_report_load(const char *path, bez_report **out, bez_error *err);

/* Findings at or above the severity that are not suppressed (and, where a baseline was applied with new_only, new). */
BEZ_API size_t bez_report_count(const bez_report *report, bez_severity at_least);
/* Requested inputs or checks that could not be examined. Optional checks that did not run are not counted. */
BEZ_API size_t bez_report_unexamined(const bez_report *report);
/* The process exit code DESIGN states: 1 findings at or above fail_on, else 3 something requested could not be
 * examined, else 0. */
BEZ_API int bez_report_exit_code(const bez_report *report, bez_severity fail_on);

/* One listed row. Strings may be NULL. */
typedef struct bez_row_view {
  uint64_t row; /* 0-based data row in its file */
  const char *file;
  const char *rule; /* "BZ-D001" */
  bez_severity severity;
  double score, q; /* NaN where there is none */
  const char *label, *suggested_label;
  uint32_t incident; /* 1-based, 0 none */
} bez_row_view;
/* Rows listed by findings that are not suppressed (and, where a baseline was applied with new_only, new), finding by
 * finding in report order, rows ascending within one. A row that two findings list comes twice. */
BEZ_API uint64_t bez_report_row_count(const bez_report *report);
BEZ_API bez_row_view bez_report_row(const bez_report *report, uint64_t index);

/* One finding, in report order (most severe first). */
typedef struct bez_finding_view {
  const char *rule, *title, *target, *fingerprint, *remedy;
  bez_severity severity;
  double score, p_value, q_value;
  uint64_t n_rows;
  uint32_t incident;
  bool suppressed, is_new;
} bez_finding_view;
BEZ_API size_t bez_report_finding_count(const bez_report *report);
BEZ_API bez_finding_view bez_report_finding(const bez_report *report, size_t index);

#ifdef __cplusplus
}
#endif
#endif
