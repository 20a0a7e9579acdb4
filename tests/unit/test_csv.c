/* CSV: dialects, odd files, errors, and that neither tiles, threads nor instruction sets change the table. */
#include <sys/stat.h>

#include "base/cpu.h"
#include "base/rng.h"
#include "format/csv_read.h"
#include "table_digest.h"

static void test_dialects(void **state) {
  const char *files[] = {
      "a,b\n1,x\n2,y\n",
      "a\tb\n1\tx\n2\ty\n",
      "a;b\r\n1;x\r\n2;y\r\n",
      "a|b\n1|x\n2|y",
      "\"a\",\"b\"\n\"1\",\"x\"\n\"2\",\"y\"\n",
      "a,b\r1,x\r2,y\r",
      ("\xef\xbb\xbf"
       "a,b\n1,x\n2,y\n"),
      "a,b\n\n1,x\n\n2,y\n\n",
      "a,b\r\n1,x\r\n2,y",
  };
  for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
    bez_table *t = table_from_csv(files[i], NULL);
    assert_int_equal(t->n_rows, 2);
    assert_int_equal(t->n_cols, 2);
    assert_string_equal(t->cols[0].name, "a");
    assert_string_equal(t->cols[1].name, "b");
    assert_cell(t, 0, 1, "2");
    assert_cell(t, 1, 1, "y");
    bez_table_destroy(t);
  }
}

static void test_quotes(void **state) {
  bez_table *t = table_from_csv("a,b,c\n\"x,1\",\"say \"\"hi\"\"\",\"two\nlines\"\n\"\",plain,5\" pipe\n", NULL);
  assert_int_equal(t->n_rows, 2);
  assert_cell(t, 0, 0, "x,1");
  assert_cell(t, 1, 0, "say \"hi\"");
  assert_cell(t, 2, 0, "two\nlines");
  assert_int_equal(bez_code(&t->cols[0], 1), BEZ_CODE_MISSING);
  assert_cell(t, 2, 1, "5\" pipe");
  bez_table_destroy(t);
}

/* A first line sep=; as spreadsheets write and read it. */
static void test_separator_line(void **state) {
  static const char *const good[] = {"sep=;\na,b;c\n1,5;x\n2,5;y\n", "sep=;\r\na,b;c\r\n1,5;x\r\n2,5;y\r\n",
                                     "\"SEP=;\"\na,b;c\n1,5;x\n2,5;y\n", "\xef\xbb\xbfsep=;\na,b;c\n1,5;x\n2,5;y\n",
                                     "sep=;\ra,b;c\r1,5;x\r2,5;y"};
  for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
    bez_table *t = table_from_csv(good[i], NULL);
    assert_int_equal(t->n_cols, 2);
    assert_string_equal(t->cols[0].name, "a,b");
    assert_int_equal(t->n_rows, 2);
    assert_cell(t, 0, 0, "1,5");
    assert_cell(t, 1, 1, "y");
    bez_table_destroy(t);
  }
  static const char *const others[] = {"sep=x\n1\n2\n", "sep=;;\n1;2;3\n", "sep=,more\n1,2\n", "sep=;",
                                       "separator\n1\n"};
  for (size_t i = 0; i < sizeof others / sizeof *others; i++) { /* an ordinary record */
    bez_table *t = table_from_csv(others[i], NULL);
    assert_true(t->n_cols > 0 && (strncmp(t->cols[0].name, "sep", 3) == 0 || t->n_rows == 1));
    bez_table_destroy(t);
  }
  char path[256];
  bez_error err = {.line = -1};
  bez_table *t = NULL;
  const char *broken = "sep=;\na;b\n1;\"open\n";
  temp_file(".csv", broken, strlen(broken), path);
  const char *paths[] = {path};
  assert_int_equal(bez_table_open(paths, 1, NULL, &t, &err), BEZ_FORMAT);
  assert_int_equal(err.line, 3);
  unlink(path);
}

