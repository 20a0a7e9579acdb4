/* Inside public keys as OpenSSH writes them (RFC 4253, 6.6; RFC 5656; RFC 8709): blobs, and signatures by them. */
#ifndef BEZ_CRYPTO_SSH_KEY_H
#define BEZ_CRYPTO_SSH_KEY_H

#include <openssl/evp.h>

#include "crypto/signer.h"
#include "crypto/ssh_wire.h"

#define BEZ_SSH_ED25519 "ssh-ed25519"

/* From a key blob; hostile. comment: NULL none; one with control characters is left out. */
BEZ_MUST_USE bez_status bez_ssh_key_from_blob(const void *blob, size_t len, const char *comment, const char *subject,
                                              bez_ssh_key **out, bez_error *err);
BEZ_MUST_USE bez_status bez_ssh_key_from_ed25519(const uint8_t bytes[32], const char *comment, bez_ssh_key **out,
                                                 bez_error *err);
void bez_ssh_key_blob(const bez_ssh_key *key, const uint8_t **blob, size_t *len); /* borrowed */
/* Whether a signature blob (string algorithm, string signature) is the key's, over these bytes. */
BEZ_MUST_USE bez_status bez_ssh_key_verify(const bez_ssh_key *key, const uint8_t *signature, size_t signature_len,
                                           const void *bytes, size_t len, bool *good, bez_error *err);
const EVP_PKEY *bez_ssh_key_pkey(const bez_ssh_key *key);  /* borrowed */
const char *bez_ssh_key_type(const bez_ssh_key *key);      /* "ssh-ed25519" */
const char *bez_ssh_key_ec_digest(const bez_ssh_key *key); /* of the curve: "SHA256"; NULL: no elliptic curve */

/* Whether OpenSSL failed for want of memory: a key or signature is not to be called bad for that. */
bool bez_ssh_out_of_memory(void);

#endif
