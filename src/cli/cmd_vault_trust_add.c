/* bezoar vault trust add: who may do what. */
#include "cli/trust_say.h"

static const bez_option options[] = {
    {"role", 0, BEZ_ARG_CHOICE, .repeat = true, .value = "ROLE", .choices = "admin contribute commit read",
     .help = "What the key may do; admin may do everything. Default: contribute."},
    {"source", 0, BEZ_ARG_TEXT, .repeat = true, .value = "ID",
     .help = "Sources it may bring data from, or globs. Default: all."},
    {"path", 0, BEZ_ARG_TEXT, .repeat = true, .value = "GLOB",
     .help = "Data sets it may touch, by name; \"*\" matches \"/\" too. Default: all."},
    {"valid-after", 0, BEZ_ARG_TEXT, .value = "TIME",
     .help = "From when on: 2026-01-31T12:00:00Z, 2026-01-31, or now."},
    {"valid-before", 0, BEZ_ARG_TEXT, .value = "TIME", .help = "Until when."},
    {"allowed-signers", 0, BEZ_ARG_FILE, .value = "FILE",
     .help = "Principals, keys and their validity from a file as ssh-keygen has it, in place of PRINCIPAL and KEY."},
    BEZ_VAULT_OPTIONS,
    BEZ_VAULT_KEY_OPTIONS,
    {NULL}};

static bez_status work(bez_vault *vault, const bez_args *args, bez_progress *progress, char **json, bez_error *err) {
  (void)progress;
  bez_trust_options o = {.principal = args->n_positional > 0 ? args->positional[0] : NULL,
                         .key = args->n_positional > 1 ? args->positional[1] : NULL,
                         .allowed_signers = bez_args_text(args, "allowed-signers"),
                         .valid_after = bez_args_text(args, "valid-after"),
                         .valid_before = bez_args_text(args, "valid-before")};
  o.n_roles = bez_args_list(args, "role", &o.roles);
  o.n_sources = bez_args_list(args, "source", &o.sources);
  o.n_paths = bez_args_list(args, "path", &o.paths);
  bez_status st = bez_vault_args_who(args, "key", &o.who, err);
  return st == BEZ_OK ? bez_vault_trust_add(vault, &o, json, err) : st;
}

static void text(bez_buf *out, const json_t *answer) {
  size_t i;
  const json_t *grant;
  json_array_foreach(json_object_get(answer, "trusted"), i, grant) bez_say_grant(out, grant);
}

static int run(const bez_args *args) {
  return bez_vault_run(args, work, text);
}

const bez_command bez_command_vault_trust_add = {
    .name = "vault trust add",
    .synopsis = "[PRINCIPAL KEY]",
    .summary = "Say what a key may do in the vault.",
    .description =
        "KEY is a public key: a file NAME.pub, the name of a key of the folder of keys, or a line \"ssh-ed25519 "
        "AAAA…\". "
        "What is said of a key replaces what was said of it before. A principal may have several keys.\n"
        "\n"
        "Only admins say who is trusted, and no key may state its own roles. The key that made the vault is the first "
        "admin. What is refused (unsigned, unknown, expired, not yet valid, revoked, of another source, path or role) "
        "is "
        "refused before any data is read, and the attempt is written into the log.",
    .examples = "bezoar vault trust add alice alice.pub --role contribute --source news — data from \"news\" alone\n"
                "bezoar vault trust add bob bob.pub --role commit --valid-before 2027-01-01 — until then\n"
                "bezoar vault trust add --allowed-signers allowed_signers --role contribute — everybody in the file",
    .options = options,
    .max_positional = 2,
    .run = run};
