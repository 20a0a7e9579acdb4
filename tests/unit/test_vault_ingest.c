/* Data sets into trees and back: bit by bit, the same tree for any number of threads and whatever was there before, and
 * the sorted tree that a version has whether it was made anew or from its parent. */
#include "vault_store.h"

#include "base/rng.h"
#include "crypto/sha256.h"

static bez_ingest_options plain(unsigned threads) {
  return (bez_ingest_options){.key = store_key, .threads = threads};
}

/* A table whose rows are long and short, quoted and not, with blank lines and repeated rows. */
static char *make_csv(unsigned rows, uint64_t seed, size_t *len) {
  bez_buf out = {0};
  bez_rng rng = bez_rng_make(seed, 0);
  bez_buf_puts(&out, "id,name,\"a \"\"b\"\"\",x\r\n");
  for (unsigned i = 0; i < rows; i++) {
    uint64_t word = bez_rng_u64(&rng);
    unsigned kind = (unsigned)(word & 15);
    if (kind == 0) bez_buf_puts(&out, "\n");
    if (kind == 1)
      bez_buf_puts(&out, "1,same,row,2.50\n");
    else if (kind == 2)
      bez_buf_printf(&out, "%u,\"line\nbreak, \"\"%u\"\"\",,%u.0\r\n", i, (unsigned)(word >> 40), kind);
    else if (kind == 3)
      bez_buf_printf(&out, "%u,%*s,y,1e3\n", i, (int)(word >> 8 & 4095), "z");
    else
      bez_buf_printf(&out, "%u,name %u,%llx,0.%u\n", i, (unsigned)(word >> 32), (unsigned long long)word, kind);
  }
  bez_buf_puts(&out, "last,row,has no,end");
  assert_int_equal(out.failed, BEZ_OK);
  *len = out.len;
  return out.data;
}

static void test_round_trip(void **state) {
  (void)state;
  bez_error err = {0};
  char in[256], out[256];
  for (unsigned rows = 0; rows < 30000; rows = rows * 7 + 1) {
    store s;
    store_open(&s);
    size_t len;
    char *csv = make_csv(rows, rows, &len);
    write_file(store_path(&s, "in.csv", in), csv, len);
    bez_ingest_options options = plain(2);
    bez_ingest_result r;
    assert_ok(store_add(&s, in, &options, &r, &err));
    assert_string_equal(r.form, "csv");
    assert_int_equal(r.rows.top.bytes, len);
    assert_int_equal(r.rows.top.rows, r.fresh_rows);
    assert_int_equal(r.sorted.top.rows, r.fresh_rows);
    uint8_t digest[32];
    bez_sha256(csv, len, digest);
    assert_true(r.has_sha256);
    assert_memory_equal(r.sha256, digest, sizeof digest);
    assert_ok(bez_checkout(s.objects, &r.rows, store_path(&s, "out.csv", out),
                           &(bez_checkout_options){.threads = 2, .replace = true}, &err));
    assert_same_file(in, out);
    free(csv);
    store_close(&s);
  }
}

static void assert_same_tree(const bez_tree *a, const bez_tree *b) {
  assert_memory_equal(a->id.bytes, b->id.bytes, BEZ_ID);
}

/* Rows taken out, put in and changed at random places. */
static char *edit(const char *text, size_t len, uint64_t seed, size_t *out_len) {
  bez_buf out = {0};
  bez_rng rng = bez_rng_make(seed, 1);
  for (size_t at = 0; at < len;) {
    const char *stop = memchr(text + at, '\n', len - at);
    size_t end = stop ? (size_t)(stop - text) + 1 : len;
    uint64_t word = at ? bez_rng_u64(&rng) : 0xffff;
    unsigned what = (unsigned)(word % 500);
    if (what == 1) bez_buf_puts(&out, "new,row,with,1.50\n");
    if (what == 2) bez_buf_puts(&out, "7,");
    if (what != 3) bez_buf_write(&out, text + at, end - at);
    at = end;
  }
  *out_len = out.len;
  return out.data;
}

