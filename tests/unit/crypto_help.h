/* Keys and certificates made on the spot, so that the tests need no files. */
#ifndef BEZ_CRYPTO_HELP_H
#define BEZ_CRYPTO_HELP_H

#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>
#include <time.h>

#include "test.h"

#include "crypto/bundle.h"

#define VECTORS BEZ_SOURCE_DIR "/../shared/vectors/model-signing/"

static inline void write_text(const char *path, const void *bytes, size_t len) {
  FILE *f = fopen(path, "wb");
  assert_non_null(f);
  assert_int_equal(fwrite(bytes, 1, len, f), len);
  assert_int_equal(fclose(f), 0);
}

/* Writes both halves as PEM; the private one encrypted where there is a password. */
static inline void write_key(EVP_PKEY *pkey, const char *private_path, const char *public_path, const char *password) {
  FILE *f = fopen(private_path, "w");
  assert_non_null(f);
  assert_int_equal(PEM_write_PKCS8PrivateKey(f, pkey, password ? EVP_aes_256_cbc() : NULL, NULL, 0, NULL,
                                             (void *)(uintptr_t)password),
                   1);
  fclose(f);
  f = fopen(public_path, "w");
  assert_non_null(f);
  assert_int_equal(PEM_write_PUBKEY(f, pkey), 1);
  fclose(f);
}

static inline bez_key *key_of(EVP_PKEY *pkey) {
  bez_error err = {0};
  bez_key *key = NULL;
  EVP_PKEY_up_ref(pkey);
  assert_ok(bez_key_take(pkey, "test", &key, &err));
  return key;
}

typedef struct cert_plan {
  const char *subject;
  EVP_PKEY *key;
  X509 *issuer; /* NULL: itself */
  EVP_PKEY *issuer_key;
  bool ca;
  const char *usage, *extended; /* "digitalSignature", "codeSigning"; NULL: not stated */
  int64_t from, until;          /* seconds from now */
  const EVP_MD *digest;         /* NULL: SHA-256 */
} cert_plan;

static inline void add_extension(X509 *x, X509 *issuer, int nid, const char *value) {
  X509V3_CTX ctx;
  X509V3_set_ctx(&ctx, issuer, x, NULL, NULL, 0);
  X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
  assert_non_null(e);
  assert_int_equal(X509_add_ext(x, e, -1), 1);
  X509_EXTENSION_free(e);
}

static inline X509 *make_cert(const cert_plan *p) {
  X509 *x = X509_new();
  X509_NAME *name = X509_get_subject_name(x);
  X509_set_version(x, 2);
  ASN1_INTEGER_set(X509_get_serialNumber(x), 1 + (long)strlen(p->subject));
  X509_gmtime_adj(X509_getm_notBefore(x), (long)p->from);
  X509_gmtime_adj(X509_getm_notAfter(x), (long)p->until);
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)p->subject, -1, -1, 0);
  X509_set_issuer_name(x, p->issuer ? X509_get_subject_name(p->issuer) : name);
  X509_set_pubkey(x, p->key);
  add_extension(x, p->issuer ? p->issuer : x, NID_basic_constraints, p->ca ? "critical,CA:TRUE" : "critical,CA:FALSE");
  if (p->usage) add_extension(x, p->issuer ? p->issuer : x, NID_key_usage, p->usage);
  if (p->extended) add_extension(x, p->issuer ? p->issuer : x, NID_ext_key_usage, p->extended);
  assert_true(X509_sign(x, p->issuer_key ? p->issuer_key : p->key, p->digest ? p->digest : EVP_sha256()) > 0);
  return x;
}

/* DER on the heap. */
static inline bez_bytes der_of(X509 *x) {
  uint8_t *der = NULL;
  int len = i2d_X509(x, &der);
  assert_true(len > 0);
  return (bez_bytes){der, (size_t)len};
}

static inline void free_der(bez_bytes b) {
  OPENSSL_free((void *)(uintptr_t)b.data);
}

#endif
