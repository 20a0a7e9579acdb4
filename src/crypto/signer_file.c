/* Private key files: mode 600 demanded, private bytes wiped. */
#include "crypto/signer_file.h"

#include <fcntl.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "crypto/key.h"
#include "crypto/ssh_private.h"

#define MAX_SECRET (1u << 20)

void bez_secret_free(bez_buf *secret) {
  if (secret->data) OPENSSL_cleanse(secret->data, secret->cap);
  bez_buf_free(secret);
}

static bez_status check_file(int fd, const char *path, size_t *size, bez_error *err) {
  struct stat info;
  if (fstat(fd, &info) != 0) return bez_fail_errno(err, path, "cannot be examined");
  if (!S_ISREG(info.st_mode)) return bez_fail(err, BEZ_USAGE, path, "is no regular file");
  if (info.st_mode & 077)
    return bez_fail(err, BEZ_USAGE, path, "can be read by others (mode %03o): chmod 600, if nobody has",
                    (unsigned)info.st_mode & 0777);
  if (info.st_size <= 0 || info.st_size > (off_t)MAX_SECRET)
    return bez_fail(err, BEZ_USAGE, path, "is no private key: %lld bytes", (long long)info.st_size);
  *size = (size_t)info.st_size;
  return BEZ_OK;
}

bez_status bez_secret_read(const char *path, bez_buf *out, bez_error *err) {
  size_t size = 0;
  bez_status st = BEZ_OK;
  const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  if (fd < 0) return bez_fail_errno(err, path, "cannot be opened");
  BEZ_TRY(check_file(fd, path, &size, err));
  bez_buf_clear(out);
  if (!bez_buf_reserve(out, size + 1)) BEZ_TRY(bez_buf_status(out, err));
  BEZ_TRY(bez_file_pread(fd, path, out->data, size, 0, err));
  out->len = size;
  out->data[size] = '\0';
cleanup:
  close(fd);
  return st;
}

static bez_status read_openssh(const bez_buf *secret, const char *path, bez_ssh_key **public, EVP_PKEY **private,
                               bez_error *err) {
  uint8_t seed[32], known[32], half[32];
  size_t n = sizeof half;
  bez_status st = bez_ssh_private_parse(secret->data, secret->len, path, public, seed, err);
  if (st != BEZ_OK) return st;
  *private = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed, sizeof seed);
  OPENSSL_cleanse(seed, sizeof seed);
  if (*private && bez_ssh_key_ed25519(*public, known) && EVP_PKEY_get_raw_public_key(*private, half, &n) == 1 &&
      n == 32 && !memcmp(known, half, 32))
    return BEZ_OK;
  ERR_clear_error();
  return bez_fail(err, BEZ_FORMAT, path, "holds a private key that does not go with its public one");
}

bez_status bez_secret_key(const bez_buf *secret, const char *path, const char *password, bez_ssh_key **public,
                          EVP_PKEY **private, bez_error *err) {
  uint8_t half[32];
  size_t n = sizeof half;
  bez_status st = BEZ_OK;
  if (strstr(secret->data, "-----BEGIN " BEZ_SSH_PRIVATE "-----") == secret->data)
    return read_openssh(secret, path, public, private, err);
  BEZ_TRY(bez_pem_private(secret->data, secret->len, path, password, private, err));
  if (EVP_PKEY_is_a(*private, "ED25519") != 1 || EVP_PKEY_get_raw_public_key(*private, half, &n) != 1 || n != 32)
    BEZ_TRY(bez_fail(err, BEZ_UNSUPPORTED, path, "is an %s key: entries are signed with Ed25519 keys",
                     EVP_PKEY_get0_type_name(*private)));
  BEZ_TRY(bez_ssh_key_from_ed25519(half, NULL, public, err));
cleanup:
  ERR_clear_error();
  return st;
}

bez_status bez_signer_folder(bez_buf *out, bez_error *err) {
  const char *home = getenv("BEZOAR_HOME"), *config = getenv("XDG_CONFIG_HOME"), *user = getenv("HOME");
  bez_buf_clear(out);
  if (home && *home)
    bez_buf_printf(out, "%s/keys", home);
  else if (config && *config)
    bez_buf_printf(out, "%s/bezoar/keys", config);
  else if (user && *user)
    bez_buf_printf(out, "%s/.config/bezoar/keys", user);
  else
    return bez_fail(err, BEZ_USAGE, "keys",
                    "none of $BEZOAR_HOME, $XDG_CONFIG_HOME and $HOME says where keys are kept");
  return bez_buf_status(out, err);
}

bool bez_key_name_fine(const char *name) {
  const size_t len = strlen(name);
  if (!len || len > 100 || *name == '.' || *name == '-') return false;
  if (len > 4 && !strcmp(name + len - 4, ".pub")) return false;
  return strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-@") == len;
}

bez_status bez_key_path(const char *name, const char *ending, bez_buf *out, bez_error *err) {
  bez_status st = bez_signer_folder(out, err);
  if (st != BEZ_OK) return st;
  bez_buf_printf(out, "/%s%s", name, ending);
  return bez_buf_status(out, err);
}

bool bez_signer_exists(const char *name) {
  bez_buf path = {0};
  bez_error err = {0};
  struct stat info;
  const bool there = bez_key_name_fine(name) && bez_key_path(name, "", &path, &err) == BEZ_OK &&
                     stat(path.data, &info) == 0 && S_ISREG(info.st_mode);
  bez_buf_free(&path);
  return there;
}
