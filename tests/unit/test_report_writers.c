/* What every writer promises: whole with any report, the same bytes twice, no value under redaction, nothing that
 * steers a terminal or a browser; and what single formats promise beyond that. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/utf8.h"
#include "bezoar/report.h"
#include "finding/wire.h"
#include "report/visible.h"
#include "report_fixture.h"

static char *render(const bez_report *r, const char *format, const bez_write_options *options) {
  char *bytes = NULL;
  size_t len = 0;
  bez_error err = {0};
  if (bez_report_render(r, format, options, &bytes, &len, &err) != BEZ_OK) fail_msg("%s: %s", format, err.message);
  assert_int_equal(strlen(bytes), len);
  assert_true(bez_utf8_valid(bytes, len));
  return bytes;
}

static bez_report *empty_report(void) {
  bez_report *r = bez_report_create("scan");
  bez_report_seal(r);
  return r;
}

static bez_report *clean_report(void) {
  bez_report *r = bez_report_create("scan");
  fixture_data(r);
  r->n_incidents = 0;
  for (int i = 0; i < 3; i++) bez_report_ran(r, &fixture_rules[i]);
  bez_report_seal(r);
  return r;
}

/* Odd exhibits: nothing in them, one point, the same value throughout, many columns, a picture. */
static bez_report *odd_report(void) {
  static const uint8_t pixels[2 * 3 * 3] = {255, 0, 0, 1, 2, 3};
  bez_report *r = bez_report_create("scan");
  bez_finding *f = bez_report_add(r, &fixture_rules[0], BEZ_SEV_ERROR);
  double x[] = {5, 5, NAN}, y[] = {-1e300, 1e300, 1};
  bez_finding_series(r, f, "none", "x", "y", NULL, NULL, NULL, 0);
  bez_finding_series(r, f, "one", "x", "y", x, y, NULL, 1);
  bez_finding_series(r, f, "huge", "x", "y", x, y, NULL, 3);
  bez_finding_series(r, f, "missing", "x", "y", x + 2, y, NULL, 1);
  bez_finding_cells(r, f, "no rows", 0, 5);
  bez_finding_cells(r, f, "no columns", 5, 0);
  bez_exhibit *wide = bez_finding_cells(r, f, "wide", 2, 200);
  bez_exhibit_cell(r, wide, 1, 150, "here", 4, true);
  bez_finding_excerpt(r, f, "", "", 0, NULL, 0);
  bez_exhibit *tile = bez_finding_cells(r, f, "tile", 0, 0);
  *tile = (bez_exhibit){.kind = BEZ_EXHIBIT_TILE, .caption = "tile", .width = 2, .height = 3, .rgb = pixels};
  bez_finding_title(r, f, "%0500d", 7); /* one word longer than any line */
  bez_report_seal(r);
  return r;
}

/* A model and its configuration, one of them read in part. */
static bez_report *model_report(void) {
  static const bez_kv about[] = {{"base_model", "org/base"}, {"license", "apache-2.0"}, {"name", HOSTILE}};
  static const char hex[] = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
  bez_report *r = bez_report_create("scan");
  r->n_files = 2;
  r->files = bez_arena_array(&r->arena, 2, sizeof *r->files);
  r->files[0] = (bez_report_file){.path = "m/config.json", .format = "json", .bytes = 7, .sha256 = hex, .about = about};
  r->files[0].n_about = 3;
  r->files[1] = (bez_report_file){.path = "m/model.pt", .format = "zip", .bytes = 1000, .sha256 = hex};
  bez_finding *f = bez_report_add(r, &fixture_rules[0], BEZ_SEV_ERROR);
  bez_finding_title(r, f, "runs " CANARY);
  bez_finding_place(r, f, "m/model.pt", "archive/data.pkl", 17);
  bez_finding *whole = bez_report_add(r, &fixture_rules[1], BEZ_SEV_WARNING);
  bez_finding_place(r, whole, "m", "", 0);
  bez_report_not_checked(r, true, "m/model.pt \xE2\x80\xBA a.7z", "cannot be unpacked");
  bez_report_ran(r, &fixture_rules[0]);
  bez_report_seal(r);
  return r;
}

