/* bezoar vault revert: undo one commit and keep what was done since. */
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
  return bez_vault_revert(vault, args->positional[0], bez_args_text(args, "message"), &who, json, err);
}

static int run(const bez_args *args) {
  return bez_vault_run(args, work, bez_text_commit);
}

const bez_command bez_command_vault_revert = {
    .name = "vault revert",
    .synopsis = "COMMIT",
    .summary = "Undo one commit and keep what was done since.",
    .description = "Appends a new signed version of every data set of the commit, without what it did: rows that it "
                   "brought leave, wherever they stand now; rows that it took away come back at their place, with "
                   "their old origin; rows that it changed are as before, unless somebody changed them again since.\n"
                   "\n"
                   "Rows of Parquet, Arrow and packed files cannot be put back one by one: there, only the last commit "
                   "can be reverted (or roll back).",
    .examples = "bezoar vault revert 3f0f0bc1b893 — by the first digits of its id",
    .options = options,
    .min_positional = 1,
    .max_positional = 1,
    .run = run};
