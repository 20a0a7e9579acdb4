/* bezoar aggregate: many updates into one, by a rule that a minority cannot steer. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "bezoar/aggregate.h"
#include "bezoar/report.h"
#include "cli/args.h"
#include "cli/outputs.h"
#include "cli/progress.h"
#include "cli/say.h"

static const bez_option options[] = {
    {"rule", 0, BEZ_ARG_TEXT, .value = "NAME", .fallback = "trimmed-mean",
     .help = "Aggregation rule; bezoar list aggregators names them."},
    {"f", 'f', BEZ_ARG_NUMBER, .value = "N", .fallback = "0", .help = "Clients that may be malicious."},
    {"byzantine", 0, BEZ_ARG_NUMBER, .value = "N", .help = "The same as --f."},
    {"pre", 0, BEZ_ARG_TEXT, .repeat = true, .list = true, .value = "NAME",
     .help = "Pre-aggregators in front of the rule, in this order."},
    {"param", 0, BEZ_ARG_TEXT, .repeat = true, .value = "KEY=VALUE",
     .help = "Parameter of the rule or a pre-aggregator."},
    {"reference-model", 0, BEZ_ARG_FILE, .value = "FILE",
     .help = "The global model that the updates started from; distances are taken on differences from it."},
    {"root", 0, BEZ_ARG_FILE, .value = "FILE", .help = "The server's own update (fltrust)."},
    {"state", 0, BEZ_ARG_FILE, .value = "FILE", .help = "Memory of a stateful rule: read where it is there, written."},
    {"examples", 0, BEZ_ARG_FILE, .value = "FILE",
     .help = "Weights by the examples that clients declare: JSON, {\"UPDATE\": NUMBER} by path or file name."},
    {"max-weight", 0, BEZ_ARG_REAL, .value = "X",
     .help = "No client gets more than this share by --examples; 1/(n-f) unless given."},
    {"integers", 0, BEZ_ARG_CHOICE, .value = "HOW", .choices = "median maximum reference", .fallback = "median",
     .help = "What becomes of integer and boolean tensors."},
    {"output", 'o', BEZ_ARG_FILE, .value = "FILE", .help = "Where the new model goes, as safetensors (needed)."},
    {"report", 0, BEZ_ARG_FILE, .repeat = true, .value = "FILE",
     .help = "Also write a report; the format comes from the extension."},
    {"threads", 0, BEZ_ARG_NUMBER, .value = "N", .help = "Threads; 0 takes all processors.", .fallback = "0"},
    {"seed", 0, BEZ_ARG_NUMBER, .value = "S", .fallback = "0", .help = "Seed of everything drawn at random."},
    {"config", 0, BEZ_ARG_FILE, .value = "FILE", .help = "YAML file with options; none is read unless named."},
    {NULL}};

static bez_status parse_parameters(bez_args *args, bez_parameter **out, size_t *n, bez_error *err) {
  const char *const *given;
  *n = bez_args_list(args, "param", &given);
  *out = bez_arena_alloc(&args->arena, (*n + 1) * sizeof **out);
  if (!*out) return bez_fail_memory(err, *n * sizeof **out);
  for (size_t i = 0; i < *n; i++) {
    const char *equals = strchr(given[i], '=');
    char *end = NULL;
    double value = equals ? strtod(equals + 1, &end) : 0;
    if (!equals || equals == given[i] || end == equals + 1 || *end)
      return bez_fail(err, BEZ_USAGE, "--param", "\"%s\" is not KEY=NUMBER", given[i]);
    (*out)[i] = (bez_parameter){bez_arena_strndup(&args->arena, given[i], (size_t)(equals - given[i])), value};
    if (!(*out)[i].name) return bez_fail_memory(err, 16);
  }
  return BEZ_OK;
}

static bez_status check_paths(const bez_args *args, bez_error *err) {
  const char *out = bez_args_text(args, "output");
  const char *const *reports;
  size_t n = bez_args_list(args, "report", &reports);
  if (!out) return bez_fail(err, BEZ_USAGE, "aggregate", "needs --output FILE");
  if (!strcmp(out, "-")) return bez_fail(err, BEZ_USAGE, "--output", "a model does not go to standard output");
  bez_status st = bez_outputs_check_path("--output", out, args->positional, args->n_positional, err);
  for (size_t i = 0; i < n && st == BEZ_OK; i++) {
    st = bez_outputs_check_path("--report", reports[i], args->positional, args->n_positional, err);
    if (st == BEZ_OK && !strcmp(reports[i], out)) st = bez_fail(err, BEZ_USAGE, "--report", "%s is also --output", out);
  }
  return st;
}

static bez_status read_cap(const bez_args *args, bez_aggregate_options *o, bez_error *err) {
  o->max_weight = bez_args_real(args, "max-weight");
  if (!bez_args_given(args, "examples"))
    return bez_fail(err, BEZ_USAGE, "--max-weight", "all clients have the same weight without --examples");
  if (!(o->max_weight > 0 && o->max_weight <= 1))
    return bez_fail(err, BEZ_USAGE, "--max-weight", "%g is not above 0 and at most 1", o->max_weight);
  return BEZ_OK;
}

static bez_status fill(bez_args *args, bez_aggregate_options *o, bez_error *err) {
  static const char *const integers[] = {
      [BEZ_INTEGERS_MEDIAN] = "median", [BEZ_INTEGERS_MAXIMUM] = "maximum", [BEZ_INTEGERS_REFERENCE] = "reference"};
  bez_parameter *parameters = NULL;
  uint64_t f = bez_args_number(args, bez_args_given(args, "byzantine") ? "byzantine" : "f");
  if (f > BEZ_MOST_CLIENTS) return bez_fail(err, BEZ_USAGE, "--f", "too many");
  if (bez_args_given(args, "byzantine") && bez_args_given(args, "f") && bez_args_number(args, "f") != f)
    return bez_fail(err, BEZ_USAGE, "--byzantine", "says something else than --f");
  bez_status st = parse_parameters(args, &parameters, &o->n_parameters, err);
  o->parameters = parameters;
  o->rule = bez_args_text(args, "rule");
  o->n_pre = bez_args_list(args, "pre", &o->pre);
  o->f = (uint32_t)f;
  if (st == BEZ_OK && bez_args_given(args, "max-weight")) st = read_cap(args, o, err);
  o->seed = bez_args_number(args, "seed");
  o->threads = (unsigned)bez_args_number(args, "threads");
  for (unsigned i = 0; i < 3; i++)
    if (!strcmp(bez_args_text(args, "integers"), integers[i])) o->integers = (bez_integers)i;
  return st;
}

static bez_status write_reports(const bez_args *args, const bez_report *report, bez_error *err) {
  const char *const *paths;
  size_t n = bez_args_list(args, "report", &paths);
  bez_status st = BEZ_OK;
  for (size_t i = 0; i < n && st == BEZ_OK; i++) st = bez_report_write(report, paths[i], NULL, NULL, err);
  return st;
}

static int say_result(const bez_args *args, const bez_report *report) {
  bez_buf text = {0};
  for (size_t i = 0; i < bez_report_finding_count(report); i++) {
    bez_finding_view f = bez_report_finding(report, i);
    bez_buf_printf(&text, "[%s] ", bez_severity_text(f.severity));
    bez_say_safe(&text, f.title);
    bez_buf_putc(&text, '\n');
  }
  bez_buf_puts(&text, "new model in ");
  bez_say_safe(&text, bez_args_text(args, "output"));
  bez_buf_putc(&text, '\n');
  return bez_say(&text, BEZ_EXIT_OK);
}

static int run(const bez_args *given) {
  bez_args args = *given;
  bez_error err = {0};
  bez_progress progress;
  bez_report *report = NULL;
  bez_aggregate_options o = {0};
  bez_aggregate_files files = {.reference = bez_args_text(&args, "reference-model"),
                               .root = bez_args_text(&args, "root"),
                               .state = bez_args_text(&args, "state"),
                               .examples = bez_args_text(&args, "examples")};
  bez_status st = check_paths(&args, &err);
  if (st == BEZ_OK) st = fill(&args, &o, &err);
  bez_signals_watch();
  bez_progress_start(&progress, "auto");
  o.progress = bez_progress_step;
  o.progress_ctx = &progress;
  if (st == BEZ_OK)
    st = bez_aggregate_paths(args.positional, args.n_positional, &o, &files, bez_args_text(&args, "output"), &report,
                             &err);
  bez_progress_end(&progress);
  if (st == BEZ_OK) st = write_reports(&args, report, &err);
  int code = st == BEZ_OK ? say_result(&args, report) : bez_say_error(&err, "aggregate", "bezoar list aggregators");
  bez_report_destroy(report);
  bez_signals_finish();
  return code;
}

const bez_command bez_command_aggregate = {
    .name = "aggregate",
    .synopsis = "UPDATE...",
    .summary = "Aggregate model updates by a rule that a minority of attackers cannot steer.",
    .description = "UPDATE is a file of tensors (safetensors, npy or npz) from one client: an update, or a whole model "
                   "trained from --reference-model. Files are mapped and read tile by tile, never all at once.\n"
                   "\n"
                   "A client with NaN or infinity is left out whole, reported, and counted as one of --f. Too few "
                   "clients for the rule are an error; the plain mean is never taken instead. All clients have the "
                   "same weight, unless --examples says how many examples each declares: a count is a claim, so nobody "
                   "gets more than --max-weight of the total for it. The report says for each client whether it took "
                   "part, its weight, the rule's score, "
                   "its distance to the result, and the share of its coordinates that were trimmed.",
    .examples =
        "bezoar aggregate --rule trimmed-mean --f 4 updates/*.safetensors -o new.safetensors — survive four attackers\n"
        "bezoar aggregate --rule krum --f 4 --pre nnm --reference-model global.safetensors updates/*.safetensors "
        "-o new.safetensors --report r.html — with a report",
    .options = options,
    .min_positional = 1,
    .max_positional = -1,
    .run = run};
