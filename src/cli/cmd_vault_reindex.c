/* bezoar vault reindex: the index anew, from what is signed. */
#include "cli/vault_args.h"

static const bez_option options[] = {BEZ_VAULT_PROGRESS_OPTION, BEZ_VAULT_OPTIONS, {NULL}};

static bez_status work(bez_vault *vault, const bez_args *args, bez_progress *progress, char **json, bez_error *err) {
  (void)args;
  return bez_vault_reindex(vault, bez_progress_step, progress, json, err);
}

static void text(bez_buf *out, const json_t *answer) {
  bez_answer_count(out, bez_answer_number(answer, "entries"), "entry", "entries");
  bez_buf_puts(out, " of the log, ");
  bez_answer_count(out, bez_answer_number(answer, "versions"), "version", "versions");
  bez_buf_puts(out, "; ");
  bez_answer_count(out, bez_answer_number(answer, "sorted"), "sorted tree", "sorted trees");
  bez_buf_puts(out, " made again\n");
}

static int run(const bez_args *args) {
  return bez_vault_run(args, work, text);
}

const bez_command bez_command_vault_reindex = {
    .name = "vault reindex",
    .synopsis = "",
    .summary = "Make the index again from log and objects.",
    .description =
        "The index (.bezoar/index) holds nothing that does not follow from the log and the objects: the "
        "database in which entries are found, and the sorted trees that absence proofs come from. A database "
        "that does not fit is noticed and made again by any command; this does it in any case, and makes "
        "sorted trees again that are missing or damaged. Their roots are signed: one that comes out "
        "differently is an error.",
    .examples = "bezoar vault reindex — after .bezoar/index was lost",
    .options = options,
    .run = run,
    .words = ""};
