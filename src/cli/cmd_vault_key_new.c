/* bezoar vault key new: a key to sign with. */
#include "cli/trust_say.h"

static const bez_option options[] = {
    {"pkcs8", 0, BEZ_ARG_FLAG, .help = "Write PKCS #8 in place of OpenSSH's format; with --password-env encrypted."},
    {"comment", 0, BEZ_ARG_TEXT, .value = "TEXT", .help = "Behind the public key. Default: the name."},
    BEZ_VAULT_PASSWORD_OPTION,
    {"json", 0, BEZ_ARG_FLAG, .help = "Answer as JSON."},
    {NULL}};

static bez_status work(const bez_args *args, bez_progress *progress, char **json, bez_error *err) {
  (void)progress;
  bez_vault_who who;
  bez_status st = bez_vault_args_who(args, "comment", &who, err);
  const bez_vault_key_options o = {.name = args->positional[0],
                                   .comment = bez_args_text(args, "comment"),
                                   .password = who.password,
                                   .pkcs8 = bez_args_flag(args, "pkcs8")};
  return st == BEZ_OK ? bez_vault_key_new(&o, json, err) : st;
}

static int run(const bez_args *args) {
  return bez_vault_run_plain(args, work, bez_say_key);
}

const bez_command bez_command_vault_key_new = {
    .name = "vault key new",
    .synopsis = "NAME",
    .summary = "Make a key to sign with.",
    .description =
        "An Ed25519 key in the folder of keys ($BEZOAR_HOME/keys, else $XDG_CONFIG_HOME/bezoar/keys, else "
        "~/.config/bezoar/keys): NAME, readable by its owner alone, and NAME.pub. Nothing is ever overwritten. Private "
        "keys never lie in a vault.\n"
        "\n"
        "Keys of OpenSSH work as they are: --key takes the file, or the fingerprint of a key that ssh-agent holds. A "
        "key "
        "in OpenSSH's format is written unencrypted; one with a passphrase is made with --pkcs8 and --password-env.",
    .examples = "bezoar vault key new alice — $BEZOAR_HOME/keys/alice and alice.pub\n"
                "bezoar vault key new alice --pkcs8 --password-env SECRET — encrypted, PKCS #8",
    .options = options,
    .min_positional = 1,
    .max_positional = 1,
    .run = run};
