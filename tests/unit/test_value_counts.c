/* Value counts: exact below capacity, bounded above it, mergeable in pieces, and unmoved by hostile saved bytes. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/rng.h"
#include "math/value_counts.h"

static const bez_summary *const kind = &bez_value_counts_summary;

static void *fresh(uint32_t capacity) {
  bez_value_counts_params params = {capacity};
  void *state = NULL;
  assert_int_equal(kind->create(&params, &state, NULL), BEZ_OK);
  return state;
}

static void feed(void *state, const uint64_t *keys, size_t n) {
  bez_value_counts_batch batch = {keys, n};
  assert_int_equal(kind->update(state, &batch, NULL), BEZ_OK);
}

static void merge_saved(void *state, const void *part) {
  bez_buf saved = {0};
  assert_int_equal(kind->save(part, &saved, NULL), BEZ_OK);
  bez_cursor cursor = {(const uint8_t *)saved.data, saved.len, 0};
  assert_int_equal(kind->merge(state, &cursor, NULL), BEZ_OK);
  bez_buf_free(&saved);
}

static void draw(uint64_t *keys, size_t n, uint64_t distinct) {
  bez_rng rng = bez_rng_make(3, 1);
  for (size_t i = 0; i < n; i++) {
    double u = bez_rng_unit(&rng);
    keys[i] = (uint64_t)(u * u * u * (double)distinct);
  }
}

static void parts_equal_the_whole(void **unused) {
  (void)unused;
  static uint64_t keys[10000];
  draw(keys, 10000, 700);
  void *whole = fresh(1000), *parts = fresh(1000);
  feed(whole, keys, 10000);
  for (size_t at = 0; at < 10000; at += 2500) {
    void *part = fresh(1000);
    feed(part, keys + at, 2500);
    merge_saved(parts, part);
    kind->destroy(part);
  }
  bez_buf a = {0}, b = {0};
  assert_int_equal(kind->save(whole, &a, NULL), BEZ_OK);
  assert_int_equal(kind->save(parts, &b, NULL), BEZ_OK);
  assert_int_equal(a.len, b.len);
  assert_memory_equal(a.data, b.data, a.len);
  assert_int_equal(bez_value_counts_error(whole), 0);
  bez_buf_free(&a);
  bez_buf_free(&b);
  kind->destroy(whole);
  kind->destroy(parts);
}

/* Above capacity every count is at most `error` too low, and error obeys the bound. */
static void overflow_is_bounded(void **unused) {
  (void)unused;
  enum { ROWS = 60000, DISTINCT = 5000, CAPACITY = 64 };
  uint64_t *keys = malloc(ROWS * sizeof *keys), *truth = calloc(DISTINCT, sizeof *truth);
  draw(keys, ROWS, DISTINCT);
  void *all = fresh(CAPACITY);
  for (size_t at = 0; at < ROWS; at += 20000) {
    void *part = fresh(CAPACITY);
    feed(part, keys + at, 20000);
    merge_saved(all, part);
    kind->destroy(part);
  }
  for (size_t i = 0; i < ROWS; i++) truth[keys[i]]++;
  uint64_t error = bez_value_counts_error(all);
  assert_int_equal(bez_value_counts_total(all), ROWS);
  assert_true(error <= ROWS / (CAPACITY + 1));
  size_t n = bez_value_counts_size(all);
  bez_value_count *out = malloc(n * sizeof *out);
  bez_value_counts_finish(all, out);
  uint64_t *held = calloc(DISTINCT, sizeof *held);
  for (size_t i = 0; i < n; i++) held[out[i].key] = out[i].count;
  for (size_t v = 0; v < DISTINCT; v++) assert_true(held[v] <= truth[v] && held[v] + error >= truth[v]);
  free(held);
  free(out);
  free(truth);
  free(keys);
  kind->destroy(all);
}

static void keys_keep_the_order_of_numbers(void **unused) {
  (void)unused;
  const double ascending[] = {-INFINITY, -1e300, -2.5, -1e-310, 0.0, 1e-310, 1.0, 1e300, INFINITY, NAN};
  for (size_t i = 0; i + 1 < 10; i++) assert_true(bez_value_key(ascending[i]) < bez_value_key(ascending[i + 1]));
  for (size_t i = 0; i + 1 < 10; i++) assert_true(bez_value_of_key(bez_value_key(ascending[i])) == ascending[i]);
  assert_true(bez_value_key(-0.0) == bez_value_key(0.0));
  assert_true(isnan(bez_value_of_key(bez_value_key(NAN))));
}

/* Every truncation and every flipped byte is refused or merged within the stated total; nothing crashes. */
static void hostile_bytes_are_refused(void **unused) {
  (void)unused;
  uint64_t keys[] = {5, 5, 9, 1, 1, 1, UINT64_MAX};
  void *part = fresh(8);
  feed(part, keys, 7);
  bez_buf saved = {0};
  assert_int_equal(kind->save(part, &saved, NULL), BEZ_OK);
  for (size_t len = 0; len < saved.len; len++) {
    void *state = fresh(8);
    bez_cursor cursor = {(const uint8_t *)saved.data, len, 0};
    bez_error err = {0};
    assert_int_equal(kind->merge(state, &cursor, &err), BEZ_FORMAT);
    assert_true(err.message[0] != 0);
    assert_int_equal(bez_value_counts_size(state), 0); /* untouched */
    kind->destroy(state);
  }
  for (size_t at = 0; at < saved.len; at++)
    for (int bit = 0; bit < 8; bit++) {
      saved.data[at] ^= (char)(1 << bit);
      void *state = fresh(8);
      bez_cursor cursor = {(const uint8_t *)saved.data, saved.len, 0};
      bez_status st = kind->merge(state, &cursor, NULL);
      assert_true(st == BEZ_OK || st == BEZ_FORMAT);
      kind->destroy(state);
      saved.data[at] ^= (char)(1 << bit);
    }
  bez_buf_free(&saved);
  kind->destroy(part);
}

static void wrong_capacity_is_a_usage_error(void **unused) {
  (void)unused;
  void *state = NULL;
  bez_value_counts_params none = {0}, huge = {BEZ_VALUE_COUNTS_MAX + 1};
  assert_int_equal(kind->create(&none, &state, NULL), BEZ_USAGE);
  assert_int_equal(kind->create(&huge, &state, NULL), BEZ_USAGE);
  assert_true(bez_value_counts_digest(&none) != bez_value_counts_digest(&huge));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(parts_equal_the_whole),           cmocka_unit_test(overflow_is_bounded),
      cmocka_unit_test(keys_keep_the_order_of_numbers),  cmocka_unit_test(hostile_bytes_are_refused),
      cmocka_unit_test(wrong_capacity_is_a_usage_error),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
