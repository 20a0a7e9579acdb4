/* bezoar vault add: a file or folder is read, signed and staged. */
#include <string.h>

#include "base/error.h"
#include "bezoar/intake.h"
#include "cli/vault_args.h"
#include "cli/vault_text.h"

static const bez_option options[] = {
    {"source", 's', BEZ_ARG_TEXT, .value = "ID",
     .help = "Where the data come from (bezoar vault source list; needed)."},
    BEZ_VAULT_KEY_OPTIONS,
    {"message", 'm', BEZ_ARG_TEXT, .value = "TEXT", .help = "Commit at once, with this message and the same key."},
    {"name", 0, BEZ_ARG_TEXT, .value = "NAME",
     .help = "What the data set is called. Default: the path relative to the folder that holds .bezoar."},
    {"note", 0, BEZ_ARG_TEXT, .value = "TEXT", .help = "A remark that goes into the submission."},
    {"form", 0, BEZ_ARG_CHOICE, .value = "FORM", .choices = "csv jsonl file picture webdataset columns packed",
     .help = "How files become rows. Default: by what they hold."},
    {"labels", 0, BEZ_ARG_FILE, .value = "FILE",
     .help = "Pictures: a table of names and labels. Default: names of folders."},
    {"label", 0, BEZ_ARG_TEXT, .value = "COL",
     .help = "For the scan that the policy may demand: the column with the labels. Default: guessed."},
    {"text", 0, BEZ_ARG_TEXT, .repeat = true, .value = "COL", .help = "For the scan: a column with free text."},
    {"by-reference", 0, BEZ_ARG_FLAG, .help = "Leave the bytes where they are; the file must not change from then on."},
    {"threads", 0, BEZ_ARG_NUMBER, .value = "N", .help = "Threads; 0 takes all processors.", .fallback = "0"},
    {"memory", 0, BEZ_ARG_SIZE, .value = "SIZE", .fallback = "384M", .help = "Memory for what is read ahead."},
    BEZ_VAULT_PROGRESS_OPTION,
    BEZ_VAULT_OPTIONS,
    {NULL}};

static bez_status plan(const bez_args *args, bez_progress *progress, bez_intake_options *o, bez_error *err) {
  const uint64_t threads = bez_args_number(args, "threads");
  o->read = (bez_read_options){.label = bez_args_text(args, "label")};
  o->read.n_text = bez_args_list(args, "text", &o->read.text);
  o->add = (bez_vault_add_options){.name = bez_args_text(args, "name"),
                                   .source = bez_args_text(args, "source"),
                                   .form = bez_args_text(args, "form"),
                                   .labels = bez_args_text(args, "labels"),
                                   .note = bez_args_text(args, "note"),
                                   .by_reference = bez_args_flag(args, "by-reference"),
                                   .threads = threads < UINT32_MAX ? (unsigned)threads : UINT32_MAX,
                                   .memory = bez_args_number(args, "memory"),
                                   .progress = bez_progress_step,
                                   .progress_ctx = progress};
  return bez_vault_args_who(args, "key", &o->add.who, err);
}

/* Exactly what was just added, or nothing: somebody else may have added to the same data set meanwhile. */
static bez_status commit(bez_vault *vault, const bez_args *args, const bez_vault_who *who, char **json,
                         bez_error *err) {
  json_t *added = NULL;
  char *answer = NULL;
  bez_status st = bez_json_parse(*json, strlen(*json), "answer", &added, err);
  if (st == BEZ_OK && json_is_true(json_object_get(added, "staged"))) {
    const char *dataset = bez_answer_text(added, "dataset");
    const bez_vault_commit_options o = {.message = bez_args_text(args, "message"),
                                        .datasets = &dataset,
                                        .n_datasets = 1,
                                        .submission = bez_answer_text(added, "submission"),
                                        .who = *who};
    st = bez_vault_commit(vault, &o, &answer, err);
  }
  json_decref(added);
  if (answer || st != BEZ_OK) {
    bez_text_free(*json);
    *json = answer;
  }
  return st;
}

static bez_status work(bez_vault *vault, const bez_args *args, bez_progress *progress, char **json, bez_error *err) {
  bez_intake_options o;
  bez_status st = plan(args, progress, &o, err);
  if (st == BEZ_OK) st = bez_intake_add(vault, args->positional[0], &o, json, err);
  if (st == BEZ_OK && bez_args_given(args, "message")) st = commit(vault, args, &o.add.who, json, err);
  return st;
}

static void text(bez_buf *out, const json_t *answer) {
  if (json_object_get(answer, "commit")) {
    bez_text_commit(out, answer);
    return;
  }
  bez_answer_put(out, answer, "dataset");
  if (!json_is_true(json_object_get(answer, "staged"))) {
    bez_buf_printf(out, " is version %llu as it stands: nothing to add.\n",
                   (unsigned long long)bez_answer_number(answer, "parent"));
    return;
  }
  bez_buf_puts(out, ": ");
  bez_answer_count(out, bez_answer_number(answer, "n_rows"), "row", "rows");
  bez_text_changes(out, answer);
  bez_buf_puts(out, " from ");
  bez_answer_put(out, answer, "source");
  bez_buf_puts(out, ", signed by ");
  bez_answer_put(out, answer, "by");
  if (json_is_object(json_object_get(answer, "scan"))) {
    bez_buf_puts(out, "\nScanned: ");
    bez_answer_count(out, bez_answer_number(json_object_get(answer, "scan"), "findings"), "finding", "findings");
    bez_buf_puts(out, ", none that the policy refuses");
  }
  bez_buf_puts(out, "\nStaged: bezoar vault commit -m MESSAGE makes it a version.\n");
}

static int run(const bez_args *args) {
  return bez_vault_run(args, work, text);
}

const bez_command bez_command_vault_add = {
    .name = "vault add",
    .synopsis = "DATA",
    .summary = "Stage a file or folder as the next version of a data set.",
    .description =
        "Whether the key may contribute, and from this source, is asked before a byte is read; who may not is refused, "
        "and the attempt stands in the log. Then the data are read, cut into rows, hashed and packed; rows that the "
        "version before has are not stored again. The submission is signed with the key and waits for bezoar vault "
        "commit; -m commits it at once.\n"
        "\n"
        "Rows are CSV records, JSON lines, rows of Parquet and Arrow files, pictures with their labels, and samples of "
        "WebDataset archives; other files are kept as they are, without rows. checkout gives all of them back bit by "
        "bit.\n"
        "\n"
        "Where the policy demands a scan (bezoar vault policy), the data are scanned first; findings at or above its "
        "threshold, and what could not be examined, refuse them. The report is signed along with the submission "
        "(bezoar vault report).\n"
        "\n"
        "Exit code 1: refused.",
    .examples = "bezoar vault add train.csv --source survey-2026 --key alice — stage it\n"
                "bezoar vault add photos --source press -m \"April photos\" — stage and commit a folder\n"
                "bezoar vault add big.parquet --source web --by-reference — record it without copying",
    .options = options,
    .min_positional = 1,
    .max_positional = 1,
    .run = run};
