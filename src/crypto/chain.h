/* X.509 certificates: from a leaf over what was sent along to a root that the verifier trusts (RFC 5280, OpenSSL). */
#ifndef BEZ_CRYPTO_CHAIN_H
#define BEZ_CRYPTO_CHAIN_H

#include <openssl/x509.h>

#include "base/arena.h"
#include "crypto/key.h"

typedef struct bez_bytes {
  const uint8_t *data;
  size_t len;
} bez_bytes;

/* One certificate in DER and nothing behind it, to be freed; NULL: it is none, or larger than a certificate may be. */
X509 *bez_certificate_read(const bez_bytes *der);

/* Trusted roots. Verification may use them from any number of threads. */
typedef struct bez_roots bez_roots;
BEZ_MUST_USE bez_status bez_roots_create(bez_roots **out, bez_error *err);
void bez_roots_free(bez_roots *roots); /* NULL is fine */
/* Every certificate of a PEM file; BEZ_USAGE where it holds none. */
BEZ_MUST_USE bez_status bez_roots_add_file(bez_roots *roots, const char *path, bez_error *err);
BEZ_MUST_USE bez_status bez_roots_add_der(bez_roots *roots, const uint8_t *der, size_t len, const char *subject,
                                          bez_error *err);

/* Verifies chain[0] (DER, leaf first; the rest helps to reach a root) at a time: a path to a root, signatures and keys
 * of at least 112 bits of security, validity of every certificate, CA flags, and that the leaf may sign: key usage,
 * where it states one, has digitalSignature; extended key usage, where it states one, has codeSigning; it states one of
 * the two. BEZ_FORMAT with the reason where it does not hold. *key: the leaf's, to be freed; who (NULL: none): its
 * subject (RFC 2253, ASCII). */
BEZ_MUST_USE bez_status bez_chain_verify(const bez_bytes *chain, size_t n, const bez_roots *roots, int64_t at,
                                         const char *subject, bez_key **key, char *who, size_t who_size,
                                         bez_error *err);

/* The certificates of PEM files, in order, as DER on the arena. */
BEZ_MUST_USE bez_status bez_chain_read(const char *const *paths, size_t n_paths, bez_arena *arena, bez_bytes **out,
                                       size_t *n, bez_error *err);
/* That a chain to be sent along begins with the key's certificate, and that it is valid at the time and may sign. */
BEZ_MUST_USE bez_status bez_chain_fits(const bez_bytes *chain, size_t n, const bez_key *key, int64_t at,
                                       const char *subject, bez_error *err);

#endif
