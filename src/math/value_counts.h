/* How often each value of a column occurs, as a summary that merges: exact up to a stated number of distinct
 * values, beyond it Misra-Gries counts (Misra and Gries 1982; mergeable by Agarwal et al., "Mergeable summaries",
 * PODS 2012): every count is at most `error` too low, and error ≤ total / (capacity + 1).
 *
 * Keys are 64-bit words: the bits of a double, a value code, or a hash. Merging in the same order gives the same
 * bytes; without overflow any order does. Not thread safe: one state per thread, then merge. */
#ifndef BEZ_MATH_VALUE_COUNTS_H
#define BEZ_MATH_VALUE_COUNTS_H

#include "base/summary.h"

#define BEZ_VALUE_COUNTS_MAX (1u << 22) /* ceiling of capacity */

typedef struct bez_value_counts_params {
  uint32_t capacity; /* distinct keys held, 1 … BEZ_VALUE_COUNTS_MAX */
} bez_value_counts_params;

typedef struct bez_value_counts_batch {
  const uint64_t *keys;
  size_t n;
} bez_value_counts_batch;

typedef struct bez_value_count {
  uint64_t key, count;
} bez_value_count;

/* create takes bez_value_counts_params, update bez_value_counts_batch. */
extern const bez_summary bez_value_counts_summary;

/* Digest for bez_summary_seal and bez_summary_open. */
uint64_t bez_value_counts_digest(const bez_value_counts_params *params);

/* Number of keys held, rows seen, and how much a count may be too low. */
size_t bez_value_counts_size(const void *state);
uint64_t bez_value_counts_total(const void *state);
uint64_t bez_value_counts_error(const void *state);
/* Fills out[bez_value_counts_size] ascending by key. */
void bez_value_counts_finish(const void *state, bez_value_count *out);

/* A key for a number whose order as an unsigned word is the order of the numbers; −0 becomes 0, every NaN the same
 * key behind all numbers. */
uint64_t bez_value_key(double value);
double bez_value_of_key(uint64_t key);

#endif
