/* bezoar vault verify: is everything there, and what it was? */
#include "cli/vault_args.h"

static const bez_option options[] = {
    BEZ_VAULT_OPTIONS,
    {"full", 0, BEZ_ARG_FLAG, .help = "Every byte: packs against their digests, rows against what was signed."},
    {"threads", 0, BEZ_ARG_NUMBER, .value = "N", .help = "Threads; 0 takes all processors.", .fallback = "0"},
    BEZ_VAULT_PROGRESS_OPTION,
    {NULL}};

static bez_status work(const bez_args *args, bez_progress *progress, char **json, bez_error *err) {
  const bez_vault_verify_options o = {.full = bez_args_flag(args, "full"),
                                      .threads = (unsigned)bez_args_number(args, "threads"),
                                      .progress = bez_progress_step,
                                      .progress_ctx = progress};
  return bez_vault_verify(bez_args_text(args, "vault"), &o, json, err);
}

static void put_rate(bez_buf *out, const json_t *part, const char *key, const char *of) {
  double seconds = json_number_value(json_object_get(part, "seconds"));
  uint64_t bytes = bez_answer_number(part, key);
  if (!bytes) return;
  bez_buf_printf(out, "  %.1f MB of %s", (double)bytes / 1e6, of);
  if (seconds > 0.001) bez_buf_printf(out, " in %.2f s (%.0f MB/s)", seconds, (double)bytes / 1e6 / seconds);
  bez_buf_putc(out, '\n');
}

static void put_damage(bez_buf *out, const json_t *one) {
  const json_t *rows = json_object_get(one, "rows");
  bez_buf_puts(out, "  ");
  bez_answer_put(out, one, "file");
  if (json_object_get(one, "offset"))
    bez_buf_printf(out, ", byte %llu", (unsigned long long)bez_answer_number(one, "offset"));
  bez_buf_puts(out, *bez_answer_text(one, "file") ? ": " : "");
  bez_answer_put(out, one, "what");
  if (json_object_get(one, "dataset")) {
    bez_buf_puts(out, " (");
    bez_answer_put(out, one, "dataset");
    bez_buf_printf(out, "@%llu", (unsigned long long)bez_answer_number(one, "version"));
    if (rows)
      bez_buf_printf(out, ", rows %lld to %lld", (long long)json_integer_value(json_array_get(rows, 0)),
                     (long long)json_integer_value(json_array_get(rows, 1)));
    bez_buf_putc(out, ')');
  }
  bez_buf_putc(out, '\n');
}

static void text(bez_buf *out, const json_t *answer) {
  size_t i;
  const json_t *one;
  uint64_t n = bez_answer_number(answer, "n_damage");
  bez_buf_puts(out, n ? "Damaged: " : "Whole: ");
  bez_answer_put(out, answer, "vault");
  bez_buf_puts(out, "\n  ");
  bez_answer_count(out, bez_answer_number(answer, "entries"), "entry", "entries");
  bez_buf_puts(out, ", ");
  bez_answer_count(out, bez_answer_number(answer, "versions"), "version", "versions");
  if (bez_answer_number(answer, "pruned")) {
    bez_buf_puts(out, " (");
    bez_answer_count(out, bez_answer_number(answer, "pruned"), "more was", "more were");
    bez_buf_puts(out, " pruned by gc)");
  }
  bez_buf_printf(out, ", index %s\n", bez_answer_text(answer, "index"));
  put_rate(out, json_object_get(answer, "objects"), "stored_bytes", "objects");
  put_rate(out, json_object_get(answer, "rows"), "bytes", "rows");
  if (n) bez_buf_printf(out, "%llu damaged:\n", (unsigned long long)n);
  json_array_foreach(json_object_get(answer, "damage"), i, one) put_damage(out, one);
}

static int run(const bez_args *args) {
  return bez_vault_run_plain(args, work, text);
}

const bez_command bez_command_vault_verify = {
    .name = "vault verify",
    .synopsis = "[--full]",
    .summary = "Check that everything is there and is what was signed.",
    .description =
        "Reads the log and every entry's signatures, compares the index with the log, and walks the trees of all "
        "versions. With --full it reads every byte: packs against their digests, and every row against the digests "
        "in the trees that were signed.\n"
        "\n"
        "What is damaged is told with file, place and the rows of the data sets that it holds; the exit code is 1 "
        "then. An index that does not fit the log is made anew. What gc removed is no damage.",
    .examples = "bezoar vault verify — quick: the log, its entries, the nodes of trees\n"
                "bezoar vault verify --full --json — every byte; rates are in the answer",
    .options = options,
    .run = run};
