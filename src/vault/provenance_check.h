/* A provenance tree comes from the tool of whoever contributed: it is made again, so that nobody writes rows in
 * another's name. */
#ifndef BEZ_VAULT_PROVENANCE_CHECK_H
#define BEZ_VAULT_PROVENANCE_CHECK_H

#include "vault/vault.h"

/* *good false: rows of the version are said to come from elsewhere than they do, by what it and the version before
 * hold, or it is a revert with rows that neither the version before it nor the one that it goes back to had. Where the
 * version before was pruned, nothing can be said: good. Costs what the change between them costs. */
BEZ_MUST_USE bez_status bez_provenance_verify(bez_vault *vault, const bez_snapshot *version, bool *good,
                                              bez_error *err);

#endif
