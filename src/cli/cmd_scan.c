/* bezoar scan: the main job. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "bezoar/scan.h"
#include "cli/args.h"
#include "cli/outputs.h"
#include "cli/progress.h"
#include "cli/say.h"

static const bez_option options[] = {
    {"label", 0, BEZ_ARG_TEXT, .value = "COL",
     .help = "Column with the labels; without it a likely column is guessed, said aloud, and never under CI=true."},
    {"text", 0, BEZ_ARG_TEXT, .repeat = true, .value = "COL", .help = "Column with free text."},
    {"source", 0, BEZ_ARG_TEXT, .value = "COL", .help = "Column that says where each row came from."},
    {"id", 0, BEZ_ARG_TEXT, .value = "COL", .help = "Column that names each row; it is left out of detection."},
    {"type", 0, BEZ_ARG_TEXT, .repeat = true, .value = "COL=TYPE",
     .help = "Type of a column instead of the inferred one: numeric, categorical, text, identifier or time."},
    {"labels-file", 0, BEZ_ARG_FILE, .value = "FILE",
     .help = "Labels of pictures, one per picture and in their order: npy, IDX, CSV …"},
    {"embeddings", 0, BEZ_ARG_FILE, .value = "FILE",
     .help = "Embeddings of the rows from a model of yours: a 2-D npy of floats, one vector per row."},
    {"golden", 0, BEZ_ARG_FILE, .value = "FILE", .help = "A small set of the same kind that people have verified."},
    {"golden-labels", 0, BEZ_ARG_FILE, .value = "FILE", .help = "Labels file of the golden set."},
    {"golden-embeddings", 0, BEZ_ARG_FILE, .value = "FILE", .help = "Embeddings of the golden set."},
    {"reference-data", 0, BEZ_ARG_FILE, .value = "FILE", .help = "Known-good data of the same kind to compare with."},
    {"base", 0, BEZ_ARG_FILE, .value = "PATH",
     .help = "The model that the scanned model or adapter says it was made from: file or folder."},
    {"bank", 0, BEZ_ARG_FILE, .value = "FILE", .help = "Reference bank of adapters to compare with."},
    {"known", 0, BEZ_ARG_FILE, .value = "FILE", .help = "Digests of model files that are known to be good."},
    {"signature-key", 0, BEZ_ARG_FILE, .value = "FILE",
     .help = "Public key, PEM, that must have made the signatures of models."},
    {"certificate-chain", 0, BEZ_ARG_FILE, .repeat = true, .value = "FILE",
     .help = "Root certificates, PEM, that the signatures' own must lead to."},
    {"certificate-identity", 0, BEZ_ARG_TEXT, .value = "NAME",
     .help = "Sigstore: the email address or URI that must have signed, exactly."},
    {"certificate-oidc-issuer", 0, BEZ_ARG_TEXT, .value = "URL",
     .help = "Sigstore: the issuer that vouched for the identity, exactly."},
    {"trusted-root", 0, BEZ_ARG_FILE, .value = "FILE",
     .help = "Sigstore: trusted_root.json with the authorities and logs that are trusted."},
    {"sandbox", 0, BEZ_ARG_CHOICE, .value = "HOW", .choices = "on off", .fallback = "on",
     .help = "off: read models even where the sandbox cannot be had; the report says so."},
    {"columns", 0, BEZ_ARG_TEXT, .repeat = true, .list = true, .value = "COL,…",
     .help = "Read these columns and those that --label, --text, --source and --id name, no others (from Parquet, the "
             "others are not even decoded). Rows keep their numbers."},
    {"only", 0, BEZ_ARG_TEXT, .repeat = true, .list = true, .value = "ID,…",
     .help = "Run these detectors and no others; see bezoar list detectors."},
    {"skip", 0, BEZ_ARG_TEXT, .repeat = true, .list = true, .value = "ID,…", .help = "Leave these detectors out."},
    {"exclude", 0, BEZ_ARG_TEXT, .repeat = true, .value = "GLOB", .help = "Files to leave out of folders."},
    {"shard", 0, BEZ_ARG_TEXT, .value = "I/N",
     .help = "Read shard I of N of the data and save it with --save, for bezoar merge; nothing is examined."},
    {"save", 0, BEZ_ARG_FILE, .value = "FILE", .help = "Save what was read as a state (.bez)."},
    {"with", 0, BEZ_ARG_FILE, .value = "FILE",
     .help = "Scan a saved state. With PATHs, files that have not changed since are not parsed again."},
    {"sample", 0, BEZ_ARG_NUMBER, .value = "N", .help = "Examine N rows, drawn evenly with the seed."},
    {"max-time", 0, BEZ_ARG_TIME, .value = "T",
     .help = "Stop after T (30s, 5m); what did not fit is \"not checked\" and makes the exit code 3."},
    {"fail-on", 0, BEZ_ARG_CHOICE, .value = "LEVEL", .choices = "error warning note never", .fallback = "error",
     .help = "Lowest severity that makes the exit code 1."},
    {"report", 0, BEZ_ARG_FILE, .repeat = true, .value = "FILE",
     .help = "Also write a report; the format comes from the extension, from FORMAT:FILE, or from --format."},
    {"format", 0, BEZ_ARG_CHOICE, .value = "FORMAT", .choices = "json sarif html md junit text cyclonedx",
     .help = "Format of --output, and of reports whose extension names none. Default: text."},
    {"output", 'o', BEZ_ARG_FILE, .value = "FILE", .fallback = "-",
     .help = "Where the main report goes; - is standard output."},
    {"rows", 0, BEZ_ARG_FILE, .value = "FILE", .help = "Write the listed rows as CSV, one per row and finding."},
    {"sbom", 0, BEZ_ARG_FILE, .value = "FILE",
     .help = "Write a CycloneDX 1.6 bill of materials: files with their SHA-256, base model, findings."},
    {"attest", 0, BEZ_ARG_FILE, .value = "KEY",
     .help =
         "Sign the report with this private key (PEM, EC), as an in-toto statement over the models that were scanned."},
    {"attestation", 0, BEZ_ARG_FILE, .value = "FILE", .fallback = "bezoar.attestation.json",
     .help = "Where --attest writes the statement."},
    {"password-env", 0, BEZ_ARG_TEXT, .value = "NAME",
     .help = "Environment variable that holds the password of the key of --attest."},
    {"baseline", 0, BEZ_ARG_FILE, .value = "FILE", .help = "Earlier JSON report to compare with."},
    {"new-only", 0, BEZ_ARG_FLAG,
     .help = "Only findings that the baseline does not have count for the exit code and in --rows. The others stay in "
             "the report, and clean takes their rows out, too."},
    {"suppress", 0, BEZ_ARG_FILE, .value = "FILE", .help = "YAML file of findings that are known and answered for."},
    {"redact", 0, BEZ_ARG_FLAG, .help = "Keep values of the data out of every report."},
    {"config", 0, BEZ_ARG_FILE, .value = "FILE", .help = "YAML file with options; none is read unless named."},
    {"threads", 0, BEZ_ARG_NUMBER, .value = "N", .help = "Threads; 0 takes all processors.", .fallback = "0"},
    {"memory", 0, BEZ_ARG_SIZE, .value = "SIZE", .fallback = "2G",
     .help = "Memory for the data; what is larger lives in a temporary file."},
    {"max-download", 0, BEZ_ARG_SIZE, .value = "SIZE", .fallback = "64G",
     .help = "Bytes that remote paths may bring in all."},
    {"net-timeout", 0, BEZ_ARG_TIME, .value = "T", .fallback = "60s",
     .help = "A connection that brings no byte for so long counts as dropped, and is made again."},
    {"seed", 0, BEZ_ARG_NUMBER, .value = "S", .fallback = "0", .help = "Seed of everything drawn at random."},
    {"ruleset", 0, BEZ_ARG_NUMBER, .value = "N", .fallback = "0",
     .help = "Rule set version to hold on to; 0 is the current."},
    {"progress", 0, BEZ_ARG_CHOICE, .value = "HOW", .choices = "auto plain none", .fallback = "auto",
     .help = "Progress on standard error for work above a second."},
    {NULL}};

static bool in_ci(void) {
  const char *ci = getenv("CI");
  return ci && (!strcasecmp(ci, "true") || !strcmp(ci, "1"));
}

static bez_scan_options scan_options(const bez_args *args, bez_progress *progress) {
  bez_scan_options o = {0};
  o.read.label = bez_args_text(args, "label");
  o.read.source = bez_args_text(args, "source");
  o.read.id = bez_args_text(args, "id");
  o.read.n_text = bez_args_list(args, "text", &o.read.text);
  o.read.n_types = bez_args_list(args, "type", &o.read.types);
  o.read.n_columns = bez_args_list(args, "columns", &o.read.columns);
  o.read.n_exclude = bez_args_list(args, "exclude", &o.read.exclude);
  o.read.no_guess = in_ci();
  o.read.sample = bez_args_number(args, "sample");
  o.read.memory = bez_args_number(args, "memory");
  o.read.seed = bez_args_number(args, "seed");
  o.read.max_download = bez_args_number(args, "max-download");
  o.read.net_timeout = bez_args_real(args, "net-timeout");
  uint64_t threads = bez_args_number(args, "threads");
  o.read.threads = threads < UINT32_MAX ? (unsigned)threads : UINT32_MAX;
  o.read.progress = bez_progress_step;
  o.read.progress_ctx = progress;
  o.read.labels_file = bez_args_text(args, "labels-file");
  o.read.embeddings = bez_args_text(args, "embeddings");
  o.golden = bez_args_text(args, "golden");
  o.base = bez_args_text(args, "base");
  o.bank = bez_args_text(args, "bank");
  o.known = bez_args_text(args, "known");
  o.sandbox_off = strcmp(bez_args_text(args, "sandbox"), "off") == 0;
  o.golden_labels = bez_args_text(args, "golden-labels");
  o.golden_embeddings = bez_args_text(args, "golden-embeddings");
  o.reference = bez_args_text(args, "reference-data");
  o.with = bez_args_text(args, "with");
  o.save = bez_args_text(args, "save");
  o.n_only = bez_args_list(args, "only", &o.only);
  o.n_skip = bez_args_list(args, "skip", &o.skip);
  o.max_time = bez_args_real(args, "max-time");
  o.suppressions = bez_args_text(args, "suppress");
  o.baseline = bez_args_text(args, "baseline");
  o.new_only = bez_args_flag(args, "new-only");
  uint64_t ruleset = bez_args_number(args, "ruleset");
  o.ruleset = ruleset < UINT32_MAX ? (uint32_t)ruleset : UINT32_MAX;
  return o;
}

/* Who must have signed; false: nobody said. */
static bool signer_options(const bez_args *args, bez_verify_options *o) {
  *o = (bez_verify_options){.key = bez_args_text(args, "signature-key"),
                            .identity = bez_args_text(args, "certificate-identity"),
                            .oidc_issuer = bez_args_text(args, "certificate-oidc-issuer"),
                            .trusted_root = bez_args_text(args, "trusted-root")};
  o->n_roots = bez_args_list(args, "certificate-chain", &o->roots);
  return o->key || o->n_roots || o->identity || o->oidc_issuer;
}

