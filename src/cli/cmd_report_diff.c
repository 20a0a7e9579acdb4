/* bezoar report diff: what changed between two reports. */
#include <string.h>

#include "base/file.h"
#include "bezoar/report.h"
#include "cli/args.h"
#include "cli/outputs.h"
#include "cli/say.h"

static const bez_option options[] = {
    {"format", 0, BEZ_ARG_CHOICE, .value = "FORMAT", .choices = "text json", .fallback = "text",
     .help = "Format to write."},
    {"output", 'o', BEZ_ARG_FILE, .value = "FILE", .fallback = "-", .help = "Where it goes; - is standard output."},
    {NULL}};

static int run(const bez_args *args) {
  bez_error err = {0};
  bez_report *before = NULL, *after = NULL;
  char *bytes = NULL;
  size_t len = 0, n_new = 0, n_gone = 0;
  const char *path = bez_args_text(args, "output");
  bool json = !strcmp(bez_args_text(args, "format"), "json");
  bez_status st = bez_outputs_check_path("--output", path, args->positional, args->n_positional, &err);
  if (st == BEZ_OK) st = bez_report_load(args->positional[0], &before, &err);
  if (st == BEZ_OK) st = bez_report_load(args->positional[1], &after, &err);
  if (st == BEZ_OK) st = bez_report_diff(before, after, json, &bytes, &len, &n_new, &n_gone, &err);
  int code = n_new ? BEZ_EXIT_FINDINGS : BEZ_EXIT_OK;
  if (st == BEZ_OK && !strcmp(path, "-")) {
    bez_buf out = {0};
    bez_buf_write(&out, bytes, len);
    code = bez_say(&out, code);
  } else if (st == BEZ_OK) {
    st = bez_file_write(path, bytes, len, &err);
  }
  if (st != BEZ_OK) code = bez_say_error(&err, "report diff", NULL);
  bez_free(bytes);
  bez_report_destroy(before);
  bez_report_destroy(after);
  return code;
}

const bez_command bez_command_report_diff = {
    .name = "report diff",
    .synopsis = "OLD.json NEW.json",
    .summary = "Show which findings are new, gone and kept between two reports.",
    .description = "Findings are compared by fingerprint: rule, trigger and target, not row numbers. The exit code "
                   "is 1 when there are new findings.",
    .examples = "bezoar report diff monday.json tuesday.json — what changed",
    .options = options,
    .min_positional = 2,
    .max_positional = 2,
    .run = run};
