/* A column of the data beside its namesake in the reference: equal values matched across the two dictionaries. */
#ifndef BEZ_DETECT_REFERENCE_ALIGN_H
#define BEZ_DETECT_REFERENCE_ALIGN_H

#include "detect/reference_two_sample.h"
#include "fit/boost.h"

typedef struct bez_aligned {
  uint64_t n_values;
  bez_pair_count *count;
  bez_pair_count missing;
  uint32_t *value_of[2]; /* per side and code; UINT32_MAX for missing and rare */
  uint32_t *code[2];     /* per value: its code on each side, UINT32_MAX where it is not there */
  uint8_t *bin;          /* per value: 1 … BEZ_BOOST_BINS − 1 in ascending order; 0 stands for missing and rare */
} bez_aligned;

/* Numbers are matched by value, everything else by bytes. Rows of truncated columns whose value was not kept count
 * nowhere. Release with bez_aligned_free, also after a failure. */
BEZ_MUST_USE bez_status bez_align(const bez_column *a, const bez_column *b, bool ordered, bez_aligned *out,
                                  bez_error *err);
void bez_aligned_free(bez_aligned *x);

#endif
