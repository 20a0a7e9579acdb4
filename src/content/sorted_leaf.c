/* Leaves of sorted trees. */
#include "content/sorted_leaf.h"

#include <string.h>

#include "base/cpu.h"
#include "base/error.h"
#include "crypto/digest.h"
#include "crypto/sha256_many.h"

enum { HASHED = 41 };

static void put_hashed(const uint8_t digest[32], uint64_t count, uint8_t out[HASHED]) {
  out[0] = 0;
  memcpy(out + 1, digest, 32);
  for (unsigned i = 0; i < 8; i++) out[33 + i] = (uint8_t)(count >> (8 * i));
}

void bez_sorted_hash(const uint8_t digest[32], uint64_t count, uint8_t out[32]) {
  uint8_t all[HASHED];
  put_hashed(digest, count, all);
  bez_sha256(all, sizeof all, out);
}

size_t bez_sorted_store(const uint8_t digest[32], uint64_t count, uint8_t out[BEZ_SORTED_ITEM]) {
  size_t len = 32;
  memcpy(out, digest, 32);
  for (; count >= 0x80; count >>= 7) out[len++] = (uint8_t)(count | 0x80);
  out[len++] = (uint8_t)count;
  return len;
}

bool bez_sorted_add(bez_leaf *leaf, bez_sipkey key, const uint8_t digest[32], uint64_t count) {
  uint8_t stored[BEZ_SORTED_ITEM];
  bez_leaf_item item = {.stored = stored, .rows = count, .last = digest};
  item.len = bez_sorted_store(digest, count, stored);
  bez_sorted_hash(digest, count, item.hash);
  return bez_leaf_add(leaf, key, &item);
}

static const char *leaf_differs(uint32_t cpu, const bez_tree_entry *above, const bez_sorted_leaf *leaf) {
  uint8_t hashes[BEZ_LEAF_ITEMS][32], root[32], hashed[BEZ_LEAF_ITEMS][HASHED];
  bez_sha256_job jobs[BEZ_LEAF_ITEMS];
  uint64_t rows = 0;
  for (size_t i = 0; i < leaf->n; i++) {
    if (__builtin_add_overflow(rows, leaf->counts[i], &rows)) return "its counts overflow";
    put_hashed(leaf->digests[i], leaf->counts[i], hashed[i]);
    jobs[i] = (bez_sha256_job){hashed[i], HASHED, hashes[i]};
  }
  if (leaf->n != above->items || rows != above->rows) return "its counts are not those of the entry above";
  bez_sha256_many(cpu, jobs, leaf->n);
  bez_merkle_fold_by(cpu, hashes, leaf->n, root);
  if (memcmp(root, above->root, 32) != 0) return "its Merkle root is not that of the entry above";
  if (memcmp(leaf->digests[leaf->n - 1], above->last, 32) != 0) return "its last digest is not that of the entry above";
  return NULL;
}

bez_status bez_sorted_leaf_parse(const void *bytes, size_t len, const bez_tree_entry *above, bez_sorted_leaf *out,
                                 bez_error *err) {
  return bez_sorted_leaf_parse_by(BEZ_CPU_PLAIN, bytes, len, above, out, err);
}

bez_status bez_sorted_leaf_parse_by(uint32_t cpu, const void *bytes, size_t len, const bez_tree_entry *above,
                                    bez_sorted_leaf *out, bez_error *err) {
  bez_cursor c = {bytes, len, 0};
  out->n = 0;
  while (bez_cursor_left(&c)) {
    const uint8_t *digest;
    if (out->n == BEZ_LEAF_ITEMS) return bez_fail(err, BEZ_FORMAT, NULL, "a sorted leaf of more than 64 items");
    if (!bez_cursor_take(&c, 32, &digest) || !bez_cursor_varint(&c, &out->counts[out->n]) || !out->counts[out->n])
      return bez_fail_at(err, BEZ_FORMAT, NULL, -1, (int64_t)c.pos, "malformed item in a sorted leaf");
    if (out->n && memcmp(out->digests[out->n - 1], digest, 32) >= 0)
      return bez_fail_at(err, BEZ_FORMAT, NULL, -1, (int64_t)c.pos, "digests of a sorted leaf do not ascend");
    memcpy(out->digests[out->n++], digest, 32);
  }
  if (!out->n) return bez_fail(err, BEZ_FORMAT, NULL, "a sorted leaf of no items");
  const char *differs = above ? leaf_differs(cpu, above, out) : NULL;
  return differs ? bez_fail(err, BEZ_FORMAT, NULL, "a sorted leaf is not what the tree says: %s", differs) : BEZ_OK;
}

bez_status bez_sorted_leaf_read(const bez_objects *objects, const bez_tree_entry *above, bez_buf *scratch,
                                bez_sorted_leaf *out, bez_error *err) {
  bez_error why = {0};
  bez_status st = bez_objects_get(objects, BEZ_OBJECT_LEAF, &above->id, scratch, err);
  if (st != BEZ_OK) return st;
  st = bez_sorted_leaf_parse(scratch->data, scratch->len, above, out, &why);
  if (st == BEZ_OK) return st;
  char hex[65];
  bez_hex(above->id.bytes, BEZ_ID, hex);
  return bez_fail_at(err, st, hex, -1, why.offset, "%s", why.message);
}
