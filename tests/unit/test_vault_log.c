/* The vault's log: tiles, proofs against a tree made the slow way, every byte flipped, crashes in the middle. */
#include <dirent.h>
#include <ftw.h>
#include <openssl/pem.h>
#include <sys/stat.h>

#include "vault_log_help.h"

#include "base/buf.h"
#include "crypto/note.h"
#include "crypto/sha256.h"
#include "ledger/known_logs.h"
#include "ledger/log.h"

/* RFC 9162, 2.1.1, word for word. */
static void naive_root(uint64_t first, uint64_t n, uint8_t out[32]) {
  uint8_t left[32], right[32];
  bez_error err = {0};
  if (!n) {
    bez_sha256("", 0, out);
  } else if (n == 1) {
    char text[64];
    size_t len = text_of(first, text);
    assert_ok(bez_merkle_leaf(text, len, out, &err));
  } else {
    uint64_t k = 1;
    while (2 * k < n) k *= 2;
    naive_root(first, k, left);
    naive_root(first + k, n - k, right);
    bez_merkle_node(left, right, out);
  }
}

static void check_root(world *w) {
  uint8_t is[32], want[32];
  bez_log_root(w->log, is);
  naive_root(0, bez_log_size(w->log), want);
  assert_memory_equal(is, want, 32);
}

static bez_status check_entry(void *ctx, uint64_t index, const void *entry, size_t len, bez_error *err) {
  uint64_t *next = ctx;
  char text[64];
  (void)err;
  assert_int_equal(index, *next);
  assert_int_equal(len, text_of(index, text));
  assert_memory_equal(entry, text, len);
  ++*next;
  return BEZ_OK;
}

static void check_all(world *w) {
  bez_error err = {0};
  uint64_t next = 0;
  assert_ok(bez_log_each(w->log, 0, check_entry, &next, &err));
  assert_int_equal(next, bez_log_size(w->log));
  assert_ok(bez_log_verify(w->log, NULL, NULL, &err));
}

static void test_sizes(void **state) {
  static const size_t steps[] = {1, 253, 1, 1, 1, 254, 1, 700, 64000, 323, 1, 2};
  world w;
  (void)state;
  begin(&w);
  check_root(&w);
  check_all(&w);
  for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
    append(&w, steps[i], i % 3 != 1);
    check_root(&w);
    reopen(&w);
    check_root(&w);
    if (i < 8 || i + 1 == sizeof steps / sizeof *steps) check_all(&w);
  }
  assert_int_equal(bez_log_size(w.log), 65538);
  end(&w);
}

static void test_one_by_one(void **state) {
  world w;
  (void)state;
  begin(&w);
  for (size_t i = 0; i < 300; i++) append(&w, 1, i % 5 == 0);
  reopen(&w);
  check_root(&w);
  check_all(&w);
  assert_int_equal(bez_log_signed_size(w.log), 296);
  end(&w);
}

static void check_inclusion(world *w, uint64_t index) {
  bez_error err = {0};
  bez_buf proof = {0};
  char text[64];
  uint64_t at = 0, size = 0;
  size_t len = text_of(index, text);
  assert_ok(bez_log_inclusion(w->log, index, &proof, &err));
  assert_ok(bez_tlog_proof_verify(proof.data, proof.len, text, len, w->vkey.data, &at, &size, &err));
  assert_int_equal(at, index);
  assert_int_equal(size, bez_log_signed_size(w->log));
  assert_int_equal(bez_tlog_proof_verify(proof.data, proof.len, text, len - 1, w->vkey.data, NULL, NULL, NULL),
                   BEZ_FORMAT);
  bez_buf_free(&proof);
}

