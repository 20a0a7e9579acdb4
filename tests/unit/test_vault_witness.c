/* Witnesses: requests, cosignatures, and a witness that never signs two histories. */
#include "vault_log_help.h"

#include "ledger/witness.h"

typedef struct witness {
  bez_signer *signer;
  bez_vkey key;
  bez_cosigner cosigner;
  char folder[600];
} witness;

static void make_witness(witness *w, const char *name, const world *log) {
  bez_error err = {0};
  *w = (witness){.signer = make_signer(name)};
  snprintf(w->folder, sizeof w->folder, "%s/state-%s", folder, name);
  remove_tree(w->folder);
  assert_ok(bez_vkey_of(name, BEZ_NOTE_COSIGNATURE, w->signer, &w->key, &err));
  w->cosigner = (bez_cosigner){
      .folder = w->folder, .name = name, .signer = w->signer, .log_key = log->vkey.data, .now = 1700000000};
}

/* Asks, takes what comes, and tells how the witness answered. */
static bez_status ask(world *log, witness *w, uint64_t old, size_t *added, uint64_t *stands, bez_error *err) {
  bez_buf request = {0}, line = {0};
  bez_error local = {0};
  const bez_witnesses one = {.keys = &w->key, .n = 1, .quorum = 1};
  *added = 0;
  *err = local;
  bez_status st = bez_witness_request(log->log, old, &request, err);
  if (st == BEZ_OK) st = bez_witness_cosign(&w->cosigner, request.data, request.len, &line, stands, err);
  if (st == BEZ_OK) st = bez_witness_take(log->log, line.data, line.len, &one, added, err);
  bez_buf_free(&request);
  bez_buf_free(&line);
  return st;
}

static void test_cosigning(void **state) {
  world w;
  witness one, two;
  bez_error err = {0};
  size_t added = 0, have = 0;
  uint64_t stands = 0;
  bez_buf proof = {0}, note = {0};
  bez_checkpoint parsed;
  char text[64];
  (void)state;
  begin(&w);
  make_witness(&one, "one.example", &w);
  make_witness(&two, "two.example", &w);
  append(&w, 5, true);
  assert_ok(ask(&w, &one, 0, &added, &stands, &err));
  assert_int_equal(added, 1);
  assert_int_equal(ask(&w, &one, 0, &added, &stands, &err), BEZ_USAGE); /* it stands at five by now */
  assert_int_equal(stands, 5);
  append(&w, 300, true); /* cosignatures were of the checkpoint before */
  assert_ok(ask(&w, &one, 5, &added, &stands, &err));
  assert_ok(ask(&w, &two, 0, &added, &stands, &err));
  assert_int_equal(added, 1);
  assert_ok(ask(&w, &one, 305, &added, &stands, &err)); /* the same checkpoint, no later */
  assert_int_equal(added, 0);
  one.cosigner.now++;
  assert_ok(ask(&w, &one, 305, &added, &stands, &err));
  assert_int_equal(added, 1);
  reopen(&w); /* the file has them */
  assert_ok(bez_log_checkpoint(w.log, &note, &err));
  assert_ok(bez_checkpoint_parse(note.data, "test", &parsed, &err));
  const bez_vkey keys[2] = {one.key, two.key};
  bez_witnesses both = {.keys = keys, .n = 2, .quorum = 2};
  bool who[2] = {false};
  assert_ok(bez_witnesses_count(&both, &parsed, "test", &have, who, &err));
  assert_true(have == 2 && who[0] && who[1]);
  assert_ok(bez_log_inclusion(w.log, 17, &proof, &err));
  size_t len = text_of(17, text);
  assert_ok(bez_tlog_proof_witnessed(proof.data, proof.len, text, len, w.vkey.data, &both, NULL, NULL, &err));
  both.quorum = 3;
  assert_int_equal(bez_tlog_proof_witnessed(proof.data, proof.len, text, len, w.vkey.data, &both, NULL, NULL, &err),
                   BEZ_FORMAT);
  assert_int_equal(bez_log_verify(w.log, NULL, NULL, &(bez_error){0}), BEZ_FORMAT); /* no entry names the witnesses */
  bez_buf_free(&proof);
  bez_buf_free(&note);
  bez_signer_close(one.signer);
  bez_signer_close(two.signer);
  end(&w);
}

