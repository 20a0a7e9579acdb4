/* bezoar vault prove: that a row is in a version, or that it is not. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "bezoar/proof.h"
#include "cli/vault_args.h"

static const bez_option options[] = {
    {"digest", 0, BEZ_ARG_TEXT, .value = "HEX",
     .help = "Of this canonical digest: that it is there, or that it is not."},
    {"row", 0, BEZ_ARG_FILE, .value = "FILE",
     .help = "Of each row in a file (CSV with its header, JSON lines, …): that it is there, or that it is not."},
    {"consistency", 0, BEZ_ARG_FLAG,
     .help = "OLD [NEW]: that the log of OLD entries is the beginning of the one that the checkpoint signs."},
    {"output", 'o', BEZ_ARG_FILE, .value = "FILE", .help = "Where the proof goes. Default: standard output."},
    BEZ_VAULT_READER_OPTIONS,
    BEZ_VAULT_OPTIONS,
    {NULL}};

static bez_status number(const char *text, uint64_t *out, bez_error *err) {
  char *end;
  *out = strtoull(text, &end, 10);
  if (*text >= '0' && *text <= '9' && !*end) return BEZ_OK;
  return bez_fail(err, BEZ_USAGE, text, "is no number");
}

static bez_status prove_consistency(bez_vault *vault, const bez_args *args, char **json, bez_error *err) {
  uint64_t old_size, new_size = 0;
  bez_status st = number(args->positional[0], &old_size, err);
  if (st == BEZ_OK && args->n_positional > 1) st = number(args->positional[1], &new_size, err);
  return st == BEZ_OK ? bez_vault_prove_consistency(vault, old_size, new_size, json, err) : st;
}

static bez_status prove_rows(bez_vault *vault, const bez_args *args, char **json, bez_error *err) {
  bez_vault_who who;
  uint64_t row;
  bez_vault_prove_options what = {.version = args->positional[0],
                                  .digest = bez_args_text(args, "digest"),
                                  .rows = bez_args_text(args, "row"),
                                  .reader = &who};
  bez_status st = bez_vault_args_who(args, "as", &who, err);
  if (st == BEZ_OK && args->n_positional > 1) {
    st = number(args->positional[1], &row, err);
    what.row = &row;
  }
  return st == BEZ_OK ? bez_vault_prove(vault, &what, json, err) : st;
}

/* With --output the proof goes into the file; the answer keeps the rest. */
static bez_status write_proof(const char *path, char **json, bez_error *err) {
  json_t *answer = NULL;
  bez_status st = bez_json_parse(*json, strlen(*json), "answer", &answer, err);
  if (st != BEZ_OK) return st;
  json_t *proof = json_object_get(answer, "proof");
  st = bez_file_write(path, json_string_value(proof), json_string_length(proof), err);
  if (st == BEZ_OK && json_object_set_new(answer, "proof", json_string(path)) != 0) st = bez_fail_memory(err, 64);
  bez_text_free(*json);
  *json = st == BEZ_OK ? json_dumps(answer, JSON_COMPACT) : NULL;
  json_decref(answer);
  return st == BEZ_OK && !*json ? bez_fail_memory(err, 64) : st;
}

static bez_status work(bez_vault *vault, const bez_args *args, bez_progress *progress, char **json, bez_error *err) {
  const char *path = bez_args_text(args, "output");
  (void)progress;
  bez_status st = bez_args_flag(args, "consistency") ? prove_consistency(vault, args, json, err)
                                                     : prove_rows(vault, args, json, err);
  return st == BEZ_OK && path ? write_proof(path, json, err) : st;
}

static void put_claims(bez_buf *out, const json_t *answer) {
  size_t i;
  json_t *claim;
  json_array_foreach(json_object_get(answer, "claims"), i, claim) {
    bez_buf_puts(out, "  ");
    bez_answer_put(out, claim, "claim");
    bez_buf_puts(out, "  ");
    bez_answer_put(out, claim, "canonical");
    bez_buf_putc(out, '\n');
  }
}

static void text(bez_buf *out, const json_t *answer) {
  const char *proof = bez_answer_text(answer, "proof");
  if (strchr(proof, '\n')) { /* the proof itself */
    bez_buf_puts(out, proof);
    return;
  }
  bez_answer_put(out, answer, "proof");
  bez_buf_puts(out, ": ");
  bez_answer_count(out, bez_answer_number(answer, "bytes"), "byte", "bytes");
  bez_buf_putc(out, '\n');
  put_claims(out, answer);
}

static int run(const bez_args *args) {
  return bez_vault_run(args, work, text);
}

const bez_command bez_command_vault_prove = {
    .name = "vault prove",
    .synopsis = "DATA[@VERSION] [ROW]",
    .summary = "Prove that a row is in a version, or that it is not.",
    .description =
        "ROW is a row's number, counted from 0: the proof says that this row, with its raw and its canonical digest, "
        "is "
        "in the version. With --digest or --row it says of canonical digests that they are there, and how often, or "
        "that they are absent: between two neighbours of the sorted tree there is nothing. The proof is a small text "
        "that bezoar vault verify-proof checks with nothing but the log's public key: the path to the root, the "
        "contributor's signature over it, and its place in the log under a signed checkpoint.\n"
        "\n"
        "Which number a row has, the proof does not say; that the sorted tree is sorted, bezoar vault verify checks. "
        "The attempt becomes an entry of the log.",
    .examples = "bezoar vault prove train.csv@3 120 -o row.proof — row 120 is in version 3\n"
                "bezoar vault prove train.csv --row bad.csv -o clean.proof — of each bad row: absent, or present\n"
                "bezoar vault prove --consistency 40 -o log.proof — the log has only grown since it had 40 entries",
    .options = options,
    .min_positional = 1,
    .max_positional = 2,
    .run = run};
