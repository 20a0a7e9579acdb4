/* An open vault. */
#include "vault/vault.h"

#include "base/error.h"

bez_status bez_vault_init(const char *path, const bez_vault_who *who, char **json, bez_error *err) {
  (void)who, (void)json;
  return bez_fail(err, BEZ_UNSUPPORTED, path, "vaults cannot be made yet");
}

bez_status bez_vault_open(const char *path, bez_vault **out, bez_error *err) {
  (void)out;
  return bez_fail(err, BEZ_UNSUPPORTED, path, "vaults cannot be opened yet");
}

void bez_vault_close(bez_vault *vault) {
  (void)vault;
}
