/* Whoever can write to the folder can append entries, whatever the commands refuse: those that are not theirs to say
 * have no effect, the log says why, and the vault opens as before. */
#include "test.h"

#include <sys/stat.h>

#include "bezoar/trust.h"
#include "ledger/trust_state.h"
#include "vault/vault.h"

#define NOWHERE "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
static char base[] = "/tmp/bezoar-strangers-XXXXXX";
static bez_vault *vault;
static bez_signer *admin, *mallory;

static int set_up(void **state) {
  (void)state;
  bez_error err = {0};
  bez_ssh_key *key = NULL;
  char *json = NULL, home[64], root[64];
  const bez_vault_who nobody = {0};
  if (!mkdtemp(base)) return -1;
  snprintf(home, sizeof home, "%s/home", base);
  snprintf(root, sizeof root, "%s/data", base);
  if (mkdir(home, 0700) || mkdir(root, 0700) || setenv("BEZOAR_HOME", home, 1)) return -1;
  unsetenv("BEZOAR_KEY");
  unsetenv("SSH_AUTH_SOCK");
  if (bez_vault_init(root, &nobody, &json, &err) != BEZ_OK || bez_vault_open(root, &vault, &err) != BEZ_OK) return -1;
  bez_text_free(json);
  if (bez_signer_make("mallory", NULL, false, NULL, &key, &err) != BEZ_OK) return -1;
  bez_ssh_key_free(key);
  return bez_signer_open("default", NULL, &admin, &err) == BEZ_OK &&
                 bez_signer_open("mallory", NULL, &mallory, &err) == BEZ_OK
             ? 0
             : -1;
}

static int tear_down(void **state) {
  (void)state;
  char command[96];
  bez_vault_close(vault);
  bez_signer_close(admin);
  bez_signer_close(mallory);
  snprintf(command, sizeof command, "rm -r %s", base);
  return system(command);
}

/* An entry of these members (they begin with a comma) in the log, signed by one (NULL: nobody), asked by no one. */
static void append(const char *origin, const bez_signer *signer, const char *type, const char *members, bez_buf *copy) {
  bez_error err = {0};
  bez_buf line = {0}, entry = {0};
  bez_json j = bez_json_make(&line, false);
  assert_ok(bez_entry_begin(&j, type, origin, 0, &err));
  bez_buf_printf(&line, "%s}", members);
  assert_ok(bez_entry_sign(line.data, line.len, &signer, signer ? 1 : 0, &entry, &err));
  const bez_bytes_view view = {entry.data, entry.len};
  assert_ok(bez_vault_append(vault, &view, 1, &err));
  if (copy) bez_buf_write(copy, entry.data, entry.len);
  bez_buf_free(&line);
  bez_buf_free(&entry);
}

/* Why the last entry has no effect; NULL: it has. */
static void expect_effect(const char *why) {
  bez_error err = {0};
  char *json = NULL;
  json_t *answer = NULL;
  const bez_vault_log_filter last = {.limit = 1};
  assert_ok(bez_vault_log(vault, &last, &json, &err));
  assert_ok(bez_json_parse(json, strlen(json), "log", &answer, &err));
  const json_t *entries = json_object_get(answer, "entries");
  const char *effect = json_string_value(json_object_get(json_array_get(entries, 0), "effect"));
  if (why ? !effect || !strstr(effect, why) : effect && *effect)
    fail_msg("\"%s\" in place of \"%s\"", effect ? effect : "", why ? why : "");
  json_decref(answer);
  bez_text_free(json);
}

static void reopen(void) {
  bez_error err = {0};
  char root[64];
  snprintf(root, sizeof root, "%s/data", base);
  bez_vault_close(vault);
  vault = NULL;
  assert_ok(bez_vault_open(root, &vault, &err));
}

static bool may(const bez_signer *signer, unsigned role) {
  bez_error err = {0};
  const bez_asked asked = {.key = bez_signer_public(signer), .role = role, .at = bez_vault_now()};
  return bez_trust_may(vault->trust, &asked, &err) == BEZ_OK;
}

