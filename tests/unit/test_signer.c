/* SSH keys and signatures: what is made here holds here, and what is changed does not. What OpenSSH makes is read, and
 * the other way round, in tests/cli/test_vault_keys.py. */
#include "test.h"

#include <openssl/evp.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/time.h"
#include "crypto/signer.h"
#include "crypto/ssh_agent.h"
#include "crypto/ssh_private.h"

static char home[] = "/tmp/bezoar-signer-XXXXXX";

static int make_home(void **state) {
  (void)state;
  if (!mkdtemp(home)) return -1;
  unsetenv("SSH_AUTH_SOCK");
  unsetenv("BEZOAR_KEY");
  return setenv("BEZOAR_HOME", home, 1);
}

static int drop_home(void **state) {
  (void)state;
  char command[128];
  snprintf(command, sizeof command, "rm -r %s", home);
  return system(command);
}

static bez_signer *fresh(const char *name) {
  bez_error err = {0};
  bez_ssh_key *key = NULL;
  bez_signer *signer = NULL;
  assert_ok(bez_signer_make(name, NULL, false, NULL, &key, &err));
  assert_ok(bez_signer_open(name, NULL, &signer, &err));
  assert_true(bez_ssh_key_same(key, bez_signer_public(signer)));
  bez_ssh_key_free(key);
  return signer;
}

static void path_of(const char *name, char out[256]) {
  snprintf(out, 256, "%s/keys/%s", home, name);
}

static void test_signatures_hold(void **state) {
  (void)state;
  bez_error err = {0};
  bez_signer *signer = fresh("alice");
  bez_buf armor = {0};
  bez_ssh_key *key = NULL;
  assert_ok(bez_sshsig_sign(signer, "bezoar-vault", "hello\n", 6, &armor, &err));
  assert_ok(bez_sshsig_verify(armor.data, armor.len, "bezoar-vault", "hello\n", 6, &key, &err));
  assert_true(bez_ssh_key_same(key, bez_signer_public(signer)));
  bez_ssh_key_free(key);
  key = NULL;
  assert_int_equal(bez_sshsig_verify(armor.data, armor.len, "bezoar-vault", "hellO\n", 6, &key, &err), BEZ_FORMAT);
  assert_non_null(strstr(err.message, "did not sign these bytes"));
  err = (bez_error){0};
  assert_int_equal(bez_sshsig_verify(armor.data, armor.len, "file", "hello\n", 6, &key, &err), BEZ_FORMAT);
  assert_non_null(strstr(err.message, "another namespace"));
  for (size_t i = 0; i < armor.len; i++) { /* nothing in it can be changed */
    bez_error other = {0};
    const char was = armor.data[i];
    armor.data[i] = (char)(was ^ 1);
    assert_int_not_equal(bez_sshsig_verify(armor.data, armor.len, "bezoar-vault", "hello\n", 6, &key, &other), BEZ_OK);
    armor.data[i] = was;
  }
  bez_buf_free(&armor);
  bez_signer_close(signer);
}

/* What ssh-keygen -Y sign made of "fuzz\n" with keys of three kinds (fuzz/corpus/ssh: one byte, then the armor). */
static void test_other_kinds_are_verified(void **state) {
  (void)state;
  static const struct {
    const char *file, *type;
  } cases[] = {{"signature_k", "ssh-ed25519 "}, {"signature_e", "ecdsa-sha2-nistp384 "}, {"signature_r", "ssh-rsa "}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    bez_error err = {0};
    bez_buf text = {0};
    bez_ssh_key *key = NULL;
    char path[512];
    snprintf(path, sizeof path, "%s/fuzz/corpus/ssh/%s", BEZ_SOURCE_DIR, cases[i].file);
    assert_ok(bez_file_read(path, 1u << 20, &text, &err));
    assert_ok(bez_sshsig_verify(text.data + 1, text.len - 1, "bezoar-vault", "fuzz\n", 5, &key, &err));
    assert_memory_equal(bez_ssh_key_line(key), cases[i].type, strlen(cases[i].type));
    bez_ssh_key_free(key);
    assert_int_equal(bez_sshsig_verify(text.data + 1, text.len - 1, "bezoar-vault", "fuzz", 4, &key, &err), BEZ_FORMAT);
    assert_non_null(strstr(err.message, "did not sign these bytes"));
    bez_buf_free(&text);
  }
}

