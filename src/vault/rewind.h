/* New versions that undo something: history only ever grows. */
#ifndef BEZ_VAULT_REWIND_H
#define BEZ_VAULT_REWIND_H

#include "vault/work.h"

/* A version that the vault itself makes. */
typedef struct bez_remade {
  bez_snapshot parent; /* the last version; owned */
  bez_tree rows, sorted, provenance;
  bez_batch batch;
  bez_changes changes;
  uint64_t n_files, bytes;
  char form[32];
  uint8_t sha256[32];
  bool has_sha256;
  bool mixed; /* of rows of several versions: no version was like that */
} bez_remade; /* zero-initialise; release with bez_remade_free */
void bez_remade_free(bez_remade *remade);

/* Asks whether the signer may commit to all of them, then appends submissions and one commit, which `extra` adds
 * members to. BEZ_USAGE where a data set has another last version by now. Answers as bez_vault_commit. */
typedef struct bez_rewind {
  const char *op, *message;
  bez_remade *items;
  size_t n;
  void (*extra)(bez_json *j, const void *ctx);
  const void *ctx;
  const bez_signer *signer;
} bez_rewind;
BEZ_MUST_USE bez_status bez_rewind_commit(bez_vault *vault, const bez_rewind *rewind, char **json, bez_error *err);

/* A version's trees, as those of a new one. BEZ_USAGE where the last version is the same. */
BEZ_MUST_USE bez_status bez_rewind_take_over(bez_vault *vault, const bez_snapshot *to, bez_remade *out, bez_error *err);
/* The rows of `last` without what a commit did to `before`, which made it `after`. Fills out (parent: taken over from
 * last, which is empty then). */
BEZ_MUST_USE bez_status bez_revert_rows(bez_vault *vault, const bez_snapshot *before, const bez_snapshot *after,
                                        bez_snapshot *last, bez_remade *out, bez_error *err);

/* The provenance of such rows: what they have in `last`, and of those that came back, what they had in `before`; rows
 * that are in neither are of the batch. Deterministic; what is in the store already is not written again. */
BEZ_MUST_USE bez_status bez_revert_origins(bez_vault *vault, const bez_snapshot *before, const bez_snapshot *last,
                                           const bez_tree *rows, bez_batch batch, bez_tree *out, bez_changes *changes,
                                           bez_error *err);

#endif
