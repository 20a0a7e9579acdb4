/* One bit is changed in a vault, at thousands of places in every file but the index: verify says which file, and a
 * checkout gives exactly the right bytes or nothing. Bits of the index are noticed, made again, and do no harm. */
#include "test.h"

#include <fcntl.h>
#include <ftw.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/json.h"
#include "bezoar/trust.h"
#include "content/ingest.h"
#include "folder_help.h"
#include "vault/vault.h"

/* Places in each file; nightly so many times more. Sanitized programs take ten times as long. */
#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#elif defined(__has_feature)
#define SANITIZED __has_feature(address_sanitizer)
#else
#define SANITIZED 0
#endif
enum { PER_FILE = SANITIZED ? 12 : 50, ROUNDS_NIGHTLY = 20 };

static const char *const datasets[] = {"t.csv@1", "t.csv@2", "l.jsonl@1", "blob.bin@1", "pictures@1", "refer.csv@1"};
/* A pack with nothing but the root of an empty tree (of a data set without rows): that is known without a store. */
enum { EMPTY_TREE = 241 };
enum { DATASETS = sizeof datasets / sizeof *datasets };

static void path_of(char out[1200], const char *name) {
  snprintf(out, 1200, "%s/%s", folder, name);
}

static void must(bez_status st, const bez_error *err, char *json) {
  if (st != BEZ_OK) fail_msg("%s: %s", err->subject, err->message);
  bez_text_free(json);
}

static void add(bez_vault *vault, const char *name, bool by_reference, bool commit) {
  bez_error err = {0};
  char path[1200], *json = NULL;
  path_of(path, name);
  const bez_vault_add_options options = {.source = "web", .by_reference = by_reference, .threads = 1};
  must(bez_vault_add(vault, path, &options, &json, &err), &err, NULL);
  bez_text_free(json);
  const bez_vault_commit_options commit_options = {.message = "more"};
  if (!commit) return;
  json = NULL;
  must(bez_vault_commit(vault, &commit_options, &json, &err), &err, NULL);
  bez_text_free(json);
}

static void put_table(const char *name, unsigned rows, unsigned seed, bool jsonl) {
  bez_buf text = {0};
  if (!jsonl) bez_buf_puts(&text, "name,city,score\n");
  for (unsigned i = 0; i < rows; i++) {
    unsigned score = (unsigned)(bez_mix64(i % 97 ? i : i + seed * 1000ull) % 1000);
    unsigned number = name[0] == 'r' ? 100000 + i : i; /* by reference: rows that the vault has nowhere else */
    bez_buf_printf(&text, jsonl ? "{\"name\":\"n%u\",\"city\":%u,\"score\":%u}\n" : "n%u,c%u,%u\n", number, i % 7,
                   score);
  }
  put(name, text.data, text.len);
  bez_buf_free(&text);
}

static void put_pictures(void) {
  uint8_t bytes[13 + 48];
  char name[64];
  for (unsigned i = 0; i < 40; i++) {
    memcpy(bytes, "P6\n4 4\n255\n##", 13);
    for (unsigned k = 0; k < 48; k++) bytes[11 + k] = (uint8_t)(bez_mix64(i * 64 + k) & 255);
    snprintf(name, sizeof name, "pictures/c%u/p%u.ppm", i % 3, i);
    put(name, bytes, 11 + 48);
  }
}

static void put_data(void) {
  uint8_t *blob = malloc(200000);
  assert_non_null(blob);
  for (size_t i = 0; i < 200000; i++) blob[i] = (uint8_t)(bez_mix64(i) & 255);
  put("blob.bin", blob, 200000);
  free(blob);
  put_table("t.csv", 1500, 1, false);
  put_table("l.jsonl", 800, 2, true);
  put_table("refer.csv", 500, 3, false);
  put_pictures();
}

static int make_vault(void **state) {
  bez_error err = {0};
  bez_vault *vault = NULL;
  char home[1200], *json = NULL;
  if (make_folder(state) != 0) return 1;
  path_of(home, "home");
  setenv("BEZOAR_HOME", home, 1);
  setenv("BEZOAR_KNOWN_LOGS", "none", 1);
  put_data();
  const bez_vault_who who = {0};
  must(bez_vault_init(folder, &who, &json, &err), &err, json);
  json = NULL;
  must(bez_vault_open(folder, &vault, &err), &err, NULL);
  static const char *const publisher[] = {"p"}, *const licence[] = {"CC0-1.0"};
  const bez_source_options source = {
      .id = "web", .uri = "https://example.org", .publishers = {publisher, 1}, .licences = {licence, 1}};
  must(bez_vault_source_add(vault, &source, &json, &err), &err, NULL);
  bez_text_free(json);
  add(vault, "t.csv", false, true);
  add(vault, "l.jsonl", false, true);
  add(vault, "blob.bin", false, true);
  add(vault, "pictures", false, true);
  add(vault, "refer.csv", true, true);
  put_table("t.csv", 1502, 4, false);
  add(vault, "t.csv", false, true);
  put_table("t.csv", 1400, 5, false);
  add(vault, "t.csv", false, false); /* staged */
  bez_vault_close(vault);
  return 0;
}

