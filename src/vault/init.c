/* Making a vault. It is made beside its place and renamed: there is a whole one or none. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "content/sweep.h"
#include "crypto/digest.h"
#include "vault/answer.h"
#include "vault/config.h"
#include "vault/vault.h"

/* The key that is named; else "default", made where it is not there. */
static bez_status open_admin(const bez_vault_who *who, bez_signer **out, bez_error *err) {
  const char *named = getenv("BEZOAR_KEY");
  bez_ssh_key *made = NULL;
  bez_status st = BEZ_OK;
  if (!(who && who->key) && !(named && *named) && !bez_signer_exists("default"))
    st = bez_signer_make("default", NULL, false, who ? who->password : NULL, &made, err);
  bez_ssh_key_free(made);
  return st == BEZ_OK ? bez_signer_open(who ? who->key : NULL, who ? who->password : NULL, out, err) : st;
}

static bez_status make_folder(const char *folder, const char *name, bez_error *err) {
  char path[4096];
  if (snprintf(path, sizeof path, "%s%s%s", folder, *name ? "/" : "", name) >= (int)sizeof path)
    return bez_fail(err, BEZ_USAGE, folder, "the path is too long");
  if (mkdir(path, 0777) == 0) return BEZ_OK;
  return bez_fail_errno(err, path, "cannot create");
}

static bez_status write_first(const char *log_folder, const bez_config *config, const bez_signer *admin,
                              bez_error *err) {
  bez_log *log = NULL;
  bez_buf line = {0}, entry = {0};
  char digest[65];
  bez_json j = bez_json_make(&line, false);
  bez_status st = BEZ_OK;
  bez_hex(config->sha256, sizeof config->sha256, digest);
  BEZ_TRY(bez_entry_begin(&j, "init", config->origin, bez_vault_now(), err));
  bez_json_kstr(&j, "config", digest);
  bez_json_kstr(&j, "key", config->log_key);
  bez_json_kstr(&j, "admin", bez_ssh_key_line(bez_signer_public(admin)));
  bez_json_close(&j, '}');
  BEZ_TRY(bez_buf_status(&line, err));
  BEZ_TRY(bez_entry_sign(line.data ? line.data : "", line.len, &admin, 1, &entry, err));
  BEZ_TRY(bez_log_create(log_folder, config->origin, err));
  BEZ_TRY(bez_log_open(log_folder, config->origin, config->log_key, &log, err));
  const bez_bytes_view view = {entry.data, entry.len};
  BEZ_TRY(bez_log_append(log, &view, 1, admin, err));
cleanup:
  bez_log_close(log);
  bez_buf_free(&entry);
  bez_buf_free(&line);
  return st;
}

static bez_status fill(const char *folder, const bez_signer *admin, bez_config *config, bez_error *err) {
  static const char *const rooms[] = {"", "objects", "stage", "tmp", "index", "index/sorted"};
  char path[4096];
  uint8_t key[32];
  bez_status st = BEZ_OK;
  if (!bez_ssh_key_ed25519(bez_signer_public(admin), key))
    return bez_fail(err, BEZ_UNSUPPORTED, bez_ssh_key_fingerprint(bez_signer_public(admin)),
                    "the log is signed with Ed25519; this key is of another kind");
  for (size_t i = 0; i < sizeof rooms / sizeof *rooms && st == BEZ_OK; i++) st = make_folder(folder, rooms[i], err);
  if (st == BEZ_OK) st = bez_config_make(folder, key, config, err);
  if (st != BEZ_OK) return st;
  if (snprintf(path, sizeof path, "%s/log", folder) >= (int)sizeof path)
    return bez_fail(err, BEZ_USAGE, folder, "the path is too long");
  return write_first(path, config, admin, err);
}

static bez_status answer(const char *folder, const bez_config *config, const bez_signer *admin, char **json,
                         bez_error *err) {
  bez_buf text = {0};
  bez_json j = bez_json_make(&text, false);
  bez_json_open(&j, '{');
  bez_json_kstr(&j, "vault", folder);
  bez_json_kstr(&j, "origin", config->origin);
  bez_json_kstr(&j, "key", config->log_key);
  bez_json_kstr(&j, "admin", bez_ssh_key_fingerprint(bez_signer_public(admin)));
  bez_json_close(&j, '}');
  return bez_answer(&text, json, err);
}

bez_status bez_vault_init(const char *path, const bez_vault_who *who, char **json, bez_error *err) {
  bez_signer *admin = NULL;
  bez_config config = {0};
  struct stat info;
  char *root = realpath(path ? path : ".", NULL), *final = NULL, *making = NULL;
  bez_status st = BEZ_OK;
  if (!root) return bez_fail_errno(err, path ? path : ".", "cannot open");
  if (asprintf(&final, "%s/.bezoar", root) < 0) final = NULL;
  if (asprintf(&making, "%s/.bezoar.new.%ld", root, (long)getpid()) < 0) making = NULL;
  if (!final || !making) BEZ_TRY(bez_fail_memory(err, strlen(root)));
  if (lstat(final, &info) == 0) BEZ_TRY(bez_fail(err, BEZ_USAGE, final, "there is a vault already"));
  BEZ_TRY(open_admin(who, &admin, err));
  BEZ_TRY(fill(making, admin, &config, err));
  if (rename(making, final) != 0) BEZ_TRY(bez_fail_errno(err, final, "cannot create"));
  BEZ_TRY(answer(final, &config, admin, json, err));
cleanup:
  if (st != BEZ_OK && making) bez_remove_folder(making);
  bez_config_free(&config);
  bez_signer_close(admin);
  free(making);
  free(final);
  free(root);
  return st;
}
