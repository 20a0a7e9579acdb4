/* Who may do what: every refusal with its reason, and what a revocation undoes. */
#include "test.h"

#include "base/time.h"
#include "crypto/digest.h"
#include "ledger/trust_state.h"

#define ORIGIN "bezoar-vault/0123456789abcdef"
#define T0 1782864000 /* 2026-07-01 */
#define DAY 86400
enum { ROOT, ALICE, BOB, CAROL, MALLORY, KEYS };
static const char *const names[KEYS] = {"root", "alice", "bob", "carol", "mallory"};
static char home[] = "/tmp/bezoar-trust-XXXXXX";
static bez_signer *signers[KEYS];

static int make_keys(void **state) {
  (void)state;
  bez_error err = {0};
  if (!mkdtemp(home) || setenv("BEZOAR_HOME", home, 1) != 0) return -1;
  for (size_t i = 0; i < KEYS; i++) {
    bez_ssh_key *key = NULL;
    if (bez_signer_make(names[i], NULL, false, NULL, &key, &err) != BEZ_OK ||
        bez_signer_open(names[i], NULL, &signers[i], &err) != BEZ_OK)
      return -1;
    bez_ssh_key_free(key);
  }
  return 0;
}

static int drop_keys(void **state) {
  (void)state;
  char command[128];
  for (size_t i = 0; i < KEYS; i++) bez_signer_close(signers[i]);
  snprintf(command, sizeof command, "rm -r %s", home);
  return system(command);
}

static const bez_ssh_key *key(size_t i) {
  return bez_signer_public(signers[i]);
}

static uint64_t next_index;

/* Makes an entry of these members (JSON, begins with a comma), signed by one (KEYS: nobody), and takes it. */
static bez_status say(bez_trust *trust, size_t by, int64_t at, const char *type, const char *members,
                      const char *policy, bez_error *err) {
  bez_buf line = {0}, bytes = {0};
  bez_entry entry = {0};
  bez_json j = bez_json_make(&line, false);
  *err = (bez_error){0};
  assert_int_equal(bez_entry_begin(&j, type, ORIGIN, at, err), BEZ_OK);
  bez_buf_printf(&line, "%s}", members);
  const bez_signer *one[] = {by < KEYS ? signers[by] : NULL};
  assert_int_equal(bez_entry_sign(line.data, line.len, one, by < KEYS, &bytes, err), BEZ_OK);
  if (bez_entry_parse(bytes.data, bytes.len, "entry", &entry, err) != BEZ_OK)
    fail_msg("%s: %s", line.data, err->message);
  bez_status st = bez_trust_take(trust, next_index++, &entry, policy, policy ? strlen(policy) : 0, err);
  bez_entry_free(&entry);
  bez_buf_free(&line);
  bez_buf_free(&bytes);
  return st;
}

static bez_status grant(bez_trust *trust, size_t by, size_t whom, int64_t at, const char *roles, const char *rest,
                        bez_error *err) {
  char members[2048];
  snprintf(members, sizeof members, ",\"principal\":\"%s\",\"key\":\"%s\",\"roles\":[%s],%s", names[whom],
           bez_ssh_key_line(key(whom)), roles, rest);
  return say(trust, by, at, "trust", members, NULL, err);
}
#define ALL "\"sources\":[\"*\"],\"paths\":[\"*\"]"

static bez_status disown(bez_trust *trust, size_t by, size_t whom, int64_t at, int64_t since, bez_error *err) {
  char members[512], text[BEZ_TIME_TEXT];
  bez_time_text(since, text);
  snprintf(members, sizeof members, ",\"key\":\"%s\",\"since\":\"%s\",\"reason\":\"stolen\"",
           bez_ssh_key_fingerprint(key(whom)), text);
  return say(trust, by, at, "revoke", members, NULL, err);
}

static bez_trust *begin(void) {
  bez_error err = {0};
  bez_trust *trust = NULL;
  char members[512];
  next_index = 0;
  assert_ok(bez_trust_create(&trust, &err));
  snprintf(members, sizeof members, ",\"config\":\"\",\"key\":\"\",\"admin\":\"%s\"", bez_ssh_key_line(key(ROOT)));
  assert_ok(say(trust, ROOT, T0, "init", members, NULL, &err));
  assert_ok(say(trust, ROOT, T0, "source", ",\"id\":\"web\",\"fields\":{}", NULL, &err));
  assert_ok(
      say(trust, ROOT, T0, "source", ",\"id\":\"news\",\"fields\":{\"use\":{\"license\":[\"CC0\"]}}", NULL, &err));
  return trust;
}

