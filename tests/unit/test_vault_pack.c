/* Packs: what is put in comes out, however it was put in; nothing damaged is handed out; equal packs are one. */
#include "test.h"

#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/stat.h>

#include "base/hash.h"
#include "content/item.h"
#include "content/object.h"
#include "folder_help.h"

static int setup(void **state) {
  return make_folder(state);
}

/* Text that packs well, or bytes that do not; length and content follow from the number alone. */
static size_t make_object(uint64_t number, char *out) {
  size_t len = bez_mix64(number) % 3000;
  for (size_t i = 0; i < len; i++) {
    uint64_t word = bez_mix64(number * 4096 + i / 8);
    out[i] = number % 3 ? "0123456789,abcde"[word >> (i % 8 * 4) & 15] : (char)(int8_t)(word >> (i % 8 * 8) & 127);
  }
  return len;
}

static bez_object_kind kind_of(uint64_t number) {
  return number % 5 == 0 ? BEZ_OBJECT_NODE : number % 5 == 1 ? BEZ_OBJECT_BLOB : BEZ_OBJECT_LEAF;
}

static void store_path(char out[600], const char *name) {
  snprintf(out, 600, "%s/%s", folder, name);
}

static bez_objects *open_store(const char *name) {
  char path[600];
  bez_error err = {0};
  bez_objects *objects = NULL;
  store_path(path, name);
  assert_ok(bez_objects_open(path, true, &objects, &err));
  return objects;
}

/* The one pack of a folder. */
static void only_pack(const char *name, char out[1200]) {
  char path[600];
  unsigned n = 0;
  store_path(path, name);
  DIR *dir = opendir(path);
  assert_non_null(dir);
  for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
    if (entry->d_name[0] == '.') continue;
    snprintf(out, 1200, "%s/%s", path, entry->d_name);
    n++;
  }
  closedir(dir);
  assert_int_equal(n, 1);
}

static void put_range(bez_pack *pack, uint64_t from, uint64_t to, bez_id *ids) {
  char bytes[4096];
  bez_error err = {0};
  for (uint64_t i = from; i < to; i++) {
    size_t len = make_object(i, bytes);
    assert_ok(bez_pack_put(pack, kind_of(i), bytes, len, &ids[i], &err));
  }
}

static void check_range(const bez_objects *objects, uint64_t from, uint64_t to, const bez_id *ids) {
  char bytes[4096];
  bez_error err = {0};
  bez_buf got = {0};
  for (uint64_t i = from; i < to; i++) {
    size_t len = make_object(i, bytes);
    assert_true(bez_objects_has(objects, &ids[i]));
    assert_ok(bez_objects_get(objects, kind_of(i), &ids[i], &got, &err));
    assert_int_equal(got.len, len);
    if (len) assert_memory_equal(got.data, bytes, len);
  }
  bez_buf_free(&got);
}

enum { N = 4000 };

static void test_put_and_get(void **state) {
  bez_error err = {0};
  bez_id *ids = calloc(N, sizeof *ids);
  bez_objects *objects = open_store("plain");
  bez_pack *pack = NULL;
  bez_buf got = {0};
  uint64_t bytes = 0;
  char object[4096];
  assert_non_null(ids);
  assert_ok(bez_pack_begin(objects, &pack, &err));
  put_range(pack, 0, N, ids);
  put_range(pack, 0, N / 2, ids); /* known ones cost nothing */
  for (uint64_t i = 0; i < N; i++) {
    assert_ok(bez_pack_get(pack, kind_of(i), &ids[i], &got, &err));
    assert_int_equal(got.len, make_object(i, object));
    if (got.len) assert_memory_equal(got.data, object, got.len);
    assert_true(bez_pack_has(pack, &ids[i]));
  }
  assert_false(bez_objects_has(objects, &ids[7]));
  assert_ok(bez_pack_finish(pack, &bytes, &err));
  check_range(objects, 0, N, ids);
  bez_objects_close(objects);
  objects = open_store("plain");
  check_range(objects, 0, N, ids);
  assert_int_equal(bez_objects_get(objects, BEZ_OBJECT_NODE, &ids[1], &got, &err), BEZ_FORMAT);
  assert_non_null(strstr(err.message, "another kind"));
  err = (bez_error){0};
  ids[0].bytes[5] ^= 1;
  assert_int_equal(bez_objects_get(objects, 0, &ids[0], &got, &err), BEZ_FORMAT);
  assert_non_null(strstr(err.message, "is missing"));
  bez_objects_close(objects);
  bez_buf_free(&got);
  free(ids);
}

