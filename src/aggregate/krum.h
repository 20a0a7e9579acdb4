/* What Krum and Multi-Krum share. */
#ifndef BEZ_AGGREGATE_KRUM_H
#define BEZ_AGGREGATE_KRUM_H

#include "aggregate/aggregator.h"

/* The mean of the `keep` rows with the best scores. */
BEZ_MUST_USE bez_status bez_krum_select(const bez_aggregate_input *in, uint32_t keep, bez_aggregate_rows *out,
                                        bez_error *err);

#endif