static void may(const bez_trust *trust, size_t who, unsigned role, const char *source, const char *dataset, int64_t at,
                const char *why) {
  const bez_asked asked = {who < KEYS ? key(who) : NULL, role, source, dataset, at};
  bez_error err = {0};
  bez_status st = bez_trust_may(trust, &asked, &err);
  if (!why) {
    assert_ok(st);
    return;
  }
  assert_int_equal(st, BEZ_USAGE);
  assert_memory_equal(err.message, "refused: ", 9);
  if (!strstr(err.message, why)) fail_msg("\"%s\" does not say \"%s\"", err.message, why);
}

static void test_every_refusal(void **state) {
  (void)state;
  bez_error err = {0};
  bez_trust *trust = begin();
  assert_ok(grant(trust, ROOT, ALICE, T0, "\"contribute\"",
                  "\"sources\":[\"web\"],\"paths\":[\"news/*.csv\"],\"not_before\":\"2026-07-02T00:00:00Z\","
                  "\"not_after\":\"2026-07-09T00:00:00Z\"",
                  &err));
  const int64_t fine = T0 + 2 * DAY;
  may(trust, ALICE, BEZ_MAY_CONTRIBUTE, "web", "news/a.csv", fine, NULL);
  may(trust, ALICE, BEZ_MAY_CONTRIBUTE, "web", "news/deep/a.csv", fine, NULL);
  may(trust, KEYS, BEZ_MAY_CONTRIBUTE, "web", "news/a.csv", fine, "unsigned");
  may(trust, MALLORY, BEZ_MAY_CONTRIBUTE, "web", "news/a.csv", fine, "unknown key");
  may(trust, ALICE, BEZ_MAY_CONTRIBUTE, "web", "news/a.csv", T0, "not yet valid");
  may(trust, ALICE, BEZ_MAY_CONTRIBUTE, "web", "news/a.csv", T0 + 9 * DAY, "expired");
  may(trust, ALICE, BEZ_MAY_COMMIT, NULL, NULL, fine, "wrong role: this needs commit, and the key has contribute");
  may(trust, ALICE, BEZ_MAY_CONTRIBUTE, "news", "news/a.csv", fine, "wrong source");
  may(trust, ALICE, BEZ_MAY_CONTRIBUTE, "lost", "news/a.csv", fine, "unknown source");
  may(trust, ALICE, BEZ_MAY_CONTRIBUTE, "web", "train.csv", fine, "wrong path");
  may(trust, ROOT, BEZ_MAY_CONTRIBUTE, "lost", "train.csv", fine, "unknown source");
  may(trust, ROOT, BEZ_MAY_CONTRIBUTE, "web", "train.csv", fine, NULL);
  assert_ok(disown(trust, ROOT, ALICE, T0 + 3 * DAY, T0 + 2 * DAY, &err));
  may(trust, ALICE, BEZ_MAY_CONTRIBUTE, "web", "news/a.csv", T0 + 4 * DAY,
      "revoked since 2026-07-03T00:00:00Z: stolen");
  assert_true(bez_trust_disowned(trust, bez_ssh_key_fingerprint(key(ALICE)), T0 + 2 * DAY));
  assert_false(bez_trust_disowned(trust, bez_ssh_key_fingerprint(key(ALICE)), T0 + 2 * DAY - 1));
  assert_string_equal(bez_trust_principal(trust, key(ALICE)), "alice");
  assert_string_equal(bez_trust_principal(trust, key(MALLORY)), bez_ssh_key_fingerprint(key(MALLORY)));
  bez_trust_free(trust);
}

static void refused(bez_status st, const bez_error *err, const char *why) {
  assert_int_equal(st, BEZ_FORMAT);
  if (!strstr(err->message, why)) fail_msg("\"%s\" does not say \"%s\"", err->message, why);
}

