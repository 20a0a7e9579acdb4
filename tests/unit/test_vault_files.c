/* Data sets of files into trees and back: folders of pictures, archives, files without rows, many small files, by
 * reference and not, for any number of threads. */
#include "vault_store.h"

#include "base/file.h"
#include "base/hash.h"

static void fill(uint8_t *bytes, size_t len, uint64_t seed) {
  for (size_t i = 0; i < len; i++) bytes[i] = (uint8_t)bez_mix64(seed * 0x100000001b3u + i);
}

static void put(const store *s, const char *name, const void *bytes, size_t len) {
  char path[256];
  write_file(store_path(s, name, path), bytes, len);
}

static void make_folder(const store *s, const char *name) {
  char path[256];
  assert_int_equal(mkdir(store_path(s, name, path), 0777), 0);
}

/* A picture by its first bytes: nothing here looks at the pixels. */
static void put_picture(const store *s, const char *name, size_t len, uint64_t seed) {
  uint8_t *bytes = malloc(len + 16);
  assert_non_null(bytes);
  memcpy(bytes, "\x89PNG\r\n\x1a\n", 8);
  fill(bytes + 8, len, seed);
  put(s, name, bytes, len + 8);
  free(bytes);
}

/* All kinds of files, small and large, in folders, some alike, some empty. */
static void make_data_set(const store *s, unsigned pictures) {
  static const char *const folders[] = {"data", "data/train", "data/train/cat", "data/train/dog", "data/x"};
  char name[128];
  for (size_t i = 0; i < 5; i++) make_folder(s, folders[i]);
  for (unsigned i = 0; i < pictures; i++) {
    snprintf(name, sizeof name, "data/train/%s/%u.png", i % 3 ? "cat" : "dog", i);
    put_picture(s, name, (size_t)(bez_mix64(i) % (i % 50 ? 900 : 200000)), i / 2);
  }
  size_t large = 3u << 20;
  uint8_t *bytes = malloc(large);
  assert_non_null(bytes);
  fill(bytes, large, 7);
  put(s, "data/x/model.bin", bytes, large);
  put(s, "data/x/same.bin", bytes, large / 2);
  put(s, "data/x/empty", "", 0);
  put(s, "data/x/a.csv", "a,b\n1,2\n3,4\n", 12);
  put(s, "data/y.jsonl", "{\"a\": 1}\n{\"a\": 2}\n", 18);
  put(s, "data/zz", "", 0);
  free(bytes);
  bez_error err = {0};
  bez_buf tar = {0};
  assert_ok(bez_file_read("fuzz/corpus/webdataset/ustar", 1 << 20, &tar, &err));
  put(s, "data/x/shard.tar", tar.data, tar.len);
  bez_buf_free(&tar);
}

static void assert_same_folder(const char *a, const char *b) {
  char command[640];
  snprintf(command, sizeof command, "diff -r '%s' '%s' >&2", a, b);
  assert_int_equal(system(command), 0); /* NOLINT(cert-env33-c): paths are the test's own */
}

static void the_same_tree_for_any_threads_and_by_reference(void **state) {
  bez_error err = {0};
  bez_ingest_result first = {0};
  store data;
  store_open(&data);
  make_data_set(&data, 300);
  for (unsigned i = 0; i < 6; i++) {
    char in[256], out[256];
    store s;
    store_open(&s);
    bez_ingest_options options = {.key = store_key, .threads = 1 + i % 3, .by_reference = i >= 3};
    bez_ingest_result r;
    assert_ok(store_add(&s, store_path(&data, "data", in), &options, &r, &err));
    if (i == 0) first = r;
    assert_memory_equal(&r.rows.id, &first.rows.id, sizeof r.rows.id);
    assert_memory_equal(&r.sorted.id, &first.sorted.id, sizeof r.sorted.id);
    assert_int_equal(r.rows.top.rows, 300 + 2 + 2 + 3);
    assert_int_equal(r.n_files, 300 + 7);
    assert_ok(bez_checkout(s.objects, &r.rows, store_path(&s, "out", out),
                           &(bez_checkout_options){.threads = 2, .replace = true}, &err));
    assert_same_folder(in, out);
    store_close(&s);
  }
  store_close(&data);
}

static void unchanged_pictures_are_not_read_in_again(void **state) {
  bez_error err = {0};
  bez_ingest_result before, after;
  char in[256], out[256];
  store s;
  store_open(&s);
  make_data_set(&s, 500);
  bez_ingest_options options = {.key = store_key, .threads = 2};
  assert_ok(store_add(&s, store_path(&s, "data", in), &options, &before, &err));
  put_picture(&s, "data/train/cat/250.png", 100, 1234567);
  put_picture(&s, "data/train/cat/250a.png", 100, 1234568);
  options.parent = &before.rows;
  options.parent_sorted = &before.sorted;
  assert_ok(store_add(&s, in, &options, &after, &err));
  assert_int_equal(after.rows.top.rows, before.rows.top.rows + 1);
  assert_true(after.fresh_rows < 200);
  assert_ok(bez_checkout(s.objects, &after.rows, store_path(&s, "out", out),
                         &(bez_checkout_options){.threads = 2, .replace = true}, &err));
  assert_same_folder(in, out);
  store_close(&s);
}

