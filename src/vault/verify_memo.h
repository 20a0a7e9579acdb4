/* Which nodes have been looked at, so that what versions share is looked at once. What is true of a node depends on the
 * form in force where it begins (the same bytes are other rows under another header), so a node is known by both. */
#ifndef BEZ_VAULT_VERIFY_MEMO_H
#define BEZ_VAULT_VERIFY_MEMO_H

#include "content/object.h"

typedef struct bez_memo_item {
  bez_id id;
  uint32_t before, after; /* forms in force, numbered by the caller */
  uint64_t sum;
} bez_memo_item;

typedef struct bez_memo {
  bez_memo_item *items;
  size_t n, cap;
  uint32_t *table; /* by id alone: 1 + number of the last item with it in its chain */
  uint32_t *next;  /* 1 + number of the item before in the chain */
  unsigned bits;
} bez_memo; /* zero-initialise; release with bez_memo_free */

BEZ_MUST_USE bez_status bez_memo_add(bez_memo *memo, const bez_memo_item *item, bez_error *err);
bool bez_memo_has(const bez_memo *memo, const bez_id *id);                                   /* in any form */
const bez_memo_item *bez_memo_find(const bez_memo *memo, const bez_id *id, uint32_t before); /* NULL: none */
void bez_memo_free(bez_memo *memo);

#endif
