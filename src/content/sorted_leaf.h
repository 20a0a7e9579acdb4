/* Leaves of sorted trees. */
#ifndef BEZ_CONTENT_SORTED_LEAF_H
#define BEZ_CONTENT_SORTED_LEAF_H

#include "content/sorted.h"
#include "content/tree_node.h"

/* SHA-256(0x00 || digest || le64 count) */
void bez_sorted_hash(const uint8_t digest[32], uint64_t count, uint8_t out[32]);
/* An item as stored; its length. */
#define BEZ_SORTED_ITEM 42u
size_t bez_sorted_store(const uint8_t digest[32], uint64_t count, uint8_t out[BEZ_SORTED_ITEM]);
/* An item for the leaf in the making; true: the leaf ends behind it. */
BEZ_MUST_USE bool bez_sorted_add(bez_leaf *leaf, bez_sipkey key, const uint8_t digest[32], uint64_t count);

typedef struct bez_sorted_leaf {
  size_t n;
  uint8_t digests[BEZ_LEAF_ITEMS][32];
  uint64_t counts[BEZ_LEAF_ITEMS];
} bez_sorted_leaf;
/* A leaf's bytes; they must bear out the entry above (NULL: not asked). Hostile bytes. */
BEZ_MUST_USE bez_status bez_sorted_leaf_parse(const void *bytes, size_t len, const bez_tree_entry *above,
                                              bez_sorted_leaf *out, bez_error *err);
/* The same, two digests at a time where the processor can; cpu: bez_cpu_features(). */
BEZ_MUST_USE bez_status bez_sorted_leaf_parse_by(uint32_t cpu, const void *bytes, size_t len,
                                                 const bez_tree_entry *above, bez_sorted_leaf *out, bez_error *err);
/* The same from the store; scratch is overwritten. */
BEZ_MUST_USE bez_status bez_sorted_leaf_read(const bez_objects *objects, const bez_tree_entry *above, bez_buf *scratch,
                                             bez_sorted_leaf *out, bez_error *err);

/* sorted_build.c: the whole tree from digests alone, by several threads. The digests are consumed. */
BEZ_MUST_USE bez_status bez_sorted_build(bez_pack *pack, bez_sipkey key, bez_digests *added, unsigned threads,
                                         bez_tree *out, bez_error *err);

#endif
