/* Keys over OpenSSL 3. Whatever OpenSSL queues about failures is dropped: our own sentences say what is wrong. */
#include "crypto/key.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"

#define MAX_KEY_FILE (1u << 20)

struct bez_key {
  EVP_PKEY *pkey;
  const char *curve;
  bez_digest_kind digest;
  char hint[2 * 32 + 1];
};

static const struct {
  const char *group, *curve;
  bez_digest_kind digest;
} curves[] = {{"prime256v1", "P-256", BEZ_DIGEST_SHA256},
              {"secp384r1", "P-384", BEZ_DIGEST_SHA384},
              {"secp521r1", "P-521", BEZ_DIGEST_SHA512}};

void bez_key_free(bez_key *key) {
  if (!key) return;
  EVP_PKEY_free(key->pkey);
  free(key);
}

static bez_status hint_of(bez_key *key, bez_error *err) {
  char *text = NULL;
  uint8_t digest[BEZ_DIGEST_MOST];
  BIO *bio = BIO_new(BIO_s_mem());
  bez_status st = BEZ_OK;
  if (!bio || PEM_write_bio_PUBKEY(bio, key->pkey) != 1) BEZ_TRY(bez_fail_memory(err, 256));
  long len = BIO_get_mem_data(bio, &text);
  BEZ_TRY(bez_digest_bytes(BEZ_DIGEST_SHA256, text, (size_t)len, digest, err));
  bez_hex(digest, 32, key->hint);
cleanup:
  BIO_free(bio);
  return st;
}

/* The curve by its name; a curve spelled out by its parameters is none of ours, whatever they are. */
static bez_status curve_of(bez_key *key, const char *subject, bez_error *err) {
  char group[64] = "";
  size_t len = 0;
  const char *type = EVP_PKEY_get0_type_name(key->pkey);
  if (!EVP_PKEY_is_a(key->pkey, "EC"))
    return bez_fail(err, BEZ_UNSUPPORTED, subject,
                    "is an %s key: models are signed with EC keys on P-256, P-384 or P-521", type ? type : "unknown");
  if (EVP_PKEY_get_group_name(key->pkey, group, sizeof group, &len) != 1) group[0] = '\0';
  for (size_t i = 0; i < sizeof curves / sizeof *curves; i++)
    if (!strcmp(group, curves[i].group)) {
      key->curve = curves[i].curve;
      key->digest = curves[i].digest;
    }
  if (!key->curve)
    return bez_fail(err, BEZ_UNSUPPORTED, subject,
                    "is an EC key on the curve %s: models are signed on P-256, P-384 or P-521",
                    *group ? group : "of its own");
  return BEZ_OK;
}

bez_status bez_key_take(EVP_PKEY *pkey, const char *subject, bez_key **out, bez_error *err) {
  bez_status st = BEZ_OK;
  bez_key *key = calloc(1, sizeof *key);
  if (!key) {
    EVP_PKEY_free(pkey);
    return bez_fail_memory(err, sizeof *key);
  }
  key->pkey = pkey;
  BEZ_TRY(curve_of(key, subject, err));
  /* One key, one text: a compressed point would give another hint. */
  (void)EVP_PKEY_set_utf8_string_param(pkey, OSSL_PKEY_PARAM_EC_POINT_CONVERSION_FORMAT, "uncompressed");
  BEZ_TRY(hint_of(key, err));
  *out = key;
  key = NULL;
cleanup:
  ERR_clear_error();
  bez_key_free(key);
  return st;
}

typedef struct password_ask {
  const char *password;
  bool asked;
} password_ask;

/* OpenSSL asks for the password here; without a function it would ask the terminal. */
static int give_password(char *out, int size, int writing, void *ctx) {
  password_ask *ask = ctx;
  ask->asked = true;
  size_t len = ask->password ? strlen(ask->password) : 0;
  if (!len || len > (size_t)size) return -1;
  memcpy(out, ask->password, len);
  return (int)len;
}

bez_status bez_key_take_as(EVP_PKEY *pkey, bez_status other, const char *subject, bez_key **out, bez_error *err) {
  bez_status st = bez_key_take(pkey, subject, out, err);
  if (st != BEZ_UNSUPPORTED) return st;
  if (err) err->code = other;
  return other;
}

bez_status bez_pem_private(const char *text, size_t len, const char *path, const char *password, EVP_PKEY **out,
                           bez_error *err) {
  password_ask ask = {.password = password};
  BIO *bio = BIO_new_mem_buf(text, (int)len);
  if (!bio) return bez_fail_memory(err, len);
  *out = PEM_read_bio_PrivateKey(bio, NULL, give_password, &ask);
  BIO_free(bio);
  ERR_clear_error();
  if (*out) return BEZ_OK;
  if (!ask.asked) return bez_fail(err, BEZ_USAGE, path, "holds no private key in PEM");
  return bez_fail(err, BEZ_USAGE, path,
                  password ? "the key cannot be decrypted: the password is wrong"
                           : "the key is protected by a password, and none was given");
}

/* Nothing of a key stays in memory. */
static void close_pem(bez_buf *text) {
  if (text->data) OPENSSL_cleanse(text->data, text->cap);
  bez_buf_free(text);
  ERR_clear_error();
}

