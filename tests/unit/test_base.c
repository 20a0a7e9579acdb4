/* base/: the error, memory, bytes, numbers, threads, files and JSON that everything stands on. */
#include "test.h"

#include <math.h>
#include <stdatomic.h>

#include "base/arena.h"
#include "base/cursor.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/rng.h"
#include "base/store.h"
#include "base/summary.h"
#include "base/threads.h"
#include "base/utf8.h"

static void error_keeps_the_first(void **state) {
  (void)state;
  bez_error err = {0};
  assert_int_equal(bez_fail_at(&err, BEZ_FORMAT, "a.csv", 7, 99, "bad %s", "cell"), BEZ_FORMAT);
  assert_int_equal(bez_fail(&err, BEZ_IO, "b.csv", "second"), BEZ_IO);
  assert_string_equal(err.subject, "a.csv");
  assert_string_equal(err.message, "bad cell");
  assert_int_equal(err.line, 7);
  assert_int_equal(err.offset, 99);
  assert_int_equal(bez_fail(NULL, BEZ_IO, NULL, "nowhere to write"), BEZ_IO);
}

static void arena_aligns_zeroes_and_refuses_overflow(void **state) {
  (void)state;
  bez_arena arena = {0};
  for (size_t size = 0; size < 3000000; size = size * 3 + 1) {
    unsigned char *p = bez_arena_alloc(&arena, size);
    assert_non_null(p);
    assert_int_equal((uintptr_t)p % 16, 0);
    for (size_t i = 0; i < size; i++) assert_int_equal(p[i], 0);
    memset(p, 0xFF, size);
  }
  assert_null(bez_arena_array(&arena, SIZE_MAX / 4, 8));
  assert_null(bez_arena_alloc(&arena, SIZE_MAX - 3));
  assert_null(bez_arena_strdup(&arena, NULL));
  assert_string_equal(bez_arena_printf(&arena, "%d-%s", 5, "x"), "5-x");
  bez_arena_free(&arena);
}

static void buf_ceiling_sticks(void **state) {
  (void)state;
  bez_error err = {0};
  bez_buf buf = {.ceiling = 10};
  bez_buf_puts(&buf, "12345");
  bez_buf_printf(&buf, "%d", 67890);
  assert_string_equal(buf.data, "1234567890");
  bez_buf_putc(&buf, 'x');
  bez_buf_putc(&buf, 'y');
  assert_int_equal(buf.len, 10);
  assert_int_equal(bez_buf_status(&buf, &err), BEZ_LIMIT);
  bez_buf_free(&buf);
}

static void cursor_never_passes_the_end(void **state) {
  (void)state;
  const uint8_t bytes[] = {1, 2, 3, 4, 5, 6, 7, 8, 9};
  bez_cursor c = {bytes, sizeof bytes, 0};
  uint32_t v32;
  uint64_t v64;
  assert_true(bez_cursor_le32(&c, &v32));
  assert_int_equal(v32, 0x04030201);
  assert_false(bez_cursor_le64(&c, &v64));
  assert_int_equal(c.pos, 4);
  assert_false(bez_cursor_skip(&c, SIZE_MAX));
  assert_int_equal(bez_cursor_left(&c), 5);
  bez_buf buf = {0};
  bez_put_le64(&buf, 1ull << 60);
  bez_cursor huge = {(const uint8_t *)buf.data, buf.len, 0};
  assert_false(bez_cursor_count(&huge, 8, &v64));
  bez_buf_free(&buf);
}

/* Known answers of the Random123 project for philox4x32 with 10 rounds. */
static void philox_known_answers(void **state) {
  (void)state;
  uint32_t out[4];
  bez_philox(0, 0, 0, out);
  const uint32_t zero[4] = {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8};
  assert_memory_equal(out, zero, sizeof zero);
  bez_philox(UINT64_MAX, UINT64_MAX, UINT64_MAX, out);
  const uint32_t ones[4] = {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd};
  assert_memory_equal(out, ones, sizeof ones);
}

static void rng_is_uniform_enough(void **state) {
  (void)state;
  bez_rng rng = bez_rng_make(1, 2);
  unsigned count[7] = {0};
  double sum = 0, squares = 0;
  for (int i = 0; i < 70000; i++) count[bez_rng_below(&rng, 7)]++;
  for (int i = 0; i < 7; i++) assert_in_range(count[i], 9600, 10400);
  for (int i = 0; i < 100000; i++) {
    double z = bez_rng_normal(&rng);
    sum += z;
    squares += z * z;
  }
  assert_true(fabs(sum / 1e5) < 0.02 && fabs(squares / 1e5 - 1) < 0.03);
}

