/* Entries that somebody wrote into the log past every check of the commands: they stand there and have no effect. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "bezoar/trust.h"
#include "content/provenance_runs.h"
#include "content/sweep.h"
#include "content/tree_node.h"
#include "crypto/sha256.h"
#include "vault/index.h"
#include "vault/provenance_check.h"
#include "vault/work.h"

typedef struct place {
  char root[64], data[128];
  bez_vault *vault;
  bez_signer *admin, *alice, *mallory;
} place;

static void ok(bez_status st, const bez_error *err) {
  if (st != BEZ_OK) print_message("%s: %s\n", err->subject, err->message);
  assert_int_equal(st, BEZ_OK);
}

static bez_signer *make_key(const char *name) {
  bez_error err = {0};
  bez_ssh_key *key = NULL;
  bez_signer *signer = NULL;
  ok(bez_signer_make(name, NULL, false, NULL, &key, &err), &err);
  bez_ssh_key_free(key);
  ok(bez_signer_open(name, NULL, &signer, &err), &err);
  return signer;
}

static void trust(place *p, const char *name, const char *role) {
  bez_error err = {0};
  char *json = NULL;
  const bez_trust_options o = {.principal = name, .key = name, .roles = &role, .n_roles = 1};
  ok(bez_vault_trust_add(p->vault, &o, &json, &err), &err);
  bez_text_free(json);
}

static int set_up(void **state) {
  static const char *const uri = "https://example.org";
  bez_error err = {0};
  char *json = NULL;
  place *p = calloc(1, sizeof *p);
  if (!p) return 1;
  snprintf(p->root, sizeof p->root, "/tmp/bezoar-judge-XXXXXX");
  assert_non_null(mkdtemp(p->root));
  snprintf(p->data, sizeof p->data, "%s/t.csv", p->root);
  setenv("BEZOAR_HOME", p->root, 1);
  setenv("BEZOAR_KNOWN_LOGS", "none", 1);
  unsetenv("BEZOAR_KEY");
  ok(bez_vault_init(p->root, NULL, &json, &err), &err);
  bez_text_free(json);
  ok(bez_vault_open(p->root, &p->vault, &err), &err);
  const bez_source_options source = {.id = "web", .uri = uri};
  ok(bez_vault_source_add(p->vault, &source, &json, &err), &err);
  bez_text_free(json);
  ok(bez_signer_open("default", NULL, &p->admin, &err), &err);
  p->alice = make_key("alice");
  p->mallory = make_key("mallory");
  trust(p, "alice", "contribute");
  *state = p;
  return 0;
}

static int tear_down(void **state) {
  place *p = *state;
  bez_signer_close(p->admin);
  bez_signer_close(p->alice);
  bez_signer_close(p->mallory);
  bez_vault_close(p->vault);
  bez_remove_folder(p->root);
  free(p);
  return 0;
}

static bez_bytes_view view(const bez_buf *entry) {
  return (bez_bytes_view){entry->data, entry->len};
}

/* Stages a version and hands out its submission as it would go into the log. */
static void submit(place *p, const char *text, const char *key, bez_buf *entry, bez_id *id) {
  bez_error err = {0};
  bez_stage stage = {0};
  char *json = NULL;
  const bez_vault_add_options o = {.source = "web", .who = {.key = key}, .threads = 1};
  ok(bez_file_write(p->data, text, strlen(text), &err), &err);
  ok(bez_vault_add(p->vault, p->data, &o, &json, &err), &err);
  bez_text_free(json);
  ok(bez_stage_read(p->vault, &stage, &err), &err);
  assert_int_equal(stage.n, 1);
  bez_buf_write(entry, stage.items[0].entry.data, stage.items[0].entry.len);
  *id = stage.items[0].submission.id;
  bez_stage_free(&stage);
}

static void sign_commit(place *p, const bez_id *submission, const char *dataset, uint64_t version,
                        const bez_signer *signer, bez_buf *entry) {
  bez_error err = {0};
  const bez_commit_item item = {dataset, version, *submission};
  ok(bez_commit_sign(p->vault, "forged", &item, 1, NULL, NULL, signer, entry, &err), &err);
}

static uint64_t versions(place *p) {
  bez_error err = {0};
  bez_snapshot last = {0};
  bool found = false;
  ok(bez_snapshot_last(p->vault, "t.csv", &last, &found, &err), &err);
  const uint64_t n = last.version;
  bez_snapshot_free(&last);
  return n;
}