static void test_empty_and_abandoned(void **state) {
  bez_error err = {0};
  bez_id ids[8];
  uint64_t bytes = 1;
  bez_pack *pack = NULL;
  bez_objects *objects = open_store("few");
  assert_ok(bez_pack_begin(objects, &pack, &err));
  assert_ok(bez_pack_finish(pack, &bytes, &err));
  assert_int_equal(bytes, 0);
  assert_ok(bez_pack_begin(objects, &pack, &err));
  put_range(pack, 0, 8, ids);
  bez_pack_abandon(pack);
  assert_false(bez_objects_has(objects, &ids[3]));
  assert_ok(bez_pack_begin(objects, &pack, &err));
  assert_ok(bez_pack_put(pack, BEZ_OBJECT_BLOB, "", 0, &ids[0], &err));
  assert_ok(bez_pack_finish(pack, &bytes, &err));
  bez_buf got = {0};
  assert_ok(bez_objects_get(objects, BEZ_OBJECT_BLOB, &ids[0], &got, &err));
  assert_int_equal(got.len, 0);
  bez_buf_free(&got);
  bez_objects_close(objects);
}

/* What is put in order by one thread and in blocks lies in packs whose directory, and so name, depends on it alone. */
static void test_equal_packs_are_one(void **state) {
  bez_error err = {0};
  bez_id ids[500];
  char first[1200], second[1200];
  bez_pack *packs[2] = {NULL, NULL};
  bez_objects *objects = open_store("twice");
  for (unsigned i = 0; i < 2; i++) assert_ok(bez_pack_begin(objects, &packs[i], &err));
  for (unsigned i = 0; i < 2; i++) put_range(packs[i], 0, 500, ids);
  assert_ok(bez_pack_finish(packs[0], NULL, &err));
  only_pack("twice", first);
  assert_ok(bez_pack_finish(packs[1], NULL, &err));
  only_pack("twice", second);
  assert_string_equal(first, second);
  check_range(objects, 0, 500, ids);
  bez_objects_close(objects);
}

static void test_blocks(void **state) {
  bez_error err = {0};
  bez_id *ids = calloc(N, sizeof *ids);
  bez_objects *objects = open_store("blocks"), *other = open_store("blocks");
  bez_pack *pack = NULL;
  bez_block *block = NULL;
  char object[4096];
  assert_non_null(ids);
  assert_ok(bez_pack_begin(objects, &pack, &err));
  put_range(pack, 0, 100, ids);
  assert_ok(bez_block_create(&block, &err));
  for (uint64_t i = 50; i < N; i++) { /* the first fifty are there already */
    size_t len = make_object(i, object);
    assert_ok(bez_block_put(block, kind_of(i), object, len, false, &ids[i], &err));
    if (bez_block_bytes(block) < BEZ_BLOCK && i + 1 < N) continue;
    assert_ok(bez_block_seal(block, &err));
    assert_ok(bez_pack_add(pack, block, &err));
    assert_int_equal(bez_block_bytes(block), 0);
  }
  bez_block_free(block);
  assert_ok(bez_pack_finish(pack, NULL, &err));
  check_range(objects, 0, N, ids);
  assert_false(bez_objects_has(other, &ids[9]));
  assert_ok(bez_objects_refresh(other, &err));
  check_range(other, 0, N, ids);
  bez_objects_close(objects);
  bez_objects_close(other);
  free(ids);
}

typedef struct reader_job {
  const bez_objects *objects;
  const bez_id *ids;
  bool good;
} reader_job;

static void *read_all(void *arg) {
  reader_job *job = arg;
  bez_buf got = {0};
  char object[4096];
  job->good = true;
  for (uint64_t i = 0; i < N; i++) {
    bez_error err = {0};
    size_t len = make_object(i, object);
    bool same = bez_objects_get(job->objects, 0, &job->ids[i], &got, &err) == BEZ_OK && got.len == len &&
                (!len || memcmp(got.data, object, len) == 0);
    job->good = job->good && same;
  }
  bez_buf_free(&got);
  return NULL;
}

