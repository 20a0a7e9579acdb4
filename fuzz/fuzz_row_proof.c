/* Proofs about rows and logs: whatever is accepted names a tree that was signed with the key here. Also claims alone,
 * which need no signature. */
#include <stdlib.h>
#include <string.h>

#include "bezoar/proof.h"
#include "vault/row_claim.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Of the vault that made the proofs of the corpus. */
#define KEY "bezoar-vault/b352b1ddc1e854da+986caf06+AfeBlKF/ZPw3+DohlXrEg8SXyO0Ft05Ic0/fS/GA3IGe"

static void claims(const char *text) {
  bez_row_claim claim;
  bez_error err = {0};
  for (const char *at = text; *at;) {
    const char *before = at;
    if (bez_claim_check(&at, &claim, &err) != BEZ_OK) return;
    if (at <= before || claim.kind > BEZ_CLAIM_ABSENT) abort();
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  const bez_proof_check_options options = {.log_key = KEY};
  bez_error err = {0};
  char *json = NULL, *text = malloc(size + 1);
  if (!text) abort();
  if (size) memcpy(text, data, size);
  text[size] = '\0';
  if (bez_proof_verify(text, size, &options, &json, &err) == BEZ_OK) {
    if (!json || !strstr(json, "\"ok\":true")) abort();
    bez_text_free(json);
  }
  const char *first = strstr(text, "claim ");
  if (first) claims(first);
  free(text);
  return 0;
}