/* Why the last entry has no effect; "" where it has. */
static void last_effect(place *p, char out[256]) {
  bez_error err = {0};
  bez_query query = {0};
  bool more = false;
  ok(bez_query_begin(p->vault->index, &query, &err, "SELECT void FROM entries ORDER BY i DESC LIMIT 1", ""), &err);
  ok(bez_query_next(&query, &more, &err), &err);
  assert_true(more);
  snprintf(out, 256, "%s", bez_query_text(&query, 0));
  bez_query_end(&query);
}

/* Appends, and expects that nothing came of it, also for whoever opens the vault anew with or without the index. */
static void forge(place *p, const bez_bytes_view *entries, size_t n, uint64_t want, const char *why) {
  bez_error err = {0};
  char said[256], *json = NULL;
  ok(bez_vault_append(p->vault, entries, n, &err), &err);
  for (int round = 0; round < 3; round++) {
    if (round == 1) ok(bez_vault_reindex(p->vault, NULL, NULL, &json, &err), &err);
    if (round == 2) {
      bez_vault_close(p->vault);
      ok(bez_vault_open(p->root, &p->vault, &err), &err);
    }
    last_effect(p, said);
    if (!strstr(said, why)) print_message("said: %s\n", said);
    assert_non_null(strstr(said, why));
    assert_int_equal(versions(p), want);
  }
  bez_text_free(json);
}

static void test_commits_that_may_not(void **state) {
  place *p = *state;
  bez_buf submission = {0}, commit = {0};
  bez_id id;
  submit(p, "a,b\n1,2\n", "alice", &submission, &id);
  const struct {
    const bez_signer *signer;
    const char *dataset;
    uint64_t version;
    const char *why;
  } cases[] = {{p->mallory, "t.csv", 1, "nobody trusts"},
               {p->alice, "t.csv", 1, "role"},
               {p->admin, "t.csv", 2, "not the next"},
               {p->admin, "u.csv", 1, "another data set"}};
  bool there = false;
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    bez_buf_clear(&commit);
    sign_commit(p, &id, cases[i].dataset, cases[i].version, cases[i].signer, &commit);
    const bez_bytes_view both[] = {view(&submission), view(&commit)};
    char said[256];
    bez_error err = {0};
    ok(bez_vault_append(p->vault, there ? both + 1 : both, there ? 1 : 2, &err), &err);
    there = true;
    last_effect(p, said);
    assert_true(said[0]);
    if (i > 1 && !strstr(said, cases[i].why)) print_message("said: %s\n", said);
    if (i > 1) assert_non_null(strstr(said, cases[i].why));
    assert_int_equal(versions(p), 0);
  }
  /* the submission is good, and so is a commit by somebody who may */
  bez_buf_clear(&commit);
  sign_commit(p, &id, "t.csv", 1, p->admin, &commit);
  const bez_bytes_view good = view(&commit);
  bez_error err = {0};
  ok(bez_vault_append(p->vault, &good, 1, &err), &err);
  assert_int_equal(versions(p), 1);
  /* twice is once, whether as the same entry or as another one */
  forge(p, &good, 1, 1, "second time");
  bez_buf_clear(&commit);
  sign_commit(p, &id, "t.csv", 2, p->admin, &commit);
  const bez_bytes_view again = view(&commit);
  forge(p, &again, 1, 1, "committed before");
  bez_buf_free(&submission);
  bez_buf_free(&commit);
}

static void test_submissions_that_may_not(void **state) {
  place *p = *state;
  bez_buf submission = {0}, forged = {0}, commit = {0};
  bez_entry entry = {0};
  bez_error err = {0};
  bez_id id;
  submit(p, "a,b\n1,2\n", "alice", &submission, &id);
  /* alice's line, signed by mallory */
  const char *end = memchr(submission.data, '\n', submission.len);
  const bez_signer *mallory = p->mallory;
  ok(bez_entry_sign(submission.data, (size_t)(end - submission.data), &mallory, 1, &forged, &err), &err);
  ok(bez_entry_peek(forged.data, forged.len, "forged", &entry, &err), &err);
  sign_commit(p, &entry.id, "t.csv", 1, p->admin, &commit);
  const bez_bytes_view both[] = {view(&forged), view(&commit)};
  forge(p, both, 2, 0, "");
  char said[256];
  last_effect(p, said);
  assert_true(said[0]);
  bez_entry_free(&entry);
  /* a commit of what was never submitted */
  memset(id.bytes, 7, sizeof id.bytes);
  bez_buf_clear(&commit);
  sign_commit(p, &id, "t.csv", 1, p->admin, &commit);
  const bez_bytes_view alone = view(&commit);
  forge(p, &alone, 1, 0, "not in the log");
  bez_buf_free(&submission);
  bez_buf_free(&forged);
  bez_buf_free(&commit);
}

