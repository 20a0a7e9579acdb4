/* What a row proof claims of a version's trees, and how it bears it out: docs/vault/proofs.md has the lines. Claims
 * know nothing of log and signatures: they end in the id of a tree. */
#ifndef BEZ_VAULT_ROW_CLAIM_H
#define BEZ_VAULT_ROW_CLAIM_H

#include "content/sorted.h"
#include "content/tree.h"

typedef enum bez_claim_kind {
  BEZ_CLAIM_INCLUDED, /* an item is in the rows tree */
  BEZ_CLAIM_PRESENT,  /* a canonical digest is in the sorted tree */
  BEZ_CLAIM_ABSENT    /* … is not */
} bez_claim_kind;
const char *bez_claim_name(bez_claim_kind kind); /* "included" … */

typedef struct bez_row_claim {
  bez_claim_kind kind;
  bez_id tree;                    /* rows tree for included, else the sorted one */
  uint8_t raw[32], canonical[32]; /* raw: of included */
  unsigned type;                  /* of included: bez_item_type */
  uint64_t count;                 /* of present: how often */
} bez_row_claim;

/* Writing. The lines of a claim are appended; *claim is what they say. */

/* form: the JSON-opened form in force where the row's leaf begins is found by itself; n_files as bez_row_read.
 * BEZ_USAGE: no such row. */
BEZ_MUST_USE bez_status bez_claim_row(const bez_objects *objects, const bez_tree *rows, uint64_t n_files, uint64_t row,
                                      bez_buf *out, bez_row_claim *claim, bez_error *err);
/* Present or absent, as it is. */
BEZ_MUST_USE bez_status bez_claim_digest(const bez_objects *objects, const bez_tree *sorted,
                                         const uint8_t canonical[32], bez_buf *out, bez_row_claim *claim,
                                         bez_error *err);

/* Reading: the claim at *text, which is moved behind it; what it says has been verified up to claim->tree. BEZ_FORMAT
 * says what is wrong. Hostile; NUL-terminated. */
BEZ_MUST_USE bez_status bez_claim_check(const char **text, bez_row_claim *claim, bez_error *err);

/* Lines of hashes from one of n hashes (as of a node's entries, a leaf's items) up to their Merkle root: "l HASH" where
 * the neighbour lies to the left, "r HASH" to the right. hashes is used as scratch. */
void bez_path_put(bez_buf *out, uint8_t (*hashes)[32], size_t n, size_t at);
/* The same for two neighbours, at - 1 and at, up to where they meet ("=") and on: "l" belongs to the left one and "r"
 * to the right one until then. at ≥ 1. */
void bez_path_put_pair(bez_buf *out, uint8_t (*hashes)[32], size_t n, size_t at);

#endif
