/* Verifying signatures by SSH keys: Ed25519 (RFC 8709), ECDSA (RFC 5656), RSA with SHA-2 (RFC 8332). */
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/rsa.h>
#include <string.h>

#include "base/error.h"
#include "crypto/ssh_key.h"

#define ED25519_SIGNATURE 64u

static bez_status verify(const bez_ssh_key *key, const char *digest, const uint8_t *signature, size_t signature_len,
                         const void *bytes, size_t len, bool *good, bez_error *err) {
  EVP_MD_CTX *md = EVP_MD_CTX_new();
  bez_status st = BEZ_OK;
  EVP_PKEY *pkey = (EVP_PKEY *)bez_ssh_key_pkey(key); /* not changed; OpenSSL's signature has no const */
  *good = false;
  if (!md) return bez_fail_memory(err, 256);
  if (EVP_DigestVerifyInit_ex(md, NULL, digest, NULL, NULL, pkey, NULL) != 1)
    BEZ_TRY(bez_ssh_out_of_memory() ? bez_fail_memory(err, 4096)
                                    : bez_fail(err, BEZ_INTERNAL, NULL, "OpenSSL cannot verify with this key"));
  *good = EVP_DigestVerify(md, signature, signature_len, bytes, len) == 1;
  if (!*good && bez_ssh_out_of_memory()) st = bez_fail_memory(err, 4096);
cleanup:
  EVP_MD_CTX_free(md);
  ERR_clear_error();
  return st;
}

bez_status bez_ssh_key_verify_raw(const bez_ssh_key *key, const void *bytes, size_t len, const uint8_t signature[64],
                                  bool *good, bez_error *err) {
  *good = false;
  if (strcmp(bez_ssh_key_type(key), BEZ_SSH_ED25519) != 0)
    return bez_fail(err, BEZ_UNSUPPORTED, bez_ssh_key_fingerprint(key), "is no Ed25519 key");
  return verify(key, NULL, signature, ED25519_SIGNATURE, bytes, len, good, err);
}

/* SSH has r and s as two numbers, OpenSSL wants them in DER. */
static bez_status verify_ecdsa(const bez_ssh_key *key, const uint8_t *signature, size_t signature_len,
                               const void *bytes, size_t len, bool *good, bez_error *err) {
  bez_cursor c = {signature, signature_len, 0};
  const uint8_t *r, *s;
  size_t r_len, s_len;
  unsigned char der[256], *at = der;
  if (!bez_ssh_take_mpint(&c, &r, &r_len) || !bez_ssh_take_mpint(&c, &s, &s_len) || bez_cursor_left(&c) || r_len > 66 ||
      s_len > 66)
    return BEZ_OK; /* *good is false */
  ECDSA_SIG *pair = ECDSA_SIG_new();
  BIGNUM *first = BN_bin2bn(r, (int)r_len, NULL), *second = BN_bin2bn(s, (int)s_len, NULL);
  bez_status st = BEZ_OK;
  if (!pair || !first || !second || ECDSA_SIG_set0(pair, first, second) != 1) {
    BN_free(first);
    BN_free(second);
    BEZ_TRY(bez_fail_memory(err, 256));
  }
  const int n = i2d_ECDSA_SIG(pair, &at); /* 139 bytes at most, on P-521 */
  if (n <= 0) BEZ_TRY(bez_fail_memory(err, 256));
  st = verify(key, bez_ssh_key_ec_digest(key), der, (size_t)n, bytes, len, good, err);
cleanup:
  ECDSA_SIG_free(pair);
  return st;
}

bez_status bez_ssh_key_verify(const bez_ssh_key *key, const uint8_t *signature, size_t signature_len, const void *bytes,
                              size_t len, bool *good, bez_error *err) {
  bez_cursor c = {signature, signature_len, 0};
  const char *type = bez_ssh_key_type(key);
  const uint8_t *raw;
  size_t n;
  *good = false;
  if (!strcmp(type, "ssh-rsa")) {
    const char *digest = bez_ssh_take_text(&c, "rsa-sha2-512")   ? "SHA512"
                         : bez_ssh_take_text(&c, "rsa-sha2-256") ? "SHA256"
                                                                 : NULL;
    if (!digest || !bez_ssh_take(&c, &raw, &n) || bez_cursor_left(&c)) return BEZ_OK;
    return verify(key, digest, raw, n, bytes, len, good, err);
  }
  if (!bez_ssh_take_text(&c, type) || !bez_ssh_take(&c, &raw, &n) || bez_cursor_left(&c)) return BEZ_OK;
  if (bez_ssh_key_ec_digest(key)) return verify_ecdsa(key, raw, n, bytes, len, good, err);
  return n == ED25519_SIGNATURE ? bez_ssh_key_verify_raw(key, bytes, len, raw, good, err) : BEZ_OK;
}