/* The policy demands a scan: a word in the place of its report's digest is none. */
static void test_a_report_that_is_none(void **state) {
  place *p = *state;
  bez_error err = {0};
  bez_buf submission = {0}, line = {0}, forged = {0}, commit = {0};
  bez_entry entry = {0};
  const bez_signer *alice = p->alice;
  char policy[96], *json = NULL;
  bez_id id;
  submit(p, "a,b\n1,2\n", "alice", &submission, &id);
  snprintf(policy, sizeof policy, "%s/policy.yaml", p->root);
  ok(bez_file_write(policy, "require_scan: true\n", 19, &err), &err);
  ok(bez_vault_policy_set(p->vault, policy, NULL, &json, &err), &err);
  bez_text_free(json);
  const char *end = memchr(submission.data, '\n', submission.len);
  assert_non_null(end);
  bez_buf_write(&line, submission.data, (size_t)(end - submission.data) - 1);
  bez_buf_puts(&line, ",\"report\":\"x\"}");
  ok(bez_entry_sign(line.data, line.len, &alice, 1, &forged, &err), &err);
  ok(bez_entry_peek(forged.data, forged.len, "forged", &entry, &err), &err);
  sign_commit(p, &entry.id, "t.csv", 1, p->admin, &commit);
  const bez_bytes_view both[] = {view(&forged), view(&commit)};
  forge(p, both, 2, 0, "without the scan");
  bez_entry_free(&entry);
  bez_buf_free(&submission);
  bez_buf_free(&line);
  bez_buf_free(&forged);
  bez_buf_free(&commit);
}

/* With a key of nobody in front, it would be that one's rows, and the right another's. */
static void test_two_signatures_are_not_one(void **state) {
  place *p = *state;
  bez_buf submission = {0}, forged = {0}, commit = {0};
  bez_error err = {0};
  bez_id id;
  submit(p, "a,b\n1,2\n", "alice", &submission, &id);
  const char *end = memchr(submission.data, '\n', submission.len);
  const bez_signer *const both[] = {p->mallory, p->alice};
  ok(bez_entry_sign(submission.data, (size_t)(end - submission.data), both, 2, &forged, &err), &err);
  sign_commit(p, &id, "t.csv", 1, p->admin, &commit);
  const bez_bytes_view first[] = {view(&forged)}, second[] = {view(&commit)};
  forge(p, first, 1, 0, "has one signature");
  forge(p, second, 1, 0, "not in the log");
  /* nor a submission by nobody */
  bez_buf_clear(&forged);
  bez_buf_write(&forged, submission.data, (size_t)(end + 1 - submission.data));
  const bez_bytes_view unsigned_one = view(&forged);
  forge(p, &unsigned_one, 1, 0, "has one signature");
  bez_buf_free(&submission);
  bez_buf_free(&forged);
  bez_buf_free(&commit);
}

/* A commit is said to be by all who signed it. */
static void test_a_stranger_among_signers(void **state) {
  place *p = *state;
  bez_buf submission = {0}, commit = {0};
  bez_error err = {0};
  bez_id id;
  submit(p, "a,b\n1,2\n", "alice", &submission, &id);
  sign_commit(p, &id, "t.csv", 1, p->mallory, &commit);
  ok(bez_entry_cosign(&commit, p->admin, &err), &err);
  const bez_bytes_view both[] = {view(&submission), view(&commit)};
  forge(p, both, 2, 0, "nobody trusts");
  bez_buf_free(&submission);
  bez_buf_free(&commit);
}

