/* Aligning two sequences of digests: which stretches of one are stretches of the other. */
#ifndef BEZ_CONTENT_ALIGN_H
#define BEZ_CONTENT_ALIGN_H

#include "bezoar/base.h"

typedef struct bez_match {
  size_t a, b, n; /* a[a, a + n) equals b[b, b + n) */
} bez_match;

/* Matches ascending on both sides. Equal ends are matched, then what occurs once on each side and in the same order
 * (patience), then what remains between where it differs by at most `most_edits` insertions and removals (Myers' O(ND);
 * 0: left alone). So what a small number of changes left alone is found whatever repeats; of sequences that have little
 * in common some matches are left out. Time: O(n log n), and most_edits² steps for each stretch between matches.
 * na + nb < 2^31; *out is owned by the caller (free). */
#define BEZ_ALIGN_EDITS 1000u
BEZ_MUST_USE bez_status bez_digests_align(const uint8_t (*a)[32], size_t na, const uint8_t (*b)[32], size_t nb,
                                          unsigned most_edits, bez_match **out, size_t *n, bez_error *err);

#endif
