/* bezoar vault statement: what was recorded of a run, for others. */
#include <stdlib.h>

#include "bezoar/lineage.h"
#include "cli/vault_args.h"

static const bez_option options[] = {BEZ_VAULT_OPTIONS, {NULL}};

static bez_status work(bez_vault *vault, const bez_args *args, bez_progress *progress, char **json, bez_error *err) {
  (void)progress;
  return bez_lineage_statement(vault, args->positional[0], json, err);
}

static void say(bez_buf *out, const json_t *answer) {
  char *text = json_dumps(answer, JSON_COMPACT);
  if (text) bez_buf_puts(out, text);
  bez_buf_putc(out, '\n');
  free(text);
}

static int run(const bez_args *args) {
  return bez_vault_run(args, work, say);
}

const bez_command bez_command_vault_statement = {
    .name = "vault statement",
    .synopsis = "RUN",
    .summary = "Print the signed statement of a run.",
    .description =
        "The DSSE envelope over an in-toto statement v1 with SLSA provenance v1, as it was signed (Ed25519, over the "
        "pre-authentication encoding; keyid is the key's fingerprint). Anybody who has the public key can verify it.",
    .examples = "bezoar vault statement 3f2a9c1 > run.intoto.json",
    .options = options,
    .min_positional = 1,
    .max_positional = 1,
    .words = "",
    .run = run};