static void check_consistency(world *w, uint64_t old, uint64_t new) {
  bez_error err = {0};
  bez_buf hashes = {0};
  uint8_t old_root[32], new_root[32];
  assert_ok(bez_log_root_at(w->log, old, old_root, &err));
  assert_ok(bez_log_root_at(w->log, new, new_root, &err));
  assert_ok(bez_log_consistency(w->log, old, new, &hashes, &err));
  const uint8_t *proof = (const uint8_t *)hashes.data;
  size_t n = hashes.len / 32;
  assert_ok(bez_merkle_extends(old, old_root, new, new_root, proof, n, &err));
  if (old && old < new) {
    old_root[7] ^= 1;
    assert_int_equal(bez_merkle_extends(old, old_root, new, new_root, proof, n, NULL), BEZ_FORMAT);
    old_root[7] ^= 1;
    new_root[7] ^= 1;
    assert_int_equal(bez_merkle_extends(old, old_root, new, new_root, proof, n, NULL), BEZ_FORMAT);
    new_root[7] ^= 1;
    assert_int_equal(bez_merkle_extends(old, old_root, new, new_root, proof, n - 1, NULL), BEZ_FORMAT);
    hashes.data[32 * (n / 2)] ^= 1;
    assert_int_equal(bez_merkle_extends(old, old_root, new, new_root, proof, n, NULL), BEZ_FORMAT);
  }
  bez_buf_free(&hashes);
}

static void test_proofs(void **state) {
  world w;
  uint8_t want[32], is[32];
  bez_error err = {0};
  (void)state;
  begin(&w);
  append(&w, 300, true);
  for (uint64_t new = 0; new <= 300; new ++) {
    naive_root(0, new, want);
    assert_ok(bez_log_root_at(w.log, new, is, &err));
    assert_memory_equal(is, want, 32);
    for (uint64_t old = 0; old <= new; old++) check_consistency(&w, old, new);
  }
  for (uint64_t index = 0; index < 300; index++) check_inclusion(&w, index);
  append(&w, 1, false);
  assert_int_equal(bez_log_inclusion(w.log, 300, &(bez_buf){0}, &err), BEZ_USAGE);
  end(&w);
}

static bez_status naive_subtree(void *ctx, unsigned height, uint64_t index, uint8_t out[32], bez_error *err) {
  const uint8_t(*leaf)[32] = ctx;
  uint8_t fold[512][32];
  size_t n = (size_t)1 << height;
  (void)err;
  memcpy(fold, leaf + (index << height), n * 32);
  for (; n > 1; n /= 2)
    for (size_t i = 0; i < n / 2; i++) bez_merkle_node(fold[2 * i], fold[2 * i + 1], fold[i]);
  memcpy(out, fold[0], 32);
  return BEZ_OK;
}

/* Every pair of index and size up to 300. */
static void test_every_inclusion(void **state) {
  static uint8_t leaf[300][32];
  bez_merkle_source source = {.get = naive_subtree, .ctx = leaf};
  bez_buf hashes = {0};
  bez_error err = {0};
  uint8_t root[32], is[32];
  (void)state;
  for (uint64_t i = 0; i < 300; i++) naive_root(i, 1, leaf[i]);
  for (uint64_t size = 1; size <= 300; size++) {
    naive_root(0, size, root);
    for (uint64_t index = 0; index < size; index++) {
      bez_buf_clear(&hashes);
      assert_ok(bez_merkle_inclusion(&source, index, size, &hashes, &err));
      const uint8_t *proof = (const uint8_t *)hashes.data;
      assert_ok(bez_merkle_root(leaf[index], index, size, proof, hashes.len / 32, is, &err));
      assert_memory_equal(is, root, 32);
    }
  }
  bez_buf_free(&hashes);
}

/* Files of a folder, for the walks below. */
static char files[256][700];
static size_t n_files;
static int add_file(const char *path, const struct stat *info, int type) {
  (void)info;
  if (type == FTW_F && n_files < 256) snprintf(files[n_files++], sizeof *files, "%s", path);
  return 0;
}
static void list_files(const char *path) {
  n_files = 0;
  assert_int_equal(ftw(path, add_file, 16), 0);
}

