/* Trees of a data set: a sequence of items in leaves, leaves in nodes, up to one root. Cut where a keyed hash says so:
 * the tree depends on its items and the vault's key alone, not on how it came about, and a change touches few nodes.
 *
 * Three trees share this: rows (items of content/item.h, in the order of the files), sorted (canonical digests of rows,
 * ascending, content/sorted.h) and provenance (runs of rows, content/provenance.h).
 *
 * Cuts. h is bez_siphash(key, item as stored). A leaf ends behind an item whose h has its low 6 bits zero, or its low 3
 * bits once the leaf holds 8 items (15 on average, of little spread: a change then touches no more than it must; and
 * what lies behind a cut of the first kind can be cut without what lies before it); behind the 64th item, behind the
 * item with which its bytes reach 65,536, and before an item that alone has that many. A node ends behind an entry
 * whose bez_siphash(key, its Merkle root) has its low 2 bits zero once it holds 6, and behind the 64th entry.
 *
 * Hashes. An entry describes what lies below it. Its hash is SHA-256(0x00 || root || items || rows || bytes || last),
 * the numbers as le64 and `last` (32 bytes) in sorted trees alone; the root of a node is the Merkle tree (RFC
 * 9162, 2.1.1) over the hashes of its entries, the root of a leaf that over the hashes of its items. An entry in a
 * node, as stored: id (32) || root (32) || varints items, rows, bytes || last (sorted trees). A tree is named by its
 * root object, a BLOB: "BZT" || kind || height || top entry as stored; an empty tree has height 0 and nothing behind
 * it. */
#ifndef BEZ_CONTENT_TREE_H
#define BEZ_CONTENT_TREE_H

#include "base/siphash.h"
#include "content/item.h"

typedef enum bez_tree_kind { BEZ_TREE_ROWS = 'R', BEZ_TREE_SORTED = 'S', BEZ_TREE_PROVENANCE = 'P' } bez_tree_kind;

typedef struct bez_tree_entry {
  bez_id id;                   /* of the leaf or node */
  uint8_t root[32];            /* of the Merkle tree over what it holds */
  uint64_t items, rows, bytes; /* below; bytes: of the files (bez_item_file_bytes). In sorted and provenance trees
                                  bytes is 0 and rows what the items count */
  uint8_t last[32];            /* sorted trees: the last digest below */
} bez_tree_entry;

typedef struct bez_tree {
  bez_id id; /* of the root object: names the tree, is what is signed */
  bez_tree_kind kind;
  uint8_t height; /* 0 empty, 1: top is a leaf */
  bez_tree_entry top;
} bez_tree;

#define BEZ_LEAF_ITEMS 64u
#define BEZ_LEAF_BYTES 65536u
#define BEZ_NODE_ENTRIES 64u
#define BEZ_TREE_HEIGHT 40u

/* Whether a leaf ends behind an item: hash is bez_siphash of the item as stored, items and bytes count the leaf with
 * it. */
static inline bool bez_leaf_ends(uint64_t hash, size_t items, size_t bytes) {
  return (hash & 63) == 0 || (items >= 8 && (hash & 7) == 0) || items >= BEZ_LEAF_ITEMS || bytes >= BEZ_LEAF_BYTES;
}

/* The Merkle root over n hashes (n ≥ 1). hashes is used as scratch. */
void bez_merkle_fold(uint8_t (*hashes)[32], size_t n, uint8_t out[32]);
/* The same with what bez_cpu_features() said: faster where there are many to fold. */
void bez_merkle_fold_by(uint32_t cpu, uint8_t (*hashes)[32], size_t n, uint8_t out[32]);

/* Writing, from left to right. Nodes go into the pack; leaves are put there by the caller, or are there already. */
typedef struct bez_tree_writer bez_tree_writer;
BEZ_MUST_USE bez_status bez_tree_begin(bez_pack *pack, bez_tree_kind kind, bez_sipkey key, bez_tree_writer **out,
                                       bez_error *err);
BEZ_MUST_USE bez_status bez_tree_leaf(bez_tree_writer *writer, const bez_tree_entry *leaf, bez_error *err);
/* A whole subtree of another tree of this kind and key, as it is (height 1: a leaf). It must lie left of that tree's
 * right edge, so that its last nodes ended by themselves, and the writer must be between nodes of that height:
 * bez_tree_takes. */
bool bez_tree_takes(const bez_tree_writer *writer, unsigned height);
BEZ_MUST_USE bez_status bez_tree_subtree(bez_tree_writer *writer, unsigned height, const bez_tree_entry *entry,
                                         bez_error *err);
/* The writer is freed, success or not. */
BEZ_MUST_USE bez_status bez_tree_finish(bez_tree_writer *writer, bez_tree *out, bez_error *err);
void bez_tree_abandon(bez_tree_writer *writer); /* NULL is fine */

/* Reads a root object; BEZ_FORMAT where it is none or of another kind. */
BEZ_MUST_USE bez_status bez_tree_open(const bez_objects *objects, bez_tree_kind kind, const bez_id *id, bez_tree *out,
                                      bez_error *err);

/* Walks the leaves in order; nodes are checked against the entries above them (counts, root, last). */
typedef struct bez_tree_walk bez_tree_walk;
typedef struct bez_tree_place { /* of a leaf, or of an item */
  uint64_t item, row, byte;     /* how many lie before it */
} bez_tree_place;
BEZ_MUST_USE bez_status bez_tree_walk_begin(const bez_objects *objects, const bez_tree *tree, bez_tree_walk **out,
                                            bez_error *err);
/* To the leaf with that row (item): it is what comes next. BEZ_USAGE: there is no such row. */
BEZ_MUST_USE bez_status bez_tree_walk_to_row(bez_tree_walk *walk, uint64_t row, bez_error *err);
BEZ_MUST_USE bez_status bez_tree_walk_to_item(bez_tree_walk *walk, uint64_t item, bez_error *err);
/* The next leaf's entry and place; *end: there is none. */
BEZ_MUST_USE bez_status bez_tree_walk_next(bez_tree_walk *walk, bez_tree_entry *leaf, bez_tree_place *place, bool *end,
                                           bez_error *err);
void bez_tree_walk_end(bez_tree_walk *walk); /* NULL is fine */

#endif
