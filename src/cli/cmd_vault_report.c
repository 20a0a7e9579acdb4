/* bezoar vault report: what the scan said when a version was brought in. */
#include "bezoar/intake.h"
#include "cli/vault_args.h"

static const bez_option options[] = {BEZ_VAULT_OPTIONS, {NULL}};

static bez_status work(bez_vault *vault, const bez_args *args, bez_progress *progress, char **json, bez_error *err) {
  (void)progress;
  return bez_intake_report(vault, args->positional[0], json, err);
}

static void text(bez_buf *out, const json_t *answer) {
  size_t i;
  const json_t *finding, *findings = json_object_get(answer, "findings");
  json_array_foreach(findings, i, finding) {
    bez_answer_put(out, finding, "rule");
    bez_buf_puts(out, "  ");
    bez_answer_put(out, finding, "severity");
    bez_buf_puts(out, "  ");
    bez_answer_put(out, finding, "title");
    bez_buf_putc(out, '\n');
  }
  bez_answer_count(out, json_array_size(findings), "finding", "findings");
  bez_buf_puts(out, "; --json gives the whole report, for bezoar report show\n");
}

static int run(const bez_args *args) {
  return bez_vault_run(args, work, text);
}

const bez_command bez_command_vault_report = {
    .name = "vault report",
    .synopsis = "DATA@V",
    .summary = "Show the scan that a version was brought in with.",
    .description = "Where the policy demands a scan, its report is part of what the contributor signs. This gives it "
                   "back as it was "
                   "signed: without time and host, so that scanning the same rows again gives the same bytes.",
    .examples = "bezoar vault report train.csv@3 --json > report.json — for bezoar report show",
    .options = options,
    .min_positional = 1,
    .max_positional = 1,
    .run = run};
