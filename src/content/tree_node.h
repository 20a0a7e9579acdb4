/* The bytes of trees: entries, nodes, roots and leaves in the making. Shared by what writes, walks, compares and proves
 * trees; everybody else uses content/tree.h. */
#ifndef BEZ_CONTENT_TREE_NODE_H
#define BEZ_CONTENT_TREE_NODE_H

#include "content/tree.h"

typedef struct bez_tree_node {
  size_t n;
  bez_tree_entry entries[BEZ_NODE_ENTRIES];
} bez_tree_node;

void bez_tree_entry_hash(bez_tree_kind kind, const bez_tree_entry *entry, uint8_t out[32]);
void bez_tree_entry_write(bez_buf *out, bez_tree_kind kind, const bez_tree_entry *entry);
/* The next one; false at a malformed one. Hostile bytes. */
BEZ_MUST_USE bool bez_tree_entry_next(bez_cursor *c, bez_tree_kind kind, bez_tree_entry *out);

/* Whether a node ends behind an entry, with which it holds n. */
static inline bool bez_node_ends(bez_sipkey key, const bez_tree_entry *entry, size_t n) {
  return n >= BEZ_NODE_ENTRIES || (n >= 6 && (bez_siphash(key, entry->root, sizeof entry->root) & 3) == 0);
}

/* A node's bytes; they must bear out the entry above (NULL: not asked): sums, Merkle root, last. Hostile bytes. */
BEZ_MUST_USE bez_status bez_tree_node_parse(bez_tree_kind kind, const void *bytes, size_t len,
                                            const bez_tree_entry *above, bez_tree_node *out, bez_error *err);
/* The same from the store; scratch is overwritten. */
BEZ_MUST_USE bez_status bez_tree_node_read(const bez_objects *objects, bez_tree_kind kind, const bez_tree_entry *above,
                                           bez_buf *scratch, bez_tree_node *out, bez_error *err);

void bez_tree_root_write(bez_buf *out, const bez_tree *tree);
/* out->id is left alone. Hostile bytes. */
BEZ_MUST_USE bool bez_tree_root_parse(bez_tree_kind kind, const void *bytes, size_t len, bez_tree *out);

/* The digest of an empty tree's root object has no store behind it: the tree itself. */
void bez_tree_empty(bez_tree_kind kind, bez_tree *out);

/* A leaf in the making. */
typedef struct bez_leaf {
  bez_buf bytes;
  uint8_t hashes[BEZ_LEAF_ITEMS][32];
  bez_tree_entry sum; /* counts and last, so far */
} bez_leaf;           /* zero-initialise; release with bez_leaf_free */

/* What a leaf is told of an item. */
typedef struct bez_leaf_item {
  const void *stored;
  size_t len;
  uint8_t hash[32];
  uint64_t rows, bytes;
  const uint8_t *last; /* sorted trees: 32 bytes; else NULL */
} bez_leaf_item;
/* Whether the leaf must end before an item of that length comes. */
static inline bool bez_leaf_ends_before(const bez_leaf *leaf, size_t len) {
  return leaf->sum.items > 0 && len >= BEZ_LEAF_BYTES;
}
/* Adds an item; true: the leaf ends behind it. */
BEZ_MUST_USE bool bez_leaf_add(bez_leaf *leaf, bez_sipkey key, const bez_leaf_item *item);
/* The entry of the leaf but for its id, which is the SHA-256 of leaf->bytes. Uses up the hashes. */
void bez_leaf_close(bez_leaf *leaf, bez_tree_entry *out);
void bez_leaf_clear(bez_leaf *leaf); /* memory kept */
void bez_leaf_free(bez_leaf *leaf);
/* A leaf that is closed, put into the pack, given to the writer and cleared. An empty one is passed over. */
BEZ_MUST_USE bez_status bez_leaf_flush(bez_leaf *leaf, bez_pack *pack, bez_tree_writer *writer, bez_error *err);

#endif
