/* What a checkout writes into a folder, and the names that it does not write. */
#include "vault_store.h"

#include "content/checkout_target.h"

static bez_status put_file(const store *s, const char *name) {
  char path[256];
  bez_error err = {0};
  bez_target *target = NULL;
  const bez_item file = {BEZ_ITEM_FILE_ROW, name, "x", strlen(name), 1};
  assert_ok(bez_target_open(store_path(s, "out", path), true, &target, &err));
  bez_status st = bez_target_put(target, &file, &err);
  bez_target_abandon(target);
  return st;
}

static void names_that_are_written_and_those_that_are_not(void **state) {
  (void)state;
  static const char *const good[] = {"a", "a/b", ".hidden", "a/.bezoars", "bezoar", "..a"};
  static const char *const bad[] = {
      "", "/a", "a//b", "a/", ".", "../a", "a/../b", ".bezoar", ".bezoar/config", "a/.bezoar/config", ".Bezoar/config"};
  bez_error err = {0};
  char path[256];
  store s;
  store_open(&s);
  for (size_t i = 0; i < sizeof good / sizeof *good; i++) assert_ok(put_file(&s, good[i]));
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    if (put_file(&s, bad[i]) != BEZ_FORMAT) fail_msg("\"%s\" was written", bad[i]);
  }
  assert_int_not_equal(access(store_path(&s, "out", path), F_OK), 0);
  store_close(&s);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(names_that_are_written_and_those_that_are_not)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
