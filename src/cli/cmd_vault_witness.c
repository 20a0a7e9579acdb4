/* bezoar vault witness add, remove, list, ask: who sees that the log only grows. */
#include <time.h>

#include "bezoar/witness.h"
#include "cli/vault_args.h"

static const bez_option add_options[] = {
    {"url", 0, BEZ_ARG_TEXT, .value = "URL",
     .help = "Where the witness takes requests (its submission prefix). Default: requests go by file."},
    BEZ_VAULT_KEY_OPTIONS,
    BEZ_VAULT_OPTIONS,
    {NULL}};
static const bez_option remove_options[] = {BEZ_VAULT_KEY_OPTIONS, BEZ_VAULT_OPTIONS, {NULL}};
static const bez_option plain_options[] = {BEZ_VAULT_OPTIONS, {NULL}};

static bez_status add_work(bez_vault *vault, const bez_args *args, bez_progress *progress, char **json,
                           bez_error *err) {
  (void)progress;
  bez_vault_who who;
  bez_status st = bez_vault_args_who(args, "key", &who, err);
  if (st != BEZ_OK) return st;
  return bez_vault_witness_add(vault, args->positional[0], bez_args_text(args, "url"), &who, json, err);
}

static void add_text(bez_buf *out, const json_t *answer) {
  bez_buf_puts(out, "Witness ");
  bez_answer_put(out, answer, "witness");
  bez_buf_puts(out, *bez_answer_text(answer, "url") ? " is asked at " : " is asked by file");
  bez_answer_put(out, answer, "url");
  bez_buf_puts(out, "\n");
}

static bez_status remove_work(bez_vault *vault, const bez_args *args, bez_progress *progress, char **json,
                              bez_error *err) {
  (void)progress;
  bez_vault_who who;
  bez_status st = bez_vault_args_who(args, "key", &who, err);
  return st == BEZ_OK ? bez_vault_witness_remove(vault, args->positional[0], &who, json, err) : st;
}

static void remove_text(bez_buf *out, const json_t *answer) {
  bez_buf_puts(out, "Witness ");
  bez_answer_put(out, answer, "witness");
  bez_buf_puts(out, " is asked no more\n");
}

static bez_status list_work(bez_vault *vault, const bez_args *args, bez_progress *progress, char **json,
                            bez_error *err) {
  (void)progress, (void)args;
  return bez_vault_witness_list(vault, json, err);
}

static void put_time(bez_buf *out, uint64_t seconds) {
  time_t at = (time_t)seconds;
  struct tm parts;
  char text[40] = "";
  if (gmtime_r(&at, &parts)) (void)strftime(text, sizeof text, " at %Y-%m-%dT%H:%M:%SZ", &parts);
  bez_buf_puts(out, text);
}

static void list_text(bez_buf *out, const json_t *answer) {
  size_t i;
  json_t *item;
  const json_t *all = json_object_get(answer, "witnesses");
  if (!json_array_size(all)) bez_buf_puts(out, "No witnesses: bezoar vault witness add KEY names one\n");
  json_array_foreach(all, i, item) {
    bool cosigned = json_is_true(json_object_get(item, "cosigned"));
    bez_answer_put(out, item, "witness");
    bez_buf_puts(out, cosigned ? "  cosigned " : "  has not cosigned ");
    bez_answer_count(out, bez_answer_number(answer, "size"), "entry", "entries");
    if (cosigned) put_time(out, bez_answer_number(item, "time"));
    bez_buf_puts(out, *bez_answer_text(item, "url") ? "  " : "");
    bez_answer_put(out, item, "url");
    bez_buf_puts(out, "\n");
  }
}

static bez_status ask_work(bez_vault *vault, const bez_args *args, bez_progress *progress, char **json,
                           bez_error *err) {
  (void)progress;
  return bez_vault_witness_ask(vault, args->positional, args->n_positional, json, err);
}

static void ask_text(bez_buf *out, const json_t *answer) {
  size_t i;
  json_t *item;
  json_array_foreach(json_object_get(answer, "asked"), i, item) {
    bez_answer_put(out, item, "witness");
    if (json_is_true(json_object_get(item, "cosigned"))) {
      bez_buf_puts(out, "  cosigned ");
      bez_answer_count(out, bez_answer_number(answer, "size"), "entry", "entries");
    } else {
      bez_buf_puts(out, "  has not cosigned: ");
      bez_answer_put(out, item, "why");
    }
    bez_buf_puts(out, "\n");
  }
}

static int add_run(const bez_args *args) {
  return bez_vault_run(args, add_work, add_text);
}
static int remove_run(const bez_args *args) {
  return bez_vault_run(args, remove_work, remove_text);
}
static int list_run(const bez_args *args) {
  return bez_vault_run(args, list_work, list_text);
}
static int ask_run(const bez_args *args) {
  return bez_vault_run(args, ask_work, ask_text);
}

const bez_command bez_command_vault_witness_add = {
    .name = "vault witness add",
    .synopsis = "KEY",
    .summary = "Name a witness of the log.",
    .description =
        "A witness remembers how far it has seen the log and cosigns only what continues it (C2SP tlog-witness): with "
        "its cosignature nobody can be shown another history than it has seen. KEY is its verifier key "
        "(name+hash+key, as the witness publishes it; bezoar vault witness key shows that of a key of yours). The "
        "vault collects and keeps cosignatures of witnesses named here; who verifies a proof decides on their own "
        "which "
        "witnesses count (bezoar vault verify-proof --witness).",
    .examples = "bezoar vault witness add witness.example/w1+… --url https://witness.example — one that is asked over "
                "the network",
    .options = add_options,
    .min_positional = 1,
    .max_positional = 1,
    .run = add_run};

const bez_command bez_command_vault_witness_remove = {
    .name = "vault witness remove",
    .synopsis = "NAME",
    .summary = "Ask a witness no more.",
    .description = "Its cosignatures are not collected from now on. What it cosigned before stays what it is.",
    .examples = "bezoar vault witness remove witness.example/w1 — by the name in its key",
    .options = remove_options,
    .min_positional = 1,
    .max_positional = 1,
    .run = remove_run};

const bez_command bez_command_vault_witness_list = {
    .name = "vault witness list",
    .synopsis = "",
    .summary = "Witnesses, and which of them cosigned the checkpoint.",
    .description = "A cosignature is of one checkpoint: after the next append there is a new one to be cosigned.",
    .examples = "bezoar vault witness list — who has cosigned",
    .options = plain_options,
    .run = list_run};

const bez_command bez_command_vault_witness_ask = {
    .name = "vault witness ask",
    .synopsis = "[NAME…]",
    .summary = "Send the checkpoint to witnesses and keep their cosignatures.",
    .description =
        "Asks every witness that has a URL, or those named, with the add-checkpoint request of C2SP tlog-witness: the "
        "signed checkpoint and the proof that it continues what the witness saw last. Exit code 1 where one did not "
        "cosign; a witness that has seen more entries than the log has, or others, says so here.",
    .examples = "bezoar vault witness ask — all of them",
    .options = plain_options,
    .max_positional = -1,
    .run = ask_run};
