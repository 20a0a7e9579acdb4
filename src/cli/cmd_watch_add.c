/* bezoar watch add: a list of URLs, kept with a digest of each. */
#include "cli/watch_say.h"

static const bez_option options[] = {
    {"source", 0, BEZ_ARG_TEXT, .value = "ID",
     .help = "Source that the key has to be trusted with (bezoar vault source list)."},
    {"fetch", 0, BEZ_ARG_FLAG, .help = "Ask for all URLs now, also for those that the list has a digest of."},
    {"correct", 0, BEZ_ARG_FLAG,
     .help = "Take over digests for URLs of the list that is kept already: a correction by a trusted key, which the "
             "delay does not hold back."},
    BEZ_WATCH_OPTIONS,
    {NULL}};

static bez_status add(bez_vault *vault, const bez_args *args, bez_progress *progress, char **json, bez_error *err) {
  bez_watch_options o;
  bez_watch_result result;
  bez_vault_who who;
  bez_status st = bez_watch_plan(args, progress, &o, err);
  o.source = bez_args_text(args, "source");
  o.fetch = bez_args_flag(args, "fetch");
  o.correct = bez_args_flag(args, "correct");
  if (st == BEZ_OK) st = bez_vault_args_who(args, "key", &who, err);
  return st == BEZ_OK ? bez_watch_add(vault, args->positional[0], &who, &o, &result, json, err) : st;
}

static int run(const bez_args *args) {
  return bez_vault_run(args, add, bez_watch_say);
}

const bez_command bez_command_watch_add = {
    .name = "watch add",
    .synopsis = "LIST",
    .summary = "Keep a list of URLs with a digest of what lies behind each.",
    .description =
        "The list is a table (CSV, JSON lines, Parquet) with a column of addresses, as img2dataset takes them, and, "
        "where "
        "it has them, digests (sha256, sha512, md5). URLs without a digest are asked for now; pictures get a "
        "perceptual "
        "hash when they are seen first. An error page is not taken for content.\n"
        "\n"
        "The list is an object of the vault, and adding it an entry of the log, signed by a key that may contribute to "
        "the source. Adding a list once more replaces it; digests that are known stay known.\n"
        "\n"
        "What comes without a digest and is held to a delay (--delay, or the policy's) counts as new until it has "
        "stood "
        "unchanged for that long.",
    .examples = "bezoar watch add urls.csv --source laion --key alice — keep a list\n"
                "bezoar watch add fixed.csv --name urls.csv --correct --key alice — corrections by a trusted key",
    .options = options,
    .min_positional = 1,
    .max_positional = 1,
    .run = run};