static void test_parent_does_not_matter(void **state) {
  (void)state;
  bez_error err = {0};
  char path[256];
  store s, t;
  store_open(&s);
  store_open(&t);
  size_t len, next_len;
  char *csv = make_csv(50000, 7, &len);
  bez_ingest_result before, after, fresh;
  bez_ingest_options options = plain(3), alone = plain(1);
  write_file(store_path(&s, "in.csv", path), csv, len);
  assert_ok(store_add(&s, path, &options, &before, &err));
  for (uint64_t round = 0; round < 4; round++) {
    char *next = edit(csv, len, round, &next_len);
    if (round == 2) memcpy(next, "ID", 2); /* other names: rows are the same bytes, and other rows */
    write_file(path, next, next_len);
    options.parent = &before.rows;
    options.parent_sorted = &before.sorted;
    assert_ok(store_add(&s, path, &options, &after, &err));
    assert_ok(store_add(&t, path, &alone, &fresh, &err));
    assert_same_tree(&after.rows, &fresh.rows);
    assert_same_tree(&after.sorted, &fresh.sorted);
    if (round == 2)
      assert_int_equal(after.known_leaves, 0);
    else
      assert_true(after.known_leaves > after.fresh_leaves);
    before = after;
    free(csv);
    csv = next;
    len = next_len;
  }
  free(csv);
  store_close(&s);
  store_close(&t);
}

static void test_folder(void **state) {
  (void)state;
  bez_error err = {0};
  char folder[256], path[512], back[512], sub[256];
  store s;
  store_open(&s);
  assert_int_equal(mkdir(store_path(&s, "data", folder), 0777), 0);
  assert_int_equal(mkdir(store_path(&s, "data/b", sub), 0777), 0);
  size_t len;
  char *csv = make_csv(3000, 1, &len);
  static const char *const names[] = {"a.csv", "b/c.csv", "b/d.jsonl", "b.csv", "empty", "z"};
  for (size_t i = 0; i < 6; i++) {
    (void)snprintf(path, sizeof path, "%s/%s", folder, names[i]);
    if (i == 2)
      write_file(path, "{\"a\":1}\n{\"a\": 1.0}\nno json\n", 27);
    else
      write_file(path, csv, i == 4 ? 0 : i == 5 ? 200 : len / (i + 1));
  }
  bez_ingest_result r, again;
  bez_ingest_options options = plain(2);
  assert_ok(store_add(&s, folder, &options, &r, &err));
  assert_int_equal(r.n_files, 6);
  assert_false(r.has_sha256);
  store_path(&s, "back", sub);
  assert_ok(bez_checkout(s.objects, &r.rows, sub, &(bez_checkout_options){.threads = 2, .replace = true}, &err));
  for (size_t i = 0; i < 6; i++) {
    (void)snprintf(path, sizeof path, "%s/%s", folder, names[i]);
    (void)snprintf(back, sizeof back, "%s/%s", sub, names[i]);
    assert_same_file(path, back);
  }
  assert_int_equal(bez_checkout(s.objects, &r.rows, sub, &(bez_checkout_options){.threads = 2, .replace = true}, &err),
                   BEZ_USAGE); /* it is there */
  bez_tree bomb = r.rows;      /* small objects may say that they stand for more than any disk holds */
  bomb.top.bytes = 1ull << 58;
  err = (bez_error){0};
  const bez_checkout_options usual = {.threads = 2};
  assert_int_equal(bez_checkout(s.objects, &bomb, store_path(&s, "bomb", sub), &usual, &err), BEZ_LIMIT);
  assert_non_null(strstr(err.message, "room"));
  err = (bez_error){0};
  options.parent = &r.rows;
  options.parent_sorted = &r.sorted;
  assert_ok(store_add(&s, folder, &options, &again, &err));
  assert_int_equal(again.fresh_leaves, 0);
  assert_same_tree(&again.rows, &r.rows);
  assert_same_tree(&again.sorted, &r.sorted);
  (void)snprintf(path, sizeof path, "%s/link", folder);
  assert_int_equal(symlink("a.csv", path), 0);
  assert_int_equal(store_add(&s, folder, &options, &again, &err), BEZ_USAGE);
  free(csv);
  store_close(&s);
}

