/* bezoar vault witness request, take, cosign, key: witnessing by file, and being a witness. */
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "bezoar/witness.h"
#include "cli/vault_args.h"

#define MOST (1u << 20) /* bytes of a request or an answer */

static const bez_option request_options[] = {
    {"output", 'o', BEZ_ARG_FILE, .value = "FILE", .help = "Write the request there. Default: standard output."},
    {"old", 0, BEZ_ARG_NUMBER, .value = "SIZE", .fallback = "0",
     .help = "Entries of the last checkpoint that the witness cosigned; 0: it never did."},
    BEZ_VAULT_OPTIONS,
    {NULL}};
static const bez_option take_options[] = {BEZ_VAULT_OPTIONS, {NULL}};
static const bez_option cosign_options[] = {
    {"output", 'o', BEZ_ARG_FILE, .value = "FILE", .help = "Write the cosignature there. Default: standard output."},
    {"name", 0, BEZ_ARG_TEXT, .value = "NAME", .help = "The witness's name, as in its verifier key (needed)."},
    {"log", 0, BEZ_ARG_TEXT, .value = "KEY",
     .help = "The log's verifier key. Needed the first time that a log is cosigned."},
    {"state", 0, BEZ_ARG_FILE, .value = "FOLDER",
     .help = "Where is remembered what was cosigned. Default: \"witness\" beside the folder of keys."},
    BEZ_VAULT_KEY_OPTIONS,
    {"json", 0, BEZ_ARG_FLAG, .help = "Answer as JSON."},
    {NULL}};
static const bez_option key_options[] = {
    BEZ_VAULT_KEY_OPTIONS, {"json", 0, BEZ_ARG_FLAG, .help = "Answer as JSON."}, {NULL}};

/* A member of the answer into the file that -o names. */
static bez_status write_member(const bez_args *args, const char *json, const char *key, bez_error *err) {
  json_t *answer = NULL;
  const char *path = bez_args_text(args, "output");
  if (!path) return BEZ_OK;
  bez_status st = bez_json_parse(json, strlen(json), "answer", &answer, err);
  if (st != BEZ_OK) return st;
  const char *text = bez_answer_text(answer, key);
  st = bez_file_write(path, text, strlen(text), err);
  json_decref(answer);
  return st;
}

static bez_status request_work(bez_vault *vault, const bez_args *args, bez_progress *progress, char **json,
                               bez_error *err) {
  (void)progress;
  bez_status st = bez_vault_witness_request(vault, bez_args_number(args, "old"), json, err);
  return st == BEZ_OK ? write_member(args, *json, "request", err) : st;
}

static void request_text(bez_buf *out, const json_t *answer) {
  bez_buf_puts(out, bez_answer_text(answer, "request"));
}

static void no_text(bez_buf *out, const json_t *answer) {
  (void)out, (void)answer;
}

static bez_status take_work(bez_vault *vault, const bez_args *args, bez_progress *progress, char **json,
                            bez_error *err) {
  (void)progress;
  bez_buf bytes = {0};
  bez_status st = bez_file_read(args->positional[0], MOST, &bytes, err);
  if (st == BEZ_OK) st = bez_vault_witness_take(vault, bytes.data ? bytes.data : "", bytes.len, json, err);
  bez_buf_free(&bytes);
  return st;
}

static void take_text(bez_buf *out, const json_t *answer) {
  bez_answer_count(out, bez_answer_number(answer, "added"), "cosignature", "cosignatures");
  bez_buf_puts(out, " kept with the checkpoint of ");
  bez_answer_count(out, bez_answer_number(answer, "size"), "entry", "entries");
  bez_buf_puts(out, "\n");
}

