/* OpenSSL's SHA256_Init, _Update and _Final, which OpenSSL 3 calls deprecated in favour of EVP. They stand here and
 * nowhere else, because they run the same code (SHA extensions where the processor has them) on a state on the stack:
 * measured with OpenSSL 3.0, 64 bytes cost 78 ns this way, 121 ns with an EVP context that is kept and a digest that
 * was fetched once, 330 ns with EVP_Digest or SHA256(); at 200 bytes 152, 195 and 415 ns. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "crypto/sha256.h"

#include <openssl/sha.h>

_Static_assert(sizeof(SHA256_CTX) <= sizeof(bez_sha256_state), "the state has room for OpenSSL's");
_Static_assert(_Alignof(SHA256_CTX) <= _Alignof(bez_sha256_state), "and stands where OpenSSL's may");
_Static_assert(SHA256_DIGEST_LENGTH == BEZ_SHA256, "32 bytes");

/* All three return 1, always: they know no failure. */

void bez_sha256(const void *bytes, size_t len, uint8_t out[BEZ_SHA256]) {
  SHA256_CTX state;
  (void)SHA256_Init(&state);
  (void)SHA256_Update(&state, bytes, len);
  (void)SHA256_Final(out, &state);
}

void bez_sha256_begin(bez_sha256_state *state) {
  (void)SHA256_Init((SHA256_CTX *)(void *)state);
}

void bez_sha256_add(bez_sha256_state *state, const void *bytes, size_t len) {
  (void)SHA256_Update((SHA256_CTX *)(void *)state, bytes, len);
}

void bez_sha256_end(bez_sha256_state *state, uint8_t out[BEZ_SHA256]) {
  (void)SHA256_Final(out, (SHA256_CTX *)(void *)state);
}
