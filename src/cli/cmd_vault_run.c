/* bezoar vault run: a command over versions, recorded. */
#include "bezoar/intake.h"
#include "bezoar/lineage.h"
#include "cli/vault_args.h"

static const bez_option options[] = {
    {"in", 0, BEZ_ARG_TEXT, .repeat = true, .value = "DATA@V[=PATH]",
     .help = "A version that the command reads, under its name or that path; checked out where it is not there."},
    {"out", 0, BEZ_ARG_TEXT, .repeat = true, .value = "DATA[=PATH]",
     .help = "What the command makes (needed): the next version of that data set."},
    {"use", 0, BEZ_ARG_FILE, .repeat = true, .value = "FILE",
     .help = "A further file that the command needs (script, settings): kept with the record, so that rerun has it."},
    {"source", 0, BEZ_ARG_TEXT, .value = "ID", .help = "Source that the outputs count as (needed)."},
    {"env", 0, BEZ_ARG_TEXT, .repeat = true, .value = "NAME",
     .help = "Variable to record and to set again, beside the usual ones (LANG, TZ, PYTHONHASHSEED …)."},
    {"message", 'm', BEZ_ARG_TEXT, .value = "TEXT", .help = "Of the commit. Default: the command."},
    {"commit", 0, BEZ_ARG_FLAG, .fallback = "true", .help = "Commit the outputs; --no-commit leaves them staged."},
    {"threads", 0, BEZ_ARG_NUMBER, .value = "N", .fallback = "0", .help = "Threads; 0 takes all processors."},
    BEZ_VAULT_OPTIONS,
    BEZ_VAULT_KEY_OPTIONS,
    BEZ_VAULT_PROGRESS_OPTION,
    {NULL}};

static bez_status work(bez_vault *vault, const bez_args *args, bez_progress *progress, char **json, bez_error *err) {
  const uint64_t threads = bez_args_number(args, "threads");
  bez_run_options o = {.command = args->positional,
                       .n_command = args->n_positional,
                       .source = bez_args_text(args, "source"),
                       .message = bez_args_text(args, "message"),
                       .stage_only = !bez_args_flag(args, "commit"),
                       .aside = bez_args_flag(args, "json"),
                       .threads = (unsigned)(threads < 256 ? threads : 256),
                       .progress = bez_progress_step,
                       .progress_ctx = progress,
                       .add = bez_intake_take};
  o.n_inputs = bez_args_list(args, "in", &o.inputs);
  o.n_outputs = bez_args_list(args, "out", &o.outputs);
  o.n_uses = bez_args_list(args, "use", &o.uses);
  o.n_variables = bez_args_list(args, "env", &o.variables);
  bez_status st = bez_vault_args_who(args, "key", &o.who, err);
  return st == BEZ_OK ? bez_lineage_run(vault, &o, json, err) : st;
}

static void say(bez_buf *out, const json_t *answer) {
  const json_t *outputs = json_object_get(answer, "outputs"), *item;
  const json_t *commit = json_object_get(answer, "commit"), *datasets = json_object_get(commit, "datasets");
  size_t i;
  bez_buf_printf(out, "run %.12s: ", bez_answer_text(answer, "run"));
  bez_answer_put(out, answer, "command");
  bez_buf_putc(out, '\n');
  json_array_foreach(outputs, i, item) {
    bez_buf_puts(out, "  made ");
    bez_answer_put(out, item, "path");
    bez_buf_printf(out, "  sha256:%s\n", bez_answer_text(item, "sha256"));
  }
  json_array_foreach(datasets, i, item) {
    bez_buf_puts(out, "  version ");
    bez_answer_put(out, item, "name");
    bez_buf_printf(out, "@%llu\n", (unsigned long long)bez_answer_number(item, "version"));
  }
  if (json_is_true(json_object_get(commit, "pending"))) bez_buf_puts(out, "  the commit waits for more signatures\n");
}

static int run(const bez_args *args) {
  return bez_vault_run(args, work, say);
}

const bez_command bez_command_vault_run = {
    .name = "vault run",
    .synopsis = "-- COMMAND…",
    .summary = "Run a command over versions and record what it made of what.",
    .description = "Runs the command in the folder that holds the vault. Inputs that are not there are checked out; "
                   "those that are "
                   "there must be that version, and the command must leave them alone. What it makes becomes the next "
                   "version of the "
                   "data sets that --out names.\n"
                   "\n"
                   "The command, the digests of its program, the system, a Python's packages, inputs and outputs are "
                   "recorded as an "
                   "in-toto statement with SLSA provenance v1, in a DSSE envelope signed by the key (Ed25519). A "
                   "command that fails "
                   "leaves no record.",
    .examples =
        "bezoar vault run --in raw.csv@latest --out clean.csv --use clean.py --source web -- python3 clean.py — one "
        "step of preparing data\n"
        "bezoar vault run --in raw.csv@3=in.csv --out clean.csv=out.csv --source web --key alice -- ./filter in.csv "
        "out.csv — with paths of its own",
    .options = options,
    .min_positional = 1,
    .max_positional = -1,
    .run = run};
