/* bezoar vault revoke: disown what a key signed, refuse it from now on, and tell what inherited from it. */
#include "base/error.h"
#include "cli/vault_args.h"
#include "cli/vault_text.h"

static const bez_option options[] = {{"since", 0, BEZ_ARG_TEXT, .value = "TIME", .fallback = "now",
                                      .help = "From when on: 2026-03-01, 2026-03-01T12:00:00Z, or \"now\"."},
                                     {"reason", 0, BEZ_ARG_TEXT, .value = "TEXT", .help = "Why; it goes into the log."},
                                     BEZ_VAULT_KEY_OPTIONS,
                                     BEZ_VAULT_OPTIONS,
                                     {NULL}};

static bez_status work(bez_vault *vault, const bez_args *args, bez_progress *progress, char **json, bez_error *err) {
  (void)progress;
  bez_vault_who who;
  bez_status st = bez_vault_args_who(args, "key", &who, err);
  if (st != BEZ_OK) return st;
  return bez_vault_revoke(vault, args->positional[0], bez_args_text(args, "since"), bez_args_text(args, "reason"), &who,
                          json, err);
}

static void text(bez_buf *out, const json_t *answer) {
  size_t i;
  json_t *item;
  json_array_foreach(json_object_get(answer, "revoked"), i, item) {
    bez_buf_puts(out, "revoked: ");
    bez_answer_put(out, item, "principal");
    bez_buf_puts(out, "  ");
    bez_answer_put(out, item, "key");
    bez_buf_puts(out, "  since ");
    bez_answer_put(out, item, "since");
    bez_buf_putc(out, '\n');
  }
  json_array_foreach(json_object_get(answer, "impact"), i, item) bez_text_impact(out, item);
}

static int run(const bez_args *args) {
  return bez_vault_run(args, work, text);
}

const bez_command bez_command_vault_revoke = {
    .name = "vault revoke",
    .synopsis = "KEY|PRINCIPAL",
    .summary = "Disown what a key signed, refuse it from now on, and tell what inherited from it.",
    .description = "Appends an entry that disowns everything the key (a fingerprint, a file NAME.pub, or every key of "
                   "a principal) signed from --since on, and from then on refuses whatever it signs. Then tells which "
                   "versions hold rows that it brought since, and which models were trained on them: bezoar vault "
                   "rollback and revert make clean versions.",
    .examples =
        "bezoar vault revoke mallory --since 2026-03-01 --reason \"found poisoning\" — and see what is affected",
    .options = options,
    .min_positional = 1,
    .max_positional = 1,
    .run = run};
