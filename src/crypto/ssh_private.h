/* Private keys as OpenSSH writes them (PROTOCOL.key, "openssh-key-v1"), unencrypted, Ed25519. */
#ifndef BEZ_CRYPTO_SSH_PRIVATE_H
#define BEZ_CRYPTO_SSH_PRIVATE_H

#include "crypto/ssh_key.h"

#define BEZ_SSH_PRIVATE "OPENSSH PRIVATE KEY" /* in its armor */

/* Hostile bytes. *public is set as soon as it is known, also when the private half is encrypted (BEZ_UNSUPPORTED) or of
 * another kind than Ed25519 (BEZ_UNSUPPORTED); *seed: 32 private bytes, for the caller to wipe. */
BEZ_MUST_USE bez_status bez_ssh_private_parse(const char *text, size_t len, const char *subject, bez_ssh_key **public,
                                              uint8_t seed[32], bez_error *err);
/* Appends the armored file; out has all its room before private bytes go in, so that wiping out wipes all of them. */
BEZ_MUST_USE bez_status bez_ssh_private_write(const uint8_t seed[32], const uint8_t public_bytes[32],
                                              const char *comment, bez_buf *out, bez_error *err);

#endif
