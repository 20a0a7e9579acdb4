/* New keys, and copies of keys, in the folder of keys. Nothing that is there is ever written over. */
#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "crypto/signer_file.h"
#include "crypto/ssh_private.h"

enum { ROUNDS = 600000 /* of PBKDF2 with HMAC-SHA-256 */ };

/* Makes the folders on the way to a file; the last ones only for their owner. */
static bez_status make_folders(const char *path, bez_error *err) {
  char *copy = strdup(path);
  bez_status st = BEZ_OK;
  if (!copy) return bez_fail_memory(err, strlen(path));
  for (char *slash = strchr(copy + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
    *slash = '\0';
    if (mkdir(copy, 0700) != 0 && errno != EEXIST) BEZ_TRY(bez_fail_errno(err, copy, "cannot be made"));
    *slash = '/';
  }
cleanup:
  free(copy);
  return st;
}

static bez_status write_new(const char *path, mode_t mode, const bez_buf *bytes, bez_error *err) {
  const int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);
  size_t done = 0;
  bez_status st = BEZ_OK;
  if (fd < 0 && errno == EEXIST) return bez_fail(err, BEZ_USAGE, path, "is there already; keys are never overwritten");
  if (fd < 0) return bez_fail_errno(err, path, "cannot be written");
  while (done < bytes->len) {
    const ssize_t n = write(fd, bytes->data + done, bytes->len - done);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) BEZ_TRY(bez_fail_errno(err, path, "cannot be written"));
    done += (size_t)n;
  }
  if (fsync(fd) != 0) st = bez_fail_errno(err, path, "cannot be written");
cleanup:
  if (close(fd) != 0 && st == BEZ_OK) st = bez_fail_errno(err, path, "cannot be written");
  if (st != BEZ_OK) unlink(path);
  return st;
}

/* Both files, or none. */
static bez_status write_pair(const char *name, const bez_buf *secret, const bez_ssh_key *key, const char *comment,
                             bez_error *err) {
  bez_buf private = {0}, public = {0}, line = {0};
  bez_status st = BEZ_OK;
  BEZ_TRY(bez_key_path(name, "", &private, err));
  BEZ_TRY(bez_key_path(name, ".pub", &public, err));
  BEZ_TRY(make_folders(private.data, err));
  bez_buf_printf(&line, "%s %s\n", bez_ssh_key_line(key), comment);
  BEZ_TRY(bez_buf_status(&line, err));
  BEZ_TRY(write_new(private.data, 0600, secret, err));
  st = write_new(public.data, 0644, &line, err);
  if (st != BEZ_OK) unlink(private.data);
cleanup:
  bez_buf_free(&private);
  bez_buf_free(&public);
  bez_buf_free(&line);
  return st;
}

static bez_status check_name(const char *name, bez_error *err) {
  if (bez_key_name_fine(name)) return BEZ_OK;
  return bez_fail(err, BEZ_USAGE, name,
                  "is no name for a key: at most 100 letters, digits, '.', '_', '-' and '@', no dot or dash first, not "
                  "ending in .pub");
}

/* OpenSSL's text of a key, copied without leaving a trace. */
static bez_status take_bio(BIO *bio, bez_buf *out, bez_error *err) {
  char *text = NULL;
  const long len = BIO_get_mem_data(bio, &text);
  if (len <= 0 || !bez_buf_reserve(out, (size_t)len + 1)) return bez_fail_memory(err, 256);
  bez_buf_write(out, text, (size_t)len);
  OPENSSL_cleanse(text, (size_t)len);
  return BEZ_OK;
}

