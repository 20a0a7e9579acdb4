/* What a verifier of Sigstore signatures trusts (trusted_root.json, Sigstore protobuf-specs): certificate authorities,
 * transparency logs, logs of certificates, time-stamping authorities, each with the time it is valid for.
 *
 * A root that was read may be used by any number of threads. */
#ifndef BEZ_CRYPTO_TRUSTED_ROOT_H
#define BEZ_CRYPTO_TRUSTED_ROOT_H

#include <openssl/evp.h>

#include "base/arena.h"
#include "crypto/chain.h"

/* Certificates that issue others: of signing keys or of time stamps. */
typedef struct bez_authority {
  const bez_bytes *certificates; /* DER, the root last */
  size_t n;
  int64_t from, until; /* seconds since 1970, both inclusive */
} bez_authority;

/* A log, by its key. */
typedef struct bez_log {
  uint8_t id[32];
  EVP_PKEY *key; /* EC, Ed25519 or RSA */
  const char *url;
  int64_t from, until;
} bez_log;

typedef struct bez_trusted_root {
  bez_arena arena;
  bez_authority *authorities, *stampers;
  bez_log *logs, *certificate_logs;
  size_t n_authorities, n_stampers, n_logs, n_certificate_logs;
} bez_trusted_root; /* zero-initialise; release with bez_trusted_root_free */

/* Hostile bytes are fine: BEZ_FORMAT with the reason. Logs with keys of a kind that is not known here are left out. */
BEZ_MUST_USE bez_status bez_trusted_root_parse(const char *bytes, size_t len, const char *subject,
                                               bez_trusted_root *out, bez_error *err);
BEZ_MUST_USE bez_status bez_trusted_root_read(const char *path, bez_trusted_root *out, bez_error *err);
void bez_trusted_root_free(bez_trusted_root *root);

/* The log with the id that was valid at the time; NULL. at INT64_MIN: whenever. */
const bez_log *bez_log_find(const bez_log *logs, size_t n, const uint8_t id[32], int64_t at);
/* Whether the signature is the log's over these bytes: ECDSA or RSA (PKCS #1) with SHA-256, or Ed25519. */
bool bez_log_signed(const bez_log *log, const void *bytes, size_t len, const uint8_t *signature, size_t signature_len);

#endif
