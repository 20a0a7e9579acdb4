/* Opening a vault, its lock, its clock. */
#include "vault/vault.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "base/time.h"
#include "bezoar/witness.h"
#include "crypto/digest.h"
#include "crypto/note.h"
#include "crypto/sha256.h"
#include "ledger/known_logs.h"
#include "vault/config.h"
#include "vault/index.h"

#define LOCK_APPEND 0 /* bytes of the lock file */
#define LOCK_OPEN 1

int64_t bez_vault_now(void) {
  return bez_time_now();
}

bez_status bez_vault_path(const bez_vault *vault, const char *name, char **out, bez_error *err) {
  if (asprintf(out, "%s/%s", vault->folder, name) >= 0) return BEZ_OK;
  *out = NULL;
  return bez_fail_memory(err, strlen(vault->folder) + strlen(name));
}

/* A lock of this open file, not of the process: two vaults opened by one process exclude each other, too. */
static bool take_lock(int fd, short type, off_t byte, bool wait) {
  struct flock lock = {.l_type = type, .l_whence = SEEK_SET, .l_start = byte, .l_len = 1};
  int code;
  do {
    code = fcntl(fd, wait ? F_OFD_SETLKW : F_OFD_SETLK, &lock);
  } while (code != 0 && errno == EINTR);
  return code == 0;
}

/* As when the vault is opened: a damaged pack is remembered, and the others serve. */
static bez_status refresh_store(bez_vault *vault, bez_objects *store, bez_error *err) {
  bez_error damage = {.line = -1, .offset = -1};
  bez_status st = bez_objects_refresh(store, &damage);
  if (st == BEZ_FORMAT) {
    if (vault->damage.code == BEZ_OK) vault->damage = damage;
    return BEZ_OK;
  }
  if (st != BEZ_OK && err) *err = damage;
  return st;
}

bez_status bez_vault_lock(bez_vault *vault, bez_error *err) {
  if (vault->exclusive++) return BEZ_OK;
  if (!take_lock(vault->lock, F_WRLCK, LOCK_APPEND, true)) {
    vault->exclusive--;
    return bez_fail_errno(err, vault->folder, "cannot lock");
  }
  bez_status st = bez_log_refresh(vault->log, err);
  if (st == BEZ_OK) st = refresh_store(vault, vault->objects, err);
  if (st == BEZ_OK) st = refresh_store(vault, vault->sorted, err);
  if (st == BEZ_OK) st = bez_vault_follow(vault, err);
  if (st != BEZ_OK) bez_vault_unlock(vault);
  return st;
}

void bez_vault_unlock(bez_vault *vault) {
  if (!vault->exclusive || --vault->exclusive) return;
  (void)take_lock(vault->lock, F_UNLCK, LOCK_APPEND, false);
}

bez_status bez_vault_alone(bez_vault *vault, bez_error *err) {
  if (take_lock(vault->lock, F_WRLCK, LOCK_OPEN, false)) return BEZ_OK;
  if (errno == EAGAIN || errno == EACCES)
    return bez_fail(err, BEZ_USAGE, vault->folder, "another process has the vault open: try again when it is done");
  return bez_fail_errno(err, vault->folder, "cannot lock");
}

