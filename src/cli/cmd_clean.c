/* bezoar clean: split a file into kept and quarantined rows. */
#include <string.h>

#include "base/error.h"
#include "bezoar/scan.h"
#include "cli/args.h"
#include "cli/outputs.h"
#include "cli/progress.h"
#include "cli/say.h"

static const bez_option options[] = {
    {"from", 0, BEZ_ARG_FILE, .value = "REPORT", .help = "JSON report of the scan (needed)."},
    {"output", 'o', BEZ_ARG_FILE, .value = "FILE", .help = "Where the kept rows go (needed)."},
    {"quarantine", 0, BEZ_ARG_FILE, .value = "FILE", .help = "Where the other rows go; without it they are dropped."},
    {"at-least", 0, BEZ_ARG_CHOICE, .value = "LEVEL", .choices = "error warning note", .fallback = "error",
     .help = "Lowest severity of the findings whose rows leave."},
    {"with-lists", 0, BEZ_ARG_FLAG, .help = "Rows of ranked lists (likely label errors) leave, too."},
    {"labels-file", 0, BEZ_ARG_FILE, .value = "FILE", .help = "Labels beside the data, one per row …"},
    {"labels-out", 0, BEZ_ARG_FILE, .value = "FILE", .help = "… and where those of the kept rows go."},
    {"embeddings", 0, BEZ_ARG_FILE, .value = "FILE", .help = "Embeddings beside the data, one per row …"},
    {"embeddings-out", 0, BEZ_ARG_FILE, .value = "FILE", .help = "… and where those of the kept rows go."},
    {"config", 0, BEZ_ARG_FILE, .value = "FILE", .help = "YAML file with options; none is read unless named."},
    {NULL}};

static const char *const beside[][2] = {{"labels-file", "labels-out"}, {"embeddings", "embeddings-out"}};

static bez_status check(const bez_args *args, bez_error *err) {
  static const char *const needed[] = {"from", "output"};
  const char *inputs[] = {args->positional[0], bez_args_text(args, "from")};
  const char *out = bez_args_text(args, "output"), *quarantine = bez_args_text(args, "quarantine");
  bez_status st = BEZ_OK;
  for (size_t i = 0; i < 2; i++)
    if (!bez_args_text(args, needed[i])) return bez_fail(err, BEZ_USAGE, "clean", "needs --%s FILE", needed[i]);
  BEZ_TRY(bez_outputs_check_path("--output", out, inputs, 2, err));
  if (quarantine) BEZ_TRY(bez_outputs_check_path("--quarantine", quarantine, inputs, 2, err));
  for (size_t i = 0; i < sizeof beside / sizeof *beside; i++) {
    const char *in = bez_args_text(args, beside[i][0]), *to = bez_args_text(args, beside[i][1]);
    const char *all[] = {inputs[0], inputs[1], in};
    if (!in != !to) BEZ_TRY(bez_fail(err, BEZ_USAGE, "clean", "--%s and --%s go together", beside[i][0], beside[i][1]));
    if (to) BEZ_TRY(bez_outputs_check_path(beside[i][1], to, all, 3, err));
    if (to && (!strcmp(to, out) || (quarantine && !strcmp(to, quarantine))))
      BEZ_TRY(bez_fail(err, BEZ_USAGE, beside[i][1], "%s is an output already", to));
  }
  if (quarantine && !strcmp(out, quarantine))
    BEZ_TRY(bez_fail(err, BEZ_USAGE, "--quarantine", "%s is also --output", quarantine));
cleanup:
  return st;
}

static int say_result(const bez_args *args, const bez_clean_result *r) {
  const char *out = bez_args_text(args, "output"), *quarantine = bez_args_text(args, "quarantine");
  bez_buf text = {0};
  if (!strcmp(out, "-") || (quarantine && !strcmp(quarantine, "-"))) return BEZ_EXIT_OK;
  bez_buf_printf(&text, "%llu of %llu rows kept in ", (unsigned long long)r->n_kept, (unsigned long long)r->n_rows);
  bez_say_safe(&text, out);
  if (quarantine) {
    bez_buf_printf(&text, "\n%llu rows quarantined in ", (unsigned long long)r->n_quarantined);
    bez_say_safe(&text, quarantine);
  } else {
    bez_buf_printf(&text, "\n%llu rows dropped", (unsigned long long)r->n_quarantined);
  }
  bez_buf_puts(&text, r->mask ? "\n(masks: 1 for each row that is meant, 0 for the others)\n" : "\n");
  return bez_say(&text, BEZ_EXIT_OK);
}

static int run(const bez_args *args) {
  bez_error err = {0};
  bez_report *report = NULL;
  bez_clean_options o = bez_clean_defaults();
  bez_clean_result result = {0};
  bez_progress progress;
  bez_status st = check(args, &err);
  o.with_lists = bez_args_flag(args, "with-lists");
  o.labels_file = bez_args_text(args, "labels-file");
  o.labels_out = bez_args_text(args, "labels-out");
  o.embeddings = bez_args_text(args, "embeddings");
  o.embeddings_out = bez_args_text(args, "embeddings-out");
  if (!bez_severity_parse(bez_args_text(args, "at-least"), &o.at_least)) o.at_least = BEZ_SEV_ERROR;
  bez_signals_watch();
  bez_progress_start(&progress, "auto");
  o.progress = bez_progress_step;
  o.progress_ctx = &progress;
  if (st == BEZ_OK) st = bez_report_load(bez_args_text(args, "from"), &report, &err);
  if (st == BEZ_OK)
    st = bez_clean(args->positional[0], report, &o, bez_args_text(args, "output"), bez_args_text(args, "quarantine"),
                   &result, &err);
  bez_progress_end(&progress);
  bez_report_destroy(report);
  int code = st == BEZ_OK ? say_result(args, &result) : bez_say_error(&err, "clean", NULL);
  bez_signals_finish();
  return code;
}

const bez_command bez_command_clean = {
    .name = "clean",
    .synopsis = "DATA",
    .summary = "Split a file into clean and quarantined rows.",
    .description = "Takes the rows of a report's findings out of the file they were found in. In text formats (CSV, "
                   "TSV, JSONL, also packed) every kept record stays as it is, byte for byte, and the header is "
                   "repeated in the quarantine. The same holds for npy and IDX arrays, and for the labels and "
                   "embeddings beside them. A folder of pictures or texts is not touched: the outputs are CSV "
                   "lists of the files that stay and of those that go. For Parquet, npz and WebDataset the output is "
                   "a mask: a one-dimensional npy array of bytes with 1 for each row to keep (and 1 for each "
                   "quarantined row in the quarantine file).\n"
                   "\n"
                   "Suppressed findings are left alone. Findings that a baseline knew already are findings like all "
                   "others: their rows leave, too, also when the scan ran with --new-only. Both files appear whole or "
                   "not at all, also on Ctrl-C, and the input is never changed.",
    .examples =
        "bezoar clean data.csv --from r.json -o clean.csv --quarantine bad.csv — take poison out\n"
        "bezoar clean data.csv --from r.json -o clean.csv --at-least warning — be strict\n"
        "bezoar clean x.npy --from r.json -o c.npy --labels-file y.npy --labels-out cy.npy — pictures and labels",
    .options = options,
    .min_positional = 1,
    .max_positional = 1,
    .run = run};
