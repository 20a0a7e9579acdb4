/* Files of proofs: what making and checking them share. */
#ifndef BEZ_VAULT_PROOF_H
#define BEZ_VAULT_PROOF_H

#include "base/json.h"
#include "bezoar/proof.h"
#include "vault/row_claim.h"

#define BEZ_ROW_PROOF "bezoar-row-proof/v1\n"
#define BEZ_CONSISTENCY_PROOF "bezoar-consistency-proof/v1\n"
#define BEZ_MOST_CLAIMS 1000000u

typedef struct bez_claims {
  bez_row_claim *items;
  size_t n, cap;
} bez_claims; /* zero-initialise; free items */
BEZ_MUST_USE bez_status bez_claims_add(bez_claims *claims, const bez_row_claim *claim, bez_error *err);
/* The member "claims". */
void bez_claims_write(bez_json *j, const bez_claims *claims);

/* Canonical digests of the rows of a file (or of a folder), in order. */
BEZ_MUST_USE bez_status bez_rows_of_file(const char *path,
                                         bez_status (*fn)(void *ctx, const uint8_t canonical[32], bez_error *err),
                                         void *ctx, bez_error *err);

#endif