/* Rows are known as alice's by her batch: nobody else's submission may have it. */
static void test_a_batch_of_another(void **state) {
  place *p = *state;
  bez_error err = {0};
  bez_buf first = {0}, second = {0}, forged = {0}, commit = {0};
  bez_entry entry = {0};
  bez_id id;
  submit(p, "a,b\n1,2\n", "alice", &first, &id);
  sign_commit(p, &id, "t.csv", 1, p->admin, &commit);
  const bez_bytes_view good[] = {view(&first), view(&commit)};
  ok(bez_entry_parse(first.data, first.len, "first", &entry, &err), &err);
  const char *batch = bez_entry_text(&entry, "batch");
  ok(bez_vault_append(p->vault, good, 2, &err), &err);
  submit(p, "a,b\n1,2\n3,poison\n", "default", &second, &id);
  char *at = strstr(second.data, "\"batch\":\"");
  assert_non_null(at);
  memcpy(at + strlen("\"batch\":\""), batch, 32);
  const bez_signer *admin = p->admin;
  const char *end = memchr(second.data, '\n', second.len);
  ok(bez_entry_sign(second.data, (size_t)(end - second.data), &admin, 1, &forged, &err), &err);
  bez_entry_free(&entry);
  ok(bez_entry_parse(forged.data, forged.len, "forged", &entry, &err), &err);
  bez_buf_clear(&commit);
  sign_commit(p, &entry.id, "t.csv", 2, p->admin, &commit);
  const bez_bytes_view bad[] = {view(&forged), view(&commit)};
  ok(bez_stage_drop(p->vault, "t.csv", &err), &err);
  forge(p, bad, 2, 1, "batch another has");
  /* nor two of one commit */
  const char *const names[] = {"u.csv", "v.csv"};
  bez_commit_item items[2];
  bez_buf entries[2] = {{0}};
  for (size_t i = 0; i < 2; i++) {
    const bez_snapshot none = {0};
    const bez_tree empty = {0};
    const bez_submission s = {.dataset = names[i],
                              .source = "web",
                              .form = "csv",
                              .batch = {{9}},
                              .parent = &none,
                              .rows = &empty,
                              .sorted = &empty,
                              .provenance = &empty};
    ok(bez_submission_sign(p->vault, &s, p->admin, &entries[i], &err), &err);
    bez_entry_free(&entry);
    ok(bez_entry_parse(entries[i].data, entries[i].len, names[i], &entry, &err), &err);
    items[i] = (bez_commit_item){names[i], 1, entry.id};
  }
  bez_buf_clear(&commit);
  ok(bez_commit_sign(p->vault, "twins", items, 2, NULL, NULL, p->admin, &commit, &err), &err);
  const bez_bytes_view twins[] = {view(&entries[0]), view(&entries[1]), view(&commit)};
  forge(p, twins, 3, 1, "two submissions with one batch");
  bez_entry_free(&entry);
  for (size_t i = 0; i < 2; i++) bez_buf_free(&entries[i]);
  bez_buf_free(&first);
  bez_buf_free(&second);
  bez_buf_free(&forged);
  bez_buf_free(&commit);
}

/* "news/../../x" would pass as something below news. */
static void test_names_that_lead_elsewhere(void **state) {
  static const char *const names[] = {"news/../../x.csv", "/etc/x.csv", "../x", "", ".bezoar/log/head", "a@2", "a//b"};
  place *p = *state;
  bez_error err = {0};
  const bez_snapshot none = {0};
  const bez_tree empty = {0};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    bez_buf entry = {0}, commit = {0};
    bez_entry parsed = {0};
    const bez_submission s = {.dataset = names[i],
                              .source = "web",
                              .form = "csv",
                              .batch = {{(uint8_t)i}},
                              .parent = &none,
                              .rows = &empty,
                              .sorted = &empty,
                              .provenance = &empty};
    ok(bez_submission_sign(p->vault, &s, p->admin, &entry, &err), &err);
    ok(bez_entry_parse(entry.data, entry.len, "entry", &parsed, &err), &err);
    sign_commit(p, &parsed.id, names[i], 1, p->admin, &commit);
    const bez_bytes_view first = view(&entry), second = view(&commit);
    forge(p, &first, 1, 0, "no name for a data set");
    forge(p, &second, 1, 0, "not in the log");
    bez_entry_free(&parsed);
    bez_buf_free(&entry);
    bez_buf_free(&commit);
  }
}

static void test_bytes_that_are_no_entries(void **state) {
  place *p = *state;
  bez_error err = {0};
  bez_buf line = {0}, entry = {0};
  bez_json j = bez_json_make(&line, false);
  const bez_signer *admin = p->admin;
  static const char *const odd[] = {"", "{}\n", "not json", "{\"type\":\"commit\"}\n", "\n\n\n"};
  for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) {
    const bez_bytes_view bytes = {odd[i], strlen(odd[i])};
    forge(p, &bytes, 1, 0, "");
  }
  /* trust in mallory, said by the admin in another vault */
  ok(bez_entry_begin(&j, "trust", "bezoar-vault/0123456789abcdef", 0, &err), &err);
  bez_json_kstr(&j, "principal", "mallory");
  bez_json_kstr(&j, "key", bez_ssh_key_line(bez_signer_public(p->mallory)));
  bez_json_close(&j, '}');
  ok(bez_entry_sign(line.data, line.len, &admin, 1, &entry, &err), &err);
  const bez_bytes_view foreign = view(&entry);
  forge(p, &foreign, 1, 0, "another vault");
  bez_buf_free(&line);
  bez_buf_free(&entry);
}

