/* bezoar vault rerun: a recorded command once more. */
#include "bezoar/lineage.h"
#include "cli/vault_args.h"

static const bez_option options[] = {
    {"check", 0, BEZ_ARG_FLAG, .help = "End with exit code 1 where an output is not the same, bit for bit."},
    {"output", 'o', BEZ_ARG_FILE, .value = "FOLDER",
     .help = "Run there (empty, or not there yet) and keep it. Default: a temporary folder that is removed."},
    {"threads", 0, BEZ_ARG_NUMBER, .value = "N", .fallback = "0", .help = "Threads; 0 takes all processors."},
    BEZ_VAULT_OPTIONS,
    BEZ_VAULT_READER_OPTIONS,
    {NULL}};

static bez_status work(bez_vault *vault, const bez_args *args, bez_progress *progress, char **json, bez_error *err) {
  const uint64_t threads = bez_args_number(args, "threads");
  bez_rerun_options o = {.run = args->positional[0],
                         .folder = bez_args_text(args, "output"),
                         .check = bez_args_flag(args, "check"),
                         .aside = bez_args_flag(args, "json"),
                         .threads = (unsigned)(threads < 256 ? threads : 256),
                         .progress = bez_progress_step,
                         .progress_ctx = progress};
  bez_status st = bez_vault_args_who(args, "as", &o.reader, err);
  return st == BEZ_OK ? bez_lineage_rerun(vault, &o, json, err) : st;
}

static void say(bez_buf *out, const json_t *answer) {
  const json_t *item;
  size_t i;
  bez_buf_printf(out, "run %.12s by ", bez_answer_text(answer, "run"));
  bez_answer_put(out, answer, "by");
  bez_buf_puts(out, ": ");
  bez_answer_put(out, answer, "command");
  bez_buf_putc(out, '\n');
  json_array_foreach(json_object_get(answer, "outputs"), i, item) {
    bez_buf_puts(out, "  ");
    bez_answer_put(out, item, "path");
    bez_buf_puts(out, json_is_true(json_object_get(item, "same")) ? ": the same" : ": NOT the same: ");
    bez_answer_put(out, item, "why");
    bez_buf_putc(out, '\n');
  }
  json_array_foreach(json_object_get(answer, "environment"), i, item) {
    bez_buf_puts(out, "  another ");
    bez_answer_put(out, item, "name");
    bez_buf_puts(out, " than then: ");
    bez_answer_put(out, item, "now");
    bez_buf_puts(out, ", was ");
    bez_answer_put(out, item, "then");
    bez_buf_putc(out, '\n');
  }
}

static int run(const bez_args *args) {
  return bez_vault_run(args, work, say);
}

const bez_command bez_command_vault_rerun = {
    .name = "vault rerun",
    .synopsis = "RUN",
    .summary = "Run a recorded command again and compare what it makes.",
    .description =
        "Checks the recorded inputs out into an empty folder, puts the kept files beside them, sets the recorded "
        "variables, runs the command there, and compares every output with what was recorded. It names what is another "
        "in the environment than it was.\n"
        "\n"
        "This runs what the record says, unconfined, as you: only records signed by somebody who may contribute are "
        "run. "
        "RUN is the run's id, or its first seven digits or more (bezoar vault log --type run).",
    .examples = "bezoar vault rerun 3f2a9c1 --check — does it make the same bytes again?\n"
                "bezoar vault rerun 3f2a9c1 -o again — and keep the folder",
    .options = options,
    .min_positional = 1,
    .max_positional = 1,
    .words = "",
    .run = run};