static void test_many_readers(void **state) {
  bez_error err = {0};
  bez_id *ids = calloc(N, sizeof *ids);
  bez_objects *objects = open_store("readers");
  bez_pack *pack = NULL;
  pthread_t threads[8];
  reader_job jobs[8];
  assert_non_null(ids);
  assert_ok(bez_pack_begin(objects, &pack, &err));
  put_range(pack, 0, N, ids);
  assert_ok(bez_pack_finish(pack, NULL, &err));
  for (unsigned i = 0; i < 8; i++) {
    jobs[i] = (reader_job){objects, ids, false};
    assert_int_equal(pthread_create(&threads[i], NULL, read_all, &jobs[i]), 0);
  }
  for (unsigned i = 0; i < 8; i++) {
    pthread_join(threads[i], NULL);
    assert_true(jobs[i].good);
  }
  bez_objects_close(objects);
  free(ids);
}

/* A leaf of a file item, two rows whose bodies lie in a file, and the rest of it. */
static void leaf_of(bez_buf *leaf, bez_buf *frame, const char *bytes) {
  const bez_item file = {BEZ_ITEM_FILE, "a.csv", "{\"form\":\"csv\"}", 5, 14};
  const bez_item items[3] = {{BEZ_ITEM_ROW, NULL, bytes, 0, 10},
                             {BEZ_ITEM_BYTES, NULL, bytes + 10, 0, 3},
                             {BEZ_ITEM_ROW, NULL, bytes + 13, 0, 200}};
  bez_item_write(leaf, &file);
  bez_item_write(frame, &file);
  for (unsigned i = 0; i < 3; i++) {
    bez_item_write(leaf, &items[i]);
    bez_buf_putc(frame, (char)items[i].type);
    bez_put_varint(frame, 0);
    bez_put_varint(frame, items[i].body_len);
  }
}

static void test_by_reference(void **state) {
  bez_error err = {0};
  bez_objects *objects = open_store("referred"), *scratch = open_store("scratch");
  bez_pack *pack = NULL, *other = NULL;
  bez_buf leaf = {0}, frame = {0}, got = {0};
  bez_id id;
  char path[600], bytes[400];
  for (size_t i = 0; i < sizeof bytes; i++) bytes[i] = (char)('a' + i % 26);
  put("data.csv", bytes, sizeof bytes);
  store_path(path, "data.csv");
  leaf_of(&leaf, &frame, bytes + 7);
  assert_ok(bez_pack_begin(scratch, &other, &err)); /* for the id alone */
  assert_ok(bez_pack_put(other, BEZ_OBJECT_LEAF, leaf.data, leaf.len, &id, &err));
  bez_pack_abandon(other);
  assert_ok(bez_pack_begin(objects, &pack, &err));
  assert_ok(bez_pack_refer(pack, path, 7, 213, frame.data, frame.len, &id, &err));
  assert_ok(bez_pack_refer(pack, path, 7, 213, frame.data, frame.len, &id, &err));
  assert_ok(bez_pack_finish(pack, NULL, &err));
  assert_ok(bez_objects_get(objects, BEZ_OBJECT_LEAF, &id, &got, &err));
  assert_int_equal(got.len, leaf.len);
  assert_memory_equal(got.data, leaf.data, leaf.len);
  bytes[30] = '!';
  put("data.csv", bytes, sizeof bytes);
  assert_int_equal(bez_objects_get(objects, BEZ_OBJECT_LEAF, &id, &got, &err), BEZ_FORMAT);
  assert_string_equal(err.subject, path);
  assert_int_equal(err.offset, 7);
  err = (bez_error){0};
  put("data.csv", bytes, 100);
  assert_int_equal(bez_objects_get(objects, BEZ_OBJECT_LEAF, &id, &got, &err), BEZ_IO);
  bez_objects_close(objects);
  bez_objects_close(scratch);
  bez_buf_free(&leaf);
  bez_buf_free(&frame);
  bez_buf_free(&got);
}

