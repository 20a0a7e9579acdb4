/* Sorted trees follow from the rows: made again where they were lost. */
#ifndef BEZ_VAULT_REMAKE_H
#define BEZ_VAULT_REMAKE_H

#include "vault/vault.h"

/* From the version's rows, into the store of sorted trees; BEZ_FORMAT where it is not the one that was signed. */
BEZ_MUST_USE bez_status bez_sorted_remake(bez_vault *vault, const bez_snapshot *version, bez_tree *out, bez_error *err);

#endif
