/* What `verify` is made of: damage that is found is gathered and told, the walk goes on. */
#ifndef BEZ_VAULT_VERIFY_H
#define BEZ_VAULT_VERIFY_H

#include "vault/vault.h"

#define BEZ_VERIFY_TOLD 200u /* damages that are told in full; the others are counted */

/* The version that is looked at; dataset NULL: none. */
typedef struct bez_verify_place {
  const char *dataset;
  uint64_t version, row, n_rows;
} bez_verify_place;

typedef struct bez_verify {
  bez_vault *vault; /* NULL where it cannot be opened */
  const char *folder;
  unsigned threads;
  bool full;
  bez_progress_fn progress;
  void *progress_ctx;
  bez_buf damage; /* members of a JSON array */
  bez_json json;  /* into damage */
  uint64_t n_damage;
  bool of_index; /* what is told now is of the index alone: it can be made again */
  bool index_damaged, index_rebuilt;
  bez_sipkey sums; /* drawn for this run: nobody can make two sets of digests with one sum */
  uint64_t n_entries, n_void, n_versions, n_pruned, leaves, rows, row_bytes;
  double row_seconds, object_seconds;
  bez_objects_sum objects, sorted;
} bez_verify;

/* offset -1: not known. id NULL: of no object in particular. */
void bez_verify_tell(bez_verify *v, const char *file, int64_t offset, uint64_t len, const char *what, const bez_id *id,
                     const bez_verify_place *place);
/* An error as damage; other codes than BEZ_FORMAT, BEZ_IO and BEZ_LIMIT are handed back. */
BEZ_MUST_USE bez_status bez_verify_tell_error(bez_verify *v, bez_status st, const bez_error *why, const bez_id *id,
                                              const bez_verify_place *place, bez_error *err);

/* verify_log.c: the log's files, every entry's form and signatures, what they name; the index against one made anew. */
BEZ_MUST_USE bez_status bez_verify_log(bez_verify *v, bez_error *err);
BEZ_MUST_USE bez_status bez_verify_index(bez_verify *v, bez_error *err);

/* verify_files.c: what lies in the vault's folder and does not belong there; the stage. */
BEZ_MUST_USE bez_status bez_verify_files(bez_verify *v, bez_error *err);

/* verify_tree.c: trees, node by node, what versions share once. */
typedef struct bez_tree_check bez_tree_check;
BEZ_MUST_USE bez_status bez_tree_check_create(bez_verify *v, const bez_objects *objects, bez_tree_kind kind,
                                              bez_tree_check **out, bez_error *err);
void bez_tree_check_free(bez_tree_check *check); /* NULL is fine */
/* sum: of the canonical digests in the tree, keyed; the same for a rows tree and its sorted tree. *whole false: damage
 * was told (dataset and version are the place's), and the sum says nothing. */
BEZ_MUST_USE bez_status bez_tree_check_version(bez_tree_check *check, const bez_tree *tree,
                                               const bez_verify_place *place, uint64_t *sum, bool *whole,
                                               bez_error *err);

/* verify_version.c: all versions of all data sets. */
BEZ_MUST_USE bez_status bez_verify_versions(bez_verify *v, bez_error *err);

#endif
