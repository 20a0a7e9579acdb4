/* YAML as configuration and suppressions read it: a strict subset, with lines. */
#include "test.h"

#include "base/limits.h"
#include "base/yaml.h"

static const bez_yaml *parse(const char *text, bez_arena *arena) {
  bez_error err = {0};
  const bez_yaml *root = NULL;
  assert_ok(bez_yaml_parse(text, strlen(text), "t.yaml", arena, &root, &err));
  assert_non_null(root);
  return root;
}

static void refuse(const char *text, bez_status code, int64_t line, const char *word) {
  bez_arena arena = {0};
  bez_error err = {0};
  const bez_yaml *root = NULL;
  assert_int_equal(bez_yaml_parse(text, strlen(text), "t.yaml", &arena, &root, &err), code);
  assert_null(root);
  assert_string_equal(err.subject, "t.yaml");
  if (line > 0) assert_int_equal(err.line, line);
  if (!strstr(err.message, word)) fail_msg("\"%s\" does not say \"%s\"", err.message, word);
  bez_arena_free(&arena);
}

static void test_tree(void **state) {
  (void)state;
  bez_arena arena = {0};
  const bez_yaml *root = parse("a: 1\nb:\n  - no\n  - 'x: y'\nc: {d: ~, e: \"\"}\n", &arena);
  assert_int_equal(root->kind, BEZ_YAML_MAP);
  assert_int_equal(root->n_items, 3);
  assert_string_equal(bez_yaml_get(root, "a")->text, "1");
  const bez_yaml *b = bez_yaml_get(root, "b");
  assert_int_equal(b->kind, BEZ_YAML_LIST);
  assert_string_equal(b->items[0]->text, "no"); /* a word, not false */
  assert_string_equal(b->items[1]->text, "x: y");
  assert_int_equal(b->items[1]->line, 4);
  const bez_yaml *c = bez_yaml_get(root, "c");
  assert_int_equal(bez_yaml_get(c, "d")->kind, BEZ_YAML_NULL);
  assert_int_equal(bez_yaml_get(c, "e")->kind, BEZ_YAML_SCALAR); /* quoted: empty text, not null */
  assert_null(bez_yaml_get(root, "z"));
  assert_int_equal(root->key_lines[2], 5);
  bez_arena_free(&arena);
}

static void test_empty(void **state) {
  (void)state;
  bez_arena arena = {0};
  assert_int_equal(parse("", &arena)->kind, BEZ_YAML_NULL);
  assert_int_equal(parse("# only a comment\n", &arena)->kind, BEZ_YAML_NULL);
  assert_int_equal(parse("---\n", &arena)->kind, BEZ_YAML_NULL);
  bez_arena_free(&arena);
}

static void test_refusals(void **state) {
  (void)state;
  refuse("a: 1\nb: 2\na: 3\n", BEZ_FORMAT, 3, "twice");
  refuse("a: &x 1\nb: *x\n", BEZ_FORMAT, 1, "anchors");
  refuse("b: *x\n", BEZ_FORMAT, 1, "alias");
  refuse("a: !!int 1\n", BEZ_FORMAT, 1, "tags");
  refuse("<<: {a: 1}\n", BEZ_FORMAT, 1, "merge");
  refuse("? [a]\n: b\n", BEZ_FORMAT, 1, "scalar");
  refuse("a: 1\n---\nb: 2\n", BEZ_FORMAT, 2, "document");
  refuse("a: [1, 2\n", BEZ_FORMAT, -1, "");
  refuse("a: \"\\0\"\n", BEZ_FORMAT, 1, "NUL");
  refuse("\xff\xfe", BEZ_FORMAT, -1, "");
}

static void test_ceilings(void **state) {
  (void)state;
  char deep[256];
  memset(deep, '[', 100);
  memset(deep + 100, ']', 100);
  deep[200] = '\0';
  refuse(deep, BEZ_LIMIT, 1, "nested");
  bez_arena arena = {0};
  bez_error err = {0};
  const bez_yaml *root;
  char *large = malloc(BEZ_MAX_YAML_BYTES + 2);
  assert_non_null(large);
  memset(large, '#', BEZ_MAX_YAML_BYTES + 1);
  assert_int_equal(bez_yaml_parse(large, BEZ_MAX_YAML_BYTES + 1, "t", &arena, &root, &err), BEZ_LIMIT);
  free(large);
  bez_arena_free(&arena);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_tree), cmocka_unit_test(test_empty),
                                     cmocka_unit_test(test_refusals), cmocka_unit_test(test_ceilings)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
