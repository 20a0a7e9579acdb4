/* bezoar report show: a JSON report in another format. */
#include "bezoar/report.h"
#include "cli/args.h"
#include "cli/outputs.h"
#include "cli/say.h"

static const bez_option options[] = {
    {"format", 0, BEZ_ARG_CHOICE, .value = "FORMAT", .choices = "json sarif html md junit text rows cyclonedx",
     .help = "Format to write. Default: by the extension of --output, else text."},
    {"output", 'o', BEZ_ARG_FILE, .value = "FILE", .fallback = "-", .help = "Where it goes; - is standard output."},
    {"redact", 0, BEZ_ARG_FLAG, .help = "Keep values of the data out."},
    {"fail-on", 0, BEZ_ARG_CHOICE, .value = "LEVEL", .choices = "error warning note never", .fallback = "never",
     .help = "Lowest severity that makes the exit code 1; \"never\" always gives 0."},
    {NULL}};

static int run(const bez_args *given) {
  bez_args args = *given;
  bez_error err = {0};
  bez_report *report = NULL;
  bez_outputs outputs = {0};
  bez_severity fail_on = BEZ_SEV_NEVER;
  bez_status st = bez_outputs_plan(&args, args.positional, args.n_positional, &outputs, &err);
  if (st == BEZ_OK) st = bez_report_load(args.positional[0], &report, &err);
  if (st == BEZ_OK) st = bez_outputs_write(&outputs, report, bez_args_flag(&args, "redact"), &err);
  int code = st == BEZ_OK ? BEZ_EXIT_OK : bez_say_error(&err, "report show", NULL);
  if (st == BEZ_OK && bez_severity_parse(bez_args_text(&args, "fail-on"), &fail_on) && fail_on != BEZ_SEV_NEVER)
    code = bez_report_exit_code(report, fail_on);
  bez_report_destroy(report);
  return code;
}

const bez_command bez_command_report_show = {
    .name = "report show",
    .synopsis = "REPORT.json",
    .summary = "Write a JSON report in another format.",
    .description = "Reads a report that a scan wrote and writes it again, as text on the terminal or in any other "
                   "format. The data are not needed.",
    .examples = "bezoar report show r.json — read it\n"
                "bezoar report show r.json -o r.html — make a page of it",
    .options = options,
    .min_positional = 1,
    .max_positional = 1,
    .run = run};