static void test_only_admins_say(void **state) {
  (void)state;
  bez_error err = {0};
  bez_trust *trust = begin();
  assert_ok(grant(trust, ROOT, ALICE, T0, "\"contribute\",\"commit\"", ALL, &err));
  refused(grant(trust, ALICE, BOB, T0, "\"admin\"", ALL, &err), &err, "wrong role");
  refused(grant(trust, ALICE, ALICE, T0, "\"admin\"", ALL, &err), &err, "no key may state its own roles");
  refused(grant(trust, ROOT, ROOT, T0, "\"admin\"", ALL, &err), &err, "no key may state its own roles");
  refused(grant(trust, MALLORY, MALLORY, T0, "\"admin\"", ALL, &err), &err, "no key may state its own roles");
  refused(grant(trust, KEYS, MALLORY, T0, "\"admin\"", ALL, &err), &err, "unsigned");
  refused(say(trust, ALICE, T0, "source", ",\"id\":\"mine\",\"fields\":{}", NULL, &err), &err, "wrong role");
  refused(disown(trust, ALICE, BOB, T0, T0, &err), &err, "wrong role");
  refused(disown(trust, ROOT, ROOT, T0, T0, &err), &err, "last admin");
  may(trust, BOB, BEZ_MAY_CONTRIBUTE, "web", "a", T0, "unknown key");
  assert_null(bez_trust_source(trust, "mine"));
  /* The last word on a key replaces what was said before. */
  assert_ok(grant(trust, ROOT, ALICE, T0, "\"read\"", ALL, &err));
  may(trust, ALICE, BEZ_MAY_CONTRIBUTE, "web", "a", T0, "wrong role");
  /* Who lost a key revokes it with the key itself; it never comes back. */
  assert_ok(disown(trust, ALICE, ALICE, T0 + 1, T0, &err));
  refused(grant(trust, ROOT, ALICE, T0 + 2, "\"read\"", ALL, &err), &err, "never trusted again");
  bez_trust_free(trust);
}

/* What a found-out admin arranged since then does not stand, nor what those did whom they let in. */
static void test_found_out_admin(void **state) {
  (void)state;
  bez_error err = {0};
  bez_trust *trust = begin();
  assert_ok(grant(trust, ROOT, ALICE, T0, "\"admin\"", ALL, &err));
  assert_ok(grant(trust, ALICE, CAROL, T0 + DAY, "\"contribute\"", ALL, &err));
  assert_ok(grant(trust, ALICE, MALLORY, T0 + 5 * DAY, "\"admin\"", ALL, &err));
  assert_ok(grant(trust, MALLORY, BOB, T0 + 6 * DAY, "\"contribute\"", ALL, &err));
  may(trust, BOB, BEZ_MAY_CONTRIBUTE, "web", "a", T0 + 7 * DAY, NULL);
  assert_ok(disown(trust, ROOT, ALICE, T0 + 8 * DAY, T0 + 4 * DAY, &err));
  may(trust, CAROL, BEZ_MAY_CONTRIBUTE, "web", "a", T0 + 9 * DAY, NULL);
  may(trust, MALLORY, BEZ_MAY_CONTRIBUTE, "web", "a", T0 + 9 * DAY, "made trusted by one that has been revoked");
  may(trust, BOB, BEZ_MAY_CONTRIBUTE, "web", "a", T0 + 9 * DAY, "made trusted by one that has been revoked");
  bez_trust_free(trust);
}

/* What a found-out admin called a person's second key makes no second person of it. */
static void test_names_fall_with_their_admin(void **state) {
  (void)state;
  bez_error err = {0};
  bez_trust *trust = begin();
  char members[2048];
  assert_ok(grant(trust, ROOT, ALICE, T0, "\"admin\"", ALL, &err));
  assert_ok(grant(trust, ROOT, BOB, T0, "\"commit\"", ALL, &err));
  for (size_t i = 0; i < 2; i++) {
    snprintf(members, sizeof members, ",\"principal\":\"%s\",\"key\":\"%s\",\"roles\":[\"commit\"]," ALL,
             i ? "eve" : "bob", bez_ssh_key_line(key(CAROL)));
    assert_ok(say(trust, i ? ALICE : ROOT, T0 + (int64_t)i * 5 * DAY, "trust", members, NULL, &err));
  }
  assert_string_equal(bez_trust_principal(trust, key(CAROL)), "eve");
  assert_ok(disown(trust, ROOT, ALICE, T0 + 8 * DAY, T0 + 4 * DAY, &err));
  may(trust, CAROL, BEZ_MAY_COMMIT, NULL, "a", T0 + 9 * DAY, NULL);
  assert_string_equal(bez_trust_principal(trust, key(CAROL)), bez_trust_principal(trust, key(BOB)));
  bez_trust_free(trust);
}

