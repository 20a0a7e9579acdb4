/* What inherited from something bad. */
#ifndef BEZ_VAULT_IMPACT_H
#define BEZ_VAULT_IMPACT_H

#include "vault/vault.h"

/* kind, what: as of bez_vault_impact. since: of keys, only what was submitted from then on; INT64_MIN all. Writes an
 * object. */
BEZ_MUST_USE bez_status bez_impact_write(bez_vault *vault, const char *kind, const char *what, int64_t since,
                                         bez_json *j, bez_error *err);

/* The batches (16 bytes each) and canonical digests (32 bytes each) that something stands for. */
typedef struct bez_taint {
  const char *kind; /* "key" …: what it was taken for */
  bez_buf batches, digests;
} bez_taint; /* zero-initialise; release with bez_taint_free */
BEZ_MUST_USE bez_status bez_taint_find(bez_vault *vault, const char *kind, const char *what, int64_t since,
                                       bez_taint *out, bez_error *err);
void bez_taint_free(bez_taint *taint);
bool bez_taint_has(const bez_taint *taint, const bez_batch *batch);

#endif
