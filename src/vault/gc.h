/* What gc removed: versions whose data are gone on purpose, as signed entries of the log say. */
#ifndef BEZ_VAULT_GC_H
#define BEZ_VAULT_GC_H

#include "vault/vault.h"

typedef struct bez_pruned_version {
  char *dataset;
  uint64_t version;
  char time[32]; /* of the entry */
} bez_pruned_version;

typedef struct bez_pruned {
  bez_pruned_version *items; /* ascending by data set and version */
  size_t n, cap;
} bez_pruned; /* zero-initialise; release with bez_pruned_free */

BEZ_MUST_USE bez_status bez_pruned_read(bez_vault *vault, bez_pruned *out, bez_error *err);
const bez_pruned_version *bez_pruned_find(const bez_pruned *pruned, const char *dataset,
                                          uint64_t version); /* or NULL */
void bez_pruned_free(bez_pruned *pruned);
/* BEZ_USAGE "pruned by gc at …" where the version's data were removed. For all that reads a version's rows. */
BEZ_MUST_USE bez_status bez_pruned_refuse(bez_vault *vault, const bez_snapshot *version, bez_error *err);

#endif
