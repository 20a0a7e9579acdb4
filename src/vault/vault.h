/* Inside an open vault. The public face is bezoar/vault.h.
 *
 *   .bezoar/config     JSON: format version, origin, log key (vkey), key of the cuts; its SHA-256 stands in entry 0
 *   .bezoar/log/       ledger/log.h: the truth
 *   .bezoar/objects/   content/object.h
 *   .bezoar/index/     can be made again: vault.sqlite and its seal (vault/index.h), sorted/ (objects of sorted trees)
 *   .bezoar/stage/     what was added and not committed: one signed submission per data set (vault/stage.h)
 *   .bezoar/tmp/       packs in the making; emptied by gc
 *   .bezoar/lock       empty; byte 0 is locked by who appends, byte 1 is shared by all who have the vault open and
 *                      taken alone by gc (open file description locks of Linux: they go when the process goes)
 *
 * Trust is made anew from the log at every open, not from the index. What the index says is a hint where to look: what
 * counts is the entry of the log it points to. */
#ifndef BEZ_VAULT_VAULT_H
#define BEZ_VAULT_VAULT_H

#include "bezoar/vault.h"
#include "content/provenance.h"
#include "content/sorted.h"
#include "ledger/log.h"
#include "ledger/trust.h"

typedef struct bez_index bez_index; /* vault/index.h: SQLite, rebuilt where it does not fit the log */

struct bez_vault {
  char *folder; /* absolute, ".bezoar" included */
  char *origin, *vkey;
  char *log_fingerprint; /* of the log key */
  bez_sipkey key;
  int lock;                 /* descriptor */
  unsigned exclusive;       /* how often bez_vault_lock was called */
  const bez_signer *acting; /* who works with the vault, borrowed; NULL nobody. Signs checkpoints where its key is the
                               log's */
  bez_log *log;
  bez_objects *objects, *sorted;
  bez_error damage; /* of a pack, found when the vault was opened; code BEZ_OK: none */
  bez_index *index;
  bez_trust *trust;  /* as of the head */
  uint64_t followed; /* entries that trust and index know */
  int64_t ruled;     /* bez_trust_clock: nothing later in the log is judged by an earlier time */
  bez_buf rulings;   /* ids of the entries about trust */
  void (*told)(void *ctx, uint64_t index, const char *why); /* of entries without effect, while they are followed */
  void *told_ctx;
};

/* One version of one data set, from verified entries. */
typedef struct bez_snapshot {
  char *dataset;
  uint64_t version;                        /* 1, 2, … */
  uint64_t commit_index, submission_index; /* in the log */
  bez_id commit, submission;               /* entry ids */
  bez_batch batch;
  bez_tree rows, sorted, provenance;
  bez_entry entry; /* the submission; keys[0] is the contributor's */
} bez_snapshot;    /* zero-initialise; release with bez_snapshot_free */
/* "train.csv", "train.csv@3", "train.csv@latest", "train.csv@<commit id, at least 7 digits>". BEZ_USAGE says what there
 * is. */
BEZ_MUST_USE bez_status bez_snapshot_find(bez_vault *vault, const char *text, bez_snapshot *out, bez_error *err);
void bez_snapshot_free(bez_snapshot *version);
/* The last version; *found false: there is none, and out is that of an empty data set (version 0, empty trees). */
BEZ_MUST_USE bez_status bez_snapshot_last(bez_vault *vault, const char *dataset, bez_snapshot *out, bool *found,
                                          bez_error *err);
BEZ_MUST_USE bez_status bez_snapshot_get(bez_vault *vault, const char *dataset, uint64_t version, bez_snapshot *out,
                                         bez_error *err);
/* The same without opening trees (which are zero then): what the log says of a version, whether or not its objects are
 * there. */
BEZ_MUST_USE bez_status bez_snapshot_said(bez_vault *vault, const char *dataset, uint64_t version, bez_snapshot *out,
                                          bez_error *err);
BEZ_MUST_USE bez_status bez_snapshot_last_said(bez_vault *vault, const char *dataset, bez_snapshot *out, bool *found,
                                               bez_error *err);

/* Takes the lock of those who append, brings log, index and trust to the head. May be nested; each is released by
 * bez_vault_unlock. */
BEZ_MUST_USE bez_status bez_vault_lock(bez_vault *vault, bez_error *err);
void bez_vault_unlock(bez_vault *vault);
/* For gc, within bez_vault_lock: BEZ_USAGE where another process has the vault open. Until the vault is closed. */
BEZ_MUST_USE bez_status bez_vault_alone(bez_vault *vault, bez_error *err);
/* Brings log, index and trust to the head; done by open and lock. */
BEZ_MUST_USE bez_status bez_vault_follow(bez_vault *vault, bez_error *err);
/* Path of something in the vault: "stage/x". BEZ_MEMORY, else owned by the caller. */
BEZ_MUST_USE bez_status bez_vault_path(const bez_vault *vault, const char *name, char **out, bez_error *err);
/* The clock, or $SOURCE_DATE_EPOCH. */
int64_t bez_vault_now(void);
/* One entry of the log, signatures verified. */
BEZ_MUST_USE bez_status bez_vault_entry(bez_vault *vault, uint64_t index, bez_entry *out, bez_error *err);
/* A member of hexadecimal digits: an object's id, a batch. BEZ_FORMAT. */
BEZ_MUST_USE bez_status bez_entry_hex(const bez_entry *entry, const char *key, uint8_t *out, size_t n, bez_error *err);
/* Asks trust; where it says no, a "refused" entry is appended, and the error says "refused: …". */
typedef struct bez_claim {
  const char *op, *dataset, *source;
  unsigned role; /* one bez_may */
} bez_claim;
BEZ_MUST_USE bez_status bez_vault_ask(bez_vault *vault, const bez_claim *claim, const bez_signer *signer,
                                      bez_error *err);
/* Writes the "refused" entry for a refusal found otherwise (st: BEZ_USAGE, err says why); returns st. */
BEZ_MUST_USE bez_status bez_vault_refused(bez_vault *vault, const bez_claim *claim, const bez_signer *signer,
                                          bez_status st, bez_error *err);
/* Opens the key that who names and makes it the acting one. Closed by the caller behind bez_vault_act(vault, NULL). */
BEZ_MUST_USE bez_status bez_vault_signer(bez_vault *vault, const bez_vault_who *who, bez_signer **out, bez_error *err);
void bez_vault_act(bez_vault *vault, const bez_signer *signer);
/* Appends entries (bez_entry_sign) as one, with a checkpoint where the log key can be had; index and trust follow.
 * Takes the lock where it is not held. bez_vault_say is the same for one. */
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
