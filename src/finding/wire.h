/* The wire form: JSON of schema version 1 (docs/schema/report-1.json), out and in. */
#ifndef BEZ_FINDING_WIRE_H
#define BEZ_FINDING_WIRE_H

#include "base/json.h"
#include "finding/finding.h"

#define BEZ_REPORT_SCHEMA 1u

/* with_run: also the section that comparisons leave out. redact: no value of the data anywhere. */
BEZ_MUST_USE bez_status bez_report_to_json(const bez_report *report, bool with_run, bool redact, bez_buf *out,
                                           bez_error *err);
BEZ_MUST_USE bez_status bez_report_from_json(const char *bytes, size_t len, const char *subject, bez_report **out,
                                             bez_error *err);

/* Baseline: findings whose fingerprint stands in `old` become is_new = false. */
void bez_report_apply_baseline(bez_report *report, const bez_report *old, bool new_only);

#endif
