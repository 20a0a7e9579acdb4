/* The bytes of trees. */
#include "content/tree_node.h"

#include <string.h>

#include "base/error.h"
#include "crypto/digest.h"
#include "crypto/sha256_many.h"

static const char root_mark[3] = {'B', 'Z', 'T'};

void bez_merkle_fold_by(uint32_t cpu, uint8_t (*hashes)[32], size_t n, uint8_t out[32]) {
  enum { PAIRS = BEZ_LEAF_ITEMS / 2 };
  uint8_t pairs[PAIRS][65];
  bez_sha256_job jobs[PAIRS];
  while (n > 1) {
    for (size_t from = 0; from < n / 2; from += PAIRS) { /* what a level makes lies before what it is made of */
      size_t k = n / 2 - from < PAIRS ? n / 2 - from : PAIRS;
      for (size_t i = 0; i < k; i++) {
        pairs[i][0] = 1; /* leaves and nodes are hashed apart */
        memcpy(pairs[i] + 1, hashes[2 * (from + i)], 64);
        jobs[i] = (bez_sha256_job){pairs[i], sizeof pairs[i], hashes[from + i]};
      }
      bez_sha256_many(cpu, jobs, k);
    }
    if (n & 1) memmove(hashes[n / 2], hashes[n - 1], 32); /* no neighbour: goes up as it is */
    n = n / 2 + (n & 1);
  }
  memcpy(out, hashes[0], 32);
}

void bez_merkle_fold(uint8_t (*hashes)[32], size_t n, uint8_t out[32]) {
  bez_merkle_fold_by(0, hashes, n, out);
}

static void put_le64(uint8_t *out, uint64_t value) {
  for (unsigned i = 0; i < 8; i++) out[i] = (uint8_t)(value >> (8 * i));
}

void bez_tree_entry_hash(bez_tree_kind kind, const bez_tree_entry *entry, uint8_t out[32]) {
  uint8_t all[1 + 32 + 3 * 8 + 32] = {0};
  memcpy(all + 1, entry->root, 32);
  put_le64(all + 33, entry->items);
  put_le64(all + 41, entry->rows);
  put_le64(all + 49, entry->bytes);
  size_t len = 57;
  if (kind == BEZ_TREE_SORTED) {
    memcpy(all + len, entry->last, 32);
    len += 32;
  }
  bez_sha256(all, len, out);
}

void bez_tree_entry_write(bez_buf *out, bez_tree_kind kind, const bez_tree_entry *entry) {
  bez_buf_write(out, entry->id.bytes, sizeof entry->id.bytes);
  bez_buf_write(out, entry->root, sizeof entry->root);
  bez_put_varint(out, entry->items);
  bez_put_varint(out, entry->rows);
  bez_put_varint(out, entry->bytes);
  if (kind == BEZ_TREE_SORTED) bez_buf_write(out, entry->last, sizeof entry->last);
}

static bool take32(bez_cursor *c, uint8_t out[32]) {
  const uint8_t *bytes;
  if (!bez_cursor_take(c, 32, &bytes)) return false;
  memcpy(out, bytes, 32);
  return true;
}

bool bez_tree_entry_next(bez_cursor *c, bez_tree_kind kind, bez_tree_entry *out) {
  bez_cursor at = *c;
  *out = (bez_tree_entry){0};
  if (!take32(&at, out->id.bytes) || !take32(&at, out->root)) return false;
  if (!bez_cursor_varint(&at, &out->items) || !bez_cursor_varint(&at, &out->rows)) return false;
  if (!bez_cursor_varint(&at, &out->bytes) || out->items == 0) return false;
  if (kind == BEZ_TREE_SORTED && !take32(&at, out->last)) return false;
  if (kind == BEZ_TREE_ROWS ? out->rows > out->items : out->rows < out->items || out->bytes) return false;
  *c = at;
  return true;
}

static bool add_counts(bez_tree_entry *sum, const bez_tree_entry *entry) {
  return !__builtin_add_overflow(sum->items, entry->items, &sum->items) &&
         !__builtin_add_overflow(sum->rows, entry->rows, &sum->rows) &&
         !__builtin_add_overflow(sum->bytes, entry->bytes, &sum->bytes);
}

/* What does not bear out the entry above; NULL: nothing. */
static const char *node_differs(bez_tree_kind kind, const bez_tree_entry *above, const bez_tree_node *node) {
  bez_tree_entry sum = {0};
  uint8_t hashes[BEZ_NODE_ENTRIES][32];
  for (size_t i = 0; i < node->n; i++) {
    if (!add_counts(&sum, &node->entries[i])) return "its counts overflow";
    bez_tree_entry_hash(kind, &node->entries[i], hashes[i]);
  }
  if (sum.items != above->items || sum.rows != above->rows || sum.bytes != above->bytes)
    return "its counts are not those of the entry above";
  bez_merkle_fold(hashes, node->n, sum.root);
  if (memcmp(sum.root, above->root, 32) != 0) return "its Merkle root is not that of the entry above";
  if (kind == BEZ_TREE_SORTED && memcmp(node->entries[node->n - 1].last, above->last, 32) != 0)
    return "its last digest is not that of the entry above";
  return NULL;
}