/* What the library cannot know, for the report's effective options. */
static size_t record_options(const bez_args *args, bez_arena *arena, const char **record, size_t cap) {
  static const char *const names[] = {"fail-on", "redact", "config"};
  size_t n = 0;
  for (size_t i = 0; i < sizeof names / sizeof *names && n < cap; i++) {
    const char *value = bez_args_text(args, names[i]);
    if (!value) continue;
    record[n] = bez_arena_printf(arena, "%s=%s", names[i], value);
    if (record[n]) n++;
  }
  return n;
}

static const char *hint_for(const bez_error *err) {
  if (err->code == BEZ_USAGE && strstr(err->message, "guess"))
    return "name the label column: --label COL (CI=true forbids guessing)";
  if (err->code == BEZ_LIMIT && !strcmp(err->subject, "--max-time"))
    return "give it more time, or fewer rows with --sample N";
  return NULL;
}

/* "csv.gz" of "data/part.csv.gz": what the split files should end in. */
static const char *endings(const char *path) {
  const char *base = strrchr(path, '/');
  const char *dot = strchr(base ? base + 1 : path, '.');
  return dot && dot[1] ? dot + 1 : "out";
}

/* What lies beside the rows loses the same ones. */
static void put_beside(bez_buf *out, const bez_args *args, const char *option) {
  const char *path = bez_args_text(args, option);
  if (!path) return;
  bez_buf_printf(out, " \\\n      --%s ", option);
  bez_say_quoted(out, path);
  bool labels = !strcmp(option, "labels-file");
  bez_buf_printf(out, " --%s-out clean-%s.", labels ? "labels" : option, labels ? "labels" : option);
  bez_say_quoted(out, endings(path));
}