static void test_raw_is_rfc8032(void **state) {
  (void)state;
  bez_error err = {0};
  /* RFC 8032, section 7.1, test 2 */
  static const uint8_t public[32] = {0x3d, 0x40, 0x17, 0xc3, 0xe8, 0x43, 0x89, 0x5a, 0x92, 0xb7, 0x0a,
                                     0xa7, 0x4d, 0x1b, 0x7e, 0xbc, 0x9c, 0x98, 0x2c, 0xcf, 0x2e, 0xc4,
                                     0x96, 0x8c, 0xc0, 0xcd, 0x55, 0xf1, 0x2a, 0xf4, 0x66, 0x0c};
  static const uint8_t signature[64] = {0x92, 0xa0, 0x09, 0xa9, 0xf0, 0xd4, 0xca, 0xb8, 0x72, 0x0e, 0x82, 0x0b, 0x5f,
                                        0x64, 0x25, 0x40, 0xa2, 0xb2, 0x7b, 0x54, 0x16, 0x50, 0x3f, 0x8f, 0xb3, 0x76,
                                        0x22, 0x23, 0xeb, 0xdb, 0x69, 0xda, 0x08, 0x5a, 0xc1, 0xe4, 0x3e, 0x15, 0x99,
                                        0x6e, 0x45, 0x8f, 0x36, 0x13, 0xd0, 0xf1, 0x1d, 0x8c, 0x38, 0x7b, 0x2e, 0xae,
                                        0xb4, 0x30, 0x2a, 0xee, 0xb0, 0x0d, 0x29, 0x16, 0x12, 0xbb, 0x0c, 0x00};
  bez_ssh_key *key = NULL;
  uint8_t half[32];
  bool good = false;
  assert_ok(bez_ssh_key_from_ed25519(public, "rfc", &key, &err));
  assert_ok(bez_ssh_key_verify_raw(key, "\x72", 1, signature, &good, &err));
  assert_true(good);
  assert_ok(bez_ssh_key_verify_raw(key, "\x73", 1, signature, &good, &err));
  assert_false(good);
  assert_true(bez_ssh_key_ed25519(key, half));
  assert_memory_equal(half, public, 32);
  bez_ssh_key_free(key);
}

static void test_files_are_private(void **state) {
  (void)state;
  bez_error err = {0};
  char path[256];
  struct stat info;
  bez_signer *signer = fresh("bob");
  bez_ssh_key *key = NULL;
  path_of("bob", path);
  assert_int_equal(stat(path, &info), 0);
  assert_int_equal(info.st_mode & 0777, 0600);
  bez_signer_close(signer);
  assert_int_equal(bez_signer_make("bob", NULL, false, NULL, &key, &err), BEZ_USAGE);
  assert_non_null(strstr(err.message, "never overwritten"));
  err = (bez_error){0};
  assert_int_equal(chmod(path, 0640), 0);
  assert_int_equal(bez_signer_open("bob", NULL, &signer, &err), BEZ_USAGE);
  assert_non_null(strstr(err.message, "read by others"));
  err = (bez_error){0};
  assert_int_equal(bez_signer_make("../bob", NULL, false, NULL, &key, &err), BEZ_USAGE);
  err = (bez_error){0};
  assert_int_equal(bez_signer_open("nobody", NULL, &signer, &err), BEZ_USAGE);
  assert_non_null(strstr(err.message, "no such key"));
}

static void test_ways_to_a_key(void **state) {
  (void)state;
  bez_error err = {0};
  char path[256];
  bez_signer *signer = fresh("carol"), *again = NULL;
  const char *print = bez_ssh_key_fingerprint(bez_signer_public(signer));
  path_of("carol.pub", path);
  const char *ways[] = {"carol", path, print, NULL};
  setenv("BEZOAR_KEY", "carol", 1);
  for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
    assert_ok(bez_signer_open(ways[i], NULL, &again, &err));
    assert_true(bez_ssh_key_same(bez_signer_public(signer), bez_signer_public(again)));
    bez_signer_close(again);
  }
  unsetenv("BEZOAR_KEY");
  assert_true(bez_signer_exists("carol"));
  assert_false(bez_signer_exists("carol.pub"));
  assert_int_equal(strlen(print), 50);
  bez_signer_close(signer);
}

