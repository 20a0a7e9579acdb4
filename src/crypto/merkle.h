/* Merkle trees of transparency logs: hashes of leaves, inclusion and consistency proofs (RFC 9162, section 2.1),
 * SHA-256. */
#ifndef BEZ_CRYPTO_MERKLE_H
#define BEZ_CRYPTO_MERKLE_H

#include "base/buf.h"
#include "bezoar/base.h"

#define BEZ_MERKLE_HASH 32u /* bytes */

BEZ_MUST_USE bez_status bez_merkle_leaf(const void *bytes, size_t len, uint8_t out[BEZ_MERKLE_HASH], bez_error *err);
/* out may be left or right. */
void bez_merkle_node(const uint8_t left[BEZ_MERKLE_HASH], const uint8_t right[BEZ_MERKLE_HASH],
                     uint8_t out[BEZ_MERKLE_HASH]);

/* The root that a proof of n hashes (one behind the other) leads to, for leaf `index` of a tree of `size` leaves.
 * BEZ_FORMAT: there is no such leaf, or the proof is longer or shorter than index and size ask for. */
BEZ_MUST_USE bez_status bez_merkle_root(const uint8_t leaf[BEZ_MERKLE_HASH], uint64_t index, uint64_t size,
                                        const uint8_t *hashes, size_t n, uint8_t out[BEZ_MERKLE_HASH], bez_error *err);
/* That the tree of old_size leaves and old_root is the beginning of the one of new_size leaves and new_root, as a proof
 * of n hashes (one behind the other) has it. An empty tree begins every other, with an empty proof. BEZ_FORMAT: it is
 * not. */
BEZ_MUST_USE bez_status bez_merkle_extends(uint64_t old_size, const uint8_t old_root[BEZ_MERKLE_HASH],
                                           uint64_t new_size, const uint8_t new_root[BEZ_MERKLE_HASH],
                                           const uint8_t *hashes, size_t n, bez_error *err);

/* Making proofs, where somebody knows the roots of complete subtrees: the one over leaves [index << height, (index + 1)
 * << height). */
typedef struct bez_merkle_source {
  bez_status (*get)(void *ctx, unsigned height, uint64_t index, uint8_t out[BEZ_MERKLE_HASH], bez_error *err);
  void *ctx;
} bez_merkle_source;
/* The root over leaves [first, end), first a multiple of a power of two ≥ end - first (as in every proof). No leaves:
 * SHA-256 of nothing. */
BEZ_MUST_USE bez_status bez_merkle_range(const bez_merkle_source *source, uint64_t first, uint64_t end,
                                         uint8_t out[BEZ_MERKLE_HASH], bez_error *err);
/* Appends the hashes, one behind the other, 63 at the most. BEZ_USAGE: there is no such leaf, or old is the larger. */
BEZ_MUST_USE bez_status bez_merkle_inclusion(const bez_merkle_source *source, uint64_t index, uint64_t size,
                                             bez_buf *hashes, bez_error *err);
BEZ_MUST_USE bez_status bez_merkle_consistency(const bez_merkle_source *source, uint64_t old_size, uint64_t new_size,
                                               bez_buf *hashes, bez_error *err);

#endif