static void flip(const char *path, size_t at) {
  uint8_t byte = 0;
  assert_int_equal(chmod(path, 0644), 0);
  int fd = open(path, O_RDWR | O_CLOEXEC);
  assert_true(fd >= 0);
  assert_int_equal(pread(fd, &byte, 1, (off_t)at), 1);
  byte ^= (uint8_t)(1u << at % 8);
  assert_int_equal(pwrite(fd, &byte, 1, (off_t)at), 1);
  close(fd);
}

static void count_damage(void *ctx, const bez_damage *damage) {
  assert_non_null(damage->pack);
  assert_non_null(damage->what);
  ++*(unsigned *)ctx;
}

/* Every byte of a pack, one after the other: verify finds the change, and no reader gets other bytes. */
static void test_every_byte_is_covered(void **state) {
  bez_error err = {0};
  bez_id ids[40];
  bez_objects *objects = open_store("flipped");
  bez_pack *pack = NULL;
  bez_buf got = {0};
  char path[1200], object[4096];
  uint64_t bytes = 0;
  assert_ok(bez_pack_begin(objects, &pack, &err));
  put_range(pack, 0, 12, ids);
  assert_ok(bez_pack_finish(pack, &bytes, &err));
  bez_objects_close(objects);
  only_pack("flipped", path);
  for (size_t at = 0; at < bytes; at++) {
    unsigned damaged = 0;
    flip(path, at);
    char store[600];
    store_path(store, "flipped");
    err = (bez_error){0};
    bez_status st = bez_objects_open(store, false, &objects, &err);
    assert_true(st == BEZ_OK || st == BEZ_FORMAT);
    for (uint64_t i = 0; i < 12; i++) {
      err = (bez_error){0};
      if (bez_objects_get(objects, 0, &ids[i], &got, &err) != BEZ_OK) continue;
      assert_int_equal(got.len, make_object(i, object));
      if (got.len) assert_memory_equal(got.data, object, got.len);
    }
    err = (bez_error){0};
    st = bez_objects_verify(objects, 1, NULL, NULL, count_damage, &damaged, NULL, &err);
    if (st != BEZ_FORMAT || !damaged) fail_msg("byte %zu: a change is not noticed", at);
    bez_objects_close(objects);
    flip(path, at);
  }
  objects = open_store("flipped");
  bez_objects_sum sum;
  assert_ok(bez_objects_verify(objects, 2, NULL, NULL, NULL, NULL, &sum, &err));
  assert_int_equal(sum.packs, 1);
  assert_int_equal(sum.objects, 12);
  bez_objects_close(objects);
  bez_buf_free(&got);
}

static void test_damaged_packs_are_removed(void **state) {
  bez_error err = {0};
  bez_id ids[40];
  bez_pack *pack = NULL;
  char path[1200];
  uint64_t removed = 9;
  bez_objects *objects = open_store("removed");
  assert_ok(bez_pack_begin(objects, &pack, &err));
  put_range(pack, 0, 20, ids);
  assert_ok(bez_pack_finish(pack, NULL, &err));
  only_pack("removed", path);
  assert_ok(bez_pack_begin(objects, &pack, &err));
  put_range(pack, 20, 40, ids);
  assert_ok(bez_pack_finish(pack, NULL, &err));
  assert_ok(bez_objects_remove_damaged(objects, &removed, &err));
  assert_int_equal(removed, 0);
  flip(path, 100);
  assert_ok(bez_objects_remove_damaged(objects, &removed, &err));
  assert_int_equal(removed, 1);
  assert_false(bez_objects_has(objects, &ids[3]));
  check_range(objects, 20, 40, ids);
  bez_objects_close(objects);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_put_and_get),           cmocka_unit_test(test_empty_and_abandoned),
      cmocka_unit_test(test_equal_packs_are_one),   cmocka_unit_test(test_blocks),
      cmocka_unit_test(test_many_readers),          cmocka_unit_test(test_by_reference),
      cmocka_unit_test(test_every_byte_is_covered), cmocka_unit_test(test_damaged_packs_are_removed),
  };
  return cmocka_run_group_tests(tests, setup, remove_folder);
}