static void test_pkcs8(void **state) {
  (void)state;
  bez_error err = {0};
  bez_ssh_key *key = NULL;
  bez_signer *signer = NULL;
  assert_ok(bez_signer_make("plain8", NULL, true, NULL, &key, &err));
  assert_ok(bez_signer_open("plain8", NULL, &signer, &err));
  assert_true(bez_ssh_key_same(key, bez_signer_public(signer)));
  bez_signer_close(signer);
  bez_ssh_key_free(key);
  assert_ok(bez_signer_make("sealed8", NULL, true, "correct horse", &key, &err));
  assert_ok(bez_signer_open("sealed8", "correct horse", &signer, &err));
  assert_true(bez_ssh_key_same(key, bez_signer_public(signer)));
  bez_signer_close(signer);
  assert_int_equal(bez_signer_open("sealed8", "wrong", &signer, &err), BEZ_USAGE);
  assert_non_null(strstr(err.message, "password is wrong"));
  err = (bez_error){0};
  assert_int_equal(bez_signer_open("sealed8", NULL, &signer, &err), BEZ_USAGE);
  assert_non_null(strstr(err.message, "none was given"));
  bez_ssh_key_free(key);
}

static void test_lines(void **state) {
  (void)state;
  bez_error err = {0};
  bez_signer *signer = fresh("dora");
  bez_ssh_key *key = NULL;
  char line[512];
  const char *text = bez_ssh_key_line(bez_signer_public(signer));
  snprintf(line, sizeof line, "%s dora at home\n", text);
  assert_ok(bez_ssh_key_parse(line, "line", &key, &err));
  assert_string_equal(bez_ssh_key_comment(key), "dora at home");
  assert_string_equal(bez_ssh_key_line(key), text);
  bez_ssh_key_free(key);
  snprintf(line, sizeof line, "%s \x1b[31mdora", text);
  assert_ok(bez_ssh_key_parse(line, "line", &key, &err));
  assert_string_equal(bez_ssh_key_comment(key), "");
  bez_ssh_key_free(key);
  const char *bad[] = {"",
                       "ssh-ed25519",
                       "ssh-ed25519 AAAA",
                       "ssh-dss AAAA",
                       "ssh-ed25519 !!!!",
                       "ssh-rsa AAAAC3NzaC1lZDI1NTE5AAAAIA=="};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    err = (bez_error){0};
    assert_int_equal(bez_ssh_key_parse(bad[i], "line", &key, &err), BEZ_FORMAT);
  }
  bez_signer_close(signer);
}

static void test_agent_answers(void **state) {
  (void)state;
  bez_error err = {0};
  bez_ssh_key **keys = NULL;
  size_t n = 0;
  uint8_t signature[64];
  assert_ok(bez_ssh_agent_read_list("\x0c\0\0\0\0", 5, &keys, &n, &err));
  assert_int_equal(n, 0);
  bez_ssh_keys_free(keys, n);
  assert_int_equal(bez_ssh_agent_read_list("\x0c\xff\xff\xff\xff", 5, &keys, &n, &err), BEZ_FORMAT);
  err = (bez_error){0};
  assert_int_equal(bez_ssh_agent_read_signature("\x05", 1, signature, &err), BEZ_USAGE);
  assert_non_null(strstr(err.message, "refuses"));
}

static void test_time(void **state) {
  (void)state;
  char text[BEZ_TIME_TEXT];
  int64_t at = 0;
  bez_time_text(1782864000, text);
  assert_string_equal(text, "2026-07-01T00:00:00Z");
  assert_true(bez_time_parse(text, &at));
  assert_int_equal(at, 1782864000);
  assert_true(bez_time_parse("2028-02-29", &at));
  const char *bad[] = {"2027-02-29", "2026-07-01T24:00:00Z", "2026-07-01 00:00:00Z", "2026-07-01T00:00:00+00:00", ""};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) assert_false(bez_time_parse(bad[i], &at));
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_signatures_hold),
                                     cmocka_unit_test(test_other_kinds_are_verified),
                                     cmocka_unit_test(test_raw_is_rfc8032),
                                     cmocka_unit_test(test_files_are_private),
                                     cmocka_unit_test(test_ways_to_a_key),
                                     cmocka_unit_test(test_pkcs8),
                                     cmocka_unit_test(test_lines),
                                     cmocka_unit_test(test_agent_answers),
                                     cmocka_unit_test(test_time)};
  return cmocka_run_group_tests(tests, make_home, drop_home);
}
