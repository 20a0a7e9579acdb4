/* Texts that several commands of the vault answer with. */
#include "cli/vault_text.h"

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
    return;
  }
  bez_buf_printf(out, "commit %.12s by ", bez_answer_text(answer, "commit"));
  bez_answer_put(out, answer, "by");
  bez_buf_putc(out, '\n');
  json_array_foreach(json_object_get(answer, "datasets"), i, item) {
    bez_buf_puts(out, "  ");
    bez_answer_put(out, item, "name");
    bez_buf_printf(out, "@%llu  ", (unsigned long long)bez_answer_number(item, "version"));
    bez_answer_count(out, bez_answer_number(item, "n_rows"), "row", "rows");
    bez_text_changes(out, item);
    bez_buf_putc(out, '\n');
  }
}
