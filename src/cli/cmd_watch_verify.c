/* bezoar watch verify: is what lies behind the URLs what was listed? */
#include "base/error.h"
#include "cli/watch_say.h"

static const bez_option options[] = {
    {"list", 0, BEZ_ARG_FILE, .value = "FILE",
     .help = "Check this list as it is, without a vault: nothing is kept, and nothing is near (a perceptual hash comes "
             "from an earlier check)."},
    {"window", 0, BEZ_ARG_TIME, .value = "TIME", .fallback = "0",
     .help = "Spread the requests over this time at random: who serves the data cannot tell a check from a visit."},
    {"near", 0, BEZ_ARG_NUMBER, .value = "BITS", .fallback = "10",
     .help = "How many of the 64 bits of a picture's perceptual hash may differ for it to count as near, 32 at most."},
    {"output", 'o', BEZ_ARG_FILE, .value = "FOLDER",
     .help = "Write exact.csv, near.csv, different.csv, unchecked.csv and held.csv there, in the list's own columns."},
    {"adopt", 0, BEZ_ARG_FLAG,
     .help = "New content that has stood unchanged for longer than the delay, and is no error page, becomes what is "
             "listed."},
    BEZ_WATCH_OPTIONS,
    {NULL}};

static bez_status plan(const bez_args *args, bez_progress *progress, bez_watch_options *o, bez_error *err) {
  const uint64_t near = bez_args_number(args, "near");
  bez_status st = bez_watch_plan(args, progress, o, err);
  o->window = bez_args_real(args, "window");
  o->output = bez_args_text(args, "output");
  o->near = (unsigned)near;
  if (st == BEZ_OK && (!near || near > 32)) return bez_fail(err, BEZ_USAGE, "--near", "must be 1 to 32");
  return st;
}

static bez_status check_file(const bez_args *args, bez_progress *progress, char **json, bez_error *err) {
  bez_watch_options o;
  bez_watch_result result;
  bez_status st = plan(args, progress, &o, err);
  return st == BEZ_OK ? bez_watch_verify_file(bez_args_text(args, "list"), &o, &result, json, err) : st;
}

static bez_status check_kept(bez_vault *vault, const bez_args *args, bez_progress *progress, char **json,
                             bez_error *err) {
  bez_watch_options o;
  bez_watch_result result;
  bez_vault_who who;
  bez_status st = plan(args, progress, &o, err);
  o.adopt = bez_args_flag(args, "adopt");
  if (st == BEZ_OK) st = bez_vault_args_who(args, "key", &who, err);
  return st == BEZ_OK ? bez_watch_verify(vault, &who, &o, &result, json, err) : st;
}

static int run(const bez_args *args) {
  if (!bez_args_given(args, "list")) return bez_vault_run(args, check_kept, bez_watch_say);
  return bez_vault_run_plain(args, check_file, bez_watch_say);
}

const bez_command bez_command_watch_verify = {
    .name = "watch verify",
    .synopsis = "",
    .summary = "Ask for every URL of a list again: is it still what was listed?",
    .description =
        "Data that is listed by its address can be exchanged after it was listed. Every URL is asked for again, in "
        "random "
        "order and, with --window, at random times, and what comes back gets one of three verdicts: exact (every "
        "listed "
        "digest fits), near (another file, but the picture's perceptual hash hardly differs: for a person to look at), "
        "different (to be refused). What could not be had is not checked, and said so.\n"
        "\n"
        "Error pages are named as such: the same bytes at several URLs that should differ, a page whose title says "
        "that "
        "there is nothing, a page where a picture was.\n"
        "\n"
        "A policy with a delay holds new content back until it has stood unchanged for that long, so that nobody gains "
        "by "
        "editing a source just before it is taken.\n"
        "\n"
        "Exit code 0: all exact; 1: something is near, different or held back; 3: something was not checked, and "
        "nothing "
        "worse. URLs are https, or http on this machine.",
    .examples = "bezoar watch verify --list urls.csv -o checked — a list with digests, without a vault\n"
                "bezoar watch verify --window 6h — the vault's list, over six hours",
    .options = options,
    .min_positional = 0,
    .max_positional = 0,
    .run = run};
