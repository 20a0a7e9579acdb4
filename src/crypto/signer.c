/* Finding a private key, and signing with it. */
#include <dirent.h>
#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "crypto/signer_file.h"
#include "crypto/ssh_agent.h"

#define MAX_FOLDER_KEYS 10000u

struct bez_signer {
  bez_ssh_key *public;
  EVP_PKEY *private; /* NULL: the agent's */
};

void bez_signer_close(bez_signer *signer) {
  if (!signer) return;
  bez_ssh_key_free(signer->public);
  EVP_PKEY_free(signer->private); /* OpenSSL wipes it */
  free(signer);
}

const bez_ssh_key *bez_signer_public(const bez_signer *signer) {
  return signer->public;
}

/* Whether the agent holds the key with that fingerprint; the signer then has its public half. */
static bez_status ask_agent(const char *fingerprint, bez_signer *signer, bool *found, bez_error *err) {
  bez_ssh_key **keys = NULL;
  size_t n = 0;
  bez_status st = bez_ssh_agent_list(&keys, &n, err);
  if (st != BEZ_OK) return st;
  *found = false;
  for (size_t i = 0; i < n && !*found; i++) {
    if (strcmp(bez_ssh_key_fingerprint(keys[i]), fingerprint) != 0) continue;
    bez_ssh_key_free(signer->public);
    signer->public = keys[i];
    keys[i] = NULL;
    *found = true;
  }
  bez_ssh_keys_free(keys, n);
  return BEZ_OK;
}

static bez_status open_private(const char *path, const char *password, bez_signer *signer, bez_error *err) {
  bez_buf secret = {0};
  bool found = false;
  bez_error agent = {0};
  bez_status st = BEZ_OK;
  BEZ_TRY(bez_secret_read(path, &secret, err));
  st = bez_secret_key(&secret, path, password, &signer->public, &signer->private, err);
  if (st == BEZ_UNSUPPORTED && signer->public &&
      ask_agent(bez_ssh_key_fingerprint(signer->public), signer, &found, &agent) == BEZ_OK && found) {
    bez_error_clear(err);
    st = BEZ_OK;
  }
cleanup:
  bez_secret_free(&secret);
  return st;
}

/* A key of the folder, by the public half beside it. path: of the private file, where there is one. */
static bez_status search_folder(const char *fingerprint, bez_buf *path, bool *found, bez_error *err) {
  bez_buf folder = {0};
  unsigned seen = 0;
  *found = false;
  bez_status st = bez_signer_folder(&folder, err);
  DIR *dir = st == BEZ_OK ? opendir(folder.data) : NULL;
  for (struct dirent *entry; dir && !*found && seen < MAX_FOLDER_KEYS && (entry = readdir(dir)) != NULL; seen++) {
    const size_t len = strlen(entry->d_name);
    if (len < 5 || strcmp(entry->d_name + len - 4, ".pub") != 0) continue;
    bez_error other = {0};
    bez_ssh_key *key = NULL;
    bez_buf_clear(path);
    bez_buf_printf(path, "%s/%s", folder.data, entry->d_name);
    if (bez_buf_status(path, &other) != BEZ_OK || bez_ssh_key_read(path->data, &key, &other) != BEZ_OK) continue;
    path->data[path->len - 4] = '\0';
    *found = !strcmp(bez_ssh_key_fingerprint(key), fingerprint) && access(path->data, F_OK) == 0;
    bez_ssh_key_free(key);
  }
  if (dir) closedir(dir);
  bez_buf_free(&folder);
  return st;
}

static bez_status open_fingerprint(const char *fingerprint, const char *password, bez_signer *signer, bez_error *err) {
  bez_buf path = {0};
  bool found = false;
  bez_status st = BEZ_OK;
  BEZ_TRY(search_folder(fingerprint, &path, &found, err));
  if (found) {
    BEZ_TRY(open_private(path.data, password, signer, err));
    if (strcmp(bez_ssh_key_fingerprint(signer->public), fingerprint) != 0)
      BEZ_TRY(bez_fail(err, BEZ_USAGE, path.data, "is another key than %s.pub says", path.data));
    goto cleanup;
  }
  BEZ_TRY(ask_agent(fingerprint, signer, &found, err));
  if (!found)
    BEZ_TRY(bez_fail(err, BEZ_USAGE, fingerprint, "neither the ssh-agent nor the folder of keys has the private half"));
cleanup:
  bez_buf_free(&path);
  return st;
}