/* Nobody escapes an expiry by dating an entry back before what the log has already seen. */
static void test_clock_goes_on(void **state) {
  (void)state;
  bez_error err = {0};
  bez_trust *trust = begin();
  assert_ok(grant(trust, ROOT, ALICE, T0, "\"contribute\"",
                  "\"sources\":[\"*\"],\"paths\":[\"*\"],\"not_after\":\"2026-07-09T00:00:00Z\"", &err));
  may(trust, ALICE, BEZ_MAY_CONTRIBUTE, "web", "a", T0 + DAY, NULL);
  assert_ok(grant(trust, ROOT, BOB, T0 + 20 * DAY, "\"contribute\"", ALL, &err));
  may(trust, ALICE, BEZ_MAY_CONTRIBUTE, "web", "a", T0 + DAY, "expired");
  bez_trust_free(trust);
}

/* A date that nobody has seen yet would end every key that ends: neither a stranger nor a key's own farewell states it,
 * and an admin's is not believed. */
static void test_nobody_stops_the_clock(void **state) {
  (void)state;
  bez_error err = {0};
  int64_t last = 0;
  bez_trust *trust = begin();
  assert_true(bez_time_parse("9999-01-01T00:00:00Z", &last));
  assert_ok(grant(trust, ROOT, ALICE, T0, "\"contribute\"",
                  "\"sources\":[\"*\"],\"paths\":[\"*\"],\"not_after\":\"2026-07-09T00:00:00Z\"", &err));
  assert_ok(grant(trust, ROOT, BOB, T0, "\"read\"", ALL, &err));
  refused(disown(trust, MALLORY, MALLORY, last, T0, &err), &err, "unknown key");
  assert_ok(disown(trust, BOB, BOB, last, T0, &err));
  assert_ok(grant(trust, ROOT, CAROL, last, "\"read\"", ALL, &err));
  assert_int_equal(bez_trust_clock(trust), T0);
  may(trust, ALICE, BEZ_MAY_CONTRIBUTE, "web", "a", T0 + DAY, NULL);
  may(trust, BOB, BEZ_MAY_READ, NULL, NULL, T0 + DAY, "revoked");
  bez_trust_free(trust);
}

static bez_status set_policy(bez_trust *trust, size_t by, const char *yaml, bez_error *err) {
  char hex[65], members[128];
  uint8_t digest[BEZ_DIGEST_MOST];
  bez_error other = {0};
  assert_int_equal(bez_digest_bytes(BEZ_DIGEST_SHA256, yaml, strlen(yaml), digest, &other), BEZ_OK);
  bez_hex(digest, 32, hex);
  snprintf(members, sizeof members, ",\"policy\":\"%s\"", hex);
  return say(trust, by, T0, "policy", members, yaml, err);
}