static void hash_differs_by_length_and_seed(void **state) {
  (void)state;
  assert_true(bez_hash64("a", 1, 0) != bez_hash64("a\0", 2, 0));
  assert_true(bez_hash64("a", 1, 0) != bez_hash64("a", 1, 1));
  assert_true(bez_hash64("12345678", 8, 0) != bez_hash64("12345678\0", 9, 0));
  char hex[65];
  assert_int_equal(bez_sha256_hex("abc", 3, hex), 0); /* FIPS 180-4 example */
  assert_string_equal(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

typedef struct sums {
  _Atomic uint64_t visited;
  uint64_t fail_at;
} sums;

static bez_status visit(void *ctx, uint64_t tile, unsigned worker, bez_error *err) {
  sums *s = ctx;
  (void)worker;
  atomic_fetch_add(&s->visited, tile + 1);
  return tile >= s->fail_at ? bez_fail(err, BEZ_FORMAT, NULL, "tile %llu", (unsigned long long)tile) : BEZ_OK;
}

static void parallel_visits_each_tile_once(void **state) {
  (void)state;
  for (unsigned threads = 0; threads < 9; threads++) {
    sums s = {.fail_at = UINT64_MAX};
    bez_error err = {0};
    assert_ok(bez_parallel(1000, threads, visit, &s, &err));
    assert_int_equal(s.visited, 500500);
    assert_ok(bez_parallel(0, threads, visit, &s, &err));
    s.fail_at = 0;
    assert_int_equal(bez_parallel(1000, threads, visit, &s, &err), BEZ_FORMAT);
    assert_string_equal(err.message, "tile 0"); /* the first by tile order, whichever came first */
  }
}

static void files_appear_whole_or_not_at_all(void **state) {
  (void)state;
  char dir[] = "/tmp/bez-test-XXXXXX", path[64];
  assert_non_null(mkdtemp(dir));
  snprintf(path, sizeof path, "%s/out", dir);
  bez_error err = {0};
  bez_outfile *file;
  assert_ok(bez_outfile_open(path, &file, &err));
  assert_ok(bez_outfile_write(file, "half", 4, &err));
  bez_outfile_abandon(file);
  assert_int_not_equal(access(path, F_OK), 0);
  assert_ok(bez_file_write(path, "whole", 5, &err));
  bez_buf buf = {0};
  assert_ok(bez_file_read(path, 5, &buf, &err));
  assert_string_equal(buf.data, "whole");
  assert_int_equal(bez_file_read(path, 4, &buf, &err), BEZ_LIMIT);
  bez_error_clear(&err);
  assert_int_equal(bez_file_write("/dev/full", "x", 1, &err), BEZ_IO);
  bez_error_clear(&err);
  assert_int_equal(bez_file_read("/nonexistent/x", 4, &buf, &err), BEZ_IO);
  assert_string_equal(err.subject, "/nonexistent/x");
  bez_buf_free(&buf);
  unlink(path);
  assert_int_equal(rmdir(dir), 0); /* nothing partial stays behind */
}

static void store_spills_and_keeps_bytes(void **state) {
  (void)state;
  bez_budget budget = {.bytes = 64 << 10};
  bez_store store;
  bez_error err = {0};
  bez_store_init(&store, &budget);
  assert_ok(bez_store_grow(&store, 60 << 10, &err));
  assert_int_equal(store.fd, -1);
  memset(store.data, 7, 60 << 10);
  assert_ok(bez_store_grow(&store, 1 << 20, &err));
  assert_true(store.fd >= 0);
  assert_int_equal(budget.in_use, 0);
  assert_int_equal(((char *)store.data)[(60 << 10) - 1], 7);
  assert_int_equal(((char *)store.data)[60 << 10], 0);
  assert_ok(bez_store_grow(&store, 2 << 20, &err));
  bez_store_trim(&store, 4096);
  assert_int_equal(((char *)store.data)[4095], 7);
  bez_store_free(&store);
  assert_int_equal(budget.spilled, 0);
}

static void json_writes_what_it_should(void **state) {
  (void)state;
  bez_buf buf = {0};
  bez_json j = bez_json_make(&buf, false);
  bez_json_open(&j, '{');
  bez_json_kstr(&j, "text", "a\"\\\n\x01\xff\xe2\x80\xa8");
  bez_json_knum(&j, "tenth", 0.1);
  bez_json_knum(&j, "nan", NAN);
  bez_json_kuint(&j, "big", UINT64_MAX);
  bez_json_key(&j, "list");
  bez_json_open(&j, '[');
  bez_json_bool(&j, true);
  bez_json_null(&j);
  bez_json_close(&j, ']');
  bez_json_close(&j, '}');
  assert_string_equal(buf.data, "{\"text\":\"a\\\"\\\\\\n\\u0001\xef\xbf\xbd\\u2028\",\"tenth\":0.1,\"nan\":null,"
                                "\"big\":18446744073709551615,\"list\":[true,null]}");
  bez_buf_free(&buf);
  const double values[] = {0.1, 1.0 / 3, 1e300, 5e-324, -2.5, 123456789.125, 1e15, 0};
  for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
    char text[32];
    bez_format_double(values[i], text);
    assert_true(strtod(text, NULL) == values[i]);
  }
}

static void json_refuses_depth_and_duplicates(void **state) {
  (void)state;
  char deep[400];
  memset(deep, '[', 200);
  memset(deep + 200, ']', 200);
  json_t *doc = NULL;
  bez_error err = {0};
  assert_int_equal(bez_json_parse(deep, 400, "deep", &doc, &err), BEZ_LIMIT);
  bez_error_clear(&err);
  assert_int_equal(bez_json_parse("{\"a\":1,\"a\":2}", 13, "twice", &doc, &err), BEZ_FORMAT);
  bez_error_clear(&err);
  assert_int_equal(bez_json_parse("", 0, "empty", &doc, &err), BEZ_FORMAT);
  assert_null(doc);
}

static void utf8_round_trips_and_refuses(void **state) {
  (void)state;
  for (uint32_t cp = 0; cp <= 0x10FFFF; cp += cp < 0x3000 ? 1 : 37) {
    if (cp >= 0xD800 && cp <= 0xDFFF) continue;
    char bytes[4];
    uint32_t back;
    bool ok;
    size_t n = bez_utf8_encode(cp, bytes);
    assert_int_equal(bez_utf8_decode(bytes, n, &back, &ok), n);
    assert_true(ok && back == cp);
    if (n > 1) assert_false(bez_utf8_valid(bytes, n - 1));
  }
  assert_false(bez_utf8_valid("\xc0\x80", 2));         /* overlong */
  assert_false(bez_utf8_valid("\xed\xa0\x80", 3));     /* surrogate */
  assert_false(bez_utf8_valid("\xf4\x90\x80\x80", 4)); /* above U+10FFFF */
}

static void summary_envelope_refuses_damage(void **state) {
  (void)state;
  const bez_summary kind = {.name = "test", .version = 3};
  bez_buf body = {0}, saved = {0};
  bez_error err = {0};
  bez_cursor inside;
  bez_buf_puts(&body, "payload");
  assert_ok(bez_summary_seal(&kind, 42, &body, &saved, &err));
  assert_ok(bez_summary_open(&kind, 42, (const uint8_t *)saved.data, saved.len, &inside, &err));
  assert_int_equal(inside.len, 7);
  assert_int_equal(bez_summary_open(&kind, 43, (const uint8_t *)saved.data, saved.len, &inside, &err), BEZ_USAGE);
  for (size_t cut = 0; cut < saved.len; cut++) {
    bez_error_clear(&err);
    assert_int_not_equal(bez_summary_open(&kind, 42, (const uint8_t *)saved.data, cut, &inside, &err), BEZ_OK);
    saved.data[cut] ^= 0x40;
    bez_error_clear(&err);
    assert_int_not_equal(bez_summary_open(&kind, 42, (const uint8_t *)saved.data, saved.len, &inside, &err), BEZ_OK);
    saved.data[cut] ^= 0x40;
  }
  bez_buf_free(&body);
  bez_buf_free(&saved);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(error_keeps_the_first),
      cmocka_unit_test(arena_aligns_zeroes_and_refuses_overflow),
      cmocka_unit_test(buf_ceiling_sticks),
      cmocka_unit_test(cursor_never_passes_the_end),
      cmocka_unit_test(philox_known_answers),
      cmocka_unit_test(rng_is_uniform_enough),
      cmocka_unit_test(hash_differs_by_length_and_seed),
      cmocka_unit_test(parallel_visits_each_tile_once),
      cmocka_unit_test(files_appear_whole_or_not_at_all),
      cmocka_unit_test(store_spills_and_keeps_bytes),
      cmocka_unit_test(json_writes_what_it_should),
      cmocka_unit_test(json_refuses_depth_and_duplicates),
      cmocka_unit_test(utf8_round_trips_and_refuses),
      cmocka_unit_test(summary_envelope_refuses_damage),
  };
  return cmocka_run_group_tests_name("base", tests, NULL, NULL);
}
