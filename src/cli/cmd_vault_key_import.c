/* bezoar vault key import: a private key that is somewhere else. */
#include <string.h>

#include "cli/trust_say.h"

static const bez_option options[] = {
    {"name", 0, BEZ_ARG_TEXT, .value = "NAME", .help = "What it is called. Default: the file's name."},
    BEZ_VAULT_PASSWORD_OPTION,
    {"json", 0, BEZ_ARG_FLAG, .help = "Answer as JSON."},
    {NULL}};

static bez_status work(const bez_args *args, bez_progress *progress, char **json, bez_error *err) {
  (void)progress;
  bez_vault_who who;
  const char *path = args->positional[0], *slash = strrchr(path, '/'), *name = bez_args_text(args, "name");
  bez_status st = bez_vault_args_who(args, "name", &who, err);
  if (st != BEZ_OK) return st;
  return bez_vault_key_import(path, name ? name : slash ? slash + 1 : path, who.password, json, err);
}

static int run(const bez_args *args) {
  return bez_vault_run_plain(args, work, bez_say_key);
}

const bez_command bez_command_vault_key_import = {
    .name = "vault key import",
    .synopsis = "FILE",
    .summary = "Copy a private key into the folder of keys.",
    .description = "An Ed25519 key in OpenSSH's format or PKCS #8 is copied as it is (an encrypted PKCS #8 stays "
                   "encrypted), and its "
                   "public half written beside it. A file that others may read is refused. Keys with a passphrase in "
                   "OpenSSH's own "
                   "format are used through ssh-agent.",
    .examples = "bezoar vault key import ~/.ssh/id_ed25519 --name alice — as \"alice\"",
    .options = options,
    .min_positional = 1,
    .max_positional = 1,
    .run = run};
