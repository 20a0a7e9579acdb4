/* The bundle that a signature comes in (Sigstore bundle v0.3, JSON): one DSSE envelope and what is needed to verify it.
 *
 * Parsing judges the shape alone; whether the signature holds is for bez_bundle_verify_key, bez_bundle_verify_chain and
 * crypto/sigstore.h. Hostile bytes are fine: a ceiling on bytes and depth, duplicate keys refused. */
#ifndef BEZ_CRYPTO_BUNDLE_H
#define BEZ_CRYPTO_BUNDLE_H

#include "base/arena.h"
#include "base/json.h"
#include "crypto/chain.h"
#include "crypto/key.h"

#define BEZ_BUNDLE_MEDIA_TYPE "application/vnd.dev.sigstore.bundle.v0.3+json"

typedef enum bez_bundle_method {
  BEZ_BUNDLE_KEY,     /* publicKey: the verifier has the key already */
  BEZ_BUNDLE_CHAIN,   /* x509CertificateChain: leaf first */
  BEZ_BUNDLE_SIGSTORE /* certificate and tlogEntries */
} bez_bundle_method;

typedef struct bez_bundle {
  bez_arena arena;
  json_t *document; /* the whole of it; json_t members below are borrowed from it */
  bez_bundle_method method;
  const char *hint;              /* of KEY: hex; NULL none */
  bez_bytes raw_key;             /* of KEY, older bundles: the public key itself, PEM or DER; len 0 none */
  const bez_bytes *certificates; /* DER; CHAIN: leaf first; SIGSTORE: the leaf first */
  size_t n_certificates;
  json_t *tlog_entries; /* an array; NULL where it is absent. SIGSTORE: at least one item */
  json_t *timestamps;   /* timestampVerificationData, an object; NULL none */
  json_t *envelope;     /* dsseEnvelope */
  const char *payload_type;
  bez_bytes payload;
  bez_bytes signature; /* the one there is */
} bez_bundle;          /* zero-initialise; release with bez_bundle_free */

/* BEZ_FORMAT with the reason where it is no bundle of this shape. subject names it in errors. */
BEZ_MUST_USE bez_status bez_bundle_parse(const char *bytes, size_t len, const char *subject, bez_bundle *out,
                                         bez_error *err);
BEZ_MUST_USE bez_status bez_bundle_read(const char *path, bez_bundle *out, bez_error *err);
void bez_bundle_free(bez_bundle *bundle);

/* Refusals are BEZ_FORMAT with the reason: a bundle signed in another way, by another key, or over other bytes. */
BEZ_MUST_USE bez_status bez_bundle_verify_key(const bez_bundle *bundle, const bez_key *key, const char *subject,
                                              bez_error *err);
/* at: seconds since 1970 at which the certificates must be valid. who (NULL: none): the leaf's name. */
BEZ_MUST_USE bez_status bez_bundle_verify_chain(const bez_bundle *bundle, const bez_roots *roots, int64_t at,
                                                const char *subject, char *who, size_t who_size, bez_error *err);
/* The envelope's signature alone, by whoever's key it is. */
BEZ_MUST_USE bez_status bez_bundle_verify_envelope(const bez_bundle *bundle, const bez_key *key, const char *subject,
                                                   bez_error *err);

/* Signs a payload and appends the bundle: by key, and with a certificate chain (leaf first; n 0: none) as CHAIN. */
BEZ_MUST_USE bez_status bez_bundle_sign(const char *payload_type, const void *payload, size_t len, const bez_key *key,
                                        const bez_bytes *chain, size_t n, bez_buf *out, bez_error *err);

#endif