static bool is_folder(const char *path) {
  struct stat info;
  return stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

/* path, or the first folder from path upwards, that holds .bezoar. */
static bez_status find_folder(const char *path, char **out, bez_error *err) {
  char *start = realpath(path ? path : ".", NULL), *found = NULL;
  if (!start) return bez_fail_errno(err, path ? path : ".", "cannot open");
  char *slash = strrchr(start, '/');
  if (slash && !strcmp(slash, "/.bezoar")) *slash = '\0';
  for (;;) {
    if (asprintf(&found, "%s/.bezoar", start) < 0) {
      free(start);
      return bez_fail_memory(err, 0);
    }
    if (is_folder(found)) break;
    free(found);
    found = NULL;
    slash = strrchr(start, '/');
    if (path || !slash || !*start) break;
    *slash = '\0';
  }
  free(start);
  *out = found;
  if (found) return BEZ_OK;
  return bez_fail(err, BEZ_USAGE, path ? path : ".", "there is no vault%s: bezoar vault init makes one",
                  path ? "" : " here or above");
}

/* The configuration is what entry 0 says it is. */
static bez_status check_config(bez_vault *vault, const bez_config *config, bez_error *err) {
  bez_entry first = {0};
  uint8_t said[32];
  char *path = NULL;
  bez_status st = BEZ_OK;
  BEZ_TRY(bez_vault_path(vault, "config", &path, err));
  if (!bez_log_size(vault->log)) BEZ_TRY(bez_fail(err, BEZ_FORMAT, vault->folder, "the log is empty"));
  BEZ_TRY(bez_vault_entry(vault, 0, &first, err));
  BEZ_TRY(bez_entry_hex(&first, "config", said, sizeof said, err));
  if (strcmp(first.type, "init") != 0 || memcmp(said, config->sha256, sizeof said) != 0 ||
      strcmp(first.origin, config->origin) != 0)
    BEZ_TRY(bez_fail(err, BEZ_FORMAT, path, "is not the configuration that the log's first entry names"));
cleanup:
  bez_entry_free(&first);
  free(path);
  return st;
}

/* A damaged pack is no reason not to open: others can be read, and `verify` is to name it. */
static bez_status open_store(bez_vault *vault, const char *path, bez_objects **out, bez_error *err) {
  bez_error damage = {.line = -1, .offset = -1};
  bez_status st = bez_objects_open(path, true, out, &damage);
  if (st == BEZ_FORMAT && *out) {
    if (vault->damage.code == BEZ_OK) vault->damage = damage;
    return BEZ_OK;
  }
  if (st != BEZ_OK && err) *err = damage;
  return st;
}

/* accept: what is there is believed, whatever was seen before. */
static bez_status open_parts(bez_vault *vault, bool accept, bez_error *err) {
  char *path = NULL;
  bez_config config = {0};
  bez_status st = BEZ_OK;
  BEZ_TRY(bez_config_read(vault->folder, &config, err));
  vault->origin = strdup(config.origin);
  vault->vkey = strdup(config.log_key);
  vault->log_fingerprint = strdup(config.fingerprint);
  vault->key = config.cut;
  if (!vault->origin || !vault->vkey || !vault->log_fingerprint) BEZ_TRY(bez_fail_memory(err, 512));
  BEZ_TRY(bez_vault_path(vault, "log", &path, err));
  BEZ_TRY(bez_log_open(path, vault->origin, vault->vkey, &vault->log, err));
  BEZ_TRY(check_config(vault, &config, err));
  if (accept) BEZ_TRY(bez_known_logs_forget(vault->origin, err));
  BEZ_TRY(bez_known_logs_check(vault->log, err));
  free(path);
  path = NULL;
  BEZ_TRY(bez_vault_path(vault, "objects", &path, err));
  BEZ_TRY(open_store(vault, path, &vault->objects, err));
  free(path);
  path = NULL;
  BEZ_TRY(bez_vault_path(vault, "index", &path, err));
  if (mkdir(path, 0777) != 0 && errno != EEXIST) BEZ_TRY(bez_fail_errno(err, path, "cannot create"));
  BEZ_TRY(bez_index_open(path, &vault->index, err));
  free(path);
  path = NULL;
  BEZ_TRY(bez_vault_path(vault, "index/sorted", &path, err));
  BEZ_TRY(open_store(vault, path, &vault->sorted, err));
  BEZ_TRY(bez_vault_follow(vault, err));
cleanup:
  free(path);
  bez_config_free(&config);
  return st;
}

static bez_status open_vault(const char *path, bool accept, bez_vault **out, bez_error *err) {
  bez_status st = BEZ_OK;
  char *lock = NULL;
  bez_vault *vault = calloc(1, sizeof *vault);
  if (!vault) return bez_fail_memory(err, sizeof *vault);
  vault->lock = -1;
  BEZ_TRY(find_folder(path, &vault->folder, err));
  BEZ_TRY(bez_vault_path(vault, "lock", &lock, err));
  vault->lock = open(lock, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666);
  if (vault->lock < 0 && (errno == EROFS || errno == EACCES)) /* to read only */
    vault->lock = open(lock, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  if (vault->lock < 0) BEZ_TRY(bez_fail_errno(err, lock, "cannot open"));
  if (!take_lock(vault->lock, F_RDLCK, LOCK_OPEN, true)) BEZ_TRY(bez_fail_errno(err, lock, "cannot lock"));
  BEZ_TRY(open_parts(vault, accept, err));
  *out = vault;
  vault = NULL;
cleanup:
  free(lock);
  bez_vault_close(vault);
  return st;
}

bez_status bez_vault_open(const char *path, bez_vault **out, bez_error *err) {
  return open_vault(path, false, out, err);
}

bez_status bez_vault_accept(const char *path, bez_vault **out, bez_error *err) {
  return open_vault(path, true, out, err);
}

void bez_vault_close(bez_vault *vault) {
  if (!vault) return;
  bez_trust_free(vault->trust);
  bez_index_close(vault->index);
  bez_objects_close(vault->sorted);
  bez_objects_close(vault->objects);
  bez_log_close(vault->log);
  if (vault->lock >= 0) close(vault->lock);
  bez_buf_free(&vault->rulings);
  free(vault->folder);
  free(vault->origin);
  free(vault->vkey);
  free(vault->log_fingerprint);
  free(vault);
}
