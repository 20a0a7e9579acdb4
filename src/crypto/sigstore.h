/* Signatures by Sigstore (no keys that last: a certificate for some minutes, on record in a public log), verified
 * offline against a trusted root.
 *
 * What must hold, in this order: every entry of the transparency log is about this signature, is included under a
 * checkpoint that the log signed, and the time it promised is signed; there is at least one such time, or a time stamp
 * of an authority; at all these times the certificate leads to an authority of the root; a certificate log has signed
 * for it; it names the identity and the issuer that are expected; the signature is its key's over the payload. */
#ifndef BEZ_CRYPTO_SIGSTORE_H
#define BEZ_CRYPTO_SIGSTORE_H

#include "crypto/bundle.h"
#include "crypto/trusted_root.h"

typedef struct bez_sigstore_options {
  const char *identity;     /* one of the certificate's names, exactly: an email address or a URI */
  const char *issuer;       /* the OIDC issuer that vouched for it, exactly */
  const char *trusted_root; /* path of a trusted_root.json; bez_sigstore_verify alone reads it */
} bez_sigstore_options;

typedef struct bez_sigstore_proof {
  uint64_t log_index;
  const char *log_url; /* the trusted root's */
  int64_t signed_at;   /* earliest of the times, seconds since 1970 */
  bool stamped;        /* a time-stamping authority vouches for a time */
} bez_sigstore_proof;

/* BEZ_FORMAT with the reason where one of them does not hold. out may be NULL. What the payload says is not looked at.
 * Keys of certificates must be on P-256, P-384 or P-521 (Sigstore's clients make P-256). */
BEZ_MUST_USE bez_status bez_sigstore_check(const bez_bundle *bundle, const bez_trusted_root *root,
                                           const bez_sigstore_options *options, const char *subject,
                                           bez_sigstore_proof *out, bez_error *err);

/* The same, with the root read from its file. who (NULL: none): who signed it, by whose word, when, and where it is on
 * record, in a sentence of printable ASCII. BEZ_USAGE: no trusted root, or one that cannot be read. */
BEZ_MUST_USE bez_status bez_sigstore_verify(const bez_bundle *bundle, const bez_sigstore_options *options,
                                            const char *subject, char *who, size_t who_size, bez_error *err);

#endif