/* A public key's file: the private one beside it without ".pub", else whoever holds it. */
static bez_status open_public(const char *path, const char *password, bez_signer *signer, bez_error *err) {
  bez_ssh_key *key = NULL;
  char *beside = strndup(path, strlen(path) - 4);
  bez_status st = BEZ_OK;
  if (!beside) return bez_fail_memory(err, strlen(path));
  BEZ_TRY(bez_ssh_key_read(path, &key, err));
  if (access(beside, F_OK) != 0) {
    BEZ_TRY(open_fingerprint(bez_ssh_key_fingerprint(key), password, signer, err));
  } else {
    BEZ_TRY(open_private(beside, password, signer, err));
    if (!bez_ssh_key_same(key, signer->public))
      BEZ_TRY(bez_fail(err, BEZ_USAGE, beside, "is another key than %s", path));
  }
cleanup:
  bez_ssh_key_free(key);
  free(beside);
  return st;
}

/* The private key of that name in the folder; *there false: none. */
static bez_status find_named(const char *name, bez_buf *path, bool *there, bez_error *err) {
  struct stat info;
  *there = false;
  if (!bez_key_name_fine(name)) return BEZ_OK;
  bez_status st = bez_key_path(name, "", path, err);
  if (st == BEZ_OK) *there = stat(path->data, &info) == 0 && S_ISREG(info.st_mode);
  return st;
}

static bez_status open_named(const char *key, const char *password, bez_signer *signer, bez_error *err) {
  bez_buf path = {0};
  const size_t len = strlen(key);
  bool there = false;
  bez_status st = BEZ_OK;
  BEZ_TRY(find_named(key, &path, &there, err));
  if (!strncmp(key, "SHA256:", 7)) {
    BEZ_TRY(open_fingerprint(key, password, signer, err));
  } else if (there) {
    BEZ_TRY(open_private(path.data, password, signer, err));
  } else if (access(key, F_OK) == 0) {
    if (len > 4 && !strcmp(key + len - 4, ".pub"))
      BEZ_TRY(open_public(key, password, signer, err));
    else
      BEZ_TRY(open_private(key, password, signer, err));
  } else {
    BEZ_TRY(bez_signer_folder(&path, err));
    BEZ_TRY(bez_fail(err, BEZ_USAGE, key, "no such key: neither in %s (bezoar vault key new) nor a file", path.data));
  }
cleanup:
  bez_buf_free(&path);
  return st;
}

bez_status bez_signer_open(const char *key, const char *password, bez_signer **out, bez_error *err) {
  const char *asked = key ? key : getenv("BEZOAR_KEY");
  bez_signer *signer = calloc(1, sizeof *signer);
  uint8_t bytes[32];
  bez_status st = BEZ_OK;
  if (!signer) return bez_fail_memory(err, sizeof *signer);
  BEZ_TRY(open_named(asked && *asked ? asked : "default", password, signer, err));
  if (!bez_ssh_key_ed25519(signer->public, bytes))
    BEZ_TRY(bez_fail(err, BEZ_UNSUPPORTED, bez_ssh_key_fingerprint(signer->public),
                     "is an %s key: entries are signed with Ed25519 keys", bez_ssh_key_type(signer->public)));
  *out = signer;
  signer = NULL;
cleanup:
  bez_signer_close(signer);
  return st;
}

bez_status bez_signer_raw(const bez_signer *signer, const void *bytes, size_t len, uint8_t out[64], bez_error *err) {
  size_t n = 64;
  bez_status st = BEZ_OK;
  if (!signer->private) return bez_ssh_agent_sign(signer->public, bytes, len, out, err);
  EVP_MD_CTX *md = EVP_MD_CTX_new();
  if (!md) return bez_fail_memory(err, 256);
  if (EVP_DigestSignInit_ex(md, NULL, NULL, NULL, NULL, signer->private, NULL) != 1 ||
      EVP_DigestSign(md, out, &n, bytes, len) != 1 || n != 64)
    BEZ_TRY(bez_fail(err, BEZ_INTERNAL, NULL, "OpenSSL cannot sign with this key"));
cleanup:
  EVP_MD_CTX_free(md);
  ERR_clear_error();
  return st;
}
