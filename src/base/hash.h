/* Non-cryptographic hashing for tables and sketches, and SHA-256 for names that must not collide on purpose.
 * bez_hash64 is stable across machines and releases of one saved-state version. */
#ifndef BEZ_BASE_HASH_H
#define BEZ_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

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

#endif