bez_status bez_key_read_private(const char *path, const char *password, bez_key **out, bez_error *err) {
  bez_buf text = {0};
  EVP_PKEY *pkey = NULL;
  bez_status st = BEZ_OK;
  BEZ_TRY(bez_file_read(path, MAX_KEY_FILE, &text, err));
  BEZ_TRY(bez_pem_private(text.data ? text.data : "", text.len, path, password, &pkey, err));
  BEZ_TRY(bez_key_take_as(pkey, BEZ_USAGE, path, out, err));
cleanup:
  close_pem(&text);
  return st;
}

bez_status bez_key_read_public(const char *path, bez_key **out, bez_error *err) {
  bez_buf text = {0};
  BIO *bio = NULL;
  bez_status st = BEZ_OK;
  BEZ_TRY(bez_file_read(path, MAX_KEY_FILE, &text, err));
  bio = BIO_new_mem_buf(text.data ? text.data : "", (int)text.len);
  if (!bio) BEZ_TRY(bez_fail_memory(err, text.len));
  EVP_PKEY *pkey = PEM_read_bio_PUBKEY(bio, NULL, NULL, NULL);
  if (!pkey && text.data && strstr(text.data, "PRIVATE KEY-----"))
    BEZ_TRY(bez_fail(err, BEZ_USAGE, path, "is a private key, and the public one is wanted (openssl pkey -pubout)"));
  if (!pkey && text.data && strstr(text.data, "BEGIN CERTIFICATE-----"))
    BEZ_TRY(bez_fail(err, BEZ_USAGE, path, "is a certificate, not a public key"));
  if (!pkey) BEZ_TRY(bez_fail(err, BEZ_USAGE, path, "holds no public key in PEM"));
  BEZ_TRY(bez_key_take_as(pkey, BEZ_USAGE, path, out, err));
cleanup:
  BIO_free(bio);
  close_pem(&text);
  return st;
}

bez_status bez_key_from_bytes(const uint8_t *bytes, size_t len, const char *subject, bez_key **out, bez_error *err) {
  if (len > MAX_KEY_FILE) return bez_fail(err, BEZ_LIMIT, subject, "a key of %zu bytes", len);
  BIO *bio = BIO_new_mem_buf(bytes, (int)len);
  if (!bio) return bez_fail_memory(err, len);
  EVP_PKEY *pkey = PEM_read_bio_PUBKEY(bio, NULL, NULL, NULL);
  BIO_free(bio);
  const unsigned char *at = bytes;
  if (!pkey) pkey = d2i_PUBKEY(NULL, &at, (long)len);
  ERR_clear_error();
  if (!pkey) return bez_fail(err, BEZ_FORMAT, subject, "holds a public key that cannot be read");
  return bez_key_take_as(pkey, BEZ_FORMAT, subject, out, err);
}

const EVP_PKEY *bez_key_pkey(const bez_key *key) {
  return key->pkey;
}

const char *bez_key_curve(const bez_key *key) {
  return key->curve;
}

bez_digest_kind bez_key_digest(const bez_key *key) {
  return key->digest;
}

bool bez_key_same(const bez_key *a, const bez_key *b) {
  bool same = EVP_PKEY_eq(a->pkey, b->pkey) == 1;
  ERR_clear_error();
  return same;
}

const char *bez_key_hint(const bez_key *key) {
  return key->hint;
}

bez_status bez_key_sign(const bez_key *key, const void *bytes, size_t len, bez_buf *out, bez_error *err) {
  uint8_t signature[256]; /* 139 at most, on P-521 */
  size_t n = sizeof signature;
  EVP_MD_CTX *md = EVP_MD_CTX_new();
  bez_status st = BEZ_OK;
  if (!md) return bez_fail_memory(err, 256);
  if (EVP_DigestSignInit_ex(md, NULL, bez_digest_name(key->digest), NULL, NULL, key->pkey, NULL) != 1 ||
      EVP_DigestSign(md, signature, &n, bytes, len) != 1)
    BEZ_TRY(bez_fail(err, BEZ_USAGE, NULL, "the key cannot sign"));
  bez_buf_write(out, signature, n);
  BEZ_TRY(bez_buf_status(out, err));
cleanup:
  EVP_MD_CTX_free(md);
  ERR_clear_error();
  return st;
}

bez_status bez_key_verify(const bez_key *key, bez_digest_kind digest, const void *bytes, size_t len,
                          const uint8_t *signature, size_t signature_len, bool *good, bez_error *err) {
  EVP_MD_CTX *md = EVP_MD_CTX_new();
  bez_status st = BEZ_OK;
  const char *name = bez_digest_name(digest == BEZ_DIGEST_NONE ? key->digest : digest);
  *good = false;
  if (!md) return bez_fail_memory(err, 256);
  if (EVP_DigestVerifyInit_ex(md, NULL, name, NULL, NULL, key->pkey, NULL) != 1)
    BEZ_TRY(bez_fail(err, BEZ_INTERNAL, NULL, "OpenSSL cannot verify with this key"));
  *good = EVP_DigestVerify(md, signature, signature_len, bytes, len) == 1;
cleanup:
  EVP_MD_CTX_free(md);
  ERR_clear_error();
  return st;
}
