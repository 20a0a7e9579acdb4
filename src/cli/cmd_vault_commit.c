/* bezoar vault commit: what is staged becomes versions. */
#include "base/error.h"
#include "cli/vault_args.h"
#include "cli/vault_text.h"

static const bez_option options[] = {
    {"message", 'm', BEZ_ARG_TEXT, .value = "TEXT", .help = "What it is about (needed)."},
    BEZ_VAULT_KEY_OPTIONS,
    BEZ_VAULT_OPTIONS,
    {NULL}};

static bez_status work(bez_vault *vault, const bez_args *args, bez_progress *progress, char **json, bez_error *err) {
  (void)progress;
  bez_vault_commit_options o = {
      .message = bez_args_text(args, "message"), .datasets = args->positional, .n_datasets = args->n_positional};
  bez_status st = bez_vault_args_who(args, "key", &o.who, err);
  return st == BEZ_OK ? bez_vault_commit(vault, &o, json, err) : st;
}

static int run(const bez_args *args) {
  return bez_vault_run(args, work, bez_text_commit);
}

const bez_command bez_command_vault_commit = {
    .name = "vault commit",
    .synopsis = "[DATA…]",
    .summary = "Make what is staged the next version, signed.",
    .description =
        "Appends the staged submissions (all, or those of the data sets named) and a signed commit to the log, as one: "
        "they are versions then, or nothing has happened. Whoever commits must be trusted to; those who contributed "
        "must still be.\n"
        "\n"
        "Where the policy wants signatures of several people, the first signature is kept and the commit waits; the "
        "next person runs bezoar vault commit with their key.\n"
        "\n"
        "Data that somebody else committed another version of meanwhile must be added again: nothing is merged.",
    .examples = "bezoar vault commit -m \"March deliveries\" — all that is staged\n"
                "bezoar vault commit -m \"fixed labels\" train.csv --key alice — one data set, signed by alice",
    .options = options,
    .max_positional = -1,
    .run = run};
