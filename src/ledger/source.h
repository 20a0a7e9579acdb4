/* What is said of a source: the metadata of the Data & Trust Alliance's Data Provenance Standards, version 1.0.0, by
 * their names, in their three groups "source", "provenance" and "use". */
#ifndef BEZ_LEDGER_SOURCE_H
#define BEZ_LEDGER_SOURCE_H

#include "base/json.h"

#define BEZ_DTA_VERSION "1.0.0"

/* Whether fields is an object of these groups with members that the standards know, each of the right shape; what is
 * missing is no fault here. BEZ_FORMAT names the member. */
BEZ_MUST_USE bez_status bez_source_check(const json_t *fields, const char *subject, bez_error *err);
/* Writes an array with the names of what the standards demand and these fields lack ("provenance.date"). */
void bez_source_missing(const json_t *fields, bez_json *j);

#endif
