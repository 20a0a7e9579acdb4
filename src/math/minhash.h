/* MinHash: signatures whose share of equal entries estimates the Jaccard similarity of two sets.
 * A. Z. Broder, "On the resemblance and containment of documents", SEQUENCES 1997.
 *
 * Entry i is the least h_i(x) over the set; h_i(x) = mix((x + s_i)·a_i) with odd multipliers from a fixed stream. All
 * arithmetic is on 32-bit integers: every instruction set gives the same bits. */
#ifndef BEZ_MATH_MINHASH_H
#define BEZ_MATH_MINHASH_H

#include "base/summary.h"

#define BEZ_MINHASH_MAX 256u
#define BEZ_MINHASH_LANE 32u /* entries come in multiples of this */

typedef struct bez_minhash {
  uint32_t n; /* entries, a multiple of BEZ_MINHASH_LANE */
  uint32_t add[BEZ_MINHASH_MAX], mul[BEZ_MINHASH_MAX], mul2[BEZ_MINHASH_MAX];
} bez_minhash;

/* n in [32, 256], a multiple of 32; skip: leave out that many functions of the stream (to compute signatures in parts).
 */
bez_minhash bez_minhash_make(uint32_t n, uint32_t skip, uint64_t seed);
/* signature: n entries; all UINT32_MAX for the empty set. cpu: mask of base/cpu.h, never changes the answer. */
void bez_minhash_signature(const bez_minhash *m, const uint32_t *set, size_t n_set, uint32_t *signature, uint32_t cpu);
/* Share of equal entries. */
double bez_minhash_similarity(const uint32_t *a, const uint32_t *b, uint32_t n);

/* One per instruction set: lanes [first, first + 32) of the signature. */
void bez_minhash_lane_plain(const bez_minhash *m, uint32_t first, const uint32_t *set, size_t n_set, uint32_t *out);
#if defined(__x86_64__)
void bez_minhash_lane_avx2(const bez_minhash *m, uint32_t first, const uint32_t *set, size_t n_set, uint32_t *out);
void bez_minhash_lane_avx512(const bez_minhash *m, uint32_t first, const uint32_t *set, size_t n_set, uint32_t *out);
#endif

/* Signatures of the rows of a data set, in order, as a mergeable summary: merging appends the part's rows. */
typedef struct bez_minhash_params {
  uint32_t n;
  uint64_t seed;
} bez_minhash_params;
typedef struct bez_minhash_batch {
  const uint32_t *const *set;
  const size_t *n_set;
  size_t n;
} bez_minhash_batch;
typedef struct bez_minhash_rows {
  bez_minhash hash;
  uint32_t *signature; /* [row · hash.n + entry] */
  uint64_t n_rows, cap;
} bez_minhash_rows; /* the state */
extern const bez_summary bez_minhash_summary;
uint64_t bez_minhash_digest(const bez_minhash_params *params);

#endif
