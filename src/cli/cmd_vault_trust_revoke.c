/* bezoar vault trust revoke: whom not to believe any more. */
#include "cli/trust_say.h"

static const bez_option options[] = {
    {"since", 0, BEZ_ARG_TEXT, .value = "TIME",
     .help = "What was signed from then on is disowned: 2026-01-31T12:00:00Z, 2026-01-31, or now (needed)."},
    {"reason", 0, BEZ_ARG_TEXT, .value = "TEXT", .help = "Why; it stands in the log and in every refusal."},
    BEZ_VAULT_OPTIONS,
    BEZ_VAULT_KEY_OPTIONS,
    {NULL}};

static bez_status work(bez_vault *vault, const bez_args *args, bez_progress *progress, char **json, bez_error *err) {
  (void)progress;
  bez_vault_who who;
  bez_status st = bez_vault_args_who(args, "key", &who, err);
  if (st != BEZ_OK) return st;
  return bez_vault_trust_revoke(vault, args->positional[0], bez_args_text(args, "since"), bez_args_text(args, "reason"),
                                &who, json, err);
}

static void text(bez_buf *out, const json_t *answer) {
  size_t i;
  const json_t *key;
  json_array_foreach(json_object_get(answer, "revoked"), i, key) {
    bez_buf_puts(out, "Revoked since ");
    bez_answer_put(out, key, "since");
    bez_buf_puts(out, ": ");
    bez_answer_put(out, key, "principal");
    bez_buf_puts(out, " ");
    bez_answer_put(out, key, "key");
    bez_buf_putc(out, '\n');
  }
}

static int run(const bez_args *args) {
  return bez_vault_run(args, work, text);
}

const bez_command bez_command_vault_trust_revoke = {
    .name = "vault trust revoke",
    .synopsis = "KEY|PRINCIPAL",
    .summary = "Disown what a key signed since a time, and refuse it from now on.",
    .description =
        "KEY is a fingerprint, a public key's file or line; a principal stands for all its keys. Signing needs an "
        "admin, or "
        "the key itself: who lost a key can say so with it. A revoked key is never trusted again, and the last admin "
        "cannot be revoked. Keys that a revoked admin made trusted since then fall with it.\n"
        "\n"
        "Data is not touched: bezoar vault impact shows what inherited the key's rows, bezoar vault rollback gives a "
        "version without them.",
    .examples = "bezoar vault trust revoke mallory --since 2026-03-01 --reason \"laptop stolen\" — all her keys",
    .options = options,
    .min_positional = 1,
    .max_positional = 1,
    .run = run};