static void test_policy(void **state) {
  (void)state;
  bez_error err = {0};
  bez_trust *trust = begin();
  assert_int_equal(bez_trust_policy(trust)->signatures, 1);
  assert_true(bez_trust_policy(trust)->require_source);
  assert_ok(set_policy(trust, ROOT,
                       "signatures: 2\nrequire_reader: true\nrequire_scan: true\nscan_fail_on: warning\n"
                       "scan_rules: [BZ-D001, BZ-D003]\ndelay: 12h\n",
                       &err));
  const bez_policy *p = bez_trust_policy(trust);
  assert_int_equal(p->signatures, 2);
  assert_true(p->require_reader && p->require_scan && p->require_source);
  assert_string_equal(p->scan_fail_on, "warning");
  assert_int_equal(p->n_scan_rules, 2);
  assert_string_equal(p->scan_rules[1], "BZ-D003");
  assert_true(p->delay_seconds == 43200);
  refused(set_policy(trust, MALLORY, "signatures: 1\n", &err), &err, "unknown key");
  static const struct {
    const char *yaml, *why;
    int line;
  } bad[] = {{"signatures: 2\nsignature: 1\n", "unknown key signature", 2},
             {"signatures: 0\n", "a number from 1 to 16", 1},
             {"signatures: 1x\n", "a number from 1 to 16", 1},
             {"\n\nrequire_scan: yes\n", "true or false", 3},
             {"require_source: false\n", "every submission names a source", 1},
             {"scan_fail_on: never\n", "error, warning or note", 1},
             {"scan_rules: BZ-D001\n", "a list of rule ids", 1},
             {"scan_rules:\n  - BZ-D001\n  - rm\n", "a list of rule ids", 3},
             {"delay: 1w\n", "a time such as", 1},
             {"[1]\n", "no list of settings", 1}};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    refused(set_policy(trust, ROOT, bad[i].yaml, &err), &err, bad[i].why);
    assert_int_equal(err.line, bad[i].line);
  }
  assert_int_equal(bez_trust_policy(trust)->signatures, 2); /* what was refused changes nothing */
  refused(say(trust, ROOT, T0, "policy",
              ",\"policy\":\"0000000000000000000000000000000000000000000000000000000000000000\"", "signatures: 1\n",
              &err),
          &err, "is not the object");
  bez_trust_free(trust);
}

static void test_sources(void **state) {
  (void)state;
  bez_error err = {0};
  bez_trust *trust = begin();
  assert_non_null(json_object_get(bez_trust_source(trust, "news"), "use"));
  assert_ok(say(trust, ROOT, T0, "source",
                ",\"id\":\"news\",\"fields\":{\"source\":{\"title\":\"News\",\"issuer\":[{\"name\":\"ACME\"}]}}", NULL,
                &err));
  assert_null(json_object_get(bez_trust_source(trust, "news"), "use"));
  refused(say(trust, ROOT, T0, "source", ",\"id\":\"x\",\"fields\":{\"source\":{\"publisher\":\"y\"}}", NULL, &err),
          &err, "source.publisher is no field");
  refused(say(trust, ROOT, T0, "source", ",\"id\":\"x\",\"fields\":{\"source\":{\"issuer\":\"y\"}}", NULL, &err), &err,
          "source.issuer must be a list");
  refused(say(trust, ROOT, T0, "source", ",\"id\":\"x y\",\"fields\":{}", NULL, &err), &err, "id is missing");
  bez_trust_free(trust);
}

static void test_malformed_entries(void **state) {
  (void)state;
  bez_error err = {0};
  bez_trust *trust = begin();
  refused(grant(trust, ROOT, BOB, T0, "\"king\"", ALL, &err), &err, "list of roles");
  refused(grant(trust, ROOT, BOB, T0, "", ALL, &err), &err, "list of roles");
  refused(grant(trust, ROOT, BOB, T0, "\"read\"", "\"sources\":\"*\",\"paths\":[]", &err), &err, "list of sources");
  refused(grant(trust, ROOT, BOB, T0, "\"read\"", "\"sources\":[],\"paths\":[\"\"]", &err), &err, "list of paths");
  refused(grant(trust, ROOT, BOB, T0, "\"read\"", ALL ",\"not_after\":\"soon\"", &err), &err, "validity");
  refused(say(trust, ROOT, T0, "trust", ",\"principal\":\"a b\"", NULL, &err), &err, "principal");
  refused(say(trust, ROOT, T0, "revoke", ",\"key\":\"alice\"", NULL, &err), &err, "key");
  refused(say(trust, ROOT, T0, "init", "", NULL, &err), &err, "begins once");
  assert_ok(say(trust, KEYS, T0, "access", "", NULL, &err)); /* not about trust */
  bez_trust_free(trust);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_every_refusal),    cmocka_unit_test(test_only_admins_say),
      cmocka_unit_test(test_found_out_admin),  cmocka_unit_test(test_names_fall_with_their_admin),
      cmocka_unit_test(test_clock_goes_on),    cmocka_unit_test(test_nobody_stops_the_clock),
      cmocka_unit_test(test_policy),           cmocka_unit_test(test_sources),
      cmocka_unit_test(test_malformed_entries)};
  return cmocka_run_group_tests(tests, make_keys, drop_keys);
}