static void test_models_are_listed(void **state) {
  static const char *const formats[] = {"text", "html", "json", "cyclonedx"};
  bez_report *r = model_report();
  for (size_t i = 0; i < sizeof formats / sizeof *formats; i++) {
    char *bytes = render(r, formats[i], NULL);
    assert_non_null(strstr(bytes, r->files[0].sha256));
    assert_non_null(strstr(bytes, "org/base"));
    assert_non_null(strstr(bytes, "cannot be unpacked"));
    bez_free(bytes);
  }
  assert_true(bez_file_unchecked(r, &r->files[0]) == NULL && bez_file_unchecked(r, &r->files[1]) != NULL);
  char *sbom = render(r, "cyclonedx", NULL);
  assert_non_null(strstr(sbom, "\"ref\": \"file-2\""));
  assert_non_null(strstr(sbom, "\"id\": \"Apache-2.0\""));
  assert_non_null(strstr(sbom, "\"ancestors\""));
  bez_free(sbom);
  bez_report_destroy(r);
}

static void test_every_writer_with_every_report(void **state) {
  bez_report *(*const makers[])(void) = {fixture_report, empty_report, clean_report, odd_report, model_report};
  for (size_t m = 0; m < sizeof makers / sizeof *makers; m++)
    for (size_t w = 0; w < bez_writer_count(); w++)
      for (int redact = 0; redact < 2; redact++) {
        bez_report *r = makers[m](), *s = makers[m]();
        bez_write_options options = {.redact = redact != 0};
        char *a = render(r, bez_writer_get(w).name, &options), *b = render(s, bez_writer_get(w).name, &options);
        assert_string_equal(a, b);
        assert_true(*a);
        bez_free(a);
        bez_free(b);
        bez_report_destroy(r);
        bez_report_destroy(s);
      }
}

static void test_redacted_everywhere(void **state) {
  bez_report *r = fixture_report();
  bez_write_options options = {.redact = true};
  for (size_t w = 0; w < bez_writer_count(); w++) {
    char *bytes = render(r, bez_writer_get(w).name, &options);
    if (strstr(bytes, CANARY)) fail_msg("%s lets a value through", bez_writer_get(w).name);
    assert_null(strstr(bytes, "calc"));
    assert_null(strstr(bytes, "everyone"));
    bez_free(bytes);
    bytes = render(r, bez_writer_get(w).name, NULL); /* the test can see it where it is allowed */
    assert_non_null(strstr(bytes, CANARY));
    bez_free(bytes);
  }
  bez_report_destroy(r);
}

static void test_no_raw_hazards(void **state) {
  static const char *const formats[] = {"text", "html", "md", "junit"};
  bez_report *r = fixture_report();
  r->files[0].path = "a\x1b]0;owned\x07.csv";
  r->columns[1].name = "col\xE2\x80\x8Bumn\r\n";
  r->suppressions[0].owner = "\xE2\x80\xAEnnA";
  r->findings[0]->evidence->key = "\x1b[2J";
  for (size_t i = 0; i < sizeof formats / sizeof *formats; i++) {
    char *bytes = render(r, formats[i], NULL);
    for (size_t at = 0, len = strlen(bytes); at < len;) {
      uint32_t cp;
      at += bez_utf8_decode(bytes + at, len - at, &cp, NULL);
      if (cp != '\n' && bez_hazardous(cp)) fail_msg("%s emits U+%04X", formats[i], cp);
    }
    assert_non_null(strstr(bytes, "u202e"));
    bez_free(bytes);
  }
  bez_report_destroy(r);
}

