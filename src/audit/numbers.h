/* What is counted of the numbers of each tensor. For numbers*.c alone. */
#ifndef BEZ_AUDIT_NUMBERS_H
#define BEZ_AUDIT_NUMBERS_H

#include "audit/audit.h"
#include "format/weights.h"

#define BEZ_NUMBERS_HUGE 1e6f  /* beyond what weights are */
#define BEZ_NUMBERS_WILD 1e10f /* … and what any float of a model is; likewise below its inverse squared */

/* Counts of items. Integers, so that no order of adding them up matters. */
typedef struct bez_number_counts {
  uint64_t nan, inf, zero;
  uint64_t denormal; /* of F32, F64 and BF16 */
  uint64_t huge, wild;
  uint64_t beyond_bf16, beyond_f16; /* of F32: not exactly a number of the narrower type */
  uint64_t float_like;              /* of I32 and U32: the bits are those of an ordinary float */
  uint64_t others;                  /* items that differ from the first */
  uint64_t digest;                  /* of the bytes */
} bez_number_counts;

/* One pass over all tensors that can be read; counts[tensor] of the others stays 0. */
BEZ_MUST_USE bez_status bez_numbers_count(const bez_weights *w, const bez_model *model,
                                          const bez_audit_context *context, bez_number_counts *counts, bez_error *err);

extern const bez_check bez_check_numbers;

#endif
