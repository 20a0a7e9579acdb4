/* Redaction: a report that keeps the structure and no value of the data. */
#ifndef BEZ_FINDING_REDACT_H
#define BEZ_FINDING_REDACT_H

#include "finding/finding.h"

#define BEZ_REDACTED "\xE2\x80\xB9redacted\xE2\x80\xBA" /* ‹redacted› */

/* A copy of `report` without values of the data, marked as redacted. Strings that stay are shared: destroy the copy
 * before the original. What stays: rules, severities, scores, counts, row numbers, file paths, column names,
 * fingerprints (of which a short value can be guessed by trying), options, suppressions. */
BEZ_MUST_USE bez_status bez_report_redact(const bez_report *report, bez_report **out, bez_error *err);

#endif