static void test_text_fits(void **state) {
  bez_report *(*const makers[])(void) = {fixture_report, empty_report, clean_report, odd_report, model_report};
  static const unsigned widths[] = {0, 40, 61, 120};
  for (size_t m = 0; m < sizeof makers / sizeof *makers; m++)
    for (size_t i = 0; i < 4; i++) {
      bez_report *r = makers[m]();
      bez_write_options options = {.width = widths[i], .ascii = i % 2 == 1};
      char *bytes = render(r, "text", &options);
      assert_memory_equal(bytes, "Not checked: ", 13);
      for (char *line = strtok(bytes, "\n"); line; line = strtok(NULL, "\n")) {
        size_t len = strlen(line);
        if (bez_columns(line, len) > (widths[i] ? widths[i] : 80)) fail_msg("too wide: %s", line);
        if (len && line[len - 1] == ' ') fail_msg("space at the end: \"%s\"", line);
        for (size_t k = 0; options.ascii && k < len; k++) assert_true((unsigned char)line[k] < 0x7F);
      }
      bez_free(bytes);
      bez_report_destroy(r);
    }
}

static void test_text_colour_only_on_demand(void **state) {
  bez_report *r = fixture_report();
  bez_write_options options = {.color = true};
  char *plain = render(r, "text", NULL), *color = render(r, "text", &options);
  assert_null(strchr(plain, '\x1b'));
  assert_non_null(strstr(color, "\x1b[1;31m[error]") ? strstr(color, "\x1b[1;31m") : strstr(color, "\x1b["));
  assert_null(strstr(color, "\x1b[31m\xE2\x80\xAE")); /* the data's own escape stays escaped */
  bez_free(plain);
  bez_free(color);
  bez_report_destroy(r);
}

static void test_rows_csv(void **state) {
  bez_report *r = fixture_report();
  char *bytes = render(r, "rows", NULL);
  assert_string_equal(bytes, "row,rule,severity,score,q,label,suggested_label,incident,file\n"
                             "5,BZ-D001,error,2.25,0.01,<=50K" CANARY ",>50K,1,data/a.csv\n"
                             "5,BZ-D003,warning,9.5,0.001,ham,,1,data/a.csv\n"
                             "6,BZ-D001,error,,,=cmd|' /C calc'!A0,\"a,\"\"b\"\"\",1,data/a.csv\n"
                             "100,BZ-D001,error,3.5,,<=50K" CANARY ",,1,\"data/b, \"\"odd\"\".csv\"\n");
  bez_free(bytes);
  bez_report_destroy(r);
}

static void test_html_is_inert(void **state) {
  bez_report *r = fixture_report();
  char *bytes = render(r, "html", NULL);
  static const char *const banned[] = {"<script", "javascript:", "http:",     "https:",  "src=\"//", "@import",
                                       "url(",    " onload",     " style=\"", "<iframe", "<link"};
  for (size_t i = 0; i < sizeof banned / sizeof *banned; i++)
    if (strstr(bytes, banned[i])) fail_msg("the page holds %s", banned[i]);
  assert_non_null(strstr(bytes, "Content-Security-Policy"));
  assert_non_null(strstr(bytes, "default-src 'none'"));
  assert_non_null(strstr(bytes, "<mark>" CANARY "</mark>"));
  assert_non_null(strstr(bytes, "class=\"hit\">" CANARY));
  assert_non_null(strstr(bytes, "<svg"));
  assert_true(strstr(bytes, "Not checked: 2 items") < strstr(bytes, "Likely poisoned</h1>"));
  bez_free(bytes);
  bez_report_destroy(r);
}

static void test_run_section_is_optional(void **state) {
  bez_report *r = fixture_report();
  bez_write_options options = {.without_run = true};
  for (size_t w = 0; w < bez_writer_count(); w++) {
    char *bytes = render(r, bez_writer_get(w).name, &options);
    assert_null(strstr(bytes, "2030-01-02"));
    bez_free(bytes);
  }
  bez_report_destroy(r);
}

static void test_junit_counts(void **state) {
  bez_report *r = fixture_report();
  char *bytes = render(r, "junit", NULL);
  assert_non_null(strstr(bytes, "tests=\"6\" failures=\"1\" errors=\"1\" skipped=\"1\""));
  bez_free(bytes);
  bez_report_destroy(r);
}

