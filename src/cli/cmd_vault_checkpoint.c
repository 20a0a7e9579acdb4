/* bezoar vault checkpoint: what the log is, signed, for others to keep. */
#include <string.h>

#include "base/file.h"
#include "bezoar/witness.h"
#include "cli/vault_args.h"

static const bez_option options[] = {
    {"output", 'o', BEZ_ARG_FILE, .value = "FILE", .help = "Write the signed note there. Default: standard output."},
    {"accept", 0, BEZ_ARG_FLAG,
     .help = "Believe the log that is there, also where it is not the one that was seen from here before."},
    BEZ_VAULT_KEY_OPTIONS,
    BEZ_VAULT_OPTIONS,
    {NULL}};

static bez_status write_note(const char *path, const char *json, bez_error *err) {
  json_t *answer = NULL;
  bez_status st = bez_json_parse(json, strlen(json), "answer", &answer, err);
  if (st != BEZ_OK) return st;
  const char *note = bez_answer_text(answer, "checkpoint");
  st = bez_file_write(path, note, strlen(note), err);
  json_decref(answer);
  return st;
}

static bez_status work(const bez_args *args, bez_progress *progress, char **json, bez_error *err) {
  (void)progress;
  bez_vault *vault = NULL;
  bez_vault_who who;
  const char *path = bez_args_text(args, "output"), *at = bez_args_text(args, "vault");
  bez_status st = bez_vault_args_who(args, "key", &who, err);
  if (st == BEZ_OK)
    st = bez_args_flag(args, "accept") ? bez_vault_accept(at, &vault, err) : bez_vault_open(at, &vault, err);
  if (st == BEZ_OK) st = bez_vault_checkpoint(vault, &who, json, err);
  if (st == BEZ_OK && path) st = write_note(path, *json, err);
  bez_vault_close(vault);
  return st;
}

static void text(bez_buf *out, const json_t *answer) {
  bez_buf_puts(out, bez_answer_text(answer, "checkpoint"));
}

static void text_written(bez_buf *out, const json_t *answer) {
  bez_buf_puts(out, "The log of ");
  bez_answer_count(out, bez_answer_number(answer, "size"), "entry", "entries");
  bez_buf_puts(out, ", signed by ");
  bez_answer_put(out, answer, "key");
  bez_buf_puts(out, "\n");
}

static int run(const bez_args *args) {
  return bez_vault_run_plain(args, work, bez_args_given(args, "output") ? text_written : text);
}

const bez_command bez_command_vault_checkpoint = {
    .name = "vault checkpoint",
    .synopsis = "",
    .summary = "Sign the log as it is, and print the signed note.",
    .description =
        "A checkpoint states how many entries the log has and the hash that stands for them, signed by the log's key "
        "(C2SP tlog-checkpoint). Whoever keeps one can later be shown that the log still begins with it. Commands "
        "that append sign one each where the log's key can be had; this one signs what was left unsigned.\n"
        "\n"
        "Bezoar remembers, beside the folder of keys, every log it has seen and refuses one that became shorter or was "
        "replaced. Where that is as it should be (a backup was put back), --accept forgets what was seen.",
    .examples = "bezoar vault checkpoint -o log.checkpoint — to be kept elsewhere\n"
                "bezoar vault checkpoint --accept — a backup was put back on purpose",
    .options = options,
    .run = run};
