/* SHA-256 (FIPS 180-4) of short messages: rows, items, nodes. A few dozen bytes are hashed millions of times here, and
 * what a message costs beside its blocks decides how fast data enters the vault. For other digests and for files:
 * crypto/digest.h. Cannot fail; safe from any thread. */
#ifndef BEZ_CRYPTO_SHA256_H
#define BEZ_CRYPTO_SHA256_H

#include <stddef.h>
#include <stdint.h>

#define BEZ_SHA256 32u /* bytes */

void bez_sha256(const void *bytes, size_t len, uint8_t out[BEZ_SHA256]);

/* In pieces. The state is plain memory: copied to go on in two ways, dropped at will. */
typedef struct bez_sha256_state {
  uint64_t room[16];
} bez_sha256_state;
void bez_sha256_begin(bez_sha256_state *state);
void bez_sha256_add(bez_sha256_state *state, const void *bytes, size_t len);
void bez_sha256_end(bez_sha256_state *state, uint8_t out[BEZ_SHA256]);

#endif
