#include "crypto/merkle.h"

#include <string.h>

#include "base/error.h"
#include "crypto/sha256.h"

bez_status bez_merkle_leaf(const void *bytes, size_t len, uint8_t out[BEZ_MERKLE_HASH], bez_error *err) {
  bez_sha256_state state;
  (void)err; /* nothing here fails any more */
  bez_sha256_begin(&state);
  bez_sha256_add(&state, "", 1); /* leaves (0) and nodes (1) are hashed apart */
  bez_sha256_add(&state, bytes, len);
  bez_sha256_end(&state, out);
  return BEZ_OK;
}

void bez_merkle_node(const uint8_t left[BEZ_MERKLE_HASH], const uint8_t right[BEZ_MERKLE_HASH],
                     uint8_t out[BEZ_MERKLE_HASH]) {
  uint8_t all[1 + 2 * BEZ_MERKLE_HASH] = {1};
  memcpy(all + 1, left, BEZ_MERKLE_HASH);
  memcpy(all + 1 + BEZ_MERKLE_HASH, right, BEZ_MERKLE_HASH);
  bez_sha256(all, sizeof all, out);
}

bez_status bez_merkle_root(const uint8_t leaf[BEZ_MERKLE_HASH], uint64_t index, uint64_t size, const uint8_t *hashes,
                           size_t n, uint8_t out[BEZ_MERKLE_HASH], bez_error *err) {
  uint64_t at = index, last = size - 1;
  if (index >= size)
    return bez_fail(err, BEZ_FORMAT, NULL, "a log of %llu entries has no entry %llu", (unsigned long long)size,
                    (unsigned long long)index);
  memcpy(out, leaf, BEZ_MERKLE_HASH);
  for (size_t i = 0; i < n; i++) {
    const uint8_t *hash = hashes + i * BEZ_MERKLE_HASH;
    if (!last) return bez_fail(err, BEZ_FORMAT, NULL, "the inclusion proof is too long");
    if ((at & 1) || at == last) {
      bez_merkle_node(hash, out, out);
      while (!(at & 1) && at) { /* a subtree without a right neighbour goes up unchanged */
        at >>= 1;
        last >>= 1;
      }
    } else {
      bez_merkle_node(out, hash, out);
    }
    at >>= 1;
    last >>= 1;
  }
  if (last) return bez_fail(err, BEZ_FORMAT, NULL, "the inclusion proof is too short");
  return BEZ_OK;
}