/* An old entry of trust, played again behind the revocation, must not bring the key back. */
static void test_trust_is_not_played_twice(void **state) {
  place *p = *state;
  bez_error err = {0};
  bez_query query = {0};
  bez_buf old = {0};
  char *json = NULL;
  bool more = false;
  ok(bez_query_begin(p->vault->index, &query, &err, "SELECT max(i) FROM entries WHERE type='trust'", ""), &err);
  ok(bez_query_next(&query, &more, &err), &err);
  ok(bez_log_read(p->vault->log, (uint64_t)bez_query_int(&query, 0), &old, &err), &err);
  bez_query_end(&query);
  ok(bez_vault_trust_revoke(p->vault, "alice", "2020-01-01", "found out", NULL, &json, &err), &err);
  bez_text_free(json);
  const bez_bytes_view again = view(&old);
  forge(p, &again, 1, 0, "second time");
  const bez_asked asked = {.key = bez_signer_public(p->alice), .role = BEZ_MAY_CONTRIBUTE, .at = bez_vault_now()};
  assert_int_equal(bez_trust_may(p->vault->trust, &asked, &err), BEZ_USAGE);
  bez_buf_free(&old);
}

/* A rollback brings in nothing new: with other trees than the version's it is none. */
static void write_rollback(bez_json *j, const void *ctx) {
  (void)ctx;
  bez_json_key(j, "rollback");
  bez_json_open(j, '{');
  bez_json_kstr(j, "dataset", "t.csv");
  bez_json_kuint(j, "version", 1);
  bez_json_close(j, '}');
}

static void test_a_rollback_to_what_never_was(void **state) {
  place *p = *state;
  bez_error err = {0};
  bez_buf first = {0}, second = {0}, commit = {0};
  bez_id id;
  submit(p, "a,b\n1,2\n", "alice", &first, &id);
  sign_commit(p, &id, "t.csv", 1, p->admin, &commit);
  const bez_bytes_view good[] = {view(&first), view(&commit)};
  ok(bez_vault_append(p->vault, good, 2, &err), &err);
  assert_int_equal(versions(p), 1);
  submit(p, "a,b\n1,2\n3,poison\n", "alice", &second, &id);
  bez_buf_clear(&commit);
  const bez_commit_item item = {"t.csv", 2, id};
  ok(bez_commit_sign(p->vault, "back", &item, 1, write_rollback, NULL, p->admin, &commit, &err), &err);
  const bez_bytes_view bad[] = {view(&second), view(&commit)};
  forge(p, bad, 2, 1, "no version was");
  bez_buf_free(&first);
  bez_buf_free(&second);
  bez_buf_free(&commit);
}

static void write_revert(bez_json *j, const void *ctx) {
  bez_json_key(j, "revert");
  bez_json_open(j, '{');
  bez_json_khex(j, "commit", ctx, BEZ_ID);
  bez_json_close(j, '}');
}

/* "revert" is a word in a commit: rows that it brings in are somebody's who may contribute, and verify --full sees that
 * they are from nowhere. */
static void test_a_revert_that_brings_rows(void **state) {
  place *p = *state;
  bez_error err = {0};
  bez_buf first = {0}, second = {0}, forged = {0}, commit = {0};
  bez_snapshot last = {0};
  bez_entry entry = {0};
  bez_id id;
  bool found = false, good = true;
  trust(p, "mallory", "commit");
  submit(p, "a,b\n1,2\n", "alice", &first, &id);
  sign_commit(p, &id, "t.csv", 1, p->admin, &commit);
  const bez_bytes_view fine[] = {view(&first), view(&commit)};
  ok(bez_vault_append(p->vault, fine, 2, &err), &err);
  ok(bez_snapshot_last(p->vault, "t.csv", &last, &found, &err), &err);
  submit(p, "a,b\n1,2\n3,poison\n", "default", &second, &id);
  ok(bez_stage_drop(p->vault, "t.csv", &err), &err);
  const char *end = memchr(second.data, '\n', second.len);
  const bez_signer *mallory = p->mallory;
  ok(bez_entry_sign(second.data, (size_t)(end - second.data), &mallory, 1, &forged, &err), &err);
  char *nonce = strstr(second.data, "\"nonce\":\""); /* the admin's own is another entry */
  assert_non_null(nonce);
  nonce[9] = nonce[9] == '0' ? '1' : '0';
  for (int i = 0; i < 2; i++) {
    const bez_signer *admin = p->admin;
    if (i) ok(bez_entry_sign(second.data, (size_t)(end - second.data), &admin, 1, &forged, &err), &err);
    ok(bez_entry_parse(forged.data, forged.len, "forged", &entry, &err), &err);
    const bez_commit_item item = {"t.csv", 2, entry.id};
    ok(bez_commit_sign(p->vault, "x", &item, 1, write_revert, last.commit.bytes, i ? p->admin : p->mallory, &commit,
                       &err),
       &err);
    const bez_bytes_view both[] = {view(&forged), view(&commit)};
    forge(p, both, 2, i ? 2 : 1, i ? "" : "wrong role: this needs contribute");
    bez_entry_free(&entry);
  }
  bez_snapshot_free(&last);
  ok(bez_snapshot_last(p->vault, "t.csv", &last, &found, &err), &err);
  ok(bez_provenance_verify(p->vault, &last, &good, &err), &err);
  assert_false(good);
  bez_snapshot_free(&last);
  bez_buf_free(&first);
  bez_buf_free(&second);
  bez_buf_free(&forged);
  bez_buf_free(&commit);
}