/* The same tree for 1 to 4 threads, with rows copied or left where they are; and the same bytes back. */
static void test_threads_and_references(void **state) {
  (void)state;
  bez_error err = {0};
  char path[256], back[256];
  size_t len;
  char *csv = make_csv(130000, 3, &len); /* several slabs */
  assert_true(len > 2 * (8u << 20));
  bez_ingest_result first = {0}, r;
  uint8_t digest[32];
  bez_sha256(csv, len, digest);
  for (unsigned threads = 1; threads <= 4; threads++) {
    store s;
    store_open(&s);
    write_file(store_path(&s, "in.csv", path), csv, len);
    bez_ingest_options options = plain(threads);
    options.by_reference = threads == 3;
    assert_ok(store_add(&s, path, &options, &r, &err));
    if (threads == 1) first = r;
    assert_same_tree(&r.rows, &first.rows);
    assert_same_tree(&r.sorted, &first.sorted);
    assert_memory_equal(r.sha256, digest, sizeof digest);
    assert_ok(bez_checkout(s.objects, &r.rows, store_path(&s, "out.csv", back),
                           &(bez_checkout_options){.threads = threads, .replace = true}, &err));
    assert_same_file(path, back);
    store_close(&s);
  }
  free(csv);
}

/* Millions of rows of a few bytes: a slab takes so many at a time, and the rest waits. */
static void test_short_rows(void **state) {
  (void)state;
  bez_error err = {0};
  char folder[256], path[512], back[512];
  store s;
  store_open(&s);
  enum { ROWS = 700000 };
  char *text = malloc(2 * ROWS);
  assert_non_null(text);
  for (size_t i = 0; i < ROWS; i++) memcpy(text + 2 * i, i % 7 ? "5\n" : "8\n", 2);
  assert_int_equal(mkdir(store_path(&s, "data", folder), 0777), 0);
  static const char *const names[] = {"a.jsonl", "b.jsonl", "c.jsonl"};
  for (size_t i = 0; i < 3; i++) {
    (void)snprintf(path, sizeof path, "%s/%s", folder, names[i]);
    write_file(path, text, 2 * (ROWS - i));
  }
  bez_ingest_result r;
  bez_ingest_options options = plain(2);
  assert_ok(store_add(&s, folder, &options, &r, &err));
  assert_int_equal(r.rows.top.rows, 3 * ROWS - 3);
  assert_int_equal(r.sorted.top.items, 2);
  char out[256];
  assert_ok(bez_checkout(s.objects, &r.rows, store_path(&s, "back", out),
                         &(bez_checkout_options){.threads = 2, .replace = true}, &err));
  for (size_t i = 0; i < 3; i++) {
    (void)snprintf(path, sizeof path, "%s/%s", folder, names[i]);
    (void)snprintf(back, sizeof back, "%s/%s", out, names[i]);
    assert_same_file(path, back);
  }
  free(text);
  store_close(&s);
}

/* A version by reference whose file was changed in place: the next one goes without it. */
static void test_reference_that_changed(void **state) {
  (void)state;
  bez_error err = {0};
  char path[256], back[256];
  size_t len;
  char *csv = make_csv(4000, 5, &len);
  store s;
  store_open(&s);
  bez_ingest_result before, after, fresh;
  bez_ingest_options options = plain(2), alone = plain(2);
  options.by_reference = true;
  write_file(store_path(&s, "in.csv", path), csv, len);
  assert_ok(store_add(&s, path, &options, &before, &err));
  memcpy(csv + len / 2, "xyz", 3);
  write_file(path, csv, len);
  assert_int_not_equal(bez_checkout(s.objects, &before.rows, store_path(&s, "out.csv", back),
                                    &(bez_checkout_options){.threads = 2, .replace = true}, &err),
                       BEZ_OK);
  err = (bez_error){0};
  options.parent = &before.rows;
  options.parent_sorted = &before.sorted;
  assert_ok(store_add(&s, path, &options, &after, &err));
  store t;
  store_open(&t);
  assert_ok(store_add(&t, path, &alone, &fresh, &err));
  assert_same_tree(&after.rows, &fresh.rows);
  assert_same_tree(&after.sorted, &fresh.sorted);
  free(csv);
  store_close(&t);
  store_close(&s);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_round_trip),
                                     cmocka_unit_test(test_parent_does_not_matter),
                                     cmocka_unit_test(test_folder),
                                     cmocka_unit_test(test_threads_and_references),
                                     cmocka_unit_test(test_reference_that_changed),
                                     cmocka_unit_test(test_short_rows)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