/* ---- what lies in the vault ---- */

static char *files[256];
static size_t n_files;

static int take_file(const char *path, const struct stat *info, int type, struct FTW *ftw) {
  (void)ftw;
  if (type == FTW_F && info->st_size > 0 && n_files < 256) files[n_files++] = strdup(path);
  return 0;
}

static void list_files(const char *below) {
  char path[1200];
  path_of(path, below);
  while (n_files) free(files[--n_files]);
  assert_int_equal(nftw(path, take_file, 8, FTW_PHYS), 0);
}

static off_t size_of(const char *path) {
  struct stat info;
  return stat(path, &info) == 0 ? info.st_size : 0;
}

static void flip(const char *path, off_t at, unsigned bit) {
  uint8_t byte = 0;
  assert_int_equal(chmod(path, 0644), 0);
  int fd = open(path, O_RDWR | O_CLOEXEC);
  assert_true(fd >= 0);
  assert_int_equal(pread(fd, &byte, 1, at), 1);
  byte ^= (uint8_t)(1u << bit);
  assert_int_equal(pwrite(fd, &byte, 1, at), 1);
  close(fd);
}

/* ---- what the vault says of itself ---- */

static json_t *verify(void) {
  bez_error err = {0};
  char *json = NULL;
  json_t *answer = NULL;
  const bez_vault_verify_options options = {.full = true, .threads = 1};
  must(bez_vault_verify(folder, &options, &json, &err), &err, NULL);
  must(bez_json_parse(json, strlen(json), "answer", &answer, &err), &err, NULL);
  bez_text_free(json);
  return answer;
}

static bool is_whole(void) {
  json_t *answer = verify();
  bool ok = json_is_true(json_object_get(answer, "ok"));
  json_decref(answer);
  return ok;
}

/* Files of the log, and the configuration, are checked against each other: which is wrong cannot always be told. */
static bool names_file(const json_t *answer, const char *path) {
  size_t i;
  json_t *one;
  bool of_log = strstr(path, "/.bezoar/log/") || strstr(path, "/.bezoar/config");
  const char *name = of_log ? "/.bezoar/" : strrchr(path, '/') + 1;
  json_array_foreach(json_object_get(answer, "damage"), i, one) {
    const char *file = json_string_value(json_object_get(one, "file"));
    const char *what = json_string_value(json_object_get(one, "what"));
    if ((file && strstr(file, name)) || (what && strstr(what, name))) return true;
  }
  return false;
}

/* The digest of what a checkout wrote; false: it refused, and wrote nothing. */
static bool checkout(const char *version, uint64_t *digest) {
  bez_error err = {0};
  bez_vault *vault = NULL;
  bez_snapshot s = {0};
  char target[1200];
  path_of(target, "out");
  bez_status st = bez_vault_open(folder, &vault, &err);
  if (st == BEZ_OK) st = bez_snapshot_find(vault, version, &s, &err);
  if (st == BEZ_OK)
    st = bez_checkout(vault->objects, &s.rows, target, &(bez_checkout_options){.threads = 1, .replace = true}, &err);
  bez_snapshot_free(&s);
  bez_vault_close(vault);
  if (st != BEZ_OK) {
    assert_true(err.message[0] != '\0');
    assert_int_equal(access(target, F_OK), -1);
    return false;
  }
  char command[2600], line[80] = "";
  struct stat info;
  assert_int_equal(stat(target, &info), 0);
  if (S_ISREG(info.st_mode)) {
    bez_buf bytes = {0};
    assert_ok(bez_file_read(target, 1u << 30, &bytes, &err));
    *digest = bez_hash64(bytes.data ? bytes.data : "", bytes.len, 1);
    bez_buf_free(&bytes);
    unlink(target);
    return true;
  }
  snprintf(command, sizeof command, "cd '%s' && find . -type f | LC_ALL=C sort | xargs cat | sha256sum; rm -r '%s'",
           target, target);
  FILE *pipe = popen(command, "r");
  assert_non_null(pipe);
  assert_non_null(fgets(line, sizeof line, pipe));
  pclose(pipe);
  *digest = bez_hash64(line, 64, 1);
  return true;
}

/* ---- the tests ---- */

static uint64_t right[DATASETS];

static void check_versions(const char *path, off_t at, unsigned turn, unsigned *refused) {
  for (unsigned i = 0; i < DATASETS; i++) {
    uint64_t digest = 0;
    if (i != turn % DATASETS) continue; /* each of them in turn */
    if (!checkout(datasets[i], &digest))
      ++*refused;
    else if (digest != right[i])
      fail_msg("%s, byte %lld: %s came out changed", path, (long long)at, datasets[i]);
  }
}

