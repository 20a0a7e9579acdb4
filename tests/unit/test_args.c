/* The command line's parser, values, configuration and the texts made from the tables. */
#include "test.h"

#include "base/file.h"
#include "cli/args.h"
#include "cli/config.h"
#include "cli/help.h"
#include "cli/say.h"

static const bez_option options[] = {
    {"label", 0, BEZ_ARG_TEXT, .value = "COL", .help = "A column."},
    {"text", 0, BEZ_ARG_TEXT, .repeat = true, .value = "COL", .help = "Columns."},
    {"only", 0, BEZ_ARG_TEXT, .repeat = true, .list = true, .value = "ID", .help = "Ids."},
    {"output", 'o', BEZ_ARG_FILE, .value = "FILE", .fallback = "-", .help = "A file."},
    {"redact", 'r', BEZ_ARG_FLAG, .help = "A flag."},
    {"rows", 0, BEZ_ARG_NUMBER, .value = "N", .fallback = "7", .help = "A number."},
    {"memory", 0, BEZ_ARG_SIZE, .value = "SIZE", .help = "A size."},
    {"max-time", 0, BEZ_ARG_TIME, .value = "T", .help = "A time."},
    {"share", 0, BEZ_ARG_REAL, .value = "P", .help = "A share."},
    {"level", 0, BEZ_ARG_CHOICE, .value = "L", .choices = "error warning", .help = "A choice."},
    {"config", 0, BEZ_ARG_FILE, .value = "FILE", .help = "A file."},
    {NULL}};
static const bez_command command = {.name = "scan", /* so that the section of that name is its own */
                                    .synopsis = "PATH",
                                    .summary = "s",
                                    .options = options,
                                    .min_positional = 0,
                                    .max_positional = 2};