static void test_header_or_none(void **state) {
  bez_table *t = table_from_csv("1,x\n2,y\n3,x\n", NULL);
  assert_int_equal(t->n_rows, 3);
  assert_string_equal(t->cols[1].name, "col2");
  bez_table_destroy(t);
  t = table_from_csv("ham,hello\nspam,win\nham,ok\nspam,cash\n", NULL);
  assert_int_equal(t->n_rows, 4);
  bez_table_destroy(t);
  t = table_from_csv("0,1,2\n1.5,2.5,0.5\n1.25,8.5,4\n", NULL); /* what pandas writes without names */
  assert_int_equal(t->n_rows, 2);
  bez_table_destroy(t);
  t = table_from_csv("a,b\n", NULL);
  assert_int_equal(t->n_rows, 0);
  assert_int_equal(t->n_cols, 2);
  bez_table_destroy(t);
  t = table_from_csv("a,a,b,\n1,2,3,4\n", NULL);
  assert_string_equal(t->cols[0].name, "a");
  assert_string_equal(t->cols[1].name, "a#2");
  assert_string_equal(t->cols[3].name, "col4");
  assert_string_equal(t->remarks->rule, "duplicate-column");
  bez_table_destroy(t);
}

static void test_ragged(void **state) {
  bez_table *t = table_from_csv("a,b,c\n1,x,k\n2,y\n3,z,k,extra\n4,w,k\n", NULL);
  assert_int_equal(t->n_rows, 4);
  assert_int_equal(bez_code(&t->cols[2], 1), BEZ_CODE_MISSING);
  assert_cell(t, 2, 2, "k");
  assert_string_equal(t->remarks->rule, "ragged");
  assert_int_equal(t->remarks->count, 2);
  assert_int_equal(t->remarks->first_line, 3);
  bez_table_destroy(t);
}

static void test_missing_markers(void **state) {
  bez_table *t = table_from_csv("v,w\n1,a\nNA,b\nN/A,a\nNaN,b\nnull,a\nNULL,b\nNone,a\n?,b\n,a\n2,b\n", NULL);
  assert_int_equal(t->cols[0].type, BEZ_COL_NUMERIC);
  assert_int_equal(t->cols[0].n_missing, 8);
  assert_int_equal(t->cols[0].n_distinct, 2);
  bez_table_destroy(t);
}

static void expect_error(const char *csv, size_t len, bez_status want, int64_t line, const char *part) {
  char path[256];
  temp_file(".csv", csv, len, path);
  const char *paths[] = {path};
  bez_error err = {.line = -1, .offset = -1};
  bez_table *t;
  bez_status st = bez_table_open(paths, 1, NULL, &t, &err);
  unlink(path);
  assert_int_equal(st, want);
  assert_null(t);
  if (line >= 0) assert_int_equal(err.line, line);
  if (!strstr(err.message, part)) fail_msg("\"%s\" has no \"%s\"", err.message, part);
  assert_string_equal(err.subject, path);
}

static void test_errors(void **state) {
  expect_error("", 0, BEZ_FORMAT, -1, "empty");
  expect_error("\n\n\n", 3, BEZ_FORMAT, 1, "empty lines");
  expect_error("\xff\xfe"
               "a\0",
               4, BEZ_FORMAT, 1, "UTF-16");
  const char open[] = "a,b\n1,\"x,\"\n2,\"y,\"\n3,\"z,\"\n4,\"open\n";
  expect_error(open, sizeof open - 1, BEZ_FORMAT, 5, "never ends");
  char *wide = malloc(20000 * 2);
  for (int i = 0; i < 20000; i++) wide[2 * i] = 'x', wide[2 * i + 1] = i == 19999 ? '\n' : ',';
  expect_error(wide, 40000, BEZ_LIMIT, 1, "columns");
  free(wide);
}

static void test_no_regular_file(void **state) {
  const char *paths[] = {"/dev/null"};
  bez_error err = {0};
  bez_table *t;
  assert_int_equal(bez_table_open(paths, 1, NULL, &t, &err), BEZ_UNSUPPORTED);
  char fifo[256];
  temp_file(".csv", "", 0, fifo);
  unlink(fifo);
  assert_int_equal(mkfifo(fifo, 0600), 0);
  const char *fifos[] = {fifo};
  err = (bez_error){0};
  assert_int_equal(bez_table_open(fifos, 1, NULL, &t, &err), BEZ_UNSUPPORTED);
  unlink(fifo);
  const char *absent[] = {"/tmp/bez-no-such-file.csv"};
  err = (bez_error){0};
  assert_int_equal(bez_table_open(absent, 1, NULL, &t, &err), BEZ_IO);
}

