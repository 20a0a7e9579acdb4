/* Keys, entries and trust where memory runs out: BEZ_MEMORY, nothing left behind, and never a yes that was no. */
#include "test.h"

#include "crypto/allowed_signers.h"
#include "failing_allocations.h"
#include "ledger/trust_state.h"

#define ORIGIN "bezoar-vault/0123456789abcdef"
#define AT 1782864000
static char home[] = "/tmp/bezoar-contract-XXXXXX";
static bez_signer *root, *alice;
static bez_buf entries[3]; /* init, source, trust */

static int make_signer(const char *name, bez_signer **out) {
  bez_error err = {0};
  bez_ssh_key *key = NULL;
  bez_status st = bez_signer_make(name, NULL, false, NULL, &key, &err);
  bez_ssh_key_free(key);
  return st == BEZ_OK && bez_signer_open(name, NULL, out, &err) == BEZ_OK ? 0 : -1;
}

static int make_entry(bez_buf *out, const char *type, const char *members) {
  bez_error err = {0};
  bez_buf line = {0};
  bez_json j = bez_json_make(&line, false);
  const bez_signer *one[] = {root};
  bez_status st = bez_entry_begin(&j, type, ORIGIN, AT, &err);
  bez_buf_printf(&line, "%s}", members);
  if (st == BEZ_OK) st = bez_entry_sign(line.data, line.len, one, 1, out, &err);
  bez_buf_free(&line);
  return st == BEZ_OK ? 0 : -1;
}

static int set_up(void **state) {
  (void)state;
  char members[1024];
  if (!mkdtemp(home) || setenv("BEZOAR_HOME", home, 1) != 0) return -1;
  unsetenv("SSH_AUTH_SOCK");
  if (make_signer("root", &root) || make_signer("alice", &alice)) return -1;
  snprintf(members, sizeof members, ",\"admin\":\"%s\"", bez_ssh_key_line(bez_signer_public(root)));
  if (make_entry(&entries[0], "init", members)) return -1;
  if (make_entry(&entries[1], "source", ",\"id\":\"web\",\"fields\":{\"use\":{\"license\":[\"CC0\"]}}")) return -1;
  snprintf(members, sizeof members,
           ",\"principal\":\"alice\",\"key\":\"%s\",\"roles\":[\"contribute\"],\"sources\":[\"w*\"],\"paths\":[\"*\"]",
           bez_ssh_key_line(bez_signer_public(alice)));
  return make_entry(&entries[2], "trust", members);
}

static int tear_down(void **state) {
  (void)state;
  char command[128];
  bez_signer_close(root);
  bez_signer_close(alice);
  for (size_t i = 0; i < 3; i++) bez_buf_free(&entries[i]);
  snprintf(command, sizeof command, "rm -r %s", home);
  return system(command);
}

/* Takes three entries and asks whether alice may. */
static bez_status follow(bez_error *err) {
  bez_trust *trust = NULL;
  bez_entry entry;
  bez_status st = bez_trust_create(&trust, err);
  for (uint64_t i = 0; st == BEZ_OK && i < 3; i++) {
    st = bez_entry_parse(entries[i].data, entries[i].len, "entry", &entry, err);
    if (st != BEZ_OK) break;
    st = bez_trust_take(trust, i, &entry, NULL, 0, err);
    bez_entry_free(&entry);
  }
  const bez_asked asked = {bez_signer_public(alice), BEZ_MAY_CONTRIBUTE, "web", "train.csv", AT};
  if (st == BEZ_OK) st = bez_trust_may(trust, &asked, err);
  bez_trust_free(trust);
  return st;
}

static bez_status sign(bez_error *err) {
  bez_signer *signer = NULL;
  bez_buf out = {0};
  bez_ssh_key *key = NULL;
  bez_status st = BEZ_OK;
  BEZ_TRY(bez_signer_open("alice", NULL, &signer, err));
  BEZ_TRY(bez_sshsig_sign(signer, "bezoar-vault", "line\n", 5, &out, err));
  BEZ_TRY(bez_sshsig_verify(out.data, out.len, "bezoar-vault", "line\n", 5, &key, err));
cleanup:
  bez_ssh_key_free(key);
  bez_signer_close(signer);
  bez_buf_free(&out);
  return st;
}

static bez_status list(bez_error *err) {
  char text[512];
  bez_allowed_signer *found = NULL;
  size_t n = 0;
  snprintf(text, sizeof text, "alice valid-after=\"20260101\" %s\nbob %s\n", bez_ssh_key_line(bez_signer_public(alice)),
           bez_ssh_key_line(bez_signer_public(root)));
  bez_status st = bez_allowed_signers_parse(text, strlen(text), "bezoar-vault", "file", &found, &n, err);
  if (st == BEZ_OK && n != 2) st = BEZ_INTERNAL;
  bez_allowed_signers_free(found, st == BEZ_OK ? n : 0);
  return st;
}

/* Whatever allocation fails, the call says so or has done all of it: an entry that could not be looked at must not pass
 * for one that is bad, or its author for somebody who may not. */
static void let_each_fail(bez_status (*call)(bez_error *err)) {
  bez_error err = {0};
  atomic_store(&n_allocations, 0);
  assert_ok(call(&err));
  const long all = atomic_load(&n_allocations);
  assert_true(all > 3);
  for (long i = 0; i < all; i++) {
    err = (bez_error){0};
    atomic_store(&until_failure, i);
    bez_status st = call(&err);
    atomic_store(&until_failure, -1);
    if (st != BEZ_OK && st != BEZ_MEMORY) fail_msg("allocation %ld: %s: %s", i, bez_status_text(st), err.message);
  }
  err = (bez_error){0};
  assert_ok(call(&err));
}

static void test_follow(void **state) {
  (void)state;
  let_each_fail(follow);
}

static void test_sign(void **state) {
  (void)state;
  let_each_fail(sign);
}

static void test_list(void **state) {
  (void)state;
  let_each_fail(list);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_follow), cmocka_unit_test(test_sign),
                                     cmocka_unit_test(test_list)};
  return cmocka_run_group_tests(tests, set_up, tear_down);
}
