/* Texts that several commands of the vault answer with. */
#include "cli/vault_text.h"

#include <stdio.h>

#include "cli/say.h"

void bez_text_changes(bez_buf *out, const json_t *object) {
  bez_buf_printf(out, " (+%llu -%llu ~%llu)", (unsigned long long)bez_answer_number(object, "added"),
                 (unsigned long long)bez_answer_number(object, "removed"),
                 (unsigned long long)bez_answer_number(object, "changed"));
}

void bez_text_commit(bez_buf *out, const json_t *answer) {
  size_t i;
  json_t *item;
  if (json_is_true(json_object_get(answer, "pending"))) {
    bez_buf_printf(out, "Signed by %llu of %llu: the commit waits for another key (bezoar vault commit --key KEY).\n",
                   (unsigned long long)bez_answer_number(answer, "signatures"),
                   (unsigned long long)bez_answer_number(answer, "needed"));
  } else {
    bez_buf_printf(out, "commit %.12s by ", bez_answer_text(answer, "commit"));
    bez_answer_put(out, answer, "by");
    bez_buf_putc(out, '\n');
  }
  if (*bez_answer_text(answer, "message")) { /* the words may be those of whoever signed first */
    bez_buf_puts(out, "  \"");
    bez_answer_put(out, answer, "message");
    bez_buf_puts(out, "\"\n");
  }
  json_array_foreach(json_object_get(answer, "datasets"), i, item) {
    bez_buf_puts(out, "  ");
    bez_answer_put(out, item, "name");
    bez_buf_printf(out, "@%llu  ", (unsigned long long)bez_answer_number(item, "version"));
    bez_answer_count(out, bez_answer_number(item, "n_rows"), "row", "rows");
    bez_text_changes(out, item);
    bez_buf_putc(out, '\n');
  }
}

static void put_version(bez_buf *out, const json_t *item) {
  bez_answer_put(out, item, "dataset");
  bez_buf_printf(out, "@%llu", (unsigned long long)bez_answer_number(item, "version"));
}

/* The first digits of a digest; whatever else the entry says there does nothing to a terminal. */
static void put_start(bez_buf *out, const char *digest) {
  char start[13];
  snprintf(start, sizeof start, "%s", digest);
  bez_say_safe(out, start);
}

void bez_text_impact(bez_buf *out, const json_t *answer) {
  const json_t *versions = json_object_get(answer, "versions"), *models = json_object_get(answer, "models");
  const json_t *runs = json_object_get(answer, "runs"), *of = json_object_get(answer, "of");
  size_t i;
  json_t *item;
  bez_answer_put(out, of, "kind");
  bez_buf_putc(out, ' ');
  bez_answer_put(out, of, "what");
  bez_buf_puts(out, ": in ");
  bez_answer_count(out, json_array_size(versions), "version, ", "versions, ");
  bez_answer_count(out, json_array_size(runs), "run, ", "runs, ");
  bez_answer_count(out, json_array_size(models), "model\n", "models\n");
  json_array_foreach(versions, i, item) {
    bez_buf_puts(out, "  version  ");
    put_version(out, item);
    bez_buf_puts(out, "  ");
    bez_answer_count(out, bez_answer_number(item, "rows"), "row", "rows");
    bez_buf_puts(out, json_is_true(json_object_get(item, "latest")) ? "  (the last version)\n" : "\n");
  }
  json_array_foreach(runs, i, item) {
    bez_buf_puts(out, "  run      ");
    put_start(out, bez_answer_text(item, "run"));
    bez_buf_puts(out, " by ");
    bez_answer_put(out, item, "by");
    bez_buf_putc(out, '\n');
  }
  json_array_foreach(models, i, item) {
    bez_buf_puts(out, "  model    ");
    bez_answer_put(out, item, "name");
    bez_buf_puts(out, "  sha256:");
    put_start(out, bez_answer_text(item, "sha256"));
    bez_buf_puts(out, "  trained on ");
    put_version(out, item);
    bez_buf_putc(out, '\n');
  }
}