static void test_long_cell(void **state) {
  size_t len = 3u << 20;
  char *csv = malloc(len + 100);
  size_t n = (size_t)sprintf(csv, "t,label\nshort one here,a\n\"");
  memset(csv + n, 'x', len);
  memset(csv + n + 1000, '\n', 1);
  n += len;
  n += (size_t)sprintf(csv + n, "\",b\nanother short one,a\n");
  bez_table *t = table_from_csv_bytes(csv, n, NULL);
  assert_int_equal(t->n_rows, 3);
  assert_int_equal(t->cols[0].type, BEZ_COL_TEXT);
  size_t got;
  bez_cell(t, 0, 1, &got);
  assert_int_equal(got, len);
  assert_cell(t, 0, 2, "another short one");
  bez_table_destroy(t);
  free(csv);
}

/* A file of odd rows: quotes of every kind, line ends inside them, ragged and empty lines, bytes that are no text. */
static size_t odd_csv(uint64_t seed, char *out, size_t cap, bool quotes) {
  static const char *const cells[] = {"1",
                                      "22.5",
                                      "abc",
                                      "",
                                      "a longer value of words",
                                      "NA",
                                      "\"q\"",
                                      "\"\"",
                                      "\"a,b\"",
                                      "\"l1\nl2\"",
                                      "\"say \"\"x\"\" now\"",
                                      "z\xc3\xa9",
                                      "-7",
                                      "1e3",
                                      "\"\r\n\"",
                                      "0012",
                                      "2024-01-02",
                                      "x y"};
  bez_rng rng = bez_rng_make(seed, 77);
  size_t n = (size_t)sprintf(out, "one,two,three,label\n");
  bool stray = seed % 5 == 4;
  while (n + 400 < cap) {
    uint32_t width = bez_rng_below(&rng, 40) ? 4 : (uint32_t)bez_rng_below(&rng, 7);
    for (uint32_t c = 0; c < width; c++) {
      const char *cell = cells[bez_rng_below(&rng, sizeof cells / sizeof *cells)];
      if (!quotes && cell[0] == '"') cell = "plain";
      if (c) out[n++] = ',';
      if (stray && !bez_rng_below(&rng, 200)) cell = "\"x\"y";
      n += (size_t)sprintf(out + n, "%s", cell);
    }
    if (seed % 3 == 1) out[n++] = '\r';
    out[n++] = '\n';
    if (!bez_rng_below(&rng, 300)) out[n - 2] = 0;
  }
  if (seed % 2) n--; /* no line end at the end */
  return n;
}

static char *digest_with(const char *csv, size_t len, unsigned threads, const bez_csv_tuning *tuning) {
  bez_read_options o = {.threads = threads, .label = NULL};
  bez_error err = {.line = -1, .offset = -1};
  bez_builder *b = NULL;
  bez_table *t = NULL;
  bez_source s = {.path = "m.csv", .size = len, .fd = -1, .bytes = (const uint8_t *)csv, .packing = ""};
  assert_int_equal(bez_builder_create(&o, &b, &err), BEZ_OK);
  bez_status st = bez_csv_read(&s, b, tuning, &err);
  if (st == BEZ_OK)
    st = bez_builder_finish(b, &t, &err);
  else
    bez_builder_destroy(b);
  if (st != BEZ_OK) {
    char *text = malloc(700);
    snprintf(text, 700, "error %d line %lld: %s", (int)st, (long long)err.line, err.message);
    return text;
  }
  char *digest = table_digest(t);
  bez_table_destroy(t);
  return digest;
}

static void test_same_table_however_read(void **state) {
  enum { CAP = 60000 };
  char *csv = malloc(CAP);
  const uint32_t cpus[] = {BEZ_CPU_PLAIN, BEZ_CPU_AVX2, BEZ_CPU_AVX512};
  const unsigned threads[] = {1, 2, 3, 8};
  const uint64_t tiles[] = {100, 1000, 4096, 1 << 20};
  for (uint64_t seed = 0; seed < 30; seed++) {
    size_t len = odd_csv(seed, csv, CAP, seed % 4 != 3);
    bez_csv_tuning reference = {.reference = true};
    char *want = digest_with(csv, len, 1, &reference);
    if (seed < 4) assert_non_null(strstr(want, "rows="));
    for (int k = 0; k < 12; k++) {
      bez_csv_tuning tuning = {.cpu = cpus[k % 3] & bez_cpu_features(), .tile_bytes = tiles[(k + seed) % 4]};
      char *got = digest_with(csv, len, threads[k / 3], &tuning);
      assert_string_equal(got, want);
      free(got);
    }
    free(want);
  }
  free(csv);
}

