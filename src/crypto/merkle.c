#include "crypto/merkle.h"

#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "crypto/digest.h"

bez_status bez_merkle_leaf(const void *bytes, size_t len, uint8_t out[BEZ_MERKLE_HASH], bez_error *err) {
  bez_buf all = {0};
  uint8_t digest[BEZ_DIGEST_MOST];
  bez_buf_putc(&all, 0); /* leaves and nodes are hashed apart */
  bez_buf_write(&all, bytes, len);
  bez_status st = bez_buf_status(&all, err);
  if (st == BEZ_OK) st = bez_digest_bytes(BEZ_DIGEST_SHA256, all.data, all.len, digest, err);
  if (st == BEZ_OK) memcpy(out, digest, BEZ_MERKLE_HASH);
  bez_buf_free(&all);
  return st;
}

static bez_status node(const uint8_t *left, const uint8_t *right, uint8_t out[BEZ_MERKLE_HASH], bez_error *err) {
  uint8_t all[1 + 2 * BEZ_MERKLE_HASH] = {1}, digest[BEZ_DIGEST_MOST];
  memcpy(all + 1, left, BEZ_MERKLE_HASH);
  memcpy(all + 1 + BEZ_MERKLE_HASH, right, BEZ_MERKLE_HASH);
  bez_status st = bez_digest_bytes(BEZ_DIGEST_SHA256, all, sizeof all, digest, err);
  if (st == BEZ_OK) memcpy(out, digest, BEZ_MERKLE_HASH);
  return st;
}

bez_status bez_merkle_root(const uint8_t leaf[BEZ_MERKLE_HASH], uint64_t index, uint64_t size, const uint8_t *hashes,
                           size_t n, uint8_t out[BEZ_MERKLE_HASH], bez_error *err) {
  uint64_t at = index, last = size - 1;
  bez_status st = BEZ_OK;
  if (index >= size)
    return bez_fail(err, BEZ_FORMAT, NULL, "a log of %llu entries has no entry %llu", (unsigned long long)size,
                    (unsigned long long)index);
  memcpy(out, leaf, BEZ_MERKLE_HASH);
  for (size_t i = 0; i < n && st == BEZ_OK; i++) {
    const uint8_t *hash = hashes + i * BEZ_MERKLE_HASH;
    if (!last) return bez_fail(err, BEZ_FORMAT, NULL, "the inclusion proof is too long");
    if ((at & 1) || at == last) {
      st = node(hash, out, out, err);
      while (!(at & 1) && at) { /* a subtree without a right neighbour goes up unchanged */
        at >>= 1;
        last >>= 1;
      }
    } else {
      st = node(out, hash, out, err);
    }
    at >>= 1;
    last >>= 1;
  }
  if (st == BEZ_OK && last) st = bez_fail(err, BEZ_FORMAT, NULL, "the inclusion proof is too short");
  return st;
}
