/* Where rows come from, per run of rows: a tree whose items are (varint n_rows || batch, 16 bytes); the hash of an item
 * is SHA-256(0x00 || le64 n_rows || batch). Runs next to each other have different batches. A batch is one submission:
 * its entry in the log says contributor, source, transformation and time. */
#ifndef BEZ_CONTENT_PROVENANCE_H
#define BEZ_CONTENT_PROVENANCE_H

#include "content/diff.h"

typedef struct bez_batch {
  uint8_t bytes[16];
} bez_batch;

typedef struct bez_run {
  uint64_t row, n_rows;
  bez_batch batch;
} bez_run;

typedef struct bez_changes {
  uint64_t added, removed, changed, moved;
} bez_changes;

/* The provenance of `rows`, given its parent's (old_rows and old, the empty trees for a first version): equal rows keep
 * theirs, also when they only moved (found again by their raw digest), all others are of `batch`. Everything is read
 * from `objects`: the pack with the new rows must be finished. */
BEZ_MUST_USE bez_status bez_provenance_make(const bez_objects *objects, bez_pack *pack, bez_sipkey key,
                                            const bez_tree *old_rows, const bez_tree *old, const bez_tree *rows,
                                            bez_batch batch, bez_tree *out, bez_changes *changes, bez_error *err);
/* The run that a row lies in. */
BEZ_MUST_USE bez_status bez_provenance_of(const bez_objects *objects, const bez_tree *tree, uint64_t row, bez_run *out,
                                          bez_error *err);
/* All runs in order. */
BEZ_MUST_USE bez_status bez_provenance_each(const bez_objects *objects, const bez_tree *tree,
                                            bez_status (*fn)(void *ctx, const bez_run *run, bez_error *err), void *ctx,
                                            bez_error *err);

#endif
