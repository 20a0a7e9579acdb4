/* bezoar vault key list: the keys there are. */
#include <string.h>

#include "cli/trust_say.h"

static const bez_option options[] = {{"json", 0, BEZ_ARG_FLAG, .help = "Answer as JSON."}, {NULL}};

static bez_status work(const bez_args *args, bez_progress *progress, char **json, bez_error *err) {
  (void)args, (void)progress;
  return bez_vault_key_list(json, err);
}

static void text(bez_buf *out, const json_t *answer) {
  size_t i;
  const json_t *key, *keys = json_object_get(answer, "keys");
  json_array_foreach(keys, i, key) {
    bez_answer_put(out, key, "fingerprint");
    bez_buf_puts(out, "  ");
    bez_answer_put(out, key, "name");
    bez_buf_puts(out, !strcmp(bez_answer_text(key, "where"), "agent") ? "  (ssh-agent)" : "");
    bez_buf_puts(out, json_is_true(json_object_get(key, "usable")) ? "\n" : "  (cannot sign here)\n");
  }
  if (json_array_size(keys)) return;
  bez_buf_puts(out, "No keys in ");
  bez_answer_put(out, answer, "folder");
  bez_buf_puts(out, " nor in ssh-agent (bezoar vault key new NAME)\n");
}

static int run(const bez_args *args) {
  return bez_vault_run_plain(args, work, text);
}

const bez_command bez_command_vault_key_list = {
    .name = "vault key list",
    .synopsis = "",
    .summary = "List the keys of the folder of keys and of ssh-agent.",
    .description =
        "Public halves and fingerprints, as ssh-keygen -l prints them. Entries are signed with Ed25519 keys; "
        "others are listed, but cannot sign here.",
    .examples = "bezoar vault key list — fingerprints and names",
    .options = options,
    .run = run};
