/* bezoar vault model list: the models that a vault knows of. */
#include "bezoar/lineage.h"
#include "cli/vault_args.h"

static const bez_option options[] = {BEZ_VAULT_OPTIONS, {NULL}};

static bez_status work(bez_vault *vault, const bez_args *args, bez_progress *progress, char **json, bez_error *err) {
  (void)args, (void)progress;
  return bez_lineage_models(vault, json, err);
}

static void say(bez_buf *out, const json_t *answer) {
  const json_t *model, *item;
  size_t i, k;
  json_array_foreach(json_object_get(answer, "models"), i, model) {
    bez_answer_put(out, model, "time");
    bez_buf_puts(out, "  ");
    bez_answer_put(out, model, "name");
    bez_buf_puts(out, "  sha256:");
    bez_answer_put(out, model, "sha256");
    bez_buf_puts(out, "  by ");
    bez_answer_put(out, model, "by");
    json_array_foreach(json_object_get(model, "trained_on"), k, item) {
      bez_buf_puts(out, k ? ", " : "  on ");
      bez_answer_put(out, item, "dataset");
      bez_buf_printf(out, "@%llu", (unsigned long long)bez_answer_number(item, "version"));
    }
    bez_buf_putc(out, '\n');
  }
}

static int run(const bez_args *args) {
  return bez_vault_run(args, work, say);
}

const bez_command bez_command_vault_model_list = {
    .name = "vault model list",
    .synopsis = "",
    .summary = "List the models that are bound to versions.",
    .description = "Oldest first: when, name, digest, who bound it, and what it was trained on.",
    .examples = "bezoar vault model list",
    .options = options,
    .run = run};
