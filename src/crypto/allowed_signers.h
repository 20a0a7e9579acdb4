/* The file of allowed signers of ssh-keygen(1): who is trusted to sign. */
#ifndef BEZ_CRYPTO_ALLOWED_SIGNERS_H
#define BEZ_CRYPTO_ALLOWED_SIGNERS_H

#include "crypto/signer.h"

typedef struct bez_allowed_signer {
  char *principal; /* the first of the line's */
  bez_ssh_key *key;
  int64_t valid_after, valid_before; /* seconds since 1970; INT64_MIN, INT64_MAX: open */
} bez_allowed_signer;

/* Every line of a file; hostile. Certificates' authorities, patterns in place of names, options that are not known, and
 * keys for other namespaces alone are errors with the line: nothing is passed over silently. */
BEZ_MUST_USE bez_status bez_allowed_signers_parse(const char *text, size_t len, const char *name_space,
                                                  const char *subject, bez_allowed_signer **out, size_t *n,
                                                  bez_error *err);
void bez_allowed_signers_free(bez_allowed_signer *list, size_t n); /* NULL is fine */
/* One line, with the namespace. */
void bez_allowed_signers_put(bez_buf *out, const char *principal, const char *name_space, int64_t valid_after,
                             int64_t valid_before, const bez_ssh_key *key);

#endif
