/* What was added and is not committed: .bezoar/stage/<SHA-256 of the data set's name>, one line of JSON and one with
 * its SHA-256. A commit that waits for more signatures is stage/commit, of the same form. */
#ifndef BEZ_VAULT_STAGE_H
#define BEZ_VAULT_STAGE_H

#include "content/stamp.h"
#include "vault/vault.h"

typedef struct bez_staged {
  char *dataset, *path; /* path: of the data, absolute */
  bez_stamp stamp;
  bez_buf entry; /* the submission as it goes into the log */
  bez_entry submission;
} bez_staged; /* zero-initialise; release with bez_staged_free */
void bez_staged_free(bez_staged *staged);

/* entry: as signed. The one that was there for the data set is replaced. */
BEZ_MUST_USE bez_status bez_stage_put(const bez_vault *vault, const char *dataset, const char *path,
                                      const bez_stamp *stamp, const bez_buf *entry, bez_error *err);
BEZ_MUST_USE bez_status bez_stage_drop(const bez_vault *vault, const char *dataset, bez_error *err);

/* All of them, in order of names, verified. BEZ_FORMAT names a file that is damaged. */
typedef struct bez_stage {
  bez_staged *items;
  size_t n;
} bez_stage; /* zero-initialise; release with bez_stage_free */
BEZ_MUST_USE bez_status bez_stage_read(const bez_vault *vault, bez_stage *out, bez_error *err);
void bez_stage_free(bez_stage *stage);

/* The commit that waits: its entry as signed so far. *found false: none. */
BEZ_MUST_USE bez_status bez_stage_put_commit(const bez_vault *vault, const bez_buf *entry, bez_error *err);
BEZ_MUST_USE bez_status bez_stage_get_commit(const bez_vault *vault, bez_buf *entry, bool *found, bez_error *err);
BEZ_MUST_USE bez_status bez_stage_drop_commit(const bez_vault *vault, bez_error *err);

#endif