static bez_status cosign_work(const bez_args *args, bez_progress *progress, char **json, bez_error *err) {
  (void)progress;
  bez_buf bytes = {0};
  bez_vault_cosign_options o = {.name = bez_args_text(args, "name"),
                                .log_key = bez_args_text(args, "log"),
                                .folder = bez_args_text(args, "state")};
  if (!o.name) return bez_fail(err, BEZ_USAGE, "--name", "the witness needs a name");
  bez_status st = bez_vault_args_who(args, "key", &o.who, err);
  if (st == BEZ_OK) st = bez_file_read(args->positional[0], MOST, &bytes, err);
  if (st == BEZ_OK) st = bez_vault_witness_cosign(bytes.data ? bytes.data : "", bytes.len, &o, json, err);
  if (st == BEZ_OK) st = write_member(args, *json, "cosignature", err);
  bez_buf_free(&bytes);
  return st;
}

static void cosign_text(bez_buf *out, const json_t *answer) {
  bez_buf_puts(out, bez_answer_text(answer, "cosignature"));
}

static bez_status key_work(const bez_args *args, bez_progress *progress, char **json, bez_error *err) {
  (void)progress;
  bez_vault_who who;
  bez_status st = bez_vault_args_who(args, "key", &who, err);
  return st == BEZ_OK ? bez_vault_witness_key(args->positional[0], &who, json, err) : st;
}

static void key_text(bez_buf *out, const json_t *answer) {
  bez_answer_put(out, answer, "key");
  bez_buf_puts(out, "\n");
}

static int request_run(const bez_args *args) {
  return bez_vault_run(args, request_work, bez_args_given(args, "output") ? no_text : request_text);
}
static int take_run(const bez_args *args) {
  return bez_vault_run(args, take_work, take_text);
}
static int cosign_run(const bez_args *args) {
  return bez_vault_run_plain(args, cosign_work, bez_args_given(args, "output") ? no_text : cosign_text);
}
static int key_run(const bez_args *args) {
  return bez_vault_run_plain(args, key_work, key_text);
}

const bez_command bez_command_vault_witness_request = {
    .name = "vault witness request",
    .synopsis = "",
    .summary = "Write what a witness is asked to cosign.",
    .description = "The body of an add-checkpoint request (C2SP tlog-witness), for witnesses that cannot be reached "
                   "over the network. A witness that stands elsewhere says at which size: give that with --old.",
    .examples = "bezoar vault witness request --old 120 -o request — the witness saw 120 entries",
    .options = request_options,
    .run = request_run};

const bez_command bez_command_vault_witness_take = {
    .name = "vault witness take",
    .synopsis = "FILE",
    .summary = "Keep the cosignatures that a witness answered with.",
    .description = "FILE holds lines of signatures. Those of witnesses that were named (bezoar vault witness add) and "
                   "that hold are kept with the checkpoint; others are passed over. Exit code 1 where none was new.",
    .examples = "bezoar vault witness take answer — from a file",
    .options = take_options,
    .min_positional = 1,
    .max_positional = 1,
    .run = take_run};

const bez_command bez_command_vault_witness_cosign = {
    .name = "vault witness cosign",
    .synopsis = "REQUEST",
    .summary = "Be a witness: cosign a log's checkpoint if it continues what was cosigned before.",
    .description =
        "Checks the log's signature and the proof that the checkpoint continues the last one that this witness "
        "cosigned, remembers the new one, and only then signs (cosignature/v1). Two histories of one log are never "
        "cosigned. What is remembered must not be put back from a backup: a witness that forgets is none.",
    .examples = "bezoar vault witness cosign request --name witness.example/w1 --log bezoar-vault/…+… -o answer — the "
                "first time\n"
                "bezoar vault witness cosign request --name witness.example/w1 -o answer — a log that is known",
    .options = cosign_options,
    .min_positional = 1,
    .max_positional = 1,
    .run = cosign_run};

const bez_command bez_command_vault_witness_key = {
    .name = "vault witness key",
    .synopsis = "NAME",
    .summary = "Show the verifier key of a witness that signs with a key of yours.",
    .description = "Verifier keys (C2SP signed-note) hold name and public key. Use a key for one witness alone: "
                   "cosignatures do not say whose they are beyond the key.",
    .examples = "bezoar vault witness key witness.example/w1 --key witness — to be given to logs",
    .options = key_options,
    .min_positional = 1,
    .max_positional = 1,
    .run = key_run};
