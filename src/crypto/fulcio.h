/* Certificates that Sigstore's authority gives to a signer for some minutes: who it was, by whose word, and that the
 * certificate was put on record in a log (RFC 6962, embedded signed certificate timestamps). */
#ifndef BEZ_CRYPTO_FULCIO_H
#define BEZ_CRYPTO_FULCIO_H

#include "crypto/trusted_root.h"

enum { BEZ_MAX_IDENTITIES = 8 };

typedef struct bez_fulcio_signer {
  const char *identities[BEZ_MAX_IDENTITIES]; /* subject alternative names: email, URI, or Fulcio's user name */
  size_t n_identities;
  const char *issuer; /* OIDC issuer that vouched for it */
} bez_fulcio_signer;  /* strings are the arena's: printable, no NUL within */

/* From the leaf certificate (DER). BEZ_FORMAT: it cannot be read, names nobody, or is not for code signing. */
BEZ_MUST_USE bez_status bez_fulcio_signer_read(const bez_bytes *leaf, const char *subject, bez_arena *arena,
                                               bez_fulcio_signer *out, bez_error *err);

/* A path from the leaf to an authority of the root that was valid at the time. *key: the leaf's, to be freed; *issuer:
 * the certificate that the leaf was signed by, borrowed from the root. */
BEZ_MUST_USE bez_status bez_fulcio_verify(const bez_bytes *leaf, const bez_trusted_root *root, int64_t at,
                                          const char *subject, bez_key **key, bez_bytes *issuer, bez_error *err);

/* That a log of the root has signed for the leaf. BEZ_FORMAT with the reason. */
BEZ_MUST_USE bez_status bez_fulcio_logged(const bez_bytes *leaf, const bez_bytes *issuer, const bez_trusted_root *root,
                                          const char *subject, bez_error *err);

#endif