static void put_clean_line(bez_buf *out, const bez_args *args, const char *report, bool folder) {
  const char *data = args->positional[0], *ending = folder ? "csv" : endings(data);
  if (!report) bez_buf_puts(out, "  run again with --report r.json, then\n");
  bez_buf_puts(out, *data == '-' ? "  bezoar clean ./" : "  bezoar clean "); /* "-x.csv" would be an option */
  bez_say_quoted(out, data);
  bez_buf_puts(out, " --from ");
  bez_say_quoted(out, report ? report : "r.json");
  bez_buf_puts(out, " \\\n      -o clean.");
  bez_say_quoted(out, ending);
  bez_buf_puts(out, " --quarantine quarantine.");
  bez_say_quoted(out, ending);
  if (!folder) put_beside(out, args, "labels-file");
  if (!folder) put_beside(out, args, "embeddings");
  bez_buf_putc(out, '\n');
}

/* A folder whose files are rows (pictures, texts): all listed rows are the first of their file. */
static bool files_are_rows(const bez_report *report) {
  uint64_t n = bez_report_row_count(report);
  for (uint64_t i = 0; i < n; i++)
    if (bez_report_row(report, i).row != 0) return false;
  return n > 1;
}

/* Whether there is one path that `clean` can take; *folder: it is one. */
static bool is_one_path(const bez_args *args, const bez_report *report, bool *folder) {
  struct stat info;
  if (args->n_positional != 1 || stat(args->positional[0], &info) != 0) return false;
  *folder = S_ISDIR(info.st_mode);
  return S_ISREG(info.st_mode) || (*folder && files_are_rows(report));
}

