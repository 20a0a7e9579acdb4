/* bezoar vault log: what happened, as the log has it. */
#include <stdlib.h>
#include <string.h>

#include "cli/vault_text.h"

static const bez_option options[] = {
    BEZ_VAULT_OPTIONS,
    {"data", 0, BEZ_ARG_TEXT, .value = "NAME", .help = "Only entries about this data set."},
    {"type", 0, BEZ_ARG_CHOICE, .value = "TYPE",
     .choices = "init trust revoke source policy submission commit access refused run model pin unpin gc watch witness",
     .help = "Only entries of this type."},
    {"by", 0, BEZ_ARG_TEXT, .value = "WHO", .help = "Only entries signed by this principal or key (fingerprint)."},
    {"limit", 'n', BEZ_ARG_NUMBER, .value = "N", .fallback = "0", .help = "Only the last N; 0 shows all."},
    {NULL}};

static bez_status work(bez_vault *vault, const bez_args *args, bez_progress *progress, char **json, bez_error *err) {
  (void)progress;
  const bez_vault_log_filter filter = {.dataset = bez_args_text(args, "data"),
                                       .type = bez_args_text(args, "type"),
                                       .by = bez_args_text(args, "by"),
                                       .limit = bez_args_number(args, "limit")};
  return bez_vault_log(vault, &filter, json, err);
}

static void put_commit(bez_buf *out, const json_t *entry) {
  size_t i;
  json_t *item;
  json_array_foreach(json_object_get(entry, "datasets"), i, item) {
    bez_buf_puts(out, i ? ", " : "");
    bez_answer_put(out, item, "name");
    bez_buf_printf(out, "@%llu", (unsigned long long)bez_answer_number(item, "version"));
  }
  bez_buf_puts(out, ": ");
  bez_answer_put(out, entry, "message");
}

static void put_submission(bez_buf *out, const json_t *entry) {
  bez_answer_put(out, entry, "dataset");
  const char *source = bez_answer_text(entry, "source");
  if (source && *source) bez_buf_puts(out, " from ");
  bez_answer_put(out, entry, "source");
  bez_buf_puts(out, ": ");
  bez_answer_count(out, bez_answer_number(entry, "n_rows"), "row", "rows");
  bez_text_changes(out, entry);
}

/* Of other types: the first members that say something, in the order of the entry. */
static void put_members(bez_buf *out, const json_t *entry) {
  static const char *const common[] = {"type", "vault", "time", "nonce", "config", "admin"};
  const char *key;
  json_t *value;
  unsigned n = 0;
  json_object_foreach((json_t *)entry, key, value) {
    bool skip = !json_is_string(value) || !*json_string_value(value);
    for (size_t i = 0; i < sizeof common / sizeof *common; i++) skip = skip || !strcmp(common[i], key);
    if (skip || n == 4) continue;
    bez_buf_puts(out, n++ ? ", " : "");
    bez_say_safe(out, key);
    bez_buf_putc(out, ' ');
    bez_say_safe(out, json_string_value(value));
  }
}

static void put_access(bez_buf *out, const json_t *entry) {
  bez_answer_put(out, entry, "op");
  bez_buf_putc(out, ' ');
  bez_answer_put(out, entry, "dataset");
  bez_buf_printf(out, "@%llu: ", (unsigned long long)bez_answer_number(entry, "version"));
  bez_answer_put(out, entry, "outcome");
}

static void text(bez_buf *out, const json_t *answer) {
  size_t i;
  json_t *item;
  json_array_foreach(json_object_get(answer, "entries"), i, item) {
    const json_t *entry = json_object_get(item, "entry");
    const char *type = bez_answer_text(item, "type");
    bez_buf_printf(out, "%6llu  %.12s  ", (unsigned long long)bez_answer_number(item, "index"),
                   bez_answer_text(item, "id"));
    bez_answer_put(out, item, "time");
    bez_buf_puts(out, "  ");
    bez_answer_put(out, item, "type");
    bez_buf_puts(out, "  ");
    bez_say_safe(out, *bez_answer_text(item, "by") ? bez_answer_text(item, "by") : "(nobody)");
    bez_buf_puts(out, "  ");
    if (!strcmp(type, "commit"))
      put_commit(out, entry);
    else if (!strcmp(type, "submission"))
      put_submission(out, entry);
    else if (!strcmp(type, "access"))
      put_access(out, entry);
    else
      put_members(out, entry);
    if (*bez_answer_text(item, "effect")) {
      bez_buf_puts(out, "  (no effect: ");
      bez_answer_put(out, item, "effect");
      bez_buf_putc(out, ')');
    }
    bez_buf_putc(out, '\n');
  }
  if (!i) bez_buf_puts(out, "No such entry.\n");
}

static int run(const bez_args *args) {
  return bez_vault_run(args, work, text);
}

const bez_command bez_command_vault_log = {
    .name = "vault log",
    .synopsis = "",
    .summary = "Show the vault's log: who did what, and when.",
    .description =
        "Shows entries of the log, oldest first: its number, the first digits of its id, time, type, who signed it, "
        "and "
        "what it says. The time is what the signer said it was; the order is the log's. An entry that was signed by "
        "somebody who might not, or that was played a second time, stands in the log and has no effect: that is said.\n"
        "\n"
        "With --json the entries are whole.",
    .examples = "bezoar vault log --data train.csv — everything that happened to one data set\n"
                "bezoar vault log --type access — who read what\n"
                "bezoar vault log --by alice -n 10 — the last ten entries that alice signed",
    .options = options,
    .run = run,
    .words = ""};