/* Twice the same key under two names is one witness. */
static void test_quorum(void **state) {
  world w;
  witness one;
  bez_error err = {0};
  size_t added = 0, have = 0;
  uint64_t stands = 0;
  bez_buf note = {0};
  bez_checkpoint parsed;
  (void)state;
  begin(&w);
  append(&w, 2, true);
  make_witness(&one, "one.example", &w);
  assert_ok(ask(&w, &one, 0, &added, &stands, &err));
  witness again = one;
  again.cosigner.name = "again.example";
  snprintf(again.folder, sizeof again.folder, "%s/state-again", folder);
  again.cosigner.folder = again.folder;
  assert_ok(bez_vkey_of("again.example", BEZ_NOTE_COSIGNATURE, one.signer, &again.key, &err));
  assert_ok(ask(&w, &again, 0, &added, &stands, &err));
  assert_int_equal(added, 1);
  assert_ok(bez_log_checkpoint(w.log, &note, &err));
  assert_ok(bez_checkpoint_parse(note.data, "test", &parsed, &err));
  const bez_vkey keys[2] = {one.key, again.key};
  const bez_witnesses both = {.keys = keys, .n = 2, .quorum = 2};
  assert_ok(bez_witnesses_count(&both, &parsed, "test", &have, NULL, &err));
  assert_int_equal(have, 1);
  bez_buf_free(&note);
  bez_signer_close(one.signer);
  end(&w);
}

/* The log's owner shows two histories; the witness signs one. */
static void test_split(void **state) {
  world w;
  witness one;
  bez_error err = {0};
  size_t added = 0;
  uint64_t stands = 0;
  (void)state;
  begin(&w);
  make_witness(&one, "one.example", &w);
  append(&w, 4, true);
  copy_tree(w.path, w.other);
  append(&w, 3, true);
  assert_ok(ask(&w, &one, 0, &added, &stands, &err));
  remove_tree(w.path);
  copy_tree(w.other, w.path);
  reopen(&w);
  assert_ok(bez_log_append(w.log, (bez_bytes_view[6]){{"a", 1}, {"b", 1}, {"c", 1}, {"d", 1}, {"e", 1}, {"f", 1}}, 6,
                           w.signer, &err));
  assert_int_equal(ask(&w, &one, 7, &added, &stands, &err), BEZ_FORMAT);
  assert_int_equal(ask(&w, &one, 4, &added, &stands, &err), BEZ_USAGE);
  assert_int_equal(stands, 7);
  bez_signer_close(one.signer);
  end(&w);
}

static void test_strangers(void **state) {
  world w;
  witness one, two;
  bez_error err = {0};
  size_t added = 0;
  uint64_t stands = 0;
  bez_buf request = {0}, line = {0};
  (void)state;
  begin(&w);
  make_witness(&one, "one.example", &w);
  make_witness(&two, "two.example", &w);
  append(&w, 3, true);
  one.cosigner.log_key = NULL; /* of a log that was never named to it */
  assert_int_equal(ask(&w, &one, 0, &added, &stands, &err), BEZ_USAGE);
  one.cosigner.log_key = w.vkey.data;
  assert_ok(ask(&w, &one, 0, &added, &stands, &err));
  one.cosigner.log_key = NULL; /* known by now */
  assert_ok(ask(&w, &one, 3, &added, &stands, &err));
  bez_error none = {0};
  assert_ok(bez_witness_request(w.log, 0, &request, &none));
  assert_ok(bez_witness_cosign(&two.cosigner, request.data, request.len, &line, &stands, &none));
  const bez_witnesses only = {.keys = &one.key, .n = 1, .quorum = 1};
  assert_ok(bez_witness_take(w.log, line.data, line.len, &only, &added, &none)); /* nobody asked for the second */
  assert_int_equal(added, 0);
  const bez_witnesses second = {.keys = &two.key, .n = 1, .quorum = 1};
  for (size_t i = strlen("\xE2\x80\x94 two.example "); i < line.len - 1; i++) { /* a letter is another one */
    line.data[i] ^= 1;
    assert_true(bez_witness_take(w.log, line.data, line.len, &second, &added, NULL) != BEZ_OK || !added);
    line.data[i] ^= 1;
  }
  size_t end_of_log = (size_t)(strstr(request.data, "\xE2\x80\x94 one.example") - request.data);
  for (size_t i = 0; i < end_of_log; i++) { /* nothing that is another request is cosigned */
    bez_buf out = {0};
    bez_cosigner fresh = two.cosigner;
    char path[700];
    snprintf(path, sizeof path, "%s/state-fresh", folder);
    remove_tree(path);
    fresh.folder = path;
    request.data[i] ^= 1;
    if (bez_witness_cosign(&fresh, request.data, request.len, &out, &stands, NULL) == BEZ_OK)
      fail_msg("byte %zu of %s", i, request.data);
    assert_int_equal(out.len, 0);
    request.data[i] ^= 1;
    bez_buf_free(&out);
  }
  bez_buf_free(&request);
  bez_buf_free(&line);
  bez_signer_close(one.signer);
  bez_signer_close(two.signer);
  end(&w);
}

int main(void) {
  if (!getenv("TMPDIR") && access("/dev/shm", W_OK) == 0) (void)setenv("TMPDIR", "/dev/shm", 0); /* many appends */
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_cosigning),
      cmocka_unit_test(test_quorum),
      cmocka_unit_test(test_split),
      cmocka_unit_test(test_strangers),
  };
  return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
