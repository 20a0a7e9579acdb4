/* bezoar vault source list: where data may come from. */
#include "cli/trust_say.h"

static const bez_option options[] = {BEZ_VAULT_OPTIONS, {NULL}};

static bez_status work(bez_vault *vault, const bez_args *args, bez_progress *progress, char **json, bez_error *err) {
  (void)args, (void)progress;
  return bez_vault_source_list(vault, json, err);
}

static void text(bez_buf *out, const json_t *answer) {
  size_t i;
  const json_t *source, *sources = json_object_get(answer, "sources");
  json_array_foreach(sources, i, source) {
    bez_answer_put(out, source, "id");
    bez_buf_putc(out, '\n');
    bez_say_member(out, "title", bez_answer_text(source, "title"));
    bez_say_member(out, "publisher", bez_answer_text(source, "publisher"));
    bez_say_member(out, "uri", bez_answer_text(source, "uri"));
  }
  if (!json_array_size(sources)) bez_buf_puts(out, "No sources yet (bezoar vault source add ID)\n");
}

static int run(const bez_args *args) {
  return bez_vault_run(args, work, text);
}

const bez_command bez_command_vault_source_list = {.name = "vault source list",
                                                   .synopsis = "",
                                                   .summary = "List the sources that data may come from.",
                                                   .description = "In the order in which they were first described.",
                                                   .examples = "bezoar vault source list — all of them",
                                                   .options = options,
                                                   .run = run};