/* Under a text report on standard output: what to do next, as command lines. */
static int say_next(const bez_args *args, const bez_outputs *outputs, const bez_report *report, int code) {
  const bez_output *main_output = &outputs->items[outputs->n - 1];
  if (strcmp(main_output->path, "-") || strcmp(main_output->format, "text")) return code;
  bez_buf out = {0};
  const char *rule = NULL;
  bool folder = false;
  for (size_t i = 0; i < bez_report_finding_count(report) && !rule; i++)
    if (!bez_report_finding(report, i).suppressed) rule = bez_report_finding(report, i).rule;
  if (!rule) return code;
  bez_buf_puts(&out, "\nNext\n");
  if (bez_report_count(report, BEZ_SEV_ERROR) && bez_report_row_count(report) && is_one_path(args, report, &folder))
    put_clean_line(&out, args, outputs->json, folder);
  bez_buf_printf(&out, "  bezoar explain %s\n", rule);
  return bez_say(&out, code);
}

/* Before the scan: a key that cannot be read costs no scan. */
static bez_status open_attestor(const bez_args *args, bez_attestor **out, bez_error *err) {
  const char *key = bez_args_text(args, "attest"), *path = bez_args_text(args, "attestation");
  const char *variable = bez_args_text(args, "password-env"), *password = variable ? getenv(variable) : NULL;
  if (!key) return BEZ_OK;
  if (variable && !password)
    return bez_fail(err, BEZ_USAGE, "--password-env", "no environment variable is called %s", variable);
  if (bez_args_text(args, "shard")) return bez_fail(err, BEZ_USAGE, "--attest", "a shard has no report to sign");
  bez_status st = bez_outputs_check_path("--attestation", path, args->positional, args->n_positional, err);
  if (st == BEZ_OK) st = bez_outputs_check_path("--attestation", path, &key, 1, err);
  return st == BEZ_OK ? bez_attestor_open(key, password, out, err) : st;
}

static int finish(const bez_args *args, const bez_outputs *outputs, const bez_attestor *attestor,
                  const bez_report *report) {
  bez_error err = {0};
  bez_severity fail_on = BEZ_SEV_ERROR;
  if (!bez_severity_parse(bez_args_text(args, "fail-on"), &fail_on)) fail_on = BEZ_SEV_ERROR;
  if (bez_outputs_write(outputs, report, bez_args_flag(args, "redact"), &err) != BEZ_OK)
    return bez_say_error(&err, "scan", NULL);
  if (attestor && bez_report_attest(report, attestor, bez_args_flag(args, "redact"), bez_args_text(args, "attestation"),
                                    &err) != BEZ_OK)
    return bez_say_error(&err, "scan", NULL);
  return say_next(args, outputs, report, bez_report_exit_code(report, fail_on));
}

