/* bezoar vault unpin. */
#include "cli/vault_args.h"

static const bez_option options[] = {
    BEZ_VAULT_OPTIONS,
    {"reason", 0, BEZ_ARG_TEXT, .value = "TEXT", .help = "Why; needed, and kept in the log."},
    BEZ_VAULT_KEY_OPTIONS,
    {NULL}};

static bez_status work(bez_vault *vault, const bez_args *args, bez_progress *progress, char **json, bez_error *err) {
  (void)progress;
  bez_vault_who who;
  bez_status st = bez_vault_args_who(args, "key", &who, err);
  if (st != BEZ_OK) return st;
  return bez_vault_pin(vault, args->positional[0], true, bez_args_text(args, "reason"), &who, json, err);
}

static void text(bez_buf *out, const json_t *answer) {
  bez_answer_put(out, answer, "what");
  bez_buf_puts(out, " is unpinned: ");
  bez_answer_put(out, answer, "reason");
  bez_buf_putc(out, '\n');
}

static int run(const bez_args *args) {
  return bez_vault_run(args, work, text);
}

const bez_command bez_command_vault_unpin = {
    .name = "vault unpin",
    .synopsis = "DATA[@VERSION] --reason TEXT",
    .summary = "Let a version go that was pinned.",
    .description = "DATA@VERSION names one version; DATA alone all of a data set, also those to come. The entry in the "
                   "log is signed and says why.",
    .examples = "bezoar vault unpin train.csv@3 --reason 'model retired' — gc may remove its data now",
    .options = options,
    .min_positional = 1,
    .max_positional = 1,
    .run = run};
