/* bezoar vault source show: all that is said of a source. */
#include "cli/trust_say.h"

static const bez_option options[] = {BEZ_VAULT_OPTIONS, {NULL}};

static bez_status work(bez_vault *vault, const bez_args *args, bez_progress *progress, char **json, bez_error *err) {
  (void)progress;
  return bez_vault_source_show(vault, args->positional[0], json, err);
}

static int run(const bez_args *args) {
  return bez_vault_run(args, work, bez_say_source);
}

const bez_command bez_command_vault_source_show = {
    .name = "vault source show",
    .synopsis = "ID",
    .summary = "Show all that is said of a source.",
    .description = "Its fields by the names of the Data Provenance Standards 1.0.0, and which of them are not stated.",
    .examples = "bezoar vault source show news --json — for other programs",
    .options = options,
    .min_positional = 1,
    .max_positional = 1,
    .run = run};
