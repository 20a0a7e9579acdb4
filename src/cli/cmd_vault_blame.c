/* bezoar vault blame: where a row comes from. */
#include <errno.h>
#include <stdlib.h>

#include "base/error.h"
#include "cli/vault_args.h"

static const bez_option options[] = {
    {"where", 0, BEZ_ARG_TEXT, .value = "COLUMN=VALUE",
     .help = "All rows with this value, in place of a row's number."},
    {"limit", 'n', BEZ_ARG_NUMBER, .value = "N", .fallback = "20", .help = "Rows that --where tells of."},
    BEZ_VAULT_READER_OPTIONS,
    BEZ_VAULT_OPTIONS,
    {NULL}};

static bez_status work(bez_vault *vault, const bez_args *args, bez_progress *progress, char **json, bez_error *err) {
  (void)progress;
  const char *where = bez_args_text(args, "where");
  const char *number = args->n_positional > 1 ? args->positional[1] : NULL;
  char *end = NULL;
  errno = 0;
  const uint64_t row = number ? strtoull(number, &end, 10) : 0;
  if (!where == !number) return bez_fail(err, BEZ_USAGE, "vault blame", "needs a row's number or --where COLUMN=VALUE");
  if (number && (*end || errno || *number < '0' || *number > '9'))
    return bez_fail(err, BEZ_USAGE, number, "is no number of a row (they are counted from 0)");
  bez_vault_who who;
  bez_status st = bez_vault_args_who(args, "as", &who, err);
  if (st != BEZ_OK) return st;
  return bez_vault_blame(vault, args->positional[0], row, where, bez_args_number(args, "limit"), &who, json, err);
}

static void put_when(bez_buf *out, const json_t *object) {
  bez_buf_puts(out, ", ");
  bez_answer_put(out, object, "time");
  bez_buf_putc(out, '\n');
}

static void put_row(bez_buf *out, const json_t *answer, const json_t *row) {
  const json_t *commit = json_object_get(row, "commit"), *who = json_object_get(row, "contributor");
  const json_t *source = json_object_get(row, "source");
  size_t i;
  json_t *item;
  bez_answer_put(out, answer, "dataset");
  bez_buf_printf(out, "@%llu row %llu", (unsigned long long)bez_answer_number(answer, "version"),
                 (unsigned long long)bez_answer_number(row, "row"));
  if (*bez_answer_text(row, "file")) {
    bez_buf_puts(out, " of ");
    bez_answer_put(out, row, "file");
  }
  bez_buf_puts(out, "\n  ");
  bez_answer_put(out, row, "text");
  bez_buf_puts(out, "\n  by      ");
  bez_answer_put(out, who, "principal");
  bez_buf_puts(out, "  ");
  bez_answer_put(out, who, "key");
  if (json_is_true(json_object_get(who, "disowned"))) bez_buf_puts(out, "  (revoked, and this submission with it)");
  bez_buf_puts(out, "\n  source  ");
  bez_answer_put(out, source, "id");
  bez_buf_printf(out, "\n  commit  %.12s (version %llu) \"", bez_answer_text(commit, "id"),
                 (unsigned long long)bez_answer_number(commit, "version"));
  bez_answer_put(out, commit, "message");
  bez_buf_puts(out, "\" by ");
  bez_answer_put(out, commit, "by");
  put_when(out, commit);
  json_array_foreach(json_object_get(row, "chain"), i, item) {
    bez_buf_printf(out, "  run     %.12s by ", bez_answer_text(item, "run"));
    bez_answer_put(out, item, "by");
    put_when(out, item);
  }
  json_array_foreach(json_object_get(row, "readers"), i, item) {
    bez_buf_puts(out, "  read    ");
    bez_say_safe(out, *bez_answer_text(item, "by") ? bez_answer_text(item, "by") : "(nobody named)");
    bez_buf_puts(out, " (");
    bez_answer_put(out, item, "op");
    bez_buf_printf(out, " of version %llu)", (unsigned long long)bez_answer_number(item, "version"));
    put_when(out, item);
  }
  const uint64_t more = bez_answer_number(row, "more_readers");
  if (more) bez_buf_printf(out, "  read    %llu times more\n", (unsigned long long)more);
}

static void text(bez_buf *out, const json_t *answer) {
  size_t i;
  json_t *row;
  json_array_foreach(json_object_get(answer, "rows"), i, row) put_row(out, answer, row);
  if (!i) bez_buf_puts(out, "No such row.\n");
  const uint64_t more = bez_answer_number(answer, "more");
  if (more) bez_buf_printf(out, "and %llu more rows (--limit)\n", (unsigned long long)more);
}

static int run(const bez_args *args) {
  return bez_vault_run(args, work, text);
}

const bez_command bez_command_vault_blame = {
    .name = "vault blame",
    .synopsis = "DATA[@VERSION] [ROW]",
    .summary = "Show where a row comes from: commit, contributor, source, transformations, readers.",
    .description =
        "ROW counts from 0 (the header of a table is no row). Told are the commit and the contributor that brought the "
        "row in, the source it is said to come from, the runs that made it (bezoar vault run), and every noted read of "
        "a "
        "version that holds it. A row keeps its origin when it only moves; a changed row is of whoever changed it.\n"
        "\n"
        "Where the policy asks for known readers, so does this command, and it leaves an entry of the log.",
    .examples = "bezoar vault blame train.csv 12345 — one row of the last version\n"
                "bezoar vault blame train.csv@7 --where vendor=acme — all rows of one vendor",
    .options = options,
    .min_positional = 1,
    .max_positional = 2,
    .run = run};