static void test_every_file_is_covered(void **state) {
  (void)state;
  unsigned places = 0, refused = 0, unnamed = 0, per_file = PER_FILE;
  if (getenv("BEZOAR_NIGHTLY")) per_file *= ROUNDS_NIGHTLY;
  assert_true(is_whole());
  for (unsigned i = 0; i < DATASETS; i++) assert_true(checkout(datasets[i], &right[i]));
  list_files(".bezoar");
  assert_true(n_files > 20);
  for (size_t f = 0; f < n_files; f++) {
    if (strstr(files[f], "/.bezoar/index/")) continue;
    off_t size = size_of(files[f]);
    for (unsigned k = 0; k < per_file && k < size; k++) {
      uint64_t draw = bez_mix64(f * 100003 + k);
      off_t at = k == 0 ? 0 : k == 1 ? size - 1 : per_file >= size ? (off_t)k : (off_t)(draw % (uint64_t)size);
      flip(files[f], at, draw >> 40 & 7);
      json_t *answer = verify();
      if (!json_is_false(json_object_get(answer, "ok")))
        fail_msg("%s, byte %lld of %lld: not noticed", files[f], (long long)at, (long long)size);
      if (!names_file(answer, files[f])) {
        char *said = json_dumps(json_object_get(answer, "damage"), 0);
        if (!unnamed++) print_message("not named: %s, byte %lld: %.400s\n", files[f], (long long)at, said);
        free(said);
      }
      json_decref(answer);
      check_versions(files[f], at, places, &refused);
      flip(files[f], at, draw >> 40 & 7);
      places++;
    }
  }
  print_message("%u places in %zu files; %u checkouts refused\n", places, n_files, refused);
  assert_true(is_whole());
  assert_true(refused > 0);
  assert_int_equal(unnamed, 0);
}

static void test_a_wrong_index_does_no_harm(void **state) {
  (void)state;
  list_files(".bezoar/index");
  assert_true(n_files > 2);
  for (size_t f = 0; f < n_files; f++) {
    for (unsigned k = 0; k < 12; k++) {
      uint64_t draw = bez_mix64(f * 7919 + k), digest = 0;
      off_t size = size_of(files[f]); /* it may have been made again meanwhile */
      if (!size) break;
      flip(files[f], (off_t)(draw % (uint64_t)size), draw >> 40 & 7);
      json_t *answer = verify();
      if (!json_is_true(json_object_get(answer, "ok"))) {
        char *said = json_dumps(answer, 0);
        fail_msg("%s: %.600s", files[f], said);
      }
      assert_string_equal(json_string_value(json_object_get(answer, "index")),
                          strstr(files[f], "/sorted/") ? "made anew" : "good"); /* the database already at opening */
      json_decref(answer);
      assert_true(checkout(datasets[k % DATASETS], &digest));
      assert_int_equal(digest, right[k % DATASETS]);
    }
  }
}

static void test_what_does_not_belong_is_named(void **state) {
  (void)state;
  static const char *const strangers[] = {".bezoar/x",       ".bezoar/objects/x", ".bezoar/objects/y.pack",
                                          ".bezoar/stage/x", ".bezoar/log/x",     ".bezoar/log/tile/x"};
  for (size_t i = 0; i < sizeof strangers / sizeof *strangers; i++) {
    char path[1200];
    put(strangers[i], "hello", 5);
    path_of(path, strangers[i]);
    json_t *answer = verify();
    assert_true(json_is_false(json_object_get(answer, "ok")));
    if (!names_file(answer, path)) fail_msg("%s is not named", path);
    json_decref(answer);
    unlink(path);
  }
  assert_true(is_whole());
}

static void test_a_missing_file_is_named(void **state) {
  (void)state;
  list_files(".bezoar");
  for (size_t f = 0; f < n_files; f++) {
    char away[1300];
    if (strstr(files[f], "/.bezoar/index/") || strstr(files[f], "/.bezoar/stage/")) continue;
    if (size_of(files[f]) == EMPTY_TREE && strstr(files[f], ".pack")) continue;
    path_of(away, "away");
    assert_int_equal(rename(files[f], away), 0);
    json_t *answer = verify();
    if (!json_is_false(json_object_get(answer, "ok"))) fail_msg("%s is gone, and nobody noticed", files[f]);
    json_decref(answer);
    assert_int_equal(rename(away, files[f]), 0);
  }
  assert_true(is_whole());
}

static void test_a_changed_file_by_reference_is_named(void **state) {
  (void)state;
  char path[1200];
  uint64_t digest;
  path_of(path, "refer.csv");
  flip(path, 700, 1);
  json_t *answer = verify();
  assert_true(json_is_false(json_object_get(answer, "ok")));
  assert_true(names_file(answer, path));
  json_decref(answer);
  assert_false(checkout("refer.csv@1", &digest));
  flip(path, 700, 1);
  assert_true(is_whole());
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_every_file_is_covered),
      cmocka_unit_test(test_a_wrong_index_does_no_harm),
      cmocka_unit_test(test_what_does_not_belong_is_named),
      cmocka_unit_test(test_a_missing_file_is_named),
      cmocka_unit_test(test_a_changed_file_by_reference_is_named),
  };
  return cmocka_run_group_tests(tests, make_vault, remove_folder);
}