static bez_status commit_as(place *p, const char *key, const char *message, bool *pending) {
  bez_error err = {0};
  char *json = NULL;
  const bez_vault_commit_options o = {.message = message, .who = {.key = key}};
  bez_status st = bez_vault_commit(p->vault, &o, &json, &err);
  *pending = json && strstr(json, "\"pending\":true");
  bez_text_free(json);
  return st;
}

static void sign_submission(place *p, const bez_submission *said, const bez_signer *signer, bez_buf *entry,
                            bez_id *id) {
  bez_error err = {0};
  bez_entry parsed = {0};
  ok(bez_submission_sign(p->vault, said, signer, entry, &err), &err);
  ok(bez_entry_parse(entry->data, entry->len, "entry", &parsed, &err), &err);
  *id = parsed.id;
  bez_entry_free(&parsed);
}

/* Of trees that no store has, `commit` makes no version; where somebody wrote one into the log, there is a way back. */
static void test_a_version_that_cannot_be_opened(void **state) {
  place *p = *state;
  bez_error err = {0};
  bez_buf first = {0}, broken = {0}, commit = {0};
  bez_snapshot one = {0}, last = {0};
  const bez_tree nowhere = {.id = {{7}}, .kind = BEZ_TREE_ROWS};
  bez_stamp stamp = {0};
  char *json = NULL;
  bool found = false, pending = false;
  bez_id id;
  submit(p, "a,b\n1,2\n", "alice", &first, &id);
  ok(commit_as(p, "default", "one", &pending), &err);
  ok(bez_snapshot_last(p->vault, "t.csv", &one, &found, &err), &err);
  const bez_submission said = {.dataset = "t.csv",
                               .source = "web",
                               .form = "csv",
                               .batch = {{9}},
                               .parent = &one,
                               .rows = &nowhere,
                               .sorted = &one.sorted,
                               .provenance = &one.provenance,
                               .n_files = 1};
  sign_submission(p, &said, p->admin, &broken, &id);
  ok(bez_stage_put(p->vault, "t.csv", p->data, &stamp, &broken, &err), &err);
  assert_int_not_equal(commit_as(p, "default", "two", &pending), BEZ_OK);
  ok(bez_stage_drop(p->vault, "t.csv", &err), &err);
  sign_commit(p, &id, "t.csv", 2, p->admin, &commit);
  const bez_bytes_view both[] = {view(&broken), view(&commit)};
  ok(bez_vault_append(p->vault, both, 2, &err), &err);
  assert_int_equal(bez_snapshot_last(p->vault, "t.csv", &last, &found, &err), BEZ_FORMAT);
  bez_error_clear(&err);
  ok(bez_vault_status(p->vault, false, NULL, NULL, &json, &err), &err);
  assert_non_null(strstr(json, "\"state\":\"damaged\""));
  bez_text_free(json);
  const bez_vault_who who = {.key = "default"};
  ok(bez_vault_rollback(p->vault, "t.csv@1", NULL, &who, &json, &err), &err);
  bez_text_free(json);
  assert_int_equal(versions(p), 3);
  bez_snapshot_free(&one);
  bez_buf_free(&first);
  bez_buf_free(&broken);
  bez_buf_free(&commit);
}

/* What waits for a second signature lies in the stage, where anybody may have put it: only what says exactly what is
 * staged is signed. */
