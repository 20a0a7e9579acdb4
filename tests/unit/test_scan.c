/* The scan room: incidents, suppressions, what is no table, options, --max-time, clean. */
#include "test.h"

#include <sys/stat.h>

#include "base/file.h"
#include "scan/scan.h"
#include "table_helpers.h"

static const bez_rule rule_a = {"BZ-D901", "a", "A", "s", "r", "t"}, rule_b = {"BZ-D902", "b", "B", "s", "r", "t"};

static bez_finding *add(bez_report *r, const bez_rule *rule, bez_severity severity, const char *pattern, uint64_t first,
                        uint64_t n) {
  bez_row_hit hits[256];
  assert_true(n <= 256);
  for (uint64_t i = 0; i < n; i++) hits[i] = (bez_row_hit){.row = first + i, .score = 1};
  bez_finding *f = bez_report_add(r, rule, severity);
  bez_finding_title(r, f, "%s", pattern);
  bez_finding_subject(r, f, pattern, "x");
  bez_finding_rows(r, f, hits, n);
  return f;
}

static bez_finding *find(bez_report *r, const char *pattern) {
  for (size_t i = 0; i < r->n_findings; i++)
    if (!strcmp(r->findings[i]->pattern, pattern)) return r->findings[i];
  fail_msg("no finding %s", pattern);
  return NULL;
}

static void test_incidents(void **state) {
  (void)state;
  bez_error err = {0};
  bez_report *r = bez_report_create("scan");
  add(r, &rule_a, BEZ_SEV_ERROR, "p1", 100, 60);
  add(r, &rule_b, BEZ_SEV_NOTE, "p2", 110, 60);    /* 50 common: together */
  add(r, &rule_b, BEZ_SEV_WARNING, "p3", 150, 20); /* with p2: 20 common of 20 and 60 */
  add(r, &rule_a, BEZ_SEV_WARNING, "p4", 500, 10);
  add(r, &rule_b, BEZ_SEV_NOTE, "p5", 505, 200); /* 5 common: half of p4, but far from a fifth of both */
  add(r, &rule_b, BEZ_SEV_NOTE, "list", 120, 60)->ranked_list = true; /* 40 of p1's 60: mostly about that */
  add(r, &rule_b, BEZ_SEV_NOTE, "wide list", 90, 200)->ranked_list = true;
  add(r, &rule_b, BEZ_SEV_NOTE, "other list", 900, 20)->ranked_list = true;
  add(r, &rule_b, BEZ_SEV_NOTE, "none", 0, 0);
  bez_report_seal(r);
  assert_ok(bez_scan_incidents(r, &err));
  assert_int_equal(r->n_incidents, 3);
  assert_int_equal(find(r, "p1")->incident, 1);
  assert_int_equal(find(r, "p2")->incident, 1);
  assert_int_equal(find(r, "p3")->incident, 1);
  assert_int_equal(r->incidents[0].n_rows, 70);
  assert_int_equal(r->incidents[0].severity, BEZ_SEV_ERROR);
  assert_string_equal(r->incidents[0].title, "p1");
  assert_int_not_equal(find(r, "p4")->incident, find(r, "p5")->incident);
  assert_int_equal(find(r, "list")->incident, 1);
  assert_int_equal(find(r, "wide list")->incident, 0);
  assert_int_equal(find(r, "other list")->incident, 0);
  const bez_evidence *last = find(r, "p1")->evidence_last; /* both lists hold most of its rows */
  assert_string_equal(last->key, "rows also in the list of BZ-D902");
  assert_true(find(r, "p1")->evidence->number == 40 || find(r, "p1")->evidence->number == 60);
  assert_true(last->number == 40 || last->number == 60);
  assert_int_equal(find(r, "none")->incident, 0);
  bez_report_destroy(r);
}

static void test_no_incidents(void **state) {
  (void)state;
  bez_error err = {0};
  bez_report *r = bez_report_create("scan");
  bez_report_seal(r);
  assert_ok(bez_scan_incidents(r, &err));
  assert_int_equal(r->n_incidents, 0);
  bez_report_destroy(r);
}

/* A thousand findings on the same rows must cost neither their square per row nor the answer. */
static void test_many_findings_on_the_same_rows(void **state) {
  (void)state;
  bez_error err = {0};
  bez_report *r = bez_report_create("scan");
  for (int i = 0; i < 1000; i++) {
    char name[16];
    snprintf(name, sizeof name, "p%d", i);
    add(r, &rule_a, BEZ_SEV_WARNING, name, 10, 100);
  }
  bez_report_seal(r);
  assert_ok(bez_scan_incidents(r, &err));
  assert_true(r->n_incidents >= 1);
  bez_report_destroy(r);
}