/* "2/7" → shard 1 of 7; false: no such thing. */
static bool parse_shard(const char *text, uint32_t *shard, uint32_t *n) {
  char *end;
  if (!isdigit((unsigned char)*text)) return false;
  unsigned long i = strtoul(text, &end, 10);
  if (*end != '/' || !isdigit((unsigned char)end[1])) return false;
  unsigned long of = strtoul(end + 1, &end, 10);
  if (*end || i < 1 || i > of || of > UINT32_MAX) return false;
  *shard = (uint32_t)(i - 1);
  *n = (uint32_t)of;
  return true;
}

/* --shard: no report, only a saved part. */
static int run_shard(const bez_args *args, const bez_scan_options *o, bez_progress *progress) {
  bez_error err = {0};
  uint32_t shard = 0, n = 0;
  uint64_t rows = 0;
  bez_buf text = {0};
  const char *which = bez_args_text(args, "shard");
  bez_status st = BEZ_OK;
  if (!parse_shard(which, &shard, &n))
    st = bez_fail(&err, BEZ_USAGE, "--shard", "wants I/N with I from 1 to N, as in 2/7; not \"%s\"", which);
  else if (!o->save)
    st = bez_fail(&err, BEZ_USAGE, "--shard", "needs --save FILE");
  if (st == BEZ_OK) st = bez_shard_save(args->positional, args->n_positional, o, shard, n, o->save, &rows, &err);
  bez_progress_end(progress);
  if (st != BEZ_OK) return bez_say_error(&err, "scan", NULL);
  bez_buf_printf(&text, "shard %s: %llu rows saved in ", which, (unsigned long long)rows);
  bez_say_safe(&text, o->save);
  bez_buf_putc(&text, '\n');
  return bez_say(&text, BEZ_EXIT_OK);
}

/* On standard error: what was taken from the state and, by name, what was not. */
static void say_reuse(const bez_args *args, const bez_scan_reuse *r) {
  bez_buf text = {0};
  if (!bez_args_text(args, "with") || !args->n_positional) return;
  bez_buf_puts(&text, "bezoar: ");
  bez_say_safe(&text, bez_args_text(args, "with"));
  bez_buf_printf(&text, ": %llu files as they were, %llu new, %llu changed", (unsigned long long)r->n_same,
                 (unsigned long long)r->n_new, (unsigned long long)r->n_changed);
  if (r->n_changed) bez_buf_puts(&text, " (");
  bez_say_safe(&text, r->changed);
  bez_buf_puts(&text, r->n_changed ? ")" : "");
  if (r->n_replanned) bez_buf_printf(&text, ", %llu read again", (unsigned long long)r->n_replanned);
  bez_buf_printf(&text, ", %llu gone", (unsigned long long)r->n_gone);
  if (r->n_gone) bez_buf_puts(&text, " (");
  bez_say_safe(&text, r->gone);
  bez_buf_puts(&text, r->n_gone ? ")\n" : "\n");
  if (text.failed == BEZ_OK && text.data) fputs(text.data, stderr);
  bez_buf_free(&text);
}

static bez_status check_paths(const bez_args *args, bez_error *err) {
  const char *save = bez_args_text(args, "save");
  if (!args->n_positional && (!bez_args_text(args, "with") || bez_args_text(args, "shard")))
    return bez_fail(err, BEZ_USAGE, "scan", "needs PATH…");
  return save ? bez_outputs_check_path("--save", save, args->positional, args->n_positional, err) : BEZ_OK;
}