bez_status bez_tree_node_parse(bez_tree_kind kind, const void *bytes, size_t len, const bez_tree_entry *above,
                               bez_tree_node *out, bez_error *err) {
  bez_cursor c = {bytes, len, 0};
  out->n = 0;
  while (bez_cursor_left(&c)) {
    if (out->n == BEZ_NODE_ENTRIES) return bez_fail(err, BEZ_FORMAT, NULL, "a node of more than 64 entries");
    bez_tree_entry *entry = &out->entries[out->n];
    if (!bez_tree_entry_next(&c, kind, entry))
      return bez_fail_at(err, BEZ_FORMAT, NULL, -1, (int64_t)c.pos, "malformed entry in a node");
    if (kind == BEZ_TREE_SORTED && out->n && memcmp(entry[-1].last, entry->last, 32) >= 0)
      return bez_fail_at(err, BEZ_FORMAT, NULL, -1, (int64_t)c.pos, "entries of a sorted node do not ascend");
    out->n++;
  }
  if (!out->n) return bez_fail(err, BEZ_FORMAT, NULL, "a node of no entries");
  const char *differs = above ? node_differs(kind, above, out) : NULL;
  return differs ? bez_fail(err, BEZ_FORMAT, NULL, "a node is not what the tree says: %s", differs) : BEZ_OK;
}

bez_status bez_tree_node_read(const bez_objects *objects, bez_tree_kind kind, const bez_tree_entry *above,
                              bez_buf *scratch, bez_tree_node *out, bez_error *err) {
  bez_error why = {0};
  bez_status st = bez_objects_get(objects, BEZ_OBJECT_NODE, &above->id, scratch, err);
  if (st != BEZ_OK) return st;
  st = bez_tree_node_parse(kind, scratch->data, scratch->len, above, out, &why);
  if (st == BEZ_OK) return st;
  char hex[65];
  bez_hex(above->id.bytes, BEZ_ID, hex);
  return bez_fail_at(err, st, hex, -1, why.offset, "%s", why.message);
}

void bez_tree_root_write(bez_buf *out, const bez_tree *tree) {
  bez_buf_write(out, root_mark, sizeof root_mark);
  bez_buf_putc(out, (char)tree->kind);
  bez_buf_putc(out, (char)tree->height);
  if (tree->height) bez_tree_entry_write(out, tree->kind, &tree->top);
}

bool bez_tree_root_parse(bez_tree_kind kind, const void *bytes, size_t len, bez_tree *out) {
  bez_cursor c = {bytes, len, 0};
  const uint8_t *mark;
  uint8_t is, height;
  if (!bez_cursor_take(&c, sizeof root_mark, &mark) || memcmp(mark, root_mark, sizeof root_mark) != 0) return false;
  if (!bez_cursor_u8(&c, &is) || is != (uint8_t)kind) return false;
  if (!bez_cursor_u8(&c, &height) || height > BEZ_TREE_HEIGHT) return false;
  out->kind = kind;
  out->height = height;
  out->top = (bez_tree_entry){0};
  if (height && !bez_tree_entry_next(&c, kind, &out->top)) return false;
  return bez_cursor_left(&c) == 0;
}

void bez_tree_empty(bez_tree_kind kind, bez_tree *out) {
  const uint8_t bytes[5] = {'B', 'Z', 'T', (uint8_t)kind, 0};
  *out = (bez_tree){.kind = kind};
  bez_sha256(bytes, sizeof bytes, out->id.bytes);
}

bool bez_leaf_add(bez_leaf *leaf, bez_sipkey key, const bez_leaf_item *item) {
  bez_tree_entry *sum = &leaf->sum;
  bez_buf_write(&leaf->bytes, item->stored, item->len);
  memcpy(leaf->hashes[sum->items++], item->hash, 32);
  sum->rows += item->rows;
  sum->bytes += item->bytes;
  if (item->last) memcpy(sum->last, item->last, 32);
  return bez_leaf_ends(bez_siphash(key, item->stored, item->len), sum->items, leaf->bytes.len);
}

void bez_leaf_close(bez_leaf *leaf, bez_tree_entry *out) {
  *out = leaf->sum;
  bez_merkle_fold(leaf->hashes, (size_t)leaf->sum.items, out->root);
}

void bez_leaf_clear(bez_leaf *leaf) {
  bez_buf_clear(&leaf->bytes);
  leaf->sum = (bez_tree_entry){0};
}

void bez_leaf_free(bez_leaf *leaf) {
  bez_buf_free(&leaf->bytes);
}

bez_status bez_leaf_flush(bez_leaf *leaf, bez_pack *pack, bez_tree_writer *writer, bez_error *err) {
  bez_tree_entry entry;
  if (!leaf->sum.items) return BEZ_OK;
  bez_status st = bez_buf_status(&leaf->bytes, err);
  if (st != BEZ_OK) return st;
  bez_leaf_close(leaf, &entry);
  st = bez_pack_put(pack, BEZ_OBJECT_LEAF, leaf->bytes.data, leaf->bytes.len, &entry.id, err);
  if (st == BEZ_OK) st = bez_tree_leaf(writer, &entry, err);
  bez_leaf_clear(leaf);
  return st;
}
