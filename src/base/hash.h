/* Non-cryptographic hashing for tables and sketches, and SHA-256 for names that must not collide on purpose.
 * bez_hash64 is stable across machines and releases of one saved-state version. */
#ifndef BEZ_BASE_HASH_H
#define BEZ_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

#include "bezoar/base.h"

/* Finaliser of a 64-bit word: xor-shift-multiply, bijective. */
static inline uint64_t bez_mix64(uint64_t x) {
  x ^= x >> 32;
  x *= 0xd6e8feb86659fd93ull;
  x ^= x >> 32;
  x *= 0xd6e8feb86659fd93ull;
  x ^= x >> 32;
  return x;
}

uint64_t bez_hash64(const void *bytes, size_t len, uint64_t seed);

/* SHA-256 (FIPS 180-4, through OpenSSL) as 64 lower-case hex digits and a NUL; returns 0, or -1 when OpenSSL fails. */
int bez_sha256_hex(const void *bytes, size_t len, char out[65]);

/* The same of a regular file, read in pieces, never mapped: memory stays where it is. size (NULL: not wanted): bytes
 * that were read. go_on (NULL: nobody to ask) is asked between pieces; BEZ_CANCELLED when it says no. */
BEZ_MUST_USE bez_status bez_sha256_file(const char *path, char out[65], uint64_t *size, bool (*go_on)(void *ctx),
                                        void *ctx, bez_error *err);

#endif
