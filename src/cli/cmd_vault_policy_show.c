/* bezoar vault policy show: what the vault demands. */
#include "cli/trust_say.h"

static const bez_option options[] = {BEZ_VAULT_OPTIONS, {NULL}};

static bez_status work(bez_vault *vault, const bez_args *args, bez_progress *progress, char **json, bez_error *err) {
  (void)args, (void)progress;
  return bez_vault_policy_show(vault, json, err);
}

static int run(const bez_args *args) {
  return bez_vault_run(args, work, bez_say_policy);
}

const bez_command bez_command_vault_policy_show = {
    .name = "vault policy show",
    .synopsis = "",
    .summary = "Show what the vault demands of those who write and read.",
    .description = "The policy in force; --json has the YAML it was set from, too.",
    .examples = "bezoar vault policy show — in sentences",
    .options = options,
    .run = run};