static int run(const bez_args *given) {
  bez_args args = *given;
  bez_error err = {0};
  bez_outputs outputs;
  bez_progress progress;
  bez_report *report = NULL;
  bez_attestor *attestor = NULL;
  const char *record[8];
  bez_scan_reuse reuse = {0};
  bez_verify_options signer;
  if (check_paths(&args, &err) != BEZ_OK) return bez_say_error(&err, "scan", NULL);
  if (bez_outputs_plan(&args, args.positional, args.n_positional, &outputs, &err) != BEZ_OK)
    return bez_say_error(&err, "scan", NULL);
  if (open_attestor(&args, &attestor, &err) != BEZ_OK) return bez_say_error(&err, "scan", NULL);
  bez_signals_watch();
  bez_progress_start(&progress, bez_args_text(&args, "progress"));
  bez_scan_options o = scan_options(&args, &progress);
  if (signer_options(&args, &signer)) o.signer = &signer;
  o.record = record;
  o.n_record = record_options(&args, &args.arena, record, 8);
  o.reuse = &reuse;
  if (bez_args_text(&args, "shard")) {
    int shard_code = run_shard(&args, &o, &progress);
    bez_signals_finish();
    return shard_code;
  }
  bez_status st = bez_scan_paths(args.positional, args.n_positional, &o, &report, &err);
  bez_progress_end(&progress);
  int code;
  if (st == BEZ_OK) say_reuse(&args, &reuse);
  if (st == BEZ_OK)
    code = finish(&args, &outputs, attestor, report);
  else
    code = bez_say_error(&err, "scan", hint_for(&err));
  bez_report_destroy(report);
  bez_attestor_close(attestor);
  bez_signals_finish();
  return code;
}

const bez_command bez_command_scan = {
    .name = "scan",
    .synopsis = "PATH…",
    .summary = "Find poisoned rows in tables, text and pictures, and code in models.",
    .description =
        "Reads the files, folders, globs or URLs as one data set, runs every detector that fits its columns, and "
        "reports "
        "which rows look poisoned, by what trigger, how sure it is, and what to do. Needs no model, no network and "
        "no configuration.\n"
        "\n"
        "Remote paths are https://host/file, s3://bucket/key, gs://bucket/name and hf://org/name@revision/path (a data "
        "set of the Hugging Face hub; /path may be left out). A bucket's prefix that ends in a slash, a pattern, or a "
        "repository is read like a folder. Credentials come from the environment variables of each service "
        "(docs/remote.md). Nothing is fetched unless a path is a URL; reports keep neither credentials nor queries of "
        "URLs.\n"
        "\n"
        "Models (pickle, PyTorch, joblib, safetensors, in whatever archive) are read by a sandboxed program and never "
        "executed: the report says what loading them would run (docs/models.md).\n"
        "\n"
        "What could not be examined is said on the first line of the report; it is never called clean. Files that "
        "nothing here reads are \"not checked\" and make the exit code 3.\n"
        "\n"
        "Options may also come from the environment (BEZOAR_LABEL, BEZOAR_FAIL_ON; several values of a repeated "
        "option stand on lines of their own) and from the file that --config names. A flag wins over the "
        "environment, the environment over the file. Nothing in the scanned folder is read as configuration. Flags "
        "without a value have an opposite: --no-redact.\n"
        "\n"
        "  # bezoar.yaml\n"
        "  fail-on: warning        # for every command that has the option\n"
        "  scan:                   # for this command alone\n"
        "    label: outcome\n"
        "    skip: [BZ-D006]\n"
        "\n"
        "A suppression file lists findings that somebody answers for:\n"
        "\n"
        "  suppressions:\n"
        "    - rule: BZ-D001\n"
        "      fingerprint: 3f9a6c0d2b7e4a11   # from the report, 16 digits or more\n"
        "      owner: data-team@example.org\n"
        "      justification: vendor code 17 means exactly this\n"
        "      expires: 2027-01-31             # raised again the day after\n"
        "\n"
        "Work that outgrows one process is cut into shards: --shard 1/4 --save a.bez reads a part, bezoar merge puts "
        "the "
        "parts together, and --with all.bez scans them; the report is the one that a single process would have given. "
        "--save alone keeps what was read, and --with it and today's files reads only what is new or has changed. "
        "Options that decide what is read (--label, --text, --columns …) are kept in the state.\n"
        "\n"
        "The same data, options and seed give the same report, whatever the number of threads.",
    .examples = "bezoar scan data.csv --label outcome — examine a table\n"
                "bezoar scan messages.tsv --label Label --report r.html --report r.json — and keep reports\n"
                "bezoar scan parts/ --source vendor --fail-on warning --format sarif -o scan.sarif — for CI\n"
                "bezoar scan big/ --shard 1/4 --save 1.bez — read a quarter, for bezoar merge\n"
                "bezoar scan big/ --with yesterday.bez --save today.bez — parse only what is new\n"
                "bezoar scan hf://org/name@main/data --text text — a data set of the hub\n"
                "bezoar scan data.csv --baseline last.json --new-only — only what is new",
    .options = options,
    .min_positional = 0,
    .max_positional = -1,
    .run = run};
