/* bezoar watch verify: is what lies behind the URLs what was listed? */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "bezoar/watch.h"
#include "cli/args.h"
#include "cli/progress.h"
#include "cli/say.h"
#include "cli/watch_say.h"

static const bez_option options[] = {
    BEZ_WATCH_OPTIONS,
    {"list", 0, BEZ_ARG_FILE, .value = "FILE",
     .help = "Check this list as it is, without a vault: nothing is kept, and nothing is near (a perceptual hash comes "
             "from an earlier check)."},
    {"window", 0, BEZ_ARG_TIME, .value = "TIME", .fallback = "0",
     .help = "Spread the requests over this time at random: who serves the data cannot tell a check from a visit."},
    {"near", 0, BEZ_ARG_NUMBER, .value = "BITS", .fallback = "10",
     .help = "How many of the 64 bits of a picture's perceptual hash may differ for it to count as near, 32 at most."},
    {"output", 'o', BEZ_ARG_FILE, .value = "FOLDER",
     .help = "Write exact.csv, near.csv, different.csv, unchecked.csv and held.csv there, in the list's own columns."},
    {NULL}};

static int run(const bez_args *args) {
  bez_error err = {0};
  bez_watch_options o = {0};
  bez_watch_result result;
  bez_progress progress;
  char *json = NULL;
  const char *list = bez_args_text(args, "list");
  bez_watch_plan(args, &progress, &o);
  o.window = bez_args_real(args, "window");
  o.output = bez_args_text(args, "output");
  uint64_t near = bez_args_number(args, "near");
  o.near = (unsigned)near;
  if (!near || near > 32) return bez_say_error(&(bez_error){.code = BEZ_USAGE, .subject = "--near", .message = "must be 1 to 32", .line = -1, .offset = -1}, "watch verify", NULL);
  bez_signals_watch();
  bez_progress_start(&progress, bez_args_text(args, "progress"));
  bez_status st = bez_watch_verify_file(list, &o, &result, &json, &err);
  bez_progress_end(&progress);
  int code = st == BEZ_OK ? bez_watch_say(args, json, &result) : bez_say_error(&err, "watch verify", NULL);
  free(json);
  bez_signals_finish();
  return code;
}