#define PARSE(args, ...)                                                                                               \
  const char *argv_##args[] = {__VA_ARGS__, NULL};                                                                     \
  bez_args args = {0};                                                                                                 \
  bez_error err_##args = {0};                                                                                          \
  bez_status st_##args =                                                                                               \
      bez_args_parse(&command, (int)(sizeof argv_##args / sizeof *argv_##args) - 1, argv_##args, &args, &err_##args)

static void test_values(void **state) {
  (void)state;
  const char *const *list;
  PARSE(a, "one", "--label", "income", "--text=x,y", "--text", "z", "--only", "A,B,,C", "-oout", "-r", "--rows=12",
        "--memory", "1.5G", "--max-time", "1m30s", "--share", "0.25", "--level", "warning", "--", "--two");
  assert_int_equal(st_a, BEZ_OK);
  assert_int_equal(a.n_positional, 2);
  assert_string_equal(a.positional[1], "--two");
  assert_string_equal(bez_args_text(&a, "label"), "income");
  assert_int_equal(bez_args_list(&a, "text", &list), 2);
  assert_string_equal(list[0], "x,y"); /* a column name may hold a comma */
  assert_int_equal(bez_args_list(&a, "only", &list), 3);
  assert_string_equal(list[2], "C");
  assert_string_equal(bez_args_text(&a, "output"), "out");
  assert_true(bez_args_flag(&a, "redact"));
  assert_int_equal(bez_args_number(&a, "rows"), 12);
  assert_int_equal(bez_args_number(&a, "memory"), 3ull << 29);
  assert_true(bez_args_real(&a, "max-time") == 90);
  assert_true(bez_args_real(&a, "share") == 0.25);
  bez_args_free(&a);
}

static void test_defaults(void **state) {
  (void)state;
  const char *const *list;
  PARSE(a, "one");
  assert_int_equal(st_a, BEZ_OK);
  assert_null(bez_args_text(&a, "label"));
  assert_string_equal(bez_args_text(&a, "output"), "-");
  assert_int_equal(bez_args_number(&a, "rows"), 7);
  assert_false(bez_args_given(&a, "rows"));
  assert_int_equal(bez_args_list(&a, "text", &list), 0);
  assert_false(bez_args_flag(&a, "redact"));
  bez_args_free(&a);
}

static void expect_usage(const char *const *argv, int argc, const char *subject, const char *word) {
  bez_args args = {0};
  bez_error err = {0};
  assert_int_equal(bez_args_parse(&command, argc, argv, &args, &err), BEZ_USAGE);
  assert_string_equal(err.subject, subject);
  if (!strstr(err.message, word)) fail_msg("\"%s\" does not say \"%s\"", err.message, word);
  bez_args_free(&args);
}

static void test_usage_errors(void **state) {
  (void)state;
  expect_usage((const char *[]){"--labl", "x"}, 2, "--labl", "--label");
  expect_usage((const char *[]){"--zzzzzz"}, 1, "--zzzzzz", "unknown");
  expect_usage((const char *[]){"-z"}, 1, "-z", "unknown");
  expect_usage((const char *[]){"--label"}, 1, "--label", "needs a value");
  expect_usage((const char *[]){"--label", "--text"}, 2, "--label", "needs a value");
  expect_usage((const char *[]){"--label="}, 1, "--label", "empty");
  expect_usage((const char *[]){"--label", "a", "--label", "b"}, 4, "--label", "twice");
  expect_usage((const char *[]){"--redact=yes"}, 1, "--redact", "no value");
  expect_usage((const char *[]){"--rows", "-3"}, 2, "--rows", "whole number");
  expect_usage((const char *[]){"--rows", "99999999999999999999999"}, 2, "--rows", "whole number");
  expect_usage((const char *[]){"--memory", "2Q"}, 2, "--memory", "size");
  expect_usage((const char *[]){"--max-time", "soon"}, 2, "--max-time", "time");
  expect_usage((const char *[]){"--max-time", "1h30"}, 2, "--max-time", "time");
  expect_usage((const char *[]){"--share", "nan"}, 2, "--share", "number");
  expect_usage((const char *[]){"--level", "err"}, 2, "--level", "error warning");
  expect_usage((const char *[]){"a", "b", "c"}, 3, "c", "too many");
}

static void test_opposite_and_minus(void **state) {
  (void)state;
  PARSE(a, "--no-redact", "--label", "-1");
  assert_int_equal(st_a, BEZ_OK);
  assert_false(bez_args_flag(&a, "redact"));
  assert_true(bez_args_given(&a, "redact"));
  assert_string_equal(bez_args_text(&a, "label"), "-1"); /* labels are often -1 and 1 */
  bez_args_free(&a);
  PARSE(b, "--no-label", "x");
  assert_int_equal(st_b, BEZ_USAGE);
  bez_args_free(&b);
}

static void test_nearest(void **state) {
  (void)state;
  static const char *const words[] = {"scan", "clean", "poison", "report diff"};
  assert_string_equal(bez_nearest("sacn", words, 4), "scan");
  assert_string_equal(bez_nearest("poisen", words, 4), "poison");
  assert_string_equal(bez_nearest("CLEAN", words, 4), "clean");
  assert_null(bez_nearest("xylophone", words, 4));
  assert_null(bez_nearest("", words, 0));
}

/* Flag over environment over the file's own section over its top level. */
static void test_precedence(void **state) {
  (void)state;
  char path[] = "/tmp/bez-config-XXXXXX";
  int fd = mkstemp(path);
  assert_true(fd >= 0);
  static const char text[] = "label: top\nrows: 1\nmemory: 1M\nlevel: warning\nclean:\n  from: other\nattack: flips\n"
                             "scan:\n  rows: 2\n  memory: 2M\n  only: [A, B]\n  redact: true\n";
  assert_int_equal(write(fd, text, sizeof text - 1), (ssize_t)sizeof text - 1);
  close(fd);
  setenv("BEZOAR_MEMORY", "3M", 1);
  setenv("BEZOAR_TEXT", "a,b\nc", 1);
  const char *const *list;
  bez_error err = {0};
  PARSE(a, "--config", path, "--level", "error");
  assert_int_equal(st_a, BEZ_OK);
  assert_ok(bez_config_apply(&a, &err));
  assert_string_equal(bez_args_text(&a, "label"), "top");
  assert_int_equal(bez_args_number(&a, "rows"), 2);
  assert_int_equal(bez_args_number(&a, "memory"), 3 << 20);
  assert_string_equal(bez_args_text(&a, "level"), "error");
  assert_int_equal(bez_args_list(&a, "only", &list), 2);
  assert_int_equal(bez_args_list(&a, "text", &list), 2);
  assert_string_equal(list[0], "a,b");
  assert_true(bez_args_flag(&a, "redact"));
  bez_args_free(&a);
  unsetenv("BEZOAR_MEMORY");
  unsetenv("BEZOAR_TEXT");
  unlink(path);
}

static void refuse_config(const char *text, int64_t line, const char *word) {
  char path[] = "/tmp/bez-config-XXXXXX";
  int fd = mkstemp(path);
  assert_true(fd >= 0);
  assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
  close(fd);
  bez_error err = {0};
  PARSE(a, "--config", path);
  assert_int_equal(st_a, BEZ_OK);
  assert_int_not_equal(bez_config_apply(&a, &err), BEZ_OK);
  assert_string_equal(err.subject, path);
  assert_int_equal(err.line, line);
  if (!strstr(err.message, word)) fail_msg("\"%s\" does not say \"%s\"", err.message, word);
  bez_args_free(&a);
  unlink(path);
}

static void test_bad_configs(void **state) {
  (void)state;
  refuse_config("labl: x\n", 1, "label");
  refuse_config("scan:\n  labl: x\n", 2, "label");
  refuse_config("scan:\n  rows: many\n", 2, "whole number");
  refuse_config("- a\n", 1, "mapping");
  refuse_config("label: [a, b]\n", 1, "one value");
  refuse_config("a: 1\na: 2\n", 2, "twice");
  refuse_config("config: x.yaml\n", 1, "other");
  refuse_config("scan: 3\n", 1, "mapping");
}

static void test_quoting(void **state) {
  (void)state;
  bez_buf out = {0};
  bez_say_quoted(&out, "it's <here>");
  assert_string_equal(out.data, "'it'\\''s <here>'");
  bez_buf_clear(&out);
  bez_say_quoted(&out, "a'\\\x1b");
  assert_string_equal(out.data, "$'a\\'\\\\\\x1b'");
  bez_buf_clear(&out);
  bez_say_safe(&out, "a\x1b[31mb\xff\xe2\x80\xae\xc2\x9b\xc3\xa4");
  assert_string_equal(out.data, "a\\x1b[31mb\\xff\\xe2\\x80\\xae\\xc2\\x9b\xc3\xa4");
  bez_buf_free(&out);
}

static void test_help_fits(void **state) {
  (void)state;
  for (size_t i = 0; bez_commands[i]; i++) {
    bez_buf out = {0};
    bez_help_command(&out, bez_commands[i]);
    for (const char *p = out.data; *p;) {
      char line[512];
      size_t len = strcspn(p, "\n");
      assert_true(len < sizeof line);
      memcpy(line, p, len);
      line[len] = '\0';
      /* a synopsis or an example is one command line and stays one */
      bool example = strstr(line, "bezoar ") != NULL;
      if (!example && bez_say_columns(line) > BEZ_HELP_WIDTH) fail_msg("too wide: %s", line);
      p += len + (p[len] == '\n');
    }
    bez_buf_free(&out);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_values),       cmocka_unit_test(test_defaults),
      cmocka_unit_test(test_usage_errors), cmocka_unit_test(test_opposite_and_minus),
      cmocka_unit_test(test_nearest),      cmocka_unit_test(test_precedence),
      cmocka_unit_test(test_bad_configs),  cmocka_unit_test(test_quoting),
      cmocka_unit_test(test_help_fits),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
