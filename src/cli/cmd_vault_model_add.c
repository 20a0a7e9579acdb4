/* bezoar vault model add: what a model was trained on. */
#include "bezoar/lineage.h"
#include "cli/vault_args.h"

static const bez_option options[] = {
    {"trained-on", 0, BEZ_ARG_TEXT, .repeat = true, .value = "DATA@V", .help = "A version it was trained on (needed)."},
    {"by", 0, BEZ_ARG_TEXT, .value = "RUN", .help = "Id of the run that trained it; it must have read those versions."},
    {"name", 0, BEZ_ARG_TEXT, .value = "NAME", .help = "What the model is called. Default: its file's name."},
    BEZ_VAULT_OPTIONS,
    BEZ_VAULT_KEY_OPTIONS,
    {NULL}};

static bez_status work(bez_vault *vault, const bez_args *args, bez_progress *progress, char **json, bez_error *err) {
  (void)progress;
  bez_model_options o = {.name = bez_args_text(args, "name"), .run = bez_args_text(args, "by")};
  o.n_trained_on = bez_args_list(args, "trained-on", &o.trained_on);
  bez_status st = bez_vault_args_who(args, "key", &o.who, err);
  return st == BEZ_OK ? bez_lineage_model_add(vault, args->positional[0], &o, json, err) : st;
}

static void say(bez_buf *out, const json_t *answer) {
  const json_t *item;
  size_t i;
  bez_answer_put(out, answer, "name");
  bez_buf_printf(out, "  sha256:%s\n", bez_answer_text(answer, "sha256"));
  json_array_foreach(json_object_get(answer, "trained_on"), i, item) {
    bez_buf_puts(out, "  trained on ");
    bez_answer_put(out, item, "dataset");
    bez_buf_printf(out, "@%llu\n", (unsigned long long)bez_answer_number(item, "version"));
  }
}

static int run(const bez_args *args) {
  return bez_vault_run(args, work, say);
}

const bez_command bez_command_vault_model_add = {
    .name = "vault model add",
    .synopsis = "MODEL",
    .summary = "Bind a model to the versions it was trained on.",
    .description = "Appends the digest of a model file, or of a model folder (the one that bezoar model sign signs), "
                   "and the versions "
                   "it was trained on to the log, signed by a key that may commit. bezoar vault impact then lists the "
                   "model where a "
                   "row, a source or a key turns out to be bad.",
    .examples =
        "bezoar vault model add model.safetensors --trained-on train.csv@3 — one file\n"
        "bezoar vault model add ./model --trained-on a.csv@1 --trained-on b.csv@2 --by 3f2a9c1 — a folder, by a run",
    .options = options,
    .min_positional = 1,
    .max_positional = 1,
    .run = run};
