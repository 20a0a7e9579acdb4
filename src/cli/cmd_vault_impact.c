/* bezoar vault impact: what inherited from something bad. */
#include "cli/vault_args.h"
#include "cli/vault_text.h"

static const bez_option options[] = {{"kind", 0, BEZ_ARG_CHOICE, .value = "KIND", .choices = "key source commit row",
                                      .help = "What the argument is. Default: found out, where only one fits."},
                                     BEZ_VAULT_OPTIONS,
                                     {NULL}};

static bez_status work(bez_vault *vault, const bez_args *args, bez_progress *progress, char **json, bez_error *err) {
  (void)progress;
  return bez_vault_impact(vault, bez_args_text(args, "kind"), args->positional[0], json, err);
}

static int run(const bez_args *args) {
  return bez_vault_run(args, work, bez_text_impact);
}

const bez_command bez_command_vault_impact = {
    .name = "vault impact",
    .synopsis = "KEY|SOURCE|ROW|COMMIT",
    .summary = "Show every later version and model that inherited from a key, source, row or commit.",
    .description =
        "Names all versions that hold rows of it and how many, the recorded runs that read such versions, what they "
        "made (as a whole, and so on), and the models that were trained on any of these.\n"
        "\n"
        "KEY is a fingerprint or a principal, SOURCE its id, COMMIT the first 7 digits or more of its id, ROW is "
        "DATA@VERSION#NUMBER or the row's canonical digest (as blame tells it): the same row in other data sets and "
        "formats counts.",
    .examples = "bezoar vault impact mallory — what one contributor's rows got into\n"
                "bezoar vault impact train.csv@7#12345 — where one row went",
    .options = options,
    .min_positional = 1,
    .max_positional = 1,
    .run = run};