static void one_file_of_every_form(void **state) {
  static const char *const names[] = {"one.png", "one.bin", "one.tar", "empty", "one.csv"};
  bez_error err = {0};
  store s;
  store_open(&s);
  bez_buf tar = {0};
  uint8_t bytes[5000];
  fill(bytes, sizeof bytes, 3);
  assert_ok(bez_file_read("fuzz/corpus/webdataset/tail", 1 << 20, &tar, &err));
  put_picture(&s, "one.png", 3000, 1);
  put(&s, "one.bin", bytes, sizeof bytes);
  put(&s, "one.tar", tar.data, tar.len);
  put(&s, "empty", "", 0);
  put(&s, "one.csv", "a,b\n1,2\n", 8);
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    char in[256], out[256];
    bez_ingest_options options = {.key = store_key, .threads = 2, .by_reference = false};
    bez_ingest_result r;
    assert_ok(store_add(&s, store_path(&s, names[i], in), &options, &r, &err));
    assert_ok(bez_checkout(s.objects, &r.rows, store_path(&s, "out", out),
                           &(bez_checkout_options){.threads = 1, .replace = true}, &err));
    assert_same_folder(in, out);
    assert_int_equal(unlink(out), 0);
  }
  bez_buf_free(&tar);
  store_close(&s);
}

static void a_file_of_any_length_in_between(void **state) {
  static const size_t lengths[] = {0,      1,      16383,    16384,          16385,    65536,          262143,
                                   262144, 262145, 1u << 20, (1u << 20) + 1, 8u << 20, (8u << 20) + 1, 20u << 20};
  uint8_t *bytes = malloc(20u << 20);
  bez_error err = {0};
  assert_non_null(bytes);
  fill(bytes, 20u << 20, 11);
  for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
    char in[256], out[256];
    store s;
    store_open(&s);
    make_folder(&s, "data");
    put(&s, "data/a", bytes, lengths[i]);
    put(&s, "data/b", bytes + 5, 10);
    bez_ingest_options options = {.key = store_key, .threads = 2, .by_reference = i % 2};
    bez_ingest_result r;
    assert_ok(store_add(&s, store_path(&s, "data", in), &options, &r, &err));
    assert_ok(bez_checkout(s.objects, &r.rows, store_path(&s, "out", out),
                           &(bez_checkout_options){.threads = 2, .replace = true}, &err));
    assert_same_folder(in, out);
    store_close(&s);
  }
  free(bytes);
}

static void referenced_files_that_changed_are_named(void **state) {
  bez_error err = {0};
  bez_ingest_result r;
  char in[256], out[256];
  store s;
  store_open(&s);
  make_data_set(&s, 20);
  bez_ingest_options options = {.key = store_key, .threads = 2, .by_reference = true};
  assert_ok(store_add(&s, store_path(&s, "data", in), &options, &r, &err));
  store_path(&s, "out", out);
  put(&s, "data/x/model.bin", "short", 5);
  assert_int_not_equal(
      bez_checkout(s.objects, &r.rows, out, &(bez_checkout_options){.threads = 2, .replace = true}, &err), BEZ_OK);
  assert_non_null(strstr(err.subject, "model.bin"));
  uint8_t *bytes = malloc(3u << 20);
  assert_non_null(bytes);
  fill(bytes, 3u << 20, 7);
  bytes[2u << 20] ^= 1; /* as long as it was */
  put(&s, "data/x/model.bin", bytes, 3u << 20);
  memset(&err, 0, sizeof err);
  assert_int_equal(bez_checkout(s.objects, &r.rows, out, &(bez_checkout_options){.threads = 2, .replace = true}, &err),
                   BEZ_FORMAT);
  assert_non_null(strstr(err.subject, "model.bin"));
  bytes[2u << 20] ^= 1; /* and back again */
  put(&s, "data/x/model.bin", bytes, 3u << 20);
  memset(&err, 0, sizeof err);
  assert_ok(bez_checkout(s.objects, &r.rows, out, &(bez_checkout_options){.threads = 2, .replace = true}, &err));
  assert_same_folder(in, out);
  assert_int_equal(nftw(out, store_remove, 16, FTW_DEPTH | FTW_PHYS), 0);
  free(bytes);
  assert_int_equal(unlink(store_path(&s, "data/x/model.bin", in)), 0);
  assert_int_not_equal(
      bez_checkout(s.objects, &r.rows, out, &(bez_checkout_options){.threads = 2, .replace = true}, &err), BEZ_OK);
  assert_non_null(strstr(err.subject, "model.bin"));
  assert_int_not_equal(access(out, F_OK), 0);
  store_close(&s);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_same_tree_for_any_threads_and_by_reference),
      cmocka_unit_test(unchanged_pictures_are_not_read_in_again),
      cmocka_unit_test(one_file_of_every_form),
      cmocka_unit_test(a_file_of_any_length_in_between),
      cmocka_unit_test(referenced_files_that_changed_are_named),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
