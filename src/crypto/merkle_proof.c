/* Inclusion and consistency proofs of RFC 9162 (2.1.3, 2.1.4), from the top down without recursion. */
#include <string.h>

#include "base/error.h"
#include "crypto/merkle.h"
#include "crypto/sha256.h"

#define MOST 64u /* hashes of a proof, and peaks of a tree */

/* The largest power of two below n (n ≥ 2): where a tree of n leaves divides. */
static uint64_t half_of(uint64_t n) {
  return UINT64_C(1) << (63 - __builtin_clzll(n - 1));
}

bez_status bez_merkle_range(const bez_merkle_source *source, uint64_t first, uint64_t end, uint8_t out[BEZ_MERKLE_HASH],
                            bez_error *err) {
  uint8_t peak[MOST][BEZ_MERKLE_HASH];
  size_t n = 0;
  if (first >= end) {
    bez_sha256("", 0, out);
    return BEZ_OK;
  }
  while (first < end) { /* complete subtrees, larger ones first */
    unsigned height = 63 - (unsigned)__builtin_clzll(end - first);
    bez_status st = source->get(source->ctx, height, first >> height, peak[n++], err);
    if (st != BEZ_OK) return st;
    first += UINT64_C(1) << height;
  }
  memcpy(out, peak[n - 1], BEZ_MERKLE_HASH);
  for (size_t i = n - 1; i-- > 0;) bez_merkle_node(peak[i], out, out);
  return BEZ_OK;
}

/* Proofs are found from the root down and written from the leaf up. */
static bez_status put_reversed(uint8_t (*hash)[BEZ_MERKLE_HASH], size_t n, bez_buf *out, bez_error *err) {
  while (n) bez_buf_write(out, hash[--n], BEZ_MERKLE_HASH);
  return bez_buf_status(out, err);
}

bez_status bez_merkle_inclusion(const bez_merkle_source *source, uint64_t index, uint64_t size, bez_buf *hashes,
                                bez_error *err) {
  uint8_t hash[MOST][BEZ_MERKLE_HASH];
  uint64_t first = 0, end = size;
  size_t n = 0;
  if (index >= size)
    return bez_fail(err, BEZ_USAGE, NULL, "a log of %llu entries has no entry %llu", (unsigned long long)size,
                    (unsigned long long)index);
  while (end - first > 1) {
    uint64_t middle = first + half_of(end - first);
    bool left = index < middle;
    bez_status st = left ? bez_merkle_range(source, middle, end, hash[n++], err)
                         : bez_merkle_range(source, first, middle, hash[n++], err);
    if (st != BEZ_OK) return st;
    if (left)
      end = middle;
    else
      first = middle;
  }
  return put_reversed(hash, n, hashes, err);
}

bez_status bez_merkle_consistency(const bez_merkle_source *source, uint64_t old_size, uint64_t new_size,
                                  bez_buf *hashes, bez_error *err) {
  uint8_t hash[MOST][BEZ_MERKLE_HASH];
  uint64_t first = 0, end = new_size;
  bool whole = true; /* the old tree as such is a part of the proof's end: its root is known to who checks */
  size_t n = 0;
  bez_status st = BEZ_OK;
  if (old_size > new_size)
    return bez_fail(err, BEZ_USAGE, NULL, "a log of %llu entries does not begin with one of %llu",
                    (unsigned long long)new_size, (unsigned long long)old_size);
  if (!old_size) return BEZ_OK;
  while (end != old_size) {
    uint64_t middle = first + half_of(end - first);
    bool left = old_size <= middle;
    st = left ? bez_merkle_range(source, middle, end, hash[n++], err)
              : bez_merkle_range(source, first, middle, hash[n++], err);
    if (st != BEZ_OK) return st;
    if (left) {
      end = middle;
    } else {
      first = middle;
      whole = false;
    }
  }
  if (!whole) st = bez_merkle_range(source, first, end, hash[n++], err);
  if (st != BEZ_OK) return st;
  return put_reversed(hash, n, hashes, err);
}

static bool same(const uint8_t *a, const uint8_t *b) {
  return memcmp(a, b, BEZ_MERKLE_HASH) == 0;
}

/* Follows a proof upwards from the last leaf of the old tree; true: both roots came out. */
static bool climb(uint64_t old_size, const uint8_t *old_root, uint64_t new_size, const uint8_t *new_root,
                  const uint8_t *hashes, size_t n) {
  uint64_t at = old_size - 1, last = new_size - 1;
  uint8_t was[BEZ_MERKLE_HASH], is[BEZ_MERKLE_HASH];
  size_t i = 0;
  const uint8_t *begin = old_root; /* a complete old tree is its own beginning */
  if (old_size & (old_size - 1)) begin = n ? hashes + BEZ_MERKLE_HASH * i++ : NULL;
  if (!begin) return false;
  memcpy(was, begin, sizeof was);
  memcpy(is, begin, sizeof is);
  for (; at & 1; at >>= 1) last >>= 1;
  for (; i < n; i++) {
    const uint8_t *hash = hashes + i * BEZ_MERKLE_HASH;
    if (!last) return false;
    if ((at & 1) || at == last) {
      bez_merkle_node(hash, was, was);
      bez_merkle_node(hash, is, is);
      for (; !(at & 1) && at; at >>= 1) last >>= 1;
    } else {
      bez_merkle_node(is, hash, is);
    }
    at >>= 1;
    last >>= 1;
  }
  return !last && same(was, old_root) && same(is, new_root);
}

bez_status bez_merkle_extends(uint64_t old_size, const uint8_t old_root[BEZ_MERKLE_HASH], uint64_t new_size,
                              const uint8_t new_root[BEZ_MERKLE_HASH], const uint8_t *hashes, size_t n,
                              bez_error *err) {
  bool good = false;
  if (old_size > new_size)
    good = false;
  else if (!old_size)
    good = n == 0;
  else if (old_size == new_size)
    good = n == 0 && same(old_root, new_root);
  else
    good = climb(old_size, old_root, new_size, new_root, hashes, n);
  if (good) return BEZ_OK;
  return bez_fail(err, BEZ_FORMAT, NULL, "the log of %llu entries does not continue the one of %llu entries",
                  (unsigned long long)new_size, (unsigned long long)old_size);
}
