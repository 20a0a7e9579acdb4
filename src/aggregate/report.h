/* What a report says of an aggregation, and the rules its findings have. */
#ifndef BEZ_AGGREGATE_REPORT_H
#define BEZ_AGGREGATE_REPORT_H

#include "bezoar/aggregate.h"
#include "finding/finding.h"

extern const bez_rule bez_aggregate_rules[];
extern const size_t bez_n_aggregate_rules;

/* Findings: clients with NaN or infinity (warning), clients that did not take part (note), and the table of all
 * verdicts (note). */
BEZ_MUST_USE bez_status bez_aggregate_report(const bez_update *updates, size_t n, const bez_aggregate_options *options,
                                             const bez_verdict *verdicts, bez_report *report, bez_error *err);

#endif
