/* bez_hash64 reads eight bytes at a time, folds each with a 64×64→128 multiplication, and mixes the length in at
 * the end so that a string and its extension by NUL bytes differ. Not for adversarial keys: tables that grow by
 * hostile keys bound their probes. */
#include "base/hash.h"

#include <openssl/evp.h>
#include <string.h>

static uint64_t fold(uint64_t a, uint64_t b) {
  unsigned __int128 p = (unsigned __int128)a * b;
  return (uint64_t)p ^ (uint64_t)(p >> 64);
}

uint64_t bez_hash64(const void *bytes, size_t len, uint64_t seed) {
  const unsigned char *p = bytes;
  uint64_t h = seed ^ 0x8bb84b93962eacc9ull;
  size_t left = len;
  for (; left >= 8; left -= 8, p += 8) {
    uint64_t word = 0;
    memcpy(&word, p, 8);
    h = fold(h ^ word, 0x9e6c63d0676a9a99ull) + 0x4b33a62ed433d4a3ull;
  }
  if (left) {
    uint64_t word = 0;
    memcpy(&word, p, left);
    h = fold(h ^ word, 0x9e6c63d0676a9a99ull) + 0x4b33a62ed433d4a3ull;
  }
  return bez_mix64(h ^ (uint64_t)len * 0x2d358dccaa6c78a5ull);
}

int bez_sha256_hex(const void *bytes, size_t len, char out[65]) {
  unsigned char digest[32];
  unsigned int n = sizeof digest;
  if (EVP_Digest(bytes, len, digest, &n, EVP_sha256(), NULL) != 1 || n != sizeof digest) return -1;
  for (unsigned i = 0; i < n; i++) {
    out[2 * i] = "0123456789abcdef"[digest[i] >> 4];
    out[2 * i + 1] = "0123456789abcdef"[digest[i] & 15];
  }
  out[64] = '\0';
  return 0;
}
