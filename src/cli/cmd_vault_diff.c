/* bezoar vault diff: what two versions differ in. */
#include <stdio.h>
#include <string.h>

#include "cli/vault_args.h"
#include "cli/vault_text.h"

static const bez_option options[] = {
    {"limit", 'n', BEZ_ARG_NUMBER, .value = "N", .fallback = "20", .help = "Rows to show; 0 shows all."},
    BEZ_VAULT_READER_OPTIONS,
    BEZ_VAULT_OPTIONS,
    {NULL}};

/* One version alone is compared with the last. */
static bez_status work(bez_vault *vault, const bez_args *args, bez_progress *progress, char **json, bez_error *err) {
  (void)progress;
  const char *a = args->positional[0];
  bez_vault_who who;
  bez_status st = bez_vault_args_who(args, "as", &who, err);
  if (st != BEZ_OK) return st;
  if (args->n_positional > 1)
    return bez_vault_diff(vault, a, args->positional[1], bez_args_number(args, "limit"), &who, json, err);
  const char *at = strrchr(a, '@');
  char last[1200];
  snprintf(last, sizeof last, "%.*s", at ? (int)(at - a) : (int)strlen(a), a);
  return bez_vault_diff(vault, a, last, bez_args_number(args, "limit"), &who, json, err);
}

static void put_row(bez_buf *out, const json_t *row, const char *sign, const char *number, const char *key) {
  if (!json_object_get(row, key)) return;
  bez_buf_printf(out, "%s %8llu  ", sign, (unsigned long long)bez_answer_number(row, number));
  bez_answer_put(out, row, key);
  bez_buf_putc(out, '\n');
}

static void text(bez_buf *out, const json_t *answer) {
  const json_t *a = json_object_get(answer, "a"), *b = json_object_get(answer, "b");
  size_t i;
  json_t *row;
  bez_answer_put(out, a, "dataset");
  bez_buf_printf(out, "@%llu to ", (unsigned long long)bez_answer_number(a, "version"));
  bez_answer_put(out, b, "dataset");
  bez_buf_printf(out, "@%llu:", (unsigned long long)bez_answer_number(b, "version"));
  bez_text_changes(out, answer);
  bez_buf_putc(out, '\n');
  json_array_foreach(json_object_get(answer, "rows"), i, row) {
    put_row(out, row, "-", "old_row", "old");
    put_row(out, row, "+", "new_row", "new");
  }
  json_array_foreach(json_object_get(answer, "other"), i, row) {
    bez_buf_puts(out, strcmp(bez_answer_text(row, "of"), "new") ? "-           " : "+           ");
    bez_buf_puts(out, strcmp(bez_answer_text(row, "kind"), "file") ? "(no row) " : "(file) ");
    bez_answer_put(out, row, "text");
    bez_buf_putc(out, '\n');
  }
  const uint64_t more = bez_answer_number(answer, "more");
  if (more) bez_buf_printf(out, "and %llu more (--limit 0 shows all)\n", (unsigned long long)more);
}

static int run(const bez_args *args) {
  return bez_vault_run(args, work, text);
}

const bez_command bez_command_vault_diff = {
    .name = "vault diff",
    .synopsis = "DATA@A [DATA@B]",
    .summary = "Show the rows that were added, removed and changed between two versions.",
    .description = "Compares two versions (without B: A and the last one) through their trees: what is equal is not "
                   "read, so that the cost follows the change. Rows are counted from 0. A row that stands at the place "
                   "of another one is changed; all others are added or removed.\n"
                   "\n"
                   "Where the policy asks for known readers, so does this command, and it leaves an entry of the log.",
    .examples = "bezoar vault diff train.csv@3 train.csv@4 — what version 4 changed\n"
                "bezoar vault diff train.csv@1 --limit 0 --json — all since the first version",
    .options = options,
    .min_positional = 1,
    .max_positional = 2,
    .run = run};