static void test_suppressed_errors_do_not_fail(void **state) {
  bez_report *r = fixture_report();
  for (size_t i = 0; i < r->n_findings; i++) r->findings[i]->suppressed = true;
  bez_report_seal(r);
  char *junit = render(r, "junit", NULL), *text = render(r, "text", NULL), *rows = render(r, "rows", NULL);
  assert_non_null(strstr(junit, "failures=\"0\""));
  assert_non_null(strstr(text, "No sign of poison in what was examined: no finding; 3 suppressed"));
  assert_string_equal(rows, "row,rule,severity,score,q,label,suggested_label,incident,file\n");
  bez_free(junit);
  bez_free(text);
  bez_free(rows);
  bez_report_destroy(r);
}

static void test_markdown_is_plain(void **state) {
  bez_report *r = fixture_report();
  r->incidents[0].title = "![x](http://evil) @team #1 <b>|</b> `a` **b** https://evil";
  char *bytes = render(r, "md", NULL);
  assert_null(strstr(bytes, "](http"));
  assert_null(strstr(bytes, "@team"));
  assert_null(strstr(bytes, "https://evil"));
  assert_null(strstr(bytes, "<b>"));
  assert_memory_equal(bytes, "Not checked: 2 items", 20);
  bez_free(bytes);
  bez_report_destroy(r);
}

static void test_diff(void **state) {
  bez_report *a = fixture_report(), *b = fixture_report();
  bez_finding *f = bez_report_add(b, &fixture_rules[2], BEZ_SEV_WARNING);
  bez_finding_subject(b, f, "fresh", NULL);
  b->findings[0]->pattern = "changed";
  bez_report_seal(b);
  char *bytes;
  size_t len, n_new, n_gone;
  assert_int_equal(bez_report_diff(a, b, false, &bytes, &len, &n_new, &n_gone, NULL), BEZ_OK);
  assert_int_equal(n_new, 2);
  assert_int_equal(n_gone, 1);
  assert_non_null(strstr(bytes, "New findings: 2"));
  assert_non_null(strstr(bytes, "\\x1b[31m"));
  for (char *line = strtok(bytes, "\n"); line; line = strtok(NULL, "\n"))
    assert_true(bez_columns(line, strlen(line)) <= 80);
  bez_free(bytes);
  assert_int_equal(bez_report_diff(a, a, true, &bytes, &len, &n_new, NULL, NULL), BEZ_OK);
  assert_int_equal(n_new, 0);
  assert_non_null(strstr(bytes, "\"new\": []"));
  bez_free(bytes);
  bez_report_destroy(a);
  bez_report_destroy(b);
}

static void test_format_by_extension(void **state) {
  bez_report *r = fixture_report();
  bez_error err = {0};
  char path[] = "/tmp/bez_report_XXXXXX.SARIF";
  int fd = mkstemps(path, 6);
  assert_true(fd >= 0);
  close(fd);
  assert_int_equal(bez_report_write(r, path, NULL, NULL, &err), BEZ_OK);
  FILE *file = fopen(path, "r");
  char head[64] = "";
  assert_non_null(fgets(head, sizeof head, file));
  fclose(file);
  unlink(path);
  assert_int_equal(bez_report_write(r, "/tmp/x.docx", NULL, NULL, &err), BEZ_USAGE);
  err = (bez_error){0};
  assert_int_equal(bez_report_write(r, "/tmp.d/noextension", NULL, NULL, &err), BEZ_USAGE);
  err = (bez_error){0};
  char *bytes;
  size_t len;
  assert_int_equal(bez_report_render(r, "docx", NULL, &bytes, &len, &err), BEZ_USAGE);
  assert_null(bez_writer_get(99).name);
  bez_report_destroy(r);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_every_writer_with_every_report),
      cmocka_unit_test(test_models_are_listed),
      cmocka_unit_test(test_redacted_everywhere),
      cmocka_unit_test(test_no_raw_hazards),
      cmocka_unit_test(test_text_fits),
      cmocka_unit_test(test_text_colour_only_on_demand),
      cmocka_unit_test(test_rows_csv),
      cmocka_unit_test(test_html_is_inert),
      cmocka_unit_test(test_run_section_is_optional),
      cmocka_unit_test(test_junit_counts),
      cmocka_unit_test(test_suppressed_errors_do_not_fail),
      cmocka_unit_test(test_markdown_is_plain),
      cmocka_unit_test(test_diff),
      cmocka_unit_test(test_format_by_extension),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