static void test_what_is_cosigned(void **state) {
  static const char policy[] = "signatures: 2\n";
  place *p = *state;
  bez_error err = {0};
  bez_buf submission = {0}, waiting = {0};
  char file[128], *json = NULL;
  bez_id id;
  bool pending = false;
  trust(p, "mallory", "commit");
  snprintf(file, sizeof file, "%s/policy.yaml", p->root);
  ok(bez_file_write(file, policy, strlen(policy), &err), &err);
  ok(bez_vault_policy_set(p->vault, file, NULL, &json, &err), &err);
  bez_text_free(json);
  submit(p, "a,b\n1,2\n", "alice", &submission, &id);
  for (int i = 0; i < 3; i++) {
    const bez_commit_item item = {i == 1 ? "u.csv" : "t.csv", i == 2 ? 2 : 1, id};
    ok(bez_commit_sign(p->vault, "x", &item, 1, i ? NULL : write_rollback, NULL, p->mallory, &waiting, &err), &err);
    ok(bez_stage_put_commit(p->vault, &waiting, &err), &err);
    assert_int_equal(commit_as(p, "default", NULL, &pending), BEZ_USAGE);
    ok(commit_as(p, "default", "x", &pending), &err); /* one of its own */
    assert_true(pending);
  }
  sign_commit(p, &id, "t.csv", 1, p->mallory, &waiting);
  ok(bez_stage_put_commit(p->vault, &waiting, &err), &err);
  assert_int_equal(commit_as(p, "default", "other words", &pending), BEZ_USAGE);
  ok(commit_as(p, "default", NULL, &pending), &err);
  assert_false(pending);
  assert_int_equal(versions(p), 1);
  bez_buf_free(&submission);
  bez_buf_free(&waiting);
}

/* Rows in another's name: the log cannot see it when the commit is made; verify --full makes the provenance again. */
static void test_rows_in_anothers_name(void **state) {
  place *p = *state;
  bez_error err = {0};
  bez_buf first = {0}, second = {0}, forged = {0}, commit = {0};
  bez_entry told = {0};
  bez_snapshot parent = {0};
  bez_run_writer writer = {0};
  bez_pack *pack = NULL;
  bez_tree rows, provenance, sorted = {0};
  bez_id id;
  bool found = false;
  submit(p, "a,b\n1,2\n", "alice", &first, &id);
  sign_commit(p, &id, "t.csv", 1, p->admin, &commit);
  const bez_bytes_view good[] = {view(&first), view(&commit)};
  ok(bez_vault_append(p->vault, good, 2, &err), &err);
  submit(p, "a,b\n1,2\n3,4\n", "default", &second, &id);
  ok(bez_entry_parse(second.data, second.len, "second", &told, &err), &err);
  ok(bez_snapshot_last(p->vault, "t.csv", &parent, &found, &err), &err);
  ok(bez_entry_hex(&told, "rows", id.bytes, BEZ_ID, &err), &err);
  ok(bez_tree_open(p->vault->objects, BEZ_TREE_ROWS, &id, &rows, &err), &err);
  ok(bez_entry_hex(&told, "sorted", sorted.id.bytes, BEZ_ID, &err), &err);
  ok(bez_pack_begin(p->vault->objects, &pack, &err), &err);
  ok(bez_run_writer_begin(&writer, pack, p->vault->key, &err), &err);
  ok(bez_run_writer_add(&writer, 2, parent.batch, &err), &err); /* both of alice's batch */
  ok(bez_run_writer_finish(&writer, &provenance, &err), &err);
  bez_run_writer_free(&writer);
  ok(bez_pack_finish(pack, NULL, &err), &err);
  bez_submission lie = {.dataset = "t.csv",
                        .source = "web",
                        .form = "csv",
                        .parent = &parent,
                        .rows = &rows,
                        .sorted = &sorted,
                        .provenance = &provenance,
                        .n_files = 1,
                        .bytes = rows.top.bytes};
  ok(bez_entry_hex(&told, "batch", lie.batch.bytes, sizeof lie.batch.bytes, &err), &err);
  ok(bez_submission_sign(p->vault, &lie, p->admin, &forged, &err), &err);
  bez_entry_free(&told);
  ok(bez_entry_parse(forged.data, forged.len, "forged", &told, &err), &err);
  bez_buf_clear(&commit);
  sign_commit(p, &told.id, "t.csv", 2, p->admin, &commit);
  const bez_bytes_view bad[] = {view(&forged), view(&commit)};
  ok(bez_stage_drop(p->vault, "t.csv", &err), &err);
  ok(bez_vault_append(p->vault, bad, 2, &err), &err);
  assert_int_equal(versions(p), 2);
  bool good_provenance = true;
  bez_snapshot_free(&parent);
  ok(bez_snapshot_last(p->vault, "t.csv", &parent, &found, &err), &err);
  ok(bez_provenance_verify(p->vault, &parent, &good_provenance, &err), &err);
  assert_false(good_provenance);
  bez_snapshot_free(&parent);
  ok(bez_snapshot_get(p->vault, "t.csv", 1, &parent, &err), &err);
  ok(bez_provenance_verify(p->vault, &parent, &good_provenance, &err), &err);
  assert_true(good_provenance);
  bez_snapshot_free(&parent);
  bez_entry_free(&told);
  bez_buf_free(&first);
  bez_buf_free(&second);
  bez_buf_free(&forged);
  bez_buf_free(&commit);
}

