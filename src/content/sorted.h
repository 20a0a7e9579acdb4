/* The sorted tree of a version: the canonical digests of its rows, ascending, each with how often it occurs. It can be
 * made again from the rows (`bezoar vault reindex`); its root is signed with theirs. An item as stored: digest (32) ||
 * varint count; its hash: SHA-256(0x00 || digest || le64 count). In the entries, rows is the sum of the counts. */
#ifndef BEZ_CONTENT_SORTED_H
#define BEZ_CONTENT_SORTED_H

#include "base/store.h"
#include "content/tree.h"

/* Digests in any order, in bounded memory: what passes the budget is sorted in runs in unlinked temporary files. */
typedef struct bez_digests bez_digests;
BEZ_MUST_USE bez_status bez_digests_create(uint64_t memory, bez_digests **out, bez_error *err);
BEZ_MUST_USE bez_status bez_digests_add(bez_digests *digests, const uint8_t (*canonical)[32], size_t n,
                                        bez_error *err); /* one thread at a time */
void bez_digests_free(bez_digests *digests);             /* NULL is fine */

/* old (may be the empty tree) less `removed`, plus `added`: only leaves that change are read and written. BEZ_FORMAT: a
 * removed digest is not there. Both are consumed (emptied); either may be NULL. threads 0: all. */
BEZ_MUST_USE bez_status bez_sorted_edit(const bez_objects *objects, bez_pack *pack, bez_sipkey key, const bez_tree *old,
                                        bez_digests *removed, bez_digests *added, unsigned threads, bez_tree *out,
                                        bez_error *err);
/* How often a digest occurs. */
BEZ_MUST_USE bez_status bez_sorted_find(const bez_objects *objects, const bez_tree *tree, const uint8_t canonical[32],
                                        uint64_t *count, bez_error *err);

#endif