static bez_report *suppress(const char *yaml, const char *today, bez_status want, bez_error *err) {
  char path[256];
  bez_report *r = bez_report_create("scan");
  add(r, &rule_a, BEZ_SEV_ERROR, "p1", 100, 60);
  add(r, &rule_b, BEZ_SEV_ERROR, "p1", 100, 60);
  bez_report_seal(r);
  char text[2048];
  const char *fingerprint = NULL;
  for (size_t i = 0; i < r->n_findings; i++)
    if (r->findings[i]->rule == &rule_a) fingerprint = r->findings[i]->fingerprint;
  const char *mark = strstr(yaml, "@");
  snprintf(text, sizeof text, "%.*s%.20s%s", mark ? (int)(mark - yaml) : (int)strlen(yaml), yaml,
           mark ? fingerprint : "", mark ? mark + 1 : "");
  temp_file(".yaml", text, strlen(text), path);
  bez_status st = bez_scan_load_suppressions(r, path, err);
  if (st == BEZ_OK) st = bez_scan_suppress(r, today, err);
  assert_int_equal(st, want);
  unlink(path);
  return r;
}

#define ENTRY                                                                                                          \
  "suppressions:\n  - rule: BZ-D901\n    fingerprint: @\n    owner: me\n    justification: known\n    expires: "

static void test_suppression(void **state) {
  (void)state;
  bez_error err = {0};
  bez_report *r = suppress(ENTRY "2026-06-30\n", "2026-06-30", BEZ_OK, &err);
  assert_int_equal(r->n_suppressions, 1);
  assert_true(r->suppressions[0].used);
  assert_false(r->suppressions[0].expired);
  for (size_t i = 0; i < 2; i++) assert_int_equal(r->findings[i]->suppressed, r->findings[i]->rule == &rule_a);
  assert_int_equal(bez_report_count(r, BEZ_SEV_ERROR), 1);
  bez_report_destroy(r);
}

static void test_expired_suppression_raises_again(void **state) {
  (void)state;
  bez_error err = {0};
  bez_report *r = suppress(ENTRY "2026-06-30\n", "2026-07-01", BEZ_OK, &err);
  assert_true(r->suppressions[0].expired);
  assert_true(r->suppressions[0].used);
  assert_int_equal(bez_report_count(r, BEZ_SEV_ERROR), 2);
  bez_report_destroy(r);
}

static void test_bad_suppressions(void **state) {
  (void)state;
  static const struct {
    const char *yaml;
    int64_t line;
    const char *word;
  } cases[] = {
      {ENTRY "tomorrow\n", 6, "date"},
      {ENTRY "2026-13-01\n", 6, "date"},
      {"suppressions:\n  - rule: BZ-D901\n    fingerprint: abc\n    owner: o\n    justification: j\n    expires: "
       "2026-01-01\n",
       3, "hex"},
      {"suppressions:\n  - rule: BZ-D901\n", 2, "fingerprint"},
      {"suppressions:\n  - rule: BZ-D901\n    reason: x\n", 3, "unknown key"},
      {"suppressions: all\n", 1, "list"},
      {"- rule: x\n", 1, "suppressions"},
      {"a: [\n", 2, ""},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    bez_error err = {0};
    bez_report_destroy(suppress(cases[i].yaml, "2026-01-01", BEZ_USAGE, &err));
    assert_int_equal(err.line, cases[i].line);
    if (!strstr(err.message, cases[i].word)) fail_msg("\"%s\" does not say \"%s\"", err.message, cases[i].word);
  }
  bez_error err = {0};
  bez_report *r = suppress("", "2026-01-01", BEZ_OK, &err);
  assert_int_equal(r->n_suppressions, 0);
  bez_report_destroy(r);
}

static void identified(const char *suffix, const void *bytes, size_t len, const char *word) {
  char path[256];
  temp_file(suffix, bytes, len, path);
  const char *what = bez_scan_identify(NULL, path);
  unlink(path);
  if (!word) {
    if (what) fail_msg("%s is %s", suffix, what);
  } else if (!what || !strstr(what, word)) {
    fail_msg("%s: \"%s\" does not say \"%s\"", suffix, what ? what : "(null)", word);
  }
}

