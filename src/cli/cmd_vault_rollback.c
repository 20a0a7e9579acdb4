/* bezoar vault rollback: make an old version the newest one again. */
#include "base/error.h"
#include "cli/vault_args.h"
#include "cli/vault_text.h"

static const bez_option options[] = {
    {"message", 'm', BEZ_ARG_TEXT, .value = "TEXT", .help = "What the new version is about. Default: what is undone."},
    BEZ_VAULT_KEY_OPTIONS,
    BEZ_VAULT_OPTIONS,
    {NULL}};

static bez_status work(bez_vault *vault, const bez_args *args, bez_progress *progress, char **json, bez_error *err) {
  (void)progress;
  bez_vault_who who;
  bez_status st = bez_vault_args_who(args, "key", &who, err);
  if (st != BEZ_OK) return st;
  return bez_vault_rollback(vault, args->positional[0], bez_args_text(args, "message"), &who, json, err);
}

static int run(const bez_args *args) {
  return bez_vault_run(args, work, bez_text_commit);
}

const bez_command bez_command_vault_rollback = {
    .name = "vault rollback",
    .synopsis = "DATA@VERSION",
    .summary = "Make an old version the newest one again.",
    .description =
        "Appends a new signed version whose rows, order and origins are those of the version named. Nothing is taken "
        "out of the history: the versions in between stay what they are, and can be checked out, blamed and proven.\n"
        "\n"
        "Needs the right to commit to the data set; a policy that wants several signatures wants the data checked out, "
        "added and committed by all of them instead.",
    .examples = "bezoar vault rollback train.csv@7 — version 7 again, as the newest\n"
                "bezoar vault rollback train.csv@7 -m \"before the poisoned batch\" --key alice — with a reason",
    .options = options,
    .min_positional = 1,
    .max_positional = 1,
    .run = run};
