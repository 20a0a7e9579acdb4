/* Bins of a column: how value codes are grouped before evidence is counted. Private to fit/woe*.c. */
#ifndef BEZ_FIT_WOE_BINS_H
#define BEZ_FIT_WOE_BINS_H

#include "fit/woe.h"

#define BEZ_WOE_QUANTILES 32u /* bins of a numeric column, the ones for missing and odd cells not counted */
#define BEZ_WOE_PER_VALUE 64u /* numeric columns of at most so many values have a bin per value */
#define BEZ_WOE_MAX_BINS 4096u

/* Fills n_bins[f], bin_of_code[f] and raw_edge[f] (both malloc'ed). Bin 0: missing; bin 1: rare values, and cells
 * of a numeric column that hold no number. */
BEZ_MUST_USE bez_status bez_woe_make_bins(bez_woe *woe, const bez_table *table, uint32_t f, bez_error *err);

/* Bin of a raw number of a truncated column (bins 2 …). */
uint32_t bez_woe_raw_bin(const float *edge, uint32_t n_bins, float value);

#endif