/* A file large enough that its first megabyte decides how the rest is taken in: every kind of column, and cells that do
 * not fit their column's form. */
static size_t planned_csv(char *out, size_t cap) {
  bez_rng rng = bez_rng_make(3, 78);
  size_t n = (size_t)sprintf(out, "row,when,amount,ratio,kind,story,label\n");
  for (unsigned i = 0; n + 400 < cap; i++) {
    uint32_t r = (uint32_t)bez_rng_below(&rng, 100000);
    n += (size_t)sprintf(out + n, "%u,2024-%02u-%02u %02u:%02u:%02u,", i, 1 + r % 12, 1 + r % 28, r % 24, r % 60,
                         (uint32_t)bez_rng_below(&rng, 60));
    if (r % 1000 == 0)
      n += (size_t)sprintf(out + n, "%s,", r % 3000 ? "n/k" : "1e2");
    else
      n += (size_t)sprintf(out + n, "%s%u.%02u,", r % 7 ? "" : "-", r % 900, r % 100);
    n += (size_t)sprintf(out + n, "%.17g,k%u,", bez_rng_unit(&rng), (uint32_t)bez_rng_below(&rng, 300));
    n += (size_t)sprintf(out + n, "the story of row %u told in %u words,%c\n", i, r, r % 2 ? 'a' : 'b');
  }
  return n;
}

static char *line_of(const char *digest, const char *name) {
  char want[64];
  snprintf(want, sizeof want, "\n%s ", name);
  const char *p = strstr(digest, want);
  assert_non_null(p);
  return strndup(p, strcspn(p + 1, "\n") + 1);
}

static void test_plan_changes_nothing_but_memory(void **state) {
  enum { CAP = 6 << 20 };
  char *csv = malloc(CAP), *want = NULL;
  size_t len = planned_csv(csv, CAP);
  for (unsigned k = 0; k < 4; k++) {
    const unsigned threads[] = {1, 2, 3, 8};
    const uint64_t tiles[] = {1 << 20, 1 << 16, 1 << 18, 1 << 17};
    bez_csv_tuning tuning = {.cpu = bez_cpu_features(), .tile_bytes = tiles[k], .profile_bytes = 1 << 20};
    char *got = digest_with(csv, len, threads[k], &tuning);
    if (want) assert_string_equal(got, want);
    free(want);
    want = got;
  }
  bez_csv_tuning whole = {.cpu = bez_cpu_features(), .profile_bytes = 1 << 30};
  char *plain = digest_with(csv, len, 2, &whole);
  const char *const same[] = {"when", "amount", "kind", "label"};
  for (int i = 0; i < 4; i++) {
    char *a = line_of(want, same[i]), *b = line_of(plain, same[i]);
    assert_string_equal(a, b);
    free(a), free(b);
  }
  assert_non_null(strstr(want, "row 3 5")); /* identifier, ignored */
  assert_non_null(strstr(want, "story 2 2"));
  free(plain), free(want), free(csv);
}

static void test_real_data_same_for_any_threads(void **state) {
  const char *paths[] = {"../shared/data/adult/adult.csv", "../shared/data/sms/sms_spam.tsv"};
  for (int k = 0; k < 2; k++) {
    if (access(paths[k], R_OK) != 0) {
      print_message("skipped: %s is not here\n", paths[k]);
      skip();
    }
    char *want = NULL;
    for (unsigned threads = 1; threads <= 3; threads++) {
      bez_read_options o = {.threads = threads};
      bez_table *t = open_table(paths[k], &o);
      char *got = table_digest(t);
      bez_table_destroy(t);
      if (want) assert_string_equal(got, want);
      free(want);
      want = got;
    }
    free(want);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_dialects),
      cmocka_unit_test(test_quotes),
      cmocka_unit_test(test_separator_line),
      cmocka_unit_test(test_header_or_none),
      cmocka_unit_test(test_ragged),
      cmocka_unit_test(test_missing_markers),
      cmocka_unit_test(test_errors),
      cmocka_unit_test(test_no_regular_file),
      cmocka_unit_test(test_long_cell),
      cmocka_unit_test(test_same_table_however_read),
      cmocka_unit_test(test_plan_changes_nothing_but_memory),
      cmocka_unit_test(test_real_data_same_for_any_threads),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
