/* bezoar vault trust list: who may do what. */
#include "cli/trust_say.h"

static const bez_option options[] = {
    {"at", 0, BEZ_ARG_TEXT, .value = "TIME",
     .help = "As of this time (2026-01-31T12:00:00Z, 2026-01-31). Default: now."},
    {"allowed-signers", 0, BEZ_ARG_FLAG,
     .help = "As a file of allowed signers, for ssh-keygen -Y verify -n bezoar-vault."},
    BEZ_VAULT_OPTIONS,
    {NULL}};

static bez_status work(bez_vault *vault, const bez_args *args, bez_progress *progress, char **json, bez_error *err) {
  (void)progress;
  if (bez_args_flag(args, "allowed-signers")) return bez_vault_trust_allowed_signers(vault, json, err);
  return bez_vault_trust_list(vault, bez_args_text(args, "at"), json, err);
}

static void text(bez_buf *out, const json_t *answer) {
  size_t i;
  const json_t *key, *file = json_object_get(answer, "allowed_signers");
  if (file) bez_buf_puts(out, json_string_value(file));
  json_array_foreach(json_object_get(answer, "keys"), i, key) bez_say_grant(out, key);
}

static int run(const bez_args *args) {
  return bez_vault_run(args, work, text);
}

const bez_command bez_command_vault_trust_list = {
    .name = "vault trust list",
    .synopsis = "",
    .summary = "List who may do what, and who no longer may.",
    .description =
        "Every key that was ever trusted, with its roles, reach and validity, and what it is worth at the time: "
        "valid, expired, not yet valid, revoked (since when, and why), or not vouched for: whoever made it "
        "trusted has been revoked since before.",
    .examples = "bezoar vault trust list — as of now\n"
                "bezoar vault trust list --allowed-signers > allowed_signers — for ssh-keygen",
    .options = options,
    .run = run};