static void grant_line(char out[1024], const bez_signer *whom, const char *role) {
  snprintf(out, 1024,
           ",\"principal\":\"mallory\",\"key\":\"%s\",\"roles\":[\"%s\"],\"sources\":[\"*\"],\"paths\":[\"*\"]",
           bez_ssh_key_line(bez_signer_public(whom)), role);
}

static void test_strangers_say_nothing(void **state) {
  (void)state;
  char grant[1024];
  grant_line(grant, mallory, "admin");
  const struct {
    const char *type, *members, *why;
  } cases[] = {{"trust", grant, "no key may state its own roles"},
               {"source", ",\"id\":\"web\",\"fields\":{}", "unknown key"},
               {"policy", ",\"policy\":\"" NOWHERE "\"", "unknown key"}, /* an object that is not there */
               {"revoke", ",\"key\":\"SHA256:0000000000000000000000000000000000000000000\",\"since\":\"2026-01-01\"",
                "unknown key"},
               {"pin", ",\"what\":\"train.csv@1\",\"reason\":\"x\"", "unknown key"},
               {"gc", ",\"kept\":0", "unknown key"},
               {"init", "", "out of order"},
               {"commit", ",\"message\":\"x\",\"datasets\":[]", "a commit of nothing"}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    append(vault->origin, mallory, cases[i].type, cases[i].members, NULL);
    expect_effect(cases[i].why);
    append(vault->origin, NULL, cases[i].type, cases[i].members, NULL);
    expect_effect(i < 6 ? "unsigned" : cases[i].why);
  }
  reopen();
  assert_true(may(admin, BEZ_MAY_ADMIN));
  assert_false(may(mallory, BEZ_MAY_READ));
  assert_null(bez_trust_source(vault->trust, "web"));
}

/* What the admin once said is not said again by somebody who kept it, nor in another vault. */
static void test_nothing_is_played_twice(void **state) {
  (void)state;
  bez_error err = {0};
  bez_buf old = {0};
  char grant[1024];
  grant_line(grant, mallory, "commit");
  append(vault->origin, admin, "trust", grant, &old);
  expect_effect(NULL);
  assert_true(may(mallory, BEZ_MAY_COMMIT));
  grant_line(grant, mallory, "read");
  append(vault->origin, admin, "trust", grant, NULL);
  expect_effect(NULL);
  assert_false(may(mallory, BEZ_MAY_COMMIT));
  const bez_bytes_view again = {old.data, old.len};
  assert_ok(bez_vault_append(vault, &again, 1, &err));
  expect_effect("played a second time");
  assert_false(may(mallory, BEZ_MAY_COMMIT));
  grant_line(grant, mallory, "admin");
  append("bezoar-vault/0123456789abcdef", admin, "trust", grant, NULL);
  expect_effect("made for another vault");
  reopen();
  assert_true(may(mallory, BEZ_MAY_READ));
  assert_false(may(mallory, BEZ_MAY_COMMIT));
  bez_buf_free(&old);
}

static void test_junk_is_no_entry(void **state) {
  (void)state;
  bez_error err = {0};
  static const char *const junk[] = {"", "x", "{}\n", "{\"type\":\"trust\"}\n", "\xff\xfe\n"};
  for (size_t i = 0; i < sizeof junk / sizeof *junk; i++) {
    const bez_bytes_view view = {junk[i], strlen(junk[i])};
    bez_error other = {0};
    (void)!bez_vault_append(vault, &view, 1, &other); /* refused or without effect */
  }
  reopen();
  char *json = NULL;
  assert_ok(bez_vault_trust_list(vault, NULL, &json, &err));
  bez_text_free(json);
  assert_true(may(admin, BEZ_MAY_ADMIN));
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_strangers_say_nothing),
                                     cmocka_unit_test(test_nothing_is_played_twice),
                                     cmocka_unit_test(test_junk_is_no_entry)};
  return cmocka_run_group_tests(tests, set_up, tear_down);
}
