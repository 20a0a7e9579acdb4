/* Inside an open vault. The public face is bezoar/vault.h.
 *
 *   .bezoar/config          JSON: format version, origin, log key (vkey), key of the cuts; its SHA-256 stands in entry
 * 0 .bezoar/log/            vault/log.h: the truth .bezoar/objects/        vault/object.h .bezoar/index/          can
 * be made again: vault.sqlite and its seal, sorted/ (objects of sorted trees) .bezoar/stage/          what was added
 * and not committed: one signed submission per data set .bezoar/tmp/            packs in the making; emptied by gc
 *   .bezoar/lock            empty; flock: shared to read, exclusive to append
 */
#ifndef BEZ_VAULT_VAULT_H
#define BEZ_VAULT_VAULT_H

#include "bezoar/vault.h"
#include "vault/log.h"
#include "vault/provenance.h"
#include "vault/sorted.h"
#include "vault/trust.h"

typedef struct bez_index bez_index; /* vault/index.h: SQLite, rebuilt where it does not fit the log */

struct bez_vault {
  char *folder; /* absolute, ".bezoar" included */
  char *origin, *vkey;
  bez_sipkey key;
  int lock;       /* descriptor */
  bool exclusive; /* the lock is held for writing */
  bez_log *log;
  bez_objects *objects, *sorted;
  bez_index *index;
  bez_trust *trust; /* as of the head */
};

/* One version of one data set, from verified entries. */
typedef struct bez_snapshot {
  char *dataset;
  uint64_t version;                        /* 1, 2, … */
  uint64_t commit_index, submission_index; /* in the log */
  bez_id commit, submission;               /* entry ids */
  bez_batch batch;
  bez_tree rows, sorted, provenance;
  bez_entry entry; /* the submission */
} bez_snapshot;    /* zero-initialise; release with bez_snapshot_free */
/* "train.csv", "train.csv@3", "train.csv@latest", "train.csv@<commit id, at least 7 digits>". BEZ_USAGE says what there
 * is. */
BEZ_MUST_USE bez_status bez_snapshot_find(bez_vault *vault, const char *text, bez_snapshot *out, bez_error *err);
void bez_snapshot_free(bez_snapshot *version);

/* Takes the exclusive lock, brings log, index and trust to the head. Released by bez_vault_unlock. */
BEZ_MUST_USE bez_status bez_vault_lock(bez_vault *vault, bez_error *err);
void bez_vault_unlock(bez_vault *vault);
/* Appends entries (bez_entry_sign) as one, with a checkpoint where the log key can be had; index and trust follow.
 * Takes the lock where it is not held. */
BEZ_MUST_USE bez_status bez_vault_append(bez_vault *vault, const bez_bytes_view *entries, size_t n, bez_error *err);
/* One entry of a type made, signed and appended: write adds the members. signer NULL: unsigned. id NULL: not wanted. */
BEZ_MUST_USE bez_status bez_vault_say(bez_vault *vault, const char *type, const bez_signer *signer,
                                      void (*write)(bez_json *j, const void *ctx), const void *ctx, bez_id *id,
                                      bez_error *err);
/* Who read (or tried to): an access entry. op: "checkout", "export", "proof", …; why: NULL for "ok". */
BEZ_MUST_USE bez_status bez_vault_record_access(bez_vault *vault, const char *op, const bez_snapshot *version,
                                                const bez_signer *reader, const char *why, const char *detail,
                                                bez_error *err);

#endif
