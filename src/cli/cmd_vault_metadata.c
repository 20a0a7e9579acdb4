/* bezoar vault metadata: a version described for others. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "bezoar/lineage.h"
#include "cli/vault_args.h"

static const bez_option options[] = {
    {"croissant", 0, BEZ_ARG_FLAG, .help = "Croissant 1.0 (MLCommons), JSON-LD."},
    {"openlineage", 0, BEZ_ARG_FLAG, .help = "An OpenLineage event: of the run that made it, or of the data set."},
    {"dta", 0, BEZ_ARG_FLAG, .help = "Data Provenance Standards 1.0.0 (Data & Trust Alliance)."},
    {"cyclonedx", 0, BEZ_ARG_FLAG, .help = "CycloneDX 1.6, a component of type data."},
    {"output", 'o', BEZ_ARG_FILE, .value = "FILE", .help = "Where it goes. Default: standard output."},
    BEZ_VAULT_OPTIONS,
    {NULL}};

static bez_status pick(const bez_args *args, const char **form, bez_error *err) {
  static const char *const forms[] = {"croissant", "openlineage", "dta", "cyclonedx"};
  *form = NULL;
  for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
    if (!bez_args_flag(args, forms[i])) continue;
    if (*form) return bez_fail(err, BEZ_USAGE, "vault metadata", "--%s and --%s: one at a time", *form, forms[i]);
    *form = forms[i];
  }
  if (*form) return BEZ_OK;
  return bez_fail(err, BEZ_USAGE, "vault metadata", "say which: --croissant, --openlineage, --dta or --cyclonedx");
}

static bez_status work(bez_vault *vault, const bez_args *args, bez_progress *progress, char **json, bez_error *err) {
  const char *form, *output = bez_args_text(args, "output");
  (void)progress;
  bez_status st = pick(args, &form, err);
  if (st == BEZ_OK) st = bez_lineage_metadata(vault, args->positional[0], form, json, err);
  if (st != BEZ_OK || !output) return st;
  st = bez_file_write(output, *json, strlen(*json), err);
  bez_text_free(*json);
  *json = NULL;
  return st;
}

static void say(bez_buf *out, const json_t *answer) {
  char *text = json_dumps(answer, JSON_INDENT(2));
  if (text) bez_buf_puts(out, text);
  bez_buf_putc(out, '\n');
  free(text);
}

static int run(const bez_args *args) {
  return bez_vault_run(args, work, say);
}

const bez_command bez_command_vault_metadata = {
    .name = "vault metadata",
    .synopsis = "DATA@V",
    .summary = "Describe a version in a format of others.",
    .description =
        "What the vault knows of a version (columns, digest, sources, contributors, licence, the run that made it) as "
        "Croissant, OpenLineage, Data Provenance Standards or CycloneDX. What the sources do not say is left out; "
        "bezoar vault source show names what is missing there.",
    .examples = "bezoar vault metadata train.csv@3 --croissant -o croissant.json\n"
                "bezoar vault metadata train.csv@latest --dta",
    .options = options,
    .min_positional = 1,
    .max_positional = 1,
    .words = "",
    .run = run};
