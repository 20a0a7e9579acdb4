/* Entries of the log: signed lines, and every way they can be wrong. */
#include "test.h"

#include "ledger/entry.h"
#include "ledger/log.h"

#define ORIGIN "bezoar-vault/0123456789abcdef"
static char home[] = "/tmp/bezoar-entry-XXXXXX";
static bez_signer *alice, *bob;

static int make_keys(void **state) {
  (void)state;
  bez_error err = {0};
  bez_ssh_key *key = NULL;
  if (!mkdtemp(home) || setenv("BEZOAR_HOME", home, 1) != 0) return -1;
  const char *names[] = {"alice", "bob"};
  for (size_t i = 0; i < 2; i++) {
    if (bez_signer_make(names[i], NULL, false, NULL, &key, &err) != BEZ_OK ||
        bez_signer_open(names[i], NULL, i ? &bob : &alice, &err) != BEZ_OK)
      return -1;
    bez_ssh_key_free(key);
  }
  return 0;
}

static int drop_keys(void **state) {
  (void)state;
  char command[128];
  bez_signer_close(alice);
  bez_signer_close(bob);
  snprintf(command, sizeof command, "rm -r %s", home);
  return system(command);
}

static void write_line(bez_buf *out, int64_t now) {
  bez_error err = {0};
  bez_json j = bez_json_make(out, false);
  assert_ok(bez_entry_begin(&j, "pin", ORIGIN, now, &err));
  bez_json_kstr(&j, "what", "train.csv@1");
  bez_json_kstr(&j, "reason", "legal \"hold\"\n");
  bez_json_close(&j, '}');
}

static void test_round_trip(void **state) {
  (void)state;
  bez_error err = {0};
  bez_buf line = {0}, entry = {0};
  bez_entry read = {0};
  const bez_signer *signers[] = {alice, bob};
  write_line(&line, 1782864000);
  for (size_t n = 0; n <= 2; n++) {
    assert_ok(bez_entry_sign(line.data, line.len, signers, n, &entry, &err));
    assert_ok(bez_entry_parse(entry.data, entry.len, "entry 7", &read, &err));
    assert_string_equal(read.type, "pin");
    assert_string_equal(read.origin, ORIGIN);
    assert_int_equal(read.seconds, 1782864000);
    assert_string_equal(bez_entry_text(&read, "reason"), "legal \"hold\"\n");
    assert_string_equal(bez_entry_text(&read, "nothing"), "");
    assert_int_equal(read.n_keys, n);
    for (size_t i = 0; i < n; i++) assert_true(bez_ssh_key_same(read.keys[i], bez_signer_public(signers[i])));
    bez_entry peeked = {0};
    assert_ok(bez_entry_peek(entry.data, entry.len, "entry 7", &peeked, &err));
    assert_int_equal(peeked.n_keys, 0);
    assert_memory_equal(&peeked.id, &read.id, sizeof read.id);
    bez_entry_free(&peeked);
    bez_entry_free(&read);
  }
  bez_buf_free(&line);
  bez_buf_free(&entry);
}

static void expect(const char *text, size_t len, const char *why) {
  bez_error err = {0};
  bez_entry read = {0};
  assert_int_not_equal(bez_entry_parse(text, len, "entry 7", &read, &err), BEZ_OK);
  if (!strstr(err.message, why)) fail_msg("\"%s\" does not say \"%s\"", err.message, why);
  assert_null(read.body);
}

static void test_signed_twice(void **state) {
  (void)state;
  bez_error err = {0};
  bez_buf line = {0}, entry = {0};
  const bez_signer *one[] = {alice};
  write_line(&line, 0);
  assert_ok(bez_entry_sign(line.data, line.len, one, 1, &entry, &err));
  assert_ok(bez_entry_cosign(&entry, alice, &err));
  expect(entry.data, entry.len, "signed twice");
  bez_buf_free(&line);
  bez_buf_free(&entry);
}

/* Whatever byte is changed, the entry is refused, or (in the armor's spare bits) still says the same by the same key.
 */
static void test_every_byte_counts(void **state) {
  (void)state;
  bez_error err = {0};
  bez_buf line = {0}, entry = {0};
  const bez_signer *one[] = {alice};
  write_line(&line, 0);
  assert_ok(bez_entry_sign(line.data, line.len, one, 1, &entry, &err));
  for (size_t i = 0; i < entry.len; i++) {
    bez_error other = {0};
    bez_entry read = {0};
    const char was = entry.data[i];
    entry.data[i] = (char)(was ^ (1 << i % 7));
    if (bez_entry_parse(entry.data, entry.len, "entry", &read, &other) == BEZ_OK) {
      assert_true(i > line.len);
      assert_true(bez_ssh_key_same(read.keys[0], bez_signer_public(alice)));
      bez_entry_free(&read);
    }
    entry.data[i] = was;
  }
  expect(entry.data, entry.len - 1, "malformed signature");
  bez_buf_putc(&entry, '\n');
  expect(entry.data, entry.len, "malformed signature");
  bez_buf_free(&line);
  bez_buf_free(&entry);
}

static void test_malformed(void **state) {
  (void)state;
#define REST ",\"nonce\":\"00112233445566778899aabbccddeeff\"}\n"
  static const struct {
    const char *text, *why;
  } cases[] = {
      {"", "line of JSON"},
      {"{}", "line of JSON"},
      {"{}\n", "missing"},
      {"[1]\n", "line of JSON"},
      {"{\"type\":\"pin\"\n", "not JSON"},
      {"{\t}\n", "control character"},
      {"{\"type\":\"pin\",\"vault\":\"v\",\"time\":\"now\"" REST, "its time"},
      {"{\"type\":\"pin\",\"vault\":\"v\",\"time\":\"2026-01-31\"" REST, "its time"},
      {"{\"type\":\"pin\",\"type\":\"gc\",\"vault\":\"v\",\"time\":\"2026-01-31T12:00:00Z\"" REST, "duplicate"},
      {"{\"type\":\"pin\",\"vault\":\"v\",\"time\":\"2026-01-31T12:00:00Z\"" REST "junk", "malformed signature"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) expect(cases[i].text, strlen(cases[i].text), cases[i].why);
}

static void test_too_large(void **state) {
  (void)state;
  bez_error err = {0};
  bez_buf line = {0}, entry = {0};
  const bez_signer *one[] = {alice};
  for (size_t i = 0; i < BEZ_MAX_ENTRY - 100; i++) bez_buf_putc(&line, 'x');
  assert_int_equal(bez_entry_sign(line.data, line.len, one, 1, &entry, &err), BEZ_LIMIT);
  bez_buf_free(&line);
  bez_buf_free(&entry);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_round_trip), cmocka_unit_test(test_signed_twice),
                                     cmocka_unit_test(test_every_byte_counts), cmocka_unit_test(test_malformed),
                                     cmocka_unit_test(test_too_large)};
  return cmocka_run_group_tests(tests, make_keys, drop_keys);
}
