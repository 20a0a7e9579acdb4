/* The witnesses that a vault's log names: entries of type "witness" ({name, key, url}, or {name, removed}) by admins.
 */
#ifndef BEZ_VAULT_WITNESS_LIST_H
#define BEZ_VAULT_WITNESS_LIST_H

#include "ledger/witness.h"
#include "vault/vault.h"

typedef struct bez_witness_list {
  bez_vkey *keys;
  char **urls;
  size_t n, cap;
} bez_witness_list; /* zero-initialise; release with bez_witness_list_free */

BEZ_MUST_USE bez_status bez_witness_list_read(bez_vault *vault, bez_witness_list *out, bez_error *err);
void bez_witness_list_free(bez_witness_list *list);
/* Index by name; n: not there. */
size_t bez_witness_list_find(const bez_witness_list *list, const char *name);
/* For bez_witnesses_count and bez_witness_take. */
bez_witnesses bez_witness_list_keys(const bez_witness_list *list);

#endif
