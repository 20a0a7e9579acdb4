/* The commit that made a submission a version, as a proof shows it, and who may have signed either. */
#ifndef BEZ_VAULT_PROOF_COMMIT_H
#define BEZ_VAULT_PROOF_COMMIT_H

#include "ledger/entry.h"
#include "ledger/log.h"

/* Where the checkpoint of a C2SP tlog-proof begins, behind its first empty line. 0: nowhere. */
size_t bez_tlog_proof_head(const char *text, size_t len);
/* Where in text the lines begin that other ends in, too: tlog-proofs of two entries share the hashes above where their
 * paths meet, and the checkpoint. */
size_t bez_tlog_proof_shared(const bez_buf *text, const bez_buf *other);

/* That a commit of this log took the submission in, as which version. *commit: zero-initialised, owned by the caller.
 * Hostile bytes. */
BEZ_MUST_USE bez_status bez_commit_of_submission(bez_bytes_view bytes, const bez_entry *submission, bez_entry *commit,
                                                 uint64_t *version, bez_error *err);

/* Every signature of each entry is of a key in a file of allowed signers (ssh-keygen(1)), valid when the entry says
 * that it was made. BEZ_FORMAT names the key that is not. */
BEZ_MUST_USE bez_status bez_entries_signed_by(const char *allowed, const bez_entry *const *entries, size_t n,
                                              bez_error *err);

#endif
