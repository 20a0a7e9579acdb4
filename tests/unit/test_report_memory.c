/* Every allocation fails once: builders, writers and readers of reports say BEZ_MEMORY and leave nothing behind. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "bezoar/report.h"
#include "finding/wire.h"
#include "report_fixture.h"

/* Sanitizers bring an allocator of their own; there these tests only run the code without failures. */
#if defined(__SANITIZE_ADDRESS__)
#define CAN_FAIL 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define CAN_FAIL 0
#endif
#endif
#ifndef CAN_FAIL
#define CAN_FAIL 1
#endif

static long countdown = -1; /* allocations left until one fails; -1: none fails */

#if CAN_FAIL
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t size);

/* Seen by the shared libraries as well. */
#define VISIBLE __attribute__((visibility("default")))

static bool fails(void) {
  if (countdown < 0) return false;
  return countdown-- == 0;
}

VISIBLE void *malloc(size_t size) {
  return fails() ? NULL : __libc_malloc(size);
}
VISIBLE void *calloc(size_t n, size_t size) {
  return fails() ? NULL : __libc_calloc(n, size);
}
VISIBLE void *realloc(void *p, size_t size) {
  return fails() ? NULL : __libc_realloc(p, size);
}
#endif

enum { MAX_ALLOCATIONS = 20000 };

/* Runs `work` with the first, the second … allocation failing, until one run has none left to fail. */
static void each_allocation_fails(bez_status (*work)(const void *arg, bez_error *err), const void *arg) {
  for (long k = 0; k < MAX_ALLOCATIONS; k++) {
    bez_error err = {0};
    countdown = CAN_FAIL ? k : -1;
    bez_status st = work(arg, &err);
    bool none_failed = countdown >= 0 || !CAN_FAIL;
    countdown = -1;
    if (none_failed) {
      assert_int_equal(st, BEZ_OK);
      if (CAN_FAIL && k == 0) fail_msg("nothing was allocated");
      return;
    }
    if (st != BEZ_OK && st != BEZ_MEMORY) fail_msg("allocation %ld: %d %s", k, st, err.message);
  }
  fail_msg("more than %d allocations", MAX_ALLOCATIONS);
}

static bez_status build(const void *arg, bez_error *err) {
  bez_report *r = bez_report_create("scan");
  if (!r) return BEZ_MEMORY;
  fixture_pattern(r);
  fixture_others(r);
  bez_report_not_checked(r, true, "x", "y %d", 5);
  bez_report_ran(r, &fixture_rules[0]);
  bez_report_option(r, "a", "b");
  bez_report_option(r, "a", "c");
  bez_report_run_info(r, "a", "b");
  bez_report_seal(r);
  bez_report_apply_baseline(r, r, true);
  (void)bez_report_row(r, 0); /* walks where the index cannot be made */
  (void)bez_report_finding(r, 0);
  bez_status st = bez_report_status(r, err);
  bez_report_destroy(r);
  return st;
}

static void test_builders(void **state) {
  each_allocation_fails(build, NULL);
}

typedef struct rendering {
  const bez_report *report;
  const char *format;
  bez_write_options options;
  const char *expected; /* success without every allocation is fine only when nothing is missing */
} rendering;

static bez_status render(const void *arg, bez_error *err) {
  const rendering *what = arg;
  char *bytes = NULL;
  size_t len = 0;
  bez_status st = bez_report_render(what->report, what->format, &what->options, &bytes, &len, err);
  if (st != BEZ_OK) return st;
  bool whole = !what->expected || !strcmp(bytes, what->expected);
  bez_free(bytes);
  return whole ? BEZ_OK : BEZ_INTERNAL;
}

static void test_writers(void **state) {
  bez_report *r = fixture_report();
  for (size_t w = 0; w < bez_writer_count(); w++)
    for (int redact = 0; redact < 2; redact++) {
      rendering what = {.report = r, .format = bez_writer_get(w).name, .options = {.redact = redact != 0}};
      char *whole = NULL;
      size_t len = 0;
      assert_int_equal(bez_report_render(r, what.format, &what.options, &whole, &len, NULL), BEZ_OK);
      what.expected = whole;
      each_allocation_fails(render, &what);
      bez_free(whole);
    }
  bez_report_destroy(r);
}

static bez_status compare(const void *arg, bez_error *err) {
  char *bytes = NULL;
  size_t len = 0;
  bez_status st = bez_report_diff(arg, arg, false, &bytes, &len, NULL, NULL, err);
  if (st == BEZ_OK) bez_free(bytes);
  return st;
}

static void test_diff(void **state) {
  bez_report *r = fixture_report();
  each_allocation_fails(compare, r);
  bez_report_destroy(r);
}

static bez_status read_back(const void *arg, bez_error *err) {
  const bez_buf *json = arg;
  bez_report *r = NULL;
  bez_status st = bez_report_from_json(json->data, json->len, "test", &r, err);
  /* The JSON library reports a failed allocation as it reports anything else it cannot parse. */
  if (st == BEZ_FORMAT && CAN_FAIL) st = BEZ_MEMORY;
  if (st == BEZ_OK) bez_report_destroy(r);
  return st;
}

static void test_reader(void **state) {
  bez_report *r = fixture_report();
  bez_buf json = {0};
  assert_int_equal(bez_report_to_json(r, true, false, &json, NULL), BEZ_OK);
  each_allocation_fails(read_back, &json);
  bez_buf_free(&json);
  bez_report_destroy(r);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_builders),
      cmocka_unit_test(test_writers),
      cmocka_unit_test(test_diff),
      cmocka_unit_test(test_reader),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