static bez_status put_pkcs8(const EVP_PKEY *pkey, const char *password, bez_buf *out, bez_error *err) {
  BIO *bio = BIO_new(BIO_s_mem());
  PKCS8_PRIV_KEY_INFO *plain = EVP_PKEY2PKCS8(pkey);
  X509_SIG *sealed = NULL;
  bool done = false;
  bez_status st = BEZ_OK;
  if (!bio || !plain) BEZ_TRY(bez_fail_memory(err, 256));
  if (password && *password) {
    sealed = PKCS8_encrypt(-1, EVP_aes_256_cbc(), password, (int)strlen(password), NULL, 0, ROUNDS, plain);
    done = sealed && PEM_write_bio_PKCS8(bio, sealed) == 1;
  } else {
    done = PEM_write_bio_PKCS8_PRIV_KEY_INFO(bio, plain) == 1;
  }
  if (!done) BEZ_TRY(bez_fail(err, BEZ_INTERNAL, NULL, "OpenSSL cannot write the key"));
  BEZ_TRY(take_bio(bio, out, err));
cleanup:
  BIO_free(bio);
  PKCS8_PRIV_KEY_INFO_free(plain);
  X509_SIG_free(sealed);
  ERR_clear_error();
  return st;
}

static bez_status put_secret(const EVP_PKEY *pkey, const uint8_t half[32], const char *comment, bool pkcs8,
                             const char *password, bez_buf *out, bez_error *err) {
  uint8_t seed[32];
  size_t n = sizeof seed;
  if (pkcs8) return put_pkcs8(pkey, password, out, err);
  if (password && *password)
    return bez_fail(err, BEZ_USAGE, "--password-env", "goes with --pkcs8: OpenSSH's format is written unencrypted");
  if (EVP_PKEY_get_raw_private_key(pkey, seed, &n) != 1 || n != 32)
    return bez_fail(err, BEZ_INTERNAL, NULL, "OpenSSL does not give the key");
  bez_status st = bez_ssh_private_write(seed, half, comment, out, err);
  OPENSSL_cleanse(seed, sizeof seed);
  return st;
}

bez_status bez_signer_make(const char *name, const char *comment, bool pkcs8, const char *password, bez_ssh_key **out,
                           bez_error *err) {
  const char *note = comment ? comment : name;
  bez_buf secret = {0};
  bez_ssh_key *key = NULL;
  uint8_t half[32];
  size_t n = sizeof half;
  EVP_PKEY *pkey = NULL;
  bez_status st = BEZ_OK;
  BEZ_TRY(check_name(name, err));
  if (strpbrk(note, "\r\n")) BEZ_TRY(bez_fail(err, BEZ_USAGE, "comment", "is one line"));
  pkey = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
  if (!pkey || EVP_PKEY_get_raw_public_key(pkey, half, &n) != 1 || n != 32)
    BEZ_TRY(bez_fail(err, BEZ_INTERNAL, NULL, "OpenSSL makes no Ed25519 key"));
  BEZ_TRY(bez_ssh_key_from_ed25519(half, note, &key, err));
  BEZ_TRY(put_secret(pkey, half, note, pkcs8, password, &secret, err));
  BEZ_TRY(write_pair(name, &secret, key, note, err));
  *out = key;
  key = NULL;
cleanup:
  EVP_PKEY_free(pkey);
  bez_ssh_key_free(key);
  bez_secret_free(&secret);
  ERR_clear_error();
  return st;
}

bez_status bez_signer_import(const char *path, const char *name, const char *password, bez_ssh_key **out,
                             bez_error *err) {
  bez_buf secret = {0};
  bez_ssh_key *key = NULL;
  EVP_PKEY *pkey = NULL;
  bez_status st = BEZ_OK;
  BEZ_TRY(check_name(name, err));
  BEZ_TRY(bez_secret_read(path, &secret, err));
  BEZ_TRY(bez_secret_key(&secret, path, password, &key, &pkey, err));
  BEZ_TRY(write_pair(name, &secret, key, *bez_ssh_key_comment(key) ? bez_ssh_key_comment(key) : name, err));
  *out = key;
  key = NULL;
cleanup:
  EVP_PKEY_free(pkey);
  bez_ssh_key_free(key);
  bez_secret_free(&secret);
  return st;
}
