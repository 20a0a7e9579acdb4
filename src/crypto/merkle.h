/* Merkle trees of transparency logs: hashes of leaves and inclusion proofs (RFC 9162, section 2.1), SHA-256. */
#ifndef BEZ_CRYPTO_MERKLE_H
#define BEZ_CRYPTO_MERKLE_H

#include "bezoar/base.h"

#define BEZ_MERKLE_HASH 32u /* bytes */

BEZ_MUST_USE bez_status bez_merkle_leaf(const void *bytes, size_t len, uint8_t out[BEZ_MERKLE_HASH], bez_error *err);

/* The root that a proof of n hashes (one behind the other) leads to, for leaf `index` of a tree of `size` leaves.
 * BEZ_FORMAT: there is no such leaf, or the proof is longer or shorter than index and size ask for. */
BEZ_MUST_USE bez_status bez_merkle_root(const uint8_t leaf[BEZ_MERKLE_HASH], uint64_t index, uint64_t size,
                                        const uint8_t *hashes, size_t n, uint8_t out[BEZ_MERKLE_HASH], bez_error *err);

#endif
