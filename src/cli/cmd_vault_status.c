/* bezoar vault status: what is staged, and what changed on disk. */
#include <string.h>

#include "cli/vault_text.h"

static const bez_option options[] = {
    BEZ_VAULT_OPTIONS,
    {"full", 0, BEZ_ARG_FLAG, .help = "Read all files, also those whose size and times are as they were."},
    BEZ_VAULT_PROGRESS_OPTION,
    {NULL}};

static bez_status work(bez_vault *vault, const bez_args *args, bez_progress *progress, char **json, bez_error *err) {
  return bez_vault_status(vault, bez_args_flag(args, "full"), bez_progress_step, progress, json, err);
}

static void put_staged(bez_buf *out, const json_t *staged) {
  bez_buf_printf(
      out, "    staged: %llu rows (+%llu -%llu ~%llu) from ", (unsigned long long)bez_answer_number(staged, "n_rows"),
      (unsigned long long)bez_answer_number(staged, "added"), (unsigned long long)bez_answer_number(staged, "removed"),
      (unsigned long long)bez_answer_number(staged, "changed"));
  bez_answer_put(out, staged, "source");
  bez_buf_puts(out, ", by ");
  bez_answer_put(out, staged, "by");
  bez_buf_putc(out, '\n');
}

static void text(bez_buf *out, const json_t *answer) {
  size_t i;
  json_t *item;
  const uint64_t entries = bez_answer_number(answer, "entries"), signed_entries = bez_answer_number(answer, "signed");
  bez_answer_put(out, answer, "vault");
  bez_buf_puts(out, ": ");
  bez_answer_count(out, entries, "entry", "entries");
  bez_buf_puts(out, " in the log");
  if (signed_entries < entries)
    bez_buf_printf(out, ", the last %llu not under a signed checkpoint (bezoar vault checkpoint)",
                   (unsigned long long)(entries - signed_entries));
  bez_buf_putc(out, '\n');
  json_array_foreach(json_object_get(answer, "datasets"), i, item) {
    bez_buf_puts(out, "  ");
    bez_answer_put(out, item, "name");
    bez_buf_printf(out, "@%llu  %llu rows  ", (unsigned long long)bez_answer_number(item, "version"),
                   (unsigned long long)bez_answer_number(item, "n_rows"));
    bez_answer_put(out, item, "state");
    bez_buf_putc(out, '\n');
    if (json_is_object(json_object_get(item, "staged"))) put_staged(out, json_object_get(item, "staged"));
  }
  if (!i) bez_buf_puts(out, "  no data yet: bezoar vault add\n");
  if (json_is_true(json_object_get(answer, "commit_pending")))
    bez_buf_puts(out, "A commit waits for more signatures: bezoar vault commit --key KEY\n");
}

static int run(const bez_args *args) {
  return bez_vault_run(args, work, text);
}

const bez_command bez_command_vault_status = {
    .name = "vault status",
    .synopsis = "",
    .summary = "Show what is staged and which files changed since.",
    .description =
        "For every data set: its last version, and whether the file or folder it came from is still that version, bit "
        "by bit (unchanged, changed, missing). Files whose size, times and inode are as they were when they were read "
        "are not read again; a file that changed within two seconds before it was looked at is, since a later change "
        "could hide behind the same time. --full reads all.",
    .examples = "bezoar vault status — in a moment, whatever the size of the data\n"
                "bezoar vault status --full — hash everything",
    .options = options,
    .run = run,
    .words = ""};
