/* bezoar vault init: an empty vault. */
#include "cli/vault_args.h"

static const bez_option options[] = {
    {"json", 0, BEZ_ARG_FLAG, .help = "Answer as JSON."}, BEZ_VAULT_KEY_OPTIONS, {NULL}};

static bez_status work(const bez_args *args, bez_progress *progress, char **json, bez_error *err) {
  (void)progress;
  bez_vault_who who;
  bez_status st = bez_vault_args_who(args, "key", &who, err);
  return st == BEZ_OK ? bez_vault_init(args->n_positional ? args->positional[0] : NULL, &who, json, err) : st;
}

static void text(bez_buf *out, const json_t *answer) {
  bez_buf_puts(out, "An empty vault: ");
  bez_answer_put(out, answer, "vault");
  bez_buf_puts(out, "\n  log    ");
  bez_answer_put(out, answer, "key");
  bez_buf_puts(out, "\n  admin  ");
  bez_answer_put(out, answer, "admin");
  bez_buf_puts(out, "\n");
}

static int run(const bez_args *args) {
  return bez_vault_run_plain(args, work, text);
}

const bez_command bez_command_vault_init = {
    .name = "vault init",
    .synopsis = "[FOLDER]",
    .summary = "Make a vault: a folder .bezoar beside the data.",
    .description =
        "The vault keeps versions of data sets, who brought each row and from where, and a log of signed entries that "
        "is only ever appended to. The key becomes its admin: who may write what is said with bezoar vault trust add, "
        "where data may come from with bezoar vault source add. The same key signs the log's checkpoints.\n"
        "\n"
        "Where no key is named and the folder of keys ($BEZOAR_HOME/keys, else ~/.config/bezoar/keys) has no key "
        "\"default\", one is made. Private keys never lie in the vault.",
    .examples = "bezoar vault init — in the working folder, with the default key\n"
                "bezoar vault init data --key ~/.ssh/id_ed25519 — with an OpenSSH key",
    .options = options,
    .max_positional = 1,
    .run = run};
