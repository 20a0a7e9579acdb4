/* bezoar vault gc: what nothing names any more goes. */
#include "cli/vault_args.h"

static const bez_option options[] = {
    BEZ_VAULT_OPTIONS,
    {"dry-run", 0, BEZ_ARG_FLAG, .help = "Say what would go and what stays and why; change nothing."},
    {"keep", 0, BEZ_ARG_NUMBER, .value = "N", .help = "Remove the data of all but the last N versions of a data set."},
    {"older-than", 0, BEZ_ARG_TIME, .value = "T", .help = "Remove the data of versions older than that: 720h."},
    BEZ_VAULT_KEY_OPTIONS,
    BEZ_VAULT_PROGRESS_OPTION,
    {NULL}};

static bez_status work(bez_vault *vault, const bez_args *args, bez_progress *progress, char **json, bez_error *err) {
  bez_vault_gc_options o = {.dry_run = bez_args_flag(args, "dry-run"),
                            .keep = bez_args_number(args, "keep"),
                            .older_than = (int64_t)bez_args_real(args, "older-than"),
                            .progress = bez_progress_step,
                            .progress_ctx = progress};
  bez_status st = bez_vault_args_who(args, "key", &o.who, err);
  return st == BEZ_OK ? bez_vault_gc(vault, &o, json, err) : st;
}

static void put_versions(bez_buf *out, const json_t *answer, const char *key, const char *verb) {
  size_t i;
  const json_t *one;
  json_array_foreach(json_object_get(answer, key), i, one) {
    bez_buf_printf(out, "  %s ", verb);
    bez_answer_put(out, one, "dataset");
    bez_buf_printf(out, "@%llu", (unsigned long long)bez_answer_number(one, "version"));
    if (*bez_answer_text(one, "why")) bez_buf_puts(out, ": ");
    bez_answer_put(out, one, "why");
    bez_buf_putc(out, '\n');
  }
}

static void text(bez_buf *out, const json_t *answer) {
  bool dry = json_is_true(json_object_get(answer, "dry_run"));
  uint64_t before = bez_answer_number(answer, "bytes_before"), after = bez_answer_number(answer, "bytes_after");
  bez_answer_count(out, bez_answer_number(answer, "objects"), "object", "objects");
  bez_buf_puts(out, dry ? " would go" : " removed");
  if (!dry) bez_buf_printf(out, ", %.1f of %.1f MB", ((double)before - (double)after) / 1e6, (double)before / 1e6);
  bez_buf_putc(out, '\n');
  put_versions(out, answer, "pruned", dry ? "would prune" : "pruned");
  put_versions(out, answer, "kept", "kept");
}

static int run(const bez_args *args) {
  return bez_vault_run(args, work, text);
}

const bez_command bez_command_vault_gc = {
    .name = "vault gc",
    .synopsis = "[--keep N] [--older-than T] [--dry-run]",
    .summary = "Remove what nothing names any more, and old versions' data when asked to.",
    .description =
        "Objects that no version, staged submission or entry of the log names are removed; packs that hold them are "
        "written anew without them. Half-written files of killed processes go, too.\n"
        "\n"
        "With --keep or --older-than the data of old versions are removed as well: never of the latest version of a "
        "data set, of what is pinned, or of what a model was trained on. The log keeps every entry; a signed entry "
        "says what was removed, and reading such a version says so. Needs an admin's key, and nobody else may have "
        "the vault open.",
    .examples = "bezoar vault gc --dry-run — what would go, what stays, and why\n"
                "bezoar vault gc --keep 5 — the data of the last five versions stay",
    .options = options,
    .run = run};
