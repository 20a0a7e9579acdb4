/* Chats as prompt and response, and documents of a folder as rows. */
#include "folder_help.h"
#include "reader_help.h"

static bez_table *open_chat(const char *text) {
  static const char *const types[] = {"prompt=categorical", "response=categorical"};
  return open_good("jsonl", text, types, 2);
}

static void chats_become_prompt_and_response(void **state) {
  (void)state;
  bez_table *t =
      open_chat("{\"messages\":[{\"role\":\"system\",\"content\":\"be good\"},{\"content\":\"hi \\u00e9\",\"role\":"
                "\"user\"},{\"role\":\"assistant\",\"content\":\"hello\"},{\"role\":\"user\",\"content\":\"more\"},"
                "{\"role\":\"assistant\",\"content\":[{\"type\":\"text\",\"text\":\"b\"},{\"type\":\"image\"},"
                "{\"type\":\"text\",\"text\":\"ye\"}]},{\"role\":\"user\",\"content\":\"unanswered\"}]}\n"
                "{\"messages\":[{\"from\":\"human\",\"value\":\"q\"},{\"from\":\"gpt\",\"value\":\"a\"}]}\n"
                "{\"messages\":[{\"role\":\"user\",\"content\":\"alone\"}]}\n");
  assert_int_equal(bez_table_columns(t), 2);
  assert_string_equal(bez_table_column_name(t, 0), "prompt");
  assert_string_equal(bez_table_column_name(t, 1), "response");
  assert_cell(t, 0, 0, "be good\nhi \xC3\xA9\nmore");
  assert_cell(t, 1, 0, "hello\nbye");
  assert_cell(t, 0, 1, "q");
  assert_cell(t, 1, 1, "a");
  assert_cell(t, 0, 2, "alone");
  assert_cell(t, 1, 2, "");
  const bez_table_remark *r = find_remark(t, "chat-turns");
  assert_non_null(r);
  assert_int_equal(r->count, 3);
  bez_table_destroy(t);
}

/* What is no chat stays one cell, as it is spelled; a field called prompt is not written over. */
static void other_arrays_stay(void **state) {
  (void)state;
  static const char *const types[] = {"prompt=categorical", "messages=categorical", "messages.prompt=categorical"};
  static const char text[] = "{\"prompt\":\"mine\",\"messages\":[{\"role\":\"user\",\"content\":\"yours\"}]}\n"
                             "{\"messages\":[1, {\"role\":\"user\"}]}\n{\"messages\":[]}\n"
                             "{\"messages\":[{\"role\":\"user\",\"content\":3}]}\n";
  bez_table *t = NULL;
  bez_error err;
  assert_int_equal(open_bytes("jsonl", text, sizeof text - 1, 1, types, 3, &t, &err), BEZ_OK);
  int prompt = bez_table_find(t, "prompt"), turns = bez_table_find(t, "messages.prompt"),
      raw = bez_table_find(t, "messages");
  assert_true(prompt >= 0 && turns >= 0 && raw >= 0);
  assert_cell(t, (uint32_t)prompt, 0, "mine");
  assert_cell(t, (uint32_t)turns, 0, "yours");
  assert_cell(t, (uint32_t)raw, 1, "[1, {\"role\":\"user\"}]");
  assert_cell(t, (uint32_t)raw, 2, "[]");
  assert_cell(t, (uint32_t)raw, 3, "[{\"role\":\"user\",\"content\":3}]");
  bez_table_destroy(t);
}

static void keys_given_twice_in_a_turn_are_remarked(void **state) {
  (void)state;
  bez_table *t = open_chat("{\"messages\":[{\"role\":\"user\",\"content\":\"a\",\"content\":\"b\"}]}\n");
  assert_non_null(find_remark(t, "duplicate-key"));
  assert_cell(t, 0, 0, "b");
  bez_table_destroy(t);
}

/* ---- folders of documents ---- */

static bez_status open_folder(bez_table **t, bez_error *err) {
  static const char *const types[] = {"text=text"};
  const char *path = folder;
  bez_read_options o = {.threads = 1, .types = types, .n_types = 1};
  *err = (bez_error){.line = -1, .offset = -1};
  return bez_table_open(&path, 1, &o, t, err);
}

static void documents_are_rows(void **state) {
  (void)state;
  bez_table *t;
  bez_error err;
  put("b.txt", "one, two\nthree, \"four\nfive\n", 27);
  put("a.md", "\xEF\xBB\xBF# Head\n\nwords", 16);
  put("c.rst", " \n", 2);
  assert_int_equal(open_folder(&t, &err), BEZ_OK);
  assert_int_equal(t->n_rows, 3);
  assert_int_equal(t->n_files, 3);
  assert_int_equal(t->n_cols, 1);
  assert_string_equal(t->files[1].format, "text");
  assert_int_equal(t->files[2].first_row, 2);
  assert_cell(t, 0, 0, "# Head\n\nwords");
  assert_cell(t, 0, 1, "one, two\nthree, \"four\nfive\n");
  assert_cell(t, 0, 2, "");
  assert_non_null(find_remark(t, "empty-documents"));
  bez_table_destroy(t);
}

static void what_is_no_text_is_refused_by_name(void **state) {
  (void)state;
  bez_table *t = NULL;
  bez_error err;
  put("d.txt", "nul\0byte", 8);
  assert_int_equal(open_folder(&t, &err), BEZ_FORMAT);
  assert_non_null(strstr(err.subject, "d.txt"));
}

static void tables_called_txt_stay_tables(void **state) {
  (void)state;
  bez_table *t = NULL;
  bez_error err;
  static const char part[] =
      "text\tlabel\none two three\tham\nfour\tspam\nfive six\tham\nseven\tham\neight nine\tspam\n";
  char command[600];
  snprintf(command, sizeof command, "rm '%s'/*", folder);
  assert_int_equal(system(command), 0);
  put("1.txt", part, sizeof part - 1);
  put("2.txt", part, sizeof part - 1);
  assert_int_equal(open_folder(&t, &err), BEZ_OK);
  assert_int_equal(t->n_cols, 2);
  assert_int_equal(t->n_rows, 10);
  bez_table_destroy(t);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(chats_become_prompt_and_response),        cmocka_unit_test(other_arrays_stay),
      cmocka_unit_test(keys_given_twice_in_a_turn_are_remarked), cmocka_unit_test(documents_are_rows),
      cmocka_unit_test(what_is_no_text_is_refused_by_name),      cmocka_unit_test(tables_called_txt_stay_tables)};
  return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
