/* bezoar vault export: a version's rows as a table. */
#include <string.h>

#include "base/error.h"
#include "cli/vault_args.h"

static const bez_option options[] = {
    {"output", 'o', BEZ_ARG_FILE, .value = "FILE", .help = "Where the table goes (needed)."},
    {"format", 0, BEZ_ARG_CHOICE, .value = "FORMAT", .choices = "csv jsonl parquet", .fallback = "jsonl",
     .help = "As what."},
    {"provenance", 0, BEZ_ARG_FLAG,
     .help = "More columns: bezoar:source, bezoar:contributor, bezoar:commit (the first that had the row); of pictures "
             "bezoar:file."},
    {"digests", 0, BEZ_ARG_FLAG, .help = "More columns: bezoar:raw and bezoar:canonical, SHA-256 of the row."},
    BEZ_VAULT_READER_OPTIONS,
    BEZ_VAULT_PROGRESS_OPTION,
    BEZ_VAULT_OPTIONS,
    {NULL}};

static bez_status work(bez_vault *vault, const bez_args *args, bez_progress *progress, char **json, bez_error *err) {
  bez_vault_export_options o = {.path = bez_args_text(args, "output"),
                                .format = bez_args_text(args, "format"),
                                .provenance = bez_args_flag(args, "provenance"),
                                .digests = bez_args_flag(args, "digests"),
                                .progress = bez_progress_step,
                                .progress_ctx = progress};
  if (!o.path) return bez_fail(err, BEZ_USAGE, "vault export", "needs --output FILE");
  bez_status st = bez_vault_args_who(args, "as", &o.reader, err);
  return st == BEZ_OK ? bez_vault_export(vault, args->positional[0], &o, json, err) : st;
}

static void text(bez_buf *out, const json_t *answer) {
  bez_answer_put(out, answer, "path");
  bez_buf_puts(out, ": ");
  bez_answer_put(out, answer, "dataset");
  bez_buf_printf(out, "@%llu, ", (unsigned long long)bez_answer_number(answer, "version"));
  bez_answer_count(out, bez_answer_number(answer, "n_rows"), "row", "rows");
  bez_buf_putc(out, '\n');
}

static int run(const bez_args *args) {
  return bez_vault_run(args, work, text);
}

const bez_command bez_command_vault_export = {
    .name = "vault export",
    .synopsis = "DATA[@VERSION]",
    .summary = "Write a version's rows as CSV, JSON lines or Parquet, and note who took them.",
    .description =
        "The fields of each row, whatever it is stored as: a record of CSV, a line of JSON, a picture (\"image\", the "
        "SHA-256 of its bytes, and \"label\"), a sample of a WebDataset, a row of a Parquet file. A row that is added "
        "to a vault again has the "
        "canonical digest that it had, and is known as the same row. For the file itself, bit by bit, there is bezoar "
        "vault checkout.\n"
        "\n"
        "The attempt becomes an entry of the log, with the reader's key where --as names one.",
    .examples =
        "bezoar vault export train.csv --format jsonl -o train.jsonl — the last version\n"
        "bezoar vault export train.csv@3 --format csv --provenance -o rows.csv — who brought each row, and when",
    .options = options,
    .min_positional = 1,
    .max_positional = 1,
    .run = run};
