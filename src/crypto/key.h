/* Keys that models are signed with: elliptic curves P-256, P-384 and P-521 (RFC 5480), no others. The digest goes with
 * the curve: SHA-256, SHA-384, SHA-512; a signature is ECDSA, DER encoded.
 *
 * A key that was read may be used by any number of threads. Nothing here ever prints or returns private material. */
#ifndef BEZ_CRYPTO_KEY_H
#define BEZ_CRYPTO_KEY_H

#include <openssl/evp.h>

#include "base/buf.h"
#include "crypto/digest.h"

typedef struct bez_key bez_key;
void bez_key_free(bez_key *key); /* NULL is fine */

/* Any private key in PEM text, encrypted ones with the password (NULL: none). BEZ_USAGE says what is wrong. */
BEZ_MUST_USE bez_status bez_pem_private(const char *text, size_t len, const char *path, const char *password,
                                        EVP_PKEY **out, bez_error *err);
/* From a PEM file: PKCS #8 or SEC 1, encrypted ones with the password (NULL: none). BEZ_USAGE where it holds no such
 * key, another kind of key (named), or wants a password. */
BEZ_MUST_USE bez_status bez_key_read_private(const char *path, const char *password, bez_key **out, bez_error *err);
/* From a PEM file with a SubjectPublicKeyInfo. */
BEZ_MUST_USE bez_status bez_key_read_public(const char *path, bez_key **out, bez_error *err);
/* From a SubjectPublicKeyInfo in memory, PEM or DER; hostile bytes. BEZ_FORMAT: none, or of another kind. */
BEZ_MUST_USE bez_status bez_key_from_bytes(const uint8_t *bytes, size_t len, const char *subject, bez_key **out,
                                           bez_error *err);
/* Takes over a reference to pkey, also when it fails (BEZ_UNSUPPORTED: another kind of key, named). */
BEZ_MUST_USE bez_status bez_key_take(EVP_PKEY *pkey, const char *subject, bez_key **out, bez_error *err);
/* The same with another code than BEZ_UNSUPPORTED. */
BEZ_MUST_USE bez_status bez_key_take_as(EVP_PKEY *pkey, bez_status other, const char *subject, bez_key **out,
                                        bez_error *err);

const EVP_PKEY *bez_key_pkey(const bez_key *key);      /* borrowed */
const char *bez_key_curve(const bez_key *key);         /* "P-256" */
bez_digest_kind bez_key_digest(const bez_key *key);    /* that goes with the curve */
bool bez_key_same(const bez_key *a, const bez_key *b); /* their public halves */
/* Hex SHA-256 of the public key's PEM text (64 columns, final line end): how a bundle hints at its key. */
const char *bez_key_hint(const bez_key *key);

/* Appends the signature. ECDSA draws at random: signing twice gives two signatures. */
BEZ_MUST_USE bez_status bez_key_sign(const bez_key *key, const void *bytes, size_t len, bez_buf *out, bez_error *err);
/* *good: the signature is the key's, over these bytes. digest BEZ_DIGEST_NONE: the one that goes with the curve. */
BEZ_MUST_USE bez_status bez_key_verify(const bez_key *key, bez_digest_kind digest, const void *bytes, size_t len,
                                       const uint8_t *signature, size_t signature_len, bool *good, bez_error *err);

#endif