/* A tree of one leaf with bytes that no file holds. */
static void write_headless(place *p, bez_tree *out) {
  const bez_item item = {BEZ_ITEM_BYTES, "", "x\n", 0, 2};
  const uint8_t canonical[32] = {0};
  uint8_t raw[32];
  bez_error err = {0};
  bez_buf stored = {0};
  bez_leaf leaf = {0};
  bez_pack *pack = NULL;
  bez_tree_writer *writer = NULL;
  bez_sha256(item.body, item.body_len, raw);
  bez_item_write(&stored, &item);
  bez_leaf_item told = {.stored = stored.data, .len = stored.len, .bytes = item.body_len};
  bez_item_hash(&item, raw, canonical, told.hash);
  ok(bez_pack_begin(p->vault->objects, &pack, &err), &err);
  ok(bez_tree_begin(pack, BEZ_TREE_ROWS, p->vault->key, &writer, &err), &err);
  if (bez_leaf_add(&leaf, p->vault->key, &told)) ok(bez_leaf_flush(&leaf, pack, writer, &err), &err);
  ok(bez_leaf_flush(&leaf, pack, writer, &err), &err);
  ok(bez_tree_finish(writer, out, &err), &err);
  ok(bez_pack_finish(pack, NULL, &err), &err);
  bez_leaf_free(&leaf);
  bez_buf_free(&stored);
}

/* Signed and committed by those who may: only verify can say that nobody will ever get it out again. */
static void test_a_version_that_begins_with_no_file(void **state) {
  place *p = *state;
  bez_error err = {0};
  bez_buf forged = {0}, commit = {0};
  bez_entry told = {0};
  const bez_snapshot none = {0};
  bez_tree rows, sorted, provenance;
  char *json = NULL;
  write_headless(p, &rows);
  bez_tree_empty(BEZ_TREE_SORTED, &sorted);
  bez_tree_empty(BEZ_TREE_PROVENANCE, &provenance);
  bez_submission s = {.dataset = "t.csv",
                      .source = "web",
                      .form = "file",
                      .parent = &none,
                      .rows = &rows,
                      .sorted = &sorted,
                      .provenance = &provenance,
                      .n_files = 1,
                      .bytes = rows.top.bytes};
  ok(bez_batch_draw(&s.batch, &err), &err);
  ok(bez_submission_sign(p->vault, &s, p->admin, &forged, &err), &err);
  ok(bez_entry_parse(forged.data, forged.len, "forged", &told, &err), &err);
  sign_commit(p, &told.id, "t.csv", 1, p->admin, &commit);
  const bez_bytes_view both[] = {view(&forged), view(&commit)};
  ok(bez_vault_append(p->vault, both, 2, &err), &err);
  assert_int_equal(versions(p), 1);
  const bez_vault_verify_options o = {.full = true, .threads = 1};
  ok(bez_vault_verify(p->root, &o, &json, &err), &err);
  if (!strstr(json, "does not begin a file")) print_message("said: %s\n", json);
  assert_non_null(strstr(json, "does not begin a file"));
  bez_text_free(json);
  bez_entry_free(&told);
  bez_buf_free(&forged);
  bez_buf_free(&commit);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(test_commits_that_may_not, set_up, tear_down),
      cmocka_unit_test_setup_teardown(test_submissions_that_may_not, set_up, tear_down),
      cmocka_unit_test_setup_teardown(test_a_report_that_is_none, set_up, tear_down),
      cmocka_unit_test_setup_teardown(test_two_signatures_are_not_one, set_up, tear_down),
      cmocka_unit_test_setup_teardown(test_a_stranger_among_signers, set_up, tear_down),
      cmocka_unit_test_setup_teardown(test_a_batch_of_another, set_up, tear_down),
      cmocka_unit_test_setup_teardown(test_names_that_lead_elsewhere, set_up, tear_down),
      cmocka_unit_test_setup_teardown(test_bytes_that_are_no_entries, set_up, tear_down),
      cmocka_unit_test_setup_teardown(test_trust_is_not_played_twice, set_up, tear_down),
      cmocka_unit_test_setup_teardown(test_a_rollback_to_what_never_was, set_up, tear_down),
      cmocka_unit_test_setup_teardown(test_rows_in_anothers_name, set_up, tear_down),
      cmocka_unit_test_setup_teardown(test_a_version_that_begins_with_no_file, set_up, tear_down),
      cmocka_unit_test_setup_teardown(test_a_revert_that_brings_rows, set_up, tear_down),
      cmocka_unit_test_setup_teardown(test_a_version_that_cannot_be_opened, set_up, tear_down),
      cmocka_unit_test_setup_teardown(test_what_is_cosigned, set_up, tear_down)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
