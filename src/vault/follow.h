/* What entries of the log bring about: judged one by one, in order, by what trust says at that point. */
#ifndef BEZ_VAULT_FOLLOW_H
#define BEZ_VAULT_FOLLOW_H

#include "vault/vault.h"

/* Judges a commit and adds its versions to the index. *why: it has no effect, and the reason is in `reason`. */
BEZ_MUST_USE bez_status bez_judge_commit(bez_vault *vault, uint64_t index, const bez_entry *commit, bool *refused,
                                         bez_error *reason, bez_error *err);
/* Whether any signature of an entry is of somebody who may, at that time; the last one's reason where none is. */
BEZ_MUST_USE bez_status bez_judge_role(const bez_vault *vault, const bez_entry *entry, unsigned role,
                                       const char *dataset, const char *source, int64_t at, bez_error *reason);

#endif
