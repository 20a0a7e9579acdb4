/* bezoar vault policy set: what the vault shall demand. */
#include "bezoar/intake.h"
#include "cli/trust_say.h"

static const bez_option options[] = {BEZ_VAULT_OPTIONS, BEZ_VAULT_KEY_OPTIONS, {NULL}};

static bez_status work(bez_vault *vault, const bez_args *args, bez_progress *progress, char **json, bez_error *err) {
  (void)progress;
  bez_vault_who who;
  bez_status st = bez_vault_args_who(args, "key", &who, err);
  if (st == BEZ_OK) st = bez_intake_policy_check(args->positional[0], err);
  return st == BEZ_OK ? bez_vault_policy_set(vault, args->positional[0], &who, json, err) : st;
}

static int run(const bez_args *args) {
  return bez_vault_run(args, work, bez_say_policy);
}

const bez_command bez_command_vault_policy_set = {
    .name = "vault policy set",
    .synopsis = "policy.yaml",
    .summary = "Set what the vault demands of those who write and read.",
    .description =
        "A YAML file; what it does not state is as in a new vault, and a key that is not known is an error with its "
        "line:\n"
        "\n"
        "signatures: 2 (that a commit needs, by different principals), require_reader: true (who reads needs a key "
        "that "
        "is trusted), require_scan: true (what is added is scanned first), scan_fail_on: warning (error, warning or "
        "note: "
        "a finding at or above it refuses what is added), scan_rules: [BZ-D001] (which rules; all of them where none "
        "is "
        "named), delay: 7d (how long fresh edits of a watched source are held back).\n"
        "\n"
        "Only admins set it. It holds from its place in the log on; what was committed before stays.",
    .examples = "bezoar vault policy set policy.yaml — from the next commit on",
    .options = options,
    .min_positional = 1,
    .max_positional = 1,
    .run = run};
