/* A change in the making: leaves of both sides that are not equal, gathered until an equal stretch follows, then
 * aligned row by row and told. */
#ifndef BEZ_CONTENT_DIFF_CHANGE_H
#define BEZ_CONTENT_DIFF_CHANGE_H

#include "content/diff.h"

typedef struct bez_change bez_change;

BEZ_MUST_USE bez_status bez_change_create(const bez_objects *objects, bez_hunk_fn fn,
                                          void (*other)(void *ctx, bool of_new, const bez_item *item), void *ctx,
                                          bez_change **out, bez_error *err);
void bez_change_free(bez_change *change); /* NULL is fine */
/* A leaf that the other side does not have at this place; told at once with what is there when it grows too large. */
BEZ_MUST_USE bez_status bez_change_leaf(bez_change *change, bool of_new, const bez_tree_entry *leaf, bez_error *err);
/* Rows that are equal: what was gathered is told first. */
BEZ_MUST_USE bez_status bez_change_same(bez_change *change, uint64_t n_rows, bez_error *err);
BEZ_MUST_USE bez_status bez_change_end(bez_change *change, bez_error *err);

#endif