static void test_identify(void **state) {
  (void)state;
  identified(".png", "\x89PNG\r\n\x1a\n0000", 12, NULL);
  identified(".gif", "GIF89a\0\0", 8, "GIF");
  identified(".pkl", "\x80\x04\x95\x10\0\0\0\0\0\0\0", 11, "pickle");
  identified(".pkl", "\x80\x02}q\x01.", 6, "pickle");
  identified(".safetensors", "\x02\0\0\0\0\0\0\0{}", 10, "safetensors");
  identified(".gguf", "GGUF\x03\0\0\0", 8, "GGUF");
  identified(".zip", "PK\3\4\0\0\0\0archive/data.pkl", 24, "PyTorch");
  identified(".npz", "PK\3\4\0\0\0\0x.npy", 13, NULL);
  static const char npy[] = "\x93NUMPY\x01\0v\0{'descr': '|u1', 'fortran_order': False, 'shape': (40, 32, 32, 3), }";
  identified(".npy", npy, sizeof npy - 1, NULL);
  static const char flat[] = "\x93NUMPY\x01\0v\0{'descr': '<f8', 'fortran_order': False, 'shape': (40, 3), }";
  identified(".npy", flat, sizeof flat - 1, NULL);
  identified(".csv", "a,b\n1,2\n", 8, NULL);
  identified(".csv", "", 0, NULL);
  assert_null(bez_scan_identify(NULL, "/nonexistent"));
  assert_null(bez_scan_identify(NULL, "/"));
}

static void test_a_model_is_never_clean(void **state) {
  (void)state;
  char path[256];
  bez_error err = {0};
  bez_report *r = NULL;
  bez_scan_options o = {0};
  temp_file(".ggml", "ggml\x03\0\0\0", 8, path);
  const char *paths[] = {path};
  assert_int_equal(bez_scan_paths(paths, 1, &o, &r, &err), BEZ_UNSUPPORTED);
  assert_null(r);
  assert_non_null(strstr(err.message, "not checked"));
  unlink(path);
}

static void test_unreadable_beside_readable(void **state) {
  (void)state;
  char table[256], model[256];
  bez_error err = {0};
  bez_report *r = NULL;
  bez_scan_options o = {.read = {.threads = 1}};
  temp_file(".csv", "a,b\n1,2\n3,4\n", 12, table);
  temp_file(".gguf", "GGUF\x03\0\0\0", 8, model);
  const char *paths[] = {model, table, "/nonexistent.csv"};
  assert_ok(bez_scan_paths(paths, 3, &o, &r, &err));
  assert_int_equal(r->n_rows, 2);
  assert_int_equal(bez_report_unexamined(r), 2);
  assert_int_equal(bez_report_exit_code(r, BEZ_SEV_ERROR), 3);
  bez_report_destroy(r);
  unlink(table);
  unlink(model);
}

static void test_options(void **state) {
  (void)state;
  bez_table *t = table_from_csv("a,b\n1,2\n3,4\n", NULL);
  bez_report *r = NULL;
  const char *unknown[] = {"BZ-D999"};
  const bez_scan_options bad[] = {{.only = unknown, .n_only = 1},
                                  {.skip = unknown, .n_skip = 1},
                                  {.ruleset = BEZ_RULESET_VERSION + 1},
                                  {.new_only = true},
                                  {.max_time = -1}};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    bez_error err = {0};
    assert_int_equal(bez_scan_table(t, &bad[i], &r, &err), BEZ_USAGE);
    assert_null(r);
  }
  bez_table_destroy(t);
}

/* No time at all: every detector that could have run is unexamined, never clean. */
static void test_max_time(void **state) {
  (void)state;
  bez_error err = {0};
  bez_table *t = table_from_csv("a,b,label\n1,2,x\n3,4,y\n1,4,x\n3,2,y\n", NULL);
  bez_report *r = NULL;
  bez_scan_options o = {.max_time = 1e-9, .read = {.threads = 1}};
  assert_ok(bez_scan_table(t, &o, &r, &err));
  assert_true(bez_report_unexamined(r) > 0);
  assert_int_equal(bez_report_exit_code(r, BEZ_SEV_ERROR), 3);
  bez_report_destroy(r);
  bez_table_destroy(t);
}

static bool stop(void *ctx, const char *stage, const char *unit, uint64_t done, uint64_t total) {
  (void)ctx, (void)stage, (void)unit, (void)done, (void)total;
  return false;
}

