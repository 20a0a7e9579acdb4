/* What two versions of a data set differ in, found by comparing trees: equal nodes are passed over unread, so that it
 * costs what the change costs. */
#ifndef BEZ_CONTENT_DIFF_H
#define BEZ_CONTENT_DIFF_H

#include "content/tree.h"

typedef enum bez_hunk_kind {
  BEZ_HUNK_SAME,  /* rows that are equal: n_old == n_new; whole leaves are not read for this */
  BEZ_HUNK_CHANGE /* rows old_row … are replaced by rows new_row …; either may be none */
} bez_hunk_kind;

/* The rows of one side of a change; items are borrowed for the call. */
typedef struct bez_diff_row {
  uint64_t row; /* number in its version */
  bez_item item;
  uint8_t raw[32]; /* SHA-256(body) */
} bez_diff_row;

typedef struct bez_hunk {
  bez_hunk_kind kind;
  uint64_t old_row, n_old, new_row, n_new;
  const bez_diff_row *old_rows, *new_rows; /* of CHANGE: n_old and n_new of them */
} bez_hunk;

/* Called in order; the hunks cover all rows of both sides. A change is as small as an alignment of equal rows within it
 * makes it (content/align.h; among rows that are all alike, at most a node's rows more); a row "changed" is an old and
 * a new one at the same place of a change. Items that are no rows (headers, file names) that differ are told through
 * `other` (NULL: not wanted). Memory: a change of more than BEZ_DIFF_ROWS rows or 64 MiB a side is told in pieces. a or
 * b may be the empty tree. Equal means equal as stored: type, head and body. Where a file's form changed (its FILE
 * item, told through `other`), rows that are equal here have other canonical digests. Data that was shuffled costs what
 * reading both versions costs, and memory stays where it is; rows that merely moved are told as gone here and come
 * there. */
#define BEZ_DIFF_ROWS (1u << 18)
typedef bez_status (*bez_hunk_fn)(void *ctx, const bez_hunk *hunk, bez_error *err);
BEZ_MUST_USE bez_status bez_tree_diff(const bez_objects *objects, const bez_tree *a, const bez_tree *b, bez_hunk_fn fn,
                                      void (*other)(void *ctx, bool of_new, const bez_item *item), void *ctx,
                                      bez_error *err);

#endif
