/* Keys in the folder of keys and in the agent. */
#include <dirent.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "bezoar/trust.h"
#include "crypto/signer.h"
#include "crypto/ssh_agent.h"
#include "vault/answer.h"

#define MOST_KEYS 10000u

static bez_status tell_new(const char *name, const bez_ssh_key *key, char **json, bez_error *err) {
  bez_buf folder = {0}, out = {0}, path = {0};
  bez_json j = bez_json_make(&out, false);
  bez_status st = BEZ_OK;
  BEZ_TRY(bez_signer_folder(&folder, err));
  bez_buf_printf(&path, "%s/%s", folder.data, name);
  BEZ_TRY(bez_buf_status(&path, err));
  bez_json_open(&j, '{');
  bez_json_kstr(&j, "name", name);
  bez_json_kstr(&j, "path", path.data);
  bez_json_kstr(&j, "public", bez_ssh_key_line(key));
  bez_json_kstr(&j, "fingerprint", bez_ssh_key_fingerprint(key));
  bez_json_close(&j, '}');
  BEZ_TRY(bez_answer(&out, json, err));
cleanup:
  bez_buf_free(&folder);
  bez_buf_free(&path);
  bez_buf_free(&out);
  return st;
}

bez_status bez_vault_key_new(const bez_vault_key_options *o, char **json, bez_error *err) {
  bez_ssh_key *key = NULL;
  bez_status st = bez_signer_make(o->name, o->comment, o->pkcs8, o->password, &key, err);
  if (st == BEZ_OK) st = tell_new(o->name, key, json, err);
  bez_ssh_key_free(key);
  return st;
}

bez_status bez_vault_key_import(const char *path, const char *name, const char *password, char **json, bez_error *err) {
  bez_ssh_key *key = NULL;
  bez_status st = bez_signer_import(path, name, password, &key, err);
  if (st == BEZ_OK) st = tell_new(name, key, json, err);
  bez_ssh_key_free(key);
  return st;
}

static void put_key(bez_json *j, const char *name, const char *where, const bez_ssh_key *key, bool there) {
  uint8_t bytes[32];
  const char *line = bez_ssh_key_line(key);
  bez_json_open(j, '{');
  bez_json_kstr(j, "name", name);
  bez_json_kstr(j, "where", where);
  bez_json_kstr(j, "fingerprint", bez_ssh_key_fingerprint(key));
  bez_json_key(j, "type");
  bez_json_strn(j, line, strcspn(line, " "));
  bez_json_kstr(j, "public", line);
  bez_json_kbool(j, "usable", there && bez_ssh_key_ed25519(key, bytes));
  bez_json_close(j, '}');
}

static int only_public(const struct dirent *entry) {
  const size_t len = strlen(entry->d_name);
  return len > 4 && !strcmp(entry->d_name + len - 4, ".pub");
}

static bez_status put_folder(const char *folder, bez_json *j, bez_error *err) {
  struct dirent **names = NULL;
  bez_buf path = {0};
  const int n = scandir(folder, &names, only_public, alphasort);
  bez_status st = BEZ_OK;
  for (int i = 0; i < n && i < (int)MOST_KEYS; i++) {
    bez_error other = {0};
    bez_ssh_key *key = NULL;
    bez_buf_clear(&path);
    bez_buf_printf(&path, "%s/%s", folder, names[i]->d_name);
    BEZ_TRY(bez_buf_status(&path, err));
    if (bez_ssh_key_read(path.data, &key, &other) != BEZ_OK) continue; /* a file that only looks like a key */
    names[i]->d_name[strlen(names[i]->d_name) - 4] = '\0';
    put_key(j, names[i]->d_name, "folder", key, bez_signer_exists(names[i]->d_name));
    bez_ssh_key_free(key);
  }
cleanup:
  for (int i = 0; i < n; i++) free(names[i]);
  free(names);
  bez_buf_free(&path);
  return st;
}

bez_status bez_vault_key_list(char **json, bez_error *err) {
  bez_buf folder = {0}, out = {0};
  bez_json j = bez_json_make(&out, false);
  bez_ssh_key **agent = NULL;
  size_t n = 0;
  bez_status st = BEZ_OK;
  BEZ_TRY(bez_signer_folder(&folder, err));
  BEZ_TRY(bez_ssh_agent_list(&agent, &n, err));
  bez_json_open(&j, '{');
  bez_json_kstr(&j, "folder", folder.data);
  bez_json_key(&j, "keys");
  bez_json_open(&j, '[');
  BEZ_TRY(put_folder(folder.data, &j, err));
  for (size_t i = 0; i < n; i++) put_key(&j, bez_ssh_key_comment(agent[i]), "agent", agent[i], true);
  bez_json_close(&j, ']');
  bez_json_close(&j, '}');
  BEZ_TRY(bez_answer(&out, json, err));
cleanup:
  bez_ssh_keys_free(agent, n);
  bez_buf_free(&folder);
  bez_buf_free(&out);
  return st;
}