static void test_cancel(void **state) {
  (void)state;
  char path[256];
  bez_error err = {0};
  bez_report *r = NULL;
  bez_buf csv = {0};
  bez_buf_puts(&csv, "a,b,label\n");
  for (int i = 0; i < 5000; i++) bez_buf_printf(&csv, "%d,%d,%s\n", i % 7, i % 11, i % 3 ? "x" : "y");
  temp_file(".csv", csv.data, csv.len, path);
  bez_buf_free(&csv);
  const char *paths[] = {path};
  bez_scan_options o = {.read = {.progress = stop, .threads = 1}};
  bez_status st = bez_scan_paths(paths, 1, &o, &r, &err);
  assert_int_equal(st, BEZ_CANCELLED);
  assert_null(r);
  unlink(path);
}

static void test_clean(void **state) {
  (void)state;
  char in[256], out[300], bad[300];
  bez_error err = {0};
  static const char csv[] = "a,label\r\n0,x\r\n\"1\",x\r\n2,y\r\n3,y\r\n";
  temp_file(".csv", csv, sizeof csv - 1, in);
  snprintf(out, sizeof out, "%s.out", in);
  snprintf(bad, sizeof bad, "%s.bad", in);
  bez_report *r = bez_report_create("scan");
  bez_report_file file = {.path = in, .n_rows = 4, .bytes = sizeof csv - 1, .format = "csv"};
  r->files = &file;
  r->n_files = 1;
  add(r, &rule_a, BEZ_SEV_ERROR, "p", 1, 2);
  add(r, &rule_b, BEZ_SEV_WARNING, "q", 3, 1);
  add(r, &rule_b, BEZ_SEV_ERROR, "s", 0, 1)->suppressed = true;
  bez_report_seal(r);
  bez_clean_result result;
  assert_ok(bez_clean(in, r, NULL, out, bad, &result, &err));
  assert_int_equal(result.n_rows, 4);
  assert_int_equal(result.n_quarantined, 2);
  bez_buf got = {0};
  assert_ok(bez_file_read(out, 1000, &got, &err));
  assert_string_equal(got.data, "a,label\r\n0,x\r\n3,y\r\n");
  assert_ok(bez_file_read(bad, 1000, &got, &err));
  assert_string_equal(got.data, "a,label\r\n\"1\",x\r\n2,y\r\n");
  bez_clean_options strict = {.at_least = BEZ_SEV_WARNING};
  assert_ok(bez_clean(in, r, &strict, out, NULL, &result, &err));
  assert_int_equal(result.n_quarantined, 3);
  assert_int_equal(bez_clean(in, r, NULL, in, NULL, &result, &err), BEZ_USAGE); /* never over the input */
  bez_error changed = {0};
  file.bytes++;
  assert_int_equal(bez_clean(in, r, NULL, out, NULL, &result, &changed), BEZ_USAGE);
  bez_buf_free(&got);
  bez_report_destroy(r);
  unlink(in);
  unlink(out);
  unlink(bad);
}

static void test_clean_mask(void **state) {
  (void)state;
  char in[256], out[300];
  bez_error err = {0};
  temp_file(".npy", "12345678", 8, in);
  snprintf(out, sizeof out, "%s.out", in);
  bez_report *r = bez_report_create("scan");
  bez_report_file file = {.path = in, .n_rows = 5, .bytes = 8, .format = "parquet"};
  r->files = &file;
  r->n_files = 1;
  add(r, &rule_a, BEZ_SEV_ERROR, "p", 1, 2);
  bez_report_seal(r);
  bez_clean_result result;
  assert_ok(bez_clean(in, r, NULL, out, NULL, &result, &err));
  bez_buf got = {0};
  assert_ok(bez_file_read(out, 1000, &got, &err));
  assert_int_equal((got.len - 5) % 64, 0);
  assert_memory_equal(got.data + got.len - 5, "\1\0\0\1\1", 5);
  bez_buf_free(&got);
  bez_report_destroy(r);
  unlink(in);
  unlink(out);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_incidents),
      cmocka_unit_test(test_no_incidents),
      cmocka_unit_test(test_many_findings_on_the_same_rows),
      cmocka_unit_test(test_suppression),
      cmocka_unit_test(test_expired_suppression_raises_again),
      cmocka_unit_test(test_bad_suppressions),
      cmocka_unit_test(test_identify),
      cmocka_unit_test(test_a_model_is_never_clean),
      cmocka_unit_test(test_unreadable_beside_readable),
      cmocka_unit_test(test_options),
      cmocka_unit_test(test_max_time),
      cmocka_unit_test(test_cancel),
      cmocka_unit_test(test_clean),
      cmocka_unit_test(test_clean_mask),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
