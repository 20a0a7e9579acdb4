/* bezoar vault checkout: a version, bit by bit. */
#include "base/error.h"
#include "cli/vault_args.h"

static const bez_option options[] = {
    {"output", 'o', BEZ_ARG_FILE, .value = "PATH",
     .help = "Where it goes: a file or a folder that is not there (needed)."},
    {"force", 0, BEZ_ARG_FLAG, .help = "Replace a file that is there. A folder is never replaced."},
    BEZ_VAULT_READER_OPTIONS,
    {"threads", 0, BEZ_ARG_NUMBER, .value = "N", .help = "Threads; 0 takes all processors.", .fallback = "0"},
    BEZ_VAULT_PROGRESS_OPTION,
    BEZ_VAULT_OPTIONS,
    {NULL}};

static bez_status work(bez_vault *vault, const bez_args *args, bez_progress *progress, char **json, bez_error *err) {
  const char *path = bez_args_text(args, "output");
  const uint64_t threads = bez_args_number(args, "threads");
  bez_vault_who who;
  if (!path) return bez_fail(err, BEZ_USAGE, "vault checkout", "needs --output PATH");
  bez_status st = bez_vault_args_who(args, "as", &who, err);
  if (st != BEZ_OK) return st;
  return bez_vault_checkout(vault, args->positional[0], path, bez_args_flag(args, "force"), &who,
                            threads < UINT32_MAX ? (unsigned)threads : 0, bez_progress_step, progress, json, err);
}

static void text(bez_buf *out, const json_t *answer) {
  bez_answer_put(out, answer, "path");
  bez_buf_puts(out, ": ");
  bez_answer_put(out, answer, "dataset");
  bez_buf_printf(out, "@%llu, ", (unsigned long long)bez_answer_number(answer, "version"));
  bez_answer_count(out, bez_answer_number(answer, "n_rows"), "row", "rows");
  bez_buf_puts(out, ", ");
  bez_answer_count(out, bez_answer_number(answer, "bytes"), "byte", "bytes");
  bez_buf_putc(out, '\n');
}

static int run(const bez_args *args) {
  return bez_vault_run(args, work, text);
}

const bez_command bez_command_vault_checkout = {
    .name = "vault checkout",
    .synopsis = "DATA[@VERSION]",
    .summary = "Write a version back, bit by bit, and note who took it.",
    .description =
        "VERSION is a number, \"latest\" (as without one), or the first 7 digits or more of a commit's id. Every byte "
        "is "
        "verified against the signed root before the file appears under its name; where an object of the vault is "
        "damaged, nothing is written and the object and its rows are named (exit code 3).\n"
        "\n"
        "What is there already is refused; --force replaces a file. A version that the disk has no room for is refused "
        "before anything is written.\n"
        "\n"
        "The attempt becomes an entry of the log, with the reader's key where --as names one, before the data have "
        "their name: where the log cannot be written, nothing is delivered. This is a record among "
        "people who cooperate: who reads the vault's files directly is not seen.",
    .examples = "bezoar vault checkout train.csv@3 -o old.csv — an old version\n"
                "bezoar vault checkout photos -o photos-again --as bob — the last one; bob reads it",
    .options = options,
    .min_positional = 1,
    .max_positional = 1,
    .run = run};
