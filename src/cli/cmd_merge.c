/* bezoar merge: the shards of a data set as one saved state. */
#include <string.h>

#include "base/error.h"
#include "bezoar/scan.h"
#include "cli/args.h"
#include "cli/outputs.h"
#include "cli/say.h"

static const bez_option options[] = {
    {"output", 'o', BEZ_ARG_FILE, .value = "FILE", .help = "Where the merged state goes (needed)."},
    {"config", 0, BEZ_ARG_FILE, .value = "FILE", .help = "YAML file with options; none is read unless named."},
    {NULL}};

static int run(const bez_args *args) {
  bez_error err = {0};
  bez_buf text = {0};
  uint64_t rows = 0;
  const char *out = bez_args_text(args, "output");
  bez_status st = out ? BEZ_OK : bez_fail(&err, BEZ_USAGE, "merge", "needs --output FILE");
  if (st == BEZ_OK) st = bez_outputs_check_path("--output", out, args->positional, args->n_positional, &err);
  if (st == BEZ_OK) st = bez_shard_merge(args->positional, args->n_positional, out, &rows, &err);
  if (st != BEZ_OK) return bez_say_error(&err, "merge", NULL);
  if (!strcmp(out, "-")) return BEZ_EXIT_OK;
  bez_buf_printf(&text, "%llu rows of %zu states merged in ", (unsigned long long)rows, args->n_positional);
  bez_say_safe(&text, out);
  bez_buf_putc(&text, '\n');
  return bez_say(&text, BEZ_EXIT_OK);
}

const bez_command bez_command_merge = {
    .name = "merge",
    .synopsis = "STATE…",
    .summary = "Put the shards of a data set together.",
    .description =
        "Takes the states that bezoar scan --shard I/N --save FILE wrote, in any order, and writes one state of the "
        "whole data set, for bezoar scan --with FILE. The shards must be cut from the same files with the same "
        "options, "
        "each must be there once, and none may be missing; what does not fit is an error that names the file.\n"
        "\n"
        "Merging copies: no row is parsed, and the states' contents are looked into when they are scanned. A state "
        "holds "
        "the data (column by column, packed) and deserves the same care.",
    .examples = "bezoar merge *.bez -o all.bez — put shards together\n"
                "bezoar scan --with all.bez — and examine them",
    .options = options,
    .min_positional = 1,
    .max_positional = -1,
    .run = run};