static void count_damage(void *ctx, const char *path, const char *what) {
  char *last = ctx;
  assert_true(*path && *what);
  assert_string_equal(last, ""); /* one byte is one damage */
  snprintf(last, 700, "%s", path);
}

/* What the log says of itself after a byte was changed: true where it noticed. */
static bool noticed(world *w, const char *path) {
  bez_error err = {0};
  bez_log *log = NULL;
  char last[700] = "";
  bez_status st = bez_log_open(w->path, ORIGIN, w->vkey.data, &log, &err);
  if (st == BEZ_OK) {
    st = bez_log_verify(log, count_damage, last, &err);
    if (st != BEZ_OK) assert_string_equal(last, path);
  } else {
    if (strcmp(err.subject, path) != 0)
      assert_non_null(strstr(err.message, "head")); /* a size of which there is nothing */
  }
  bez_log_close(log);
  return st == BEZ_FORMAT || st == BEZ_LIMIT;
}

static void test_every_flip(void **state) {
  world w;
  bez_buf bytes = {0};
  bez_error err = {0};
  (void)state;
  begin(&w);
  append(&w, 258, true);
  append(&w, 2, false);
  list_files(w.path);
  assert_true(n_files >= 8);
  for (size_t i = 0; i < n_files; i++) {
    assert_ok(bez_file_read(files[i], 1u << 20, &bytes, &err));
    size_t step = bytes.len > 2000 ? 41 : 1;
    for (size_t at = 0; at < bytes.len; at += step) {
      for (int bit = 0; bit<8; bit += bytes.len> 400 ? 7 : 1) {
        bytes.data[at] ^= (char)(1 << bit);
        FILE *f = fopen(files[i], "wb");
        assert_non_null(f);
        assert_int_equal(fwrite(bytes.data, 1, bytes.len, f), bytes.len);
        fclose(f);
        if (!noticed(&w, files[i])) fail_msg("%s: byte %zu, bit %d", files[i], at, bit);
        bytes.data[at] ^= (char)(1 << bit);
      }
    }
    FILE *f = fopen(files[i], "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(bytes.data, 1, bytes.len, f), bytes.len);
    fclose(f);
    assert_false(noticed(&w, ""));
    assert_int_equal(truncate(files[i], (off_t)bytes.len - 1), 0);
    assert_true(noticed(&w, files[i]));
    f = fopen(files[i], "wb");
    assert_non_null(f);
    bez_buf_putc(&bytes, 'x');
    assert_int_equal(fwrite(bytes.data, 1, bytes.len, f), bytes.len);
    fclose(f);
    assert_true(noticed(&w, files[i]));
    f = fopen(files[i], "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(bytes.data, 1, bytes.len - 1, f), bytes.len - 1);
    fclose(f);
  }
  bez_buf_free(&bytes);
  end(&w);
}

static void test_strangers(void **state) {
  world w;
  bez_error err = {0};
  (void)state;
  begin(&w);
  append(&w, 3, true);
  put_text("log/tile/0/000.p/2", "left by a crash");
  put_text("log/new", "left by a crash");
  put_text("log/tile/entries/007", "left by a crash");
  assert_ok(bez_log_verify(w.log, NULL, NULL, &err));
  put_text("log/tile/0/7", "a stranger");
  assert_int_equal(bez_log_verify(w.log, NULL, NULL, &err), BEZ_FORMAT);
  assert_non_null(strstr(err.subject, "log/tile/0/7"));
  end(&w);
}

/* Two handles: who comes second is told, refreshes, and goes on. */
static void test_two_handles(void **state) {
  world w;
  bez_log *second = NULL;
  bez_error err = {0};
  bez_buf entry = {0};
  (void)state;
  begin(&w);
  append(&w, 100, true);
  assert_ok(bez_log_open(w.path, ORIGIN, w.vkey.data, &second, &err));
  append(&w, 100, true);
  assert_int_equal(bez_log_append(second, &(bez_bytes_view){"x", 1}, 1, NULL, &err), BEZ_USAGE);
  err = (bez_error){0};
  assert_ok(bez_log_read(second, 99, &entry, &err)); /* its bundle has another name by now */
  assert_ok(bez_log_refresh(second, &err));
  assert_int_equal(bez_log_size(second), 200);
  append(&w, 60, true);
  assert_ok(bez_log_read(second, 199, &entry, &err));
  bez_buf_free(&entry);
  bez_log_close(second);
  end(&w);
}

/* A log that became shorter, or another one, under an open handle and under a checkpoint. */
static void test_history(void **state) {
  world w;
  bez_error err = {0};
  char command[2600];
  (void)state;
  begin(&w);
  append(&w, 10, true);
  copy_tree(w.path, w.other);
  append(&w, 10, true);
  remove_tree(w.path);
  copy_tree(w.other, w.path);
  assert_int_equal(bez_log_refresh(w.log, &err), BEZ_FORMAT);
  assert_non_null(strstr(err.message, "taken away"));
  reopen(&w);
  append(&w, 5, true);
  snprintf(command, sizeof command, "cp '%s/head' '%s/head' && cp -r '%s/tile' '%s'", w.other, w.path, w.other, w.path);
  assert_int_equal(system(command), 0); /* an older head below a newer checkpoint */
  bez_log *log = NULL;
  err = (bez_error){0};
  assert_int_equal(bez_log_open(w.path, ORIGIN, w.vkey.data, &log, &err), BEZ_FORMAT);
  assert_non_null(strstr(err.message, "taken away"));
  end(&w);
}

static void test_keys(void **state) {
  world w;
  bez_error err = {0};
  bez_log *log = NULL;
  bez_signer *other = NULL;
  bez_vkey key, again;
  bez_buf text = {0}, note = {0};
  (void)state;
  begin(&w);
  other = make_signer("other");
  append(&w, 4, false);
  assert_int_equal(bez_log_append(w.log, &(bez_bytes_view){"x", 1}, 1, other, &err), BEZ_USAGE);
  err = (bez_error){0};
  assert_int_equal(bez_log_size(w.log), 4);
  assert_int_equal(bez_log_checkpoint(w.log, &note, &err), BEZ_USAGE);
  err = (bez_error){0};
  assert_ok(bez_log_sign(w.log, w.signer, &err));
  assert_int_equal(bez_log_signed_size(w.log), 4);
  assert_ok(bez_log_checkpoint(w.log, &note, &err));
  assert_memory_equal(note.data, ORIGIN "\n4\n", sizeof ORIGIN + 2);
  check_inclusion(&w, 3);
  assert_ok(bez_vkey_of(ORIGIN, BEZ_NOTE_ED25519, other, &key, &err));
  bez_vkey_put(&key, &text);
  assert_int_equal(bez_log_open(w.path, ORIGIN, text.data, &log, &err), BEZ_FORMAT);
  err = (bez_error){0};
  assert_ok(bez_vkey_parse(text.data, "key", &again, &err));
  assert_true(bez_vkey_same(&key, &again));
  for (size_t i = 0; i < text.len; i++) { /* no letter of a verifier key can be another */
    text.data[i] ^= 1;
    assert_int_not_equal(bez_vkey_parse(text.data, "key", &again, NULL), BEZ_OK);
    text.data[i] ^= 1;
  }
  assert_int_equal(bez_vkey_make("a b", BEZ_NOTE_ED25519, key.key, &again, NULL), BEZ_USAGE);
  assert_int_equal(bez_vkey_make("a+b", BEZ_NOTE_ED25519, key.key, &again, NULL), BEZ_USAGE);
  assert_int_equal(bez_vkey_make("", BEZ_NOTE_ED25519, key.key, &again, NULL), BEZ_USAGE);
  bez_buf_free(&text);
  bez_buf_free(&note);
  bez_signer_close(other);
  end(&w);
}

/* What a reader remembers. */
static void test_memory(void **state) {
  world w;
  bez_error err = {0};
  (void)state;
  assert_int_equal(setenv("BEZOAR_HOME", folder, 1), 0);
  begin(&w);
  append(&w, 5, true);
  assert_ok(bez_known_logs_check(w.log, &err));
  copy_tree(w.path, w.other);
  append(&w, 3, true);
  assert_ok(bez_known_logs_check(w.log, &err));
  copy_tree(w.other, w.path); /* yesterday's log: good in itself */
  reopen(&w);
  assert_int_equal(bez_known_logs_check(w.log, &err), BEZ_FORMAT);
  assert_non_null(strstr(err.message, "rolled back"));
  err = (bez_error){0};
  assert_ok(bez_log_append(w.log, (bez_bytes_view[5]){{"a", 1}, {"b", 1}, {"c", 1}, {"d", 1}, {"e", 1}}, 5, w.signer,
                           &err)); /* grown again, in another way */
  assert_int_equal(bez_known_logs_check(w.log, &err), BEZ_FORMAT);
  assert_non_null(strstr(err.message, "replaced"));
  assert_int_equal(setenv("BEZOAR_KNOWN_LOGS", "none", 1), 0);
  err = (bez_error){0};
  assert_ok(bez_known_logs_check(w.log, &err));
  assert_int_equal(unsetenv("BEZOAR_KNOWN_LOGS"), 0);
  assert_int_equal(bez_known_logs_check(w.log, NULL), BEZ_FORMAT);
  assert_ok(bez_known_logs_forget(ORIGIN, &err));
  assert_ok(bez_known_logs_check(w.log, &err));
  end(&w);
  begin(&w); /* the same name, another key */
  append(&w, 20, true);
  assert_int_equal(bez_known_logs_check(w.log, &err), BEZ_FORMAT);
  assert_non_null(strstr(err.message, "key"));
  end(&w);
  assert_int_equal(unsetenv("BEZOAR_HOME"), 0);
}

static void test_entries(void **state) {
  world w;
  bez_error err = {0};
  bez_buf entry = {0};
  char *large = calloc(1, BEZ_MAX_ENTRY + 1);
  (void)state;
  begin(&w);
  assert_non_null(large);
  memset(large, 'a', BEZ_MAX_ENTRY + 1);
  assert_int_equal(bez_log_append(w.log, &(bez_bytes_view){large, BEZ_MAX_ENTRY + 1}, 1, NULL, &err), BEZ_LIMIT);
  err = (bez_error){0};
  bez_bytes_view three[3] = {{large, BEZ_MAX_ENTRY}, {"", 0}, {"\0\n", 2}};
  assert_ok(bez_log_append(w.log, three, 3, w.signer, &err));
  for (size_t i = 0; i < 3; i++) {
    assert_ok(bez_log_read(w.log, i, &entry, &err));
    assert_int_equal(entry.len, three[i].len);
    if (entry.len) assert_memory_equal(entry.data, three[i].bytes, entry.len);
  }
  assert_int_equal(bez_log_read(w.log, 3, &entry, &err), BEZ_USAGE);
  bez_buf_free(&entry);
  free(large);
  end(&w);
}

int main(void) {
  if (!getenv("TMPDIR") && access("/dev/shm", W_OK) == 0) (void)setenv("TMPDIR", "/dev/shm", 0); /* many appends */
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_sizes),           cmocka_unit_test(test_one_by_one), cmocka_unit_test(test_proofs),
      cmocka_unit_test(test_every_inclusion), cmocka_unit_test(test_every_flip), cmocka_unit_test(test_strangers),
      cmocka_unit_test(test_two_handles),     cmocka_unit_test(test_history),    cmocka_unit_test(test_keys),
      cmocka_unit_test(test_entries),         cmocka_unit_test(test_memory),
  };
  return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
