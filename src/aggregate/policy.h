/* What the server decides before any rule runs: parameters and weights. */
#ifndef BEZ_AGGREGATE_POLICY_H
#define BEZ_AGGREGATE_POLICY_H

#include "aggregate/aggregator.h"

/* BEZ_USAGE for a parameter that none of the chain has, that is out of range or given twice. */
BEZ_MUST_USE bez_status bez_parameters_check(const bez_aggregate_options *options, bez_error *err);
/* The rule's knobs, as given or by default. */
void bez_parameters_get(const bez_aggregate_options *options, const bez_aggregator *rule,
                        double knob[BEZ_MOST_PARAMETERS]);

/* share: n weights, sum 1, for the listed updates. Declared counts are capped at the level at which nobody has more
 * than max_weight of the total (uniform where max_weight is below 1 / n). BEZ_USAGE names a client whose count is no
 * positive number. */
BEZ_MUST_USE bez_status bez_policy_shares(const bez_update *const *updates, uint32_t n, bez_weights weights,
                                          double max_weight, double *share, bez_error *err);

#endif
