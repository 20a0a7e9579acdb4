/* Which objects of a store are needed: a bit per object, so that a vault of many rows fits. The store must not change
 * meanwhile (bez_vault_lock, bez_vault_alone). */
#ifndef BEZ_VAULT_MARKS_H
#define BEZ_VAULT_MARKS_H

#include "content/tree.h"

typedef struct bez_marks bez_marks;

BEZ_MUST_USE bez_status bez_marks_create(bez_objects *objects, bez_marks **out, bez_error *err);
void bez_marks_free(bez_marks *marks); /* NULL is fine */
/* false: no pack has it. *fresh: it was not marked before. */
bool bez_marks_set(bez_marks *marks, const bez_id *id, bool *fresh);
/* Every BLOB of the store: statements, reports and lists name each other in ways of their own, and are small. */
BEZ_MUST_USE bez_status bez_marks_blobs(bez_marks *marks, bez_error *err);
/* A tree with all that is below its root. BEZ_FORMAT: something of it is missing or damaged. */
BEZ_MUST_USE bez_status bez_marks_tree(bez_marks *marks, const bez_tree *tree, bez_error *err);

typedef struct bez_sweep {
  uint64_t objects, bytes_before, bytes_after; /* objects: that are not marked */
  uint64_t packs;                              /* that go */
  char **old;                                  /* their paths */
  size_t n_old;
} bez_sweep; /* zero-initialise; release with bez_sweep_free */
/* What sweeping would remove; nothing is written. */
BEZ_MUST_USE bez_status bez_marks_count(const bez_marks *marks, bez_sweep *out, bez_error *err);
/* Writes new packs with what is marked of those that hold other objects, too (or are many and small), and tells the old
 * ones, which are there still: bez_sweep_remove. */
BEZ_MUST_USE bez_status bez_marks_sweep(bez_marks *marks, bez_sweep *out, bez_error *err);
BEZ_MUST_USE bez_status bez_sweep_remove(bez_objects *objects, const bez_sweep *sweep, bez_error *err);
void bez_sweep_free(bez_sweep *sweep);

#endif
