/* Stores of objects in a temporary folder, and data sets that go in and come out again. */
#ifndef BEZ_TEST_VAULT_STORE_H
#define BEZ_TEST_VAULT_STORE_H

#include "test.h"

#include <ftw.h>
#include <sys/stat.h>

#include "content/ingest.h"

typedef struct store {
  char folder[64];
  bez_objects *objects, *sorted;
} store;

static const bez_sipkey store_key = {0x0706050403020100ull, 0x0f0e0d0c0b0a0908ull};

static inline const char *store_path(const store *s, const char *name, char out[256]) {
  (void)snprintf(out, 256, "%s/%s", s->folder, name);
  return out;
}

static inline void store_open(store *s) {
  bez_error err = {0};
  char path[256];
  (void)strcpy(s->folder, "/tmp/bezoar-test-XXXXXX");
  assert_non_null(mkdtemp(s->folder));
  assert_ok(bez_objects_open(store_path(s, "objects", path), true, &s->objects, &err));
  assert_ok(bez_objects_open(store_path(s, "sorted", path), true, &s->sorted, &err));
}

static inline int store_remove(const char *path, const struct stat *info, int type, struct FTW *at) {
  (void)info, (void)type, (void)at;
  return remove(path);
}

static inline void store_close(store *s) {
  bez_objects_close(s->objects);
  bez_objects_close(s->sorted);
  assert_int_equal(nftw(s->folder, store_remove, 16, FTW_DEPTH | FTW_PHYS), 0);
}

static inline bez_status store_add(store *s, const char *path, const bez_ingest_options *options,
                                   bez_ingest_result *out, bez_error *err) {
  bez_pack *pack = NULL, *sorted = NULL;
  assert_int_equal(bez_pack_begin(s->objects, &pack, err), BEZ_OK);
  assert_int_equal(bez_pack_begin(s->sorted, &sorted, err), BEZ_OK);
  bez_status st = bez_ingest(s->objects, pack, s->sorted, sorted, path, options, out, err);
  if (st != BEZ_OK) {
    bez_pack_abandon(pack);
    bez_pack_abandon(sorted);
    return st;
  }
  assert_int_equal(bez_pack_finish(pack, NULL, err), BEZ_OK);
  assert_int_equal(bez_pack_finish(sorted, NULL, err), BEZ_OK);
  return BEZ_OK;
}

static inline void write_file(const char *path, const void *bytes, size_t len) {
  FILE *f = fopen(path, "wb");
  assert_non_null(f);
  assert_int_equal(fwrite(bytes, 1, len, f), len);
  assert_int_equal(fclose(f), 0);
}

static inline char *read_file(const char *path, size_t *len) {
  FILE *f = fopen(path, "rb");
  assert_non_null(f);
  assert_int_equal(fseek(f, 0, SEEK_END), 0);
  long n = ftell(f);
  assert_true(n >= 0);
  rewind(f);
  char *bytes = malloc((size_t)n + 1);
  assert_non_null(bytes);
  *len = fread(bytes, 1, (size_t)n, f);
  assert_int_equal(*len, (size_t)n);
  assert_int_equal(fclose(f), 0);
  return bytes;
}

static inline void assert_same_file(const char *a, const char *b) {
  size_t n, m;
  char *x = read_file(a, &n), *y = read_file(b, &m);
  assert_int_equal(n, m);
  assert_memory_equal(x, y, n);
  free(x);
  free(y);
}

#endif
