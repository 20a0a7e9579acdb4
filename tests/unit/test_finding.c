/* Builders, sealing and the public view on a report. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/limits.h"
#include "base/utf8.h"
#include "report_fixture.h"

static void test_order_and_counts(void **state) {
  bez_report *r = fixture_report();
  assert_int_equal(bez_report_status(r, NULL), BEZ_OK);
  assert_int_equal(bez_report_finding_count(r), 3);
  assert_string_equal(bez_report_finding(r, 0).rule, "BZ-D001");
  assert_string_equal(bez_report_finding(r, 1).rule, "BZ-D003");
  assert_string_equal(bez_report_finding(r, 2).rule, "BZ-D004");
  assert_string_equal(bez_report_finding(r, 0).remedy, "Quarantine the rows and ask their source.");
  assert_true(isnan(bez_report_finding(r, 3).score));
  assert_null(bez_report_finding(r, 3).rule);
  assert_int_equal(bez_report_count(r, BEZ_SEV_NOTE), 2); /* the third is suppressed */
  assert_int_equal(bez_report_count(r, BEZ_SEV_ERROR), 1);
  assert_int_equal(bez_report_count(r, BEZ_SEV_NEVER), 0);
  assert_int_equal(bez_report_unexamined(r), 1);
  assert_int_equal(bez_report_exit_code(r, BEZ_SEV_ERROR), 1);
  assert_int_equal(bez_report_exit_code(r, BEZ_SEV_NEVER), 3);
  bez_report_destroy(r);
}

static void test_rows_are_listed_by_file(void **state) {
  bez_report *r = fixture_report();
  assert_int_equal(bez_report_row_count(r), 4); /* 3 + 1; suppressed ones are left out */
  bez_row_view row = bez_report_row(r, 0);
  assert_int_equal(row.row, 5);
  assert_string_equal(row.file, "data/a.csv");
  assert_string_equal(row.suggested_label, ">50K");
  row = bez_report_row(r, 2);
  assert_int_equal(row.row, 100); /* 700 - 600 */
  assert_string_equal(row.file, "data/b, \"odd\".csv");
  assert_true(isnan(row.q));
  row = bez_report_row(r, 3);
  assert_string_equal(row.rule, "BZ-D003");
  assert_null(bez_report_row(r, 4).rule);
  r->findings[2]->suppressed = false;
  bez_report_seal(r);
  assert_int_equal(bez_report_row_count(r), 6);
  assert_string_equal(bez_report_row(r, 5).rule, "BZ-D004");
  bez_report_destroy(r);
}

static bez_report *two_patterns(const char *a, const char *ta, const char *b, const char *tb) {
  bez_report *r = bez_report_create("scan");
  bez_finding_subject(r, bez_report_add(r, &fixture_rules[0], BEZ_SEV_ERROR), a, ta);
  bez_finding_subject(r, bez_report_add(r, &fixture_rules[0], BEZ_SEV_ERROR), b, tb);
  bez_report_seal(r);
  return r;
}

static void test_fingerprints(void **state) {
  bez_report *r = two_patterns("a=1", "x", "a=1", "x"), *s = two_patterns("a=1x", NULL, "a=1", "x");
  assert_int_equal(strlen(r->findings[0]->fingerprint), 64);
  assert_string_not_equal(r->findings[0]->fingerprint, r->findings[1]->fingerprint); /* told apart */
  assert_string_not_equal(s->findings[0]->fingerprint, s->findings[1]->fingerprint);
  bez_report_destroy(s);
  bez_report_destroy(r);
  r = two_patterns("a=1", "x", "b=1", "x");
  char before[65];
  strcpy(before, r->findings[1]->fingerprint);
  r->findings[1]->score = 5; /* neither scores nor rows change a name */
  bez_row_hit hit = {9, 1, NAN, NULL, NULL};
  bez_finding_rows(r, r->findings[1], &hit, 1);
  bez_report_seal(r);
  assert_string_equal(r->findings[0]->fingerprint, before);
  bez_report_destroy(r);
}

static void test_seal_caps_each_rule(void **state) {
  bez_report *r = bez_report_create("scan");
  for (unsigned i = 0; i < BEZ_MAX_FINDINGS + 7; i++) {
    char pattern[32];
    snprintf(pattern, sizeof pattern, "a=%u", i);
    bez_finding *f = bez_report_add(r, &fixture_rules[0], BEZ_SEV_WARNING);
    f->score = i;
    bez_finding_subject(r, f, pattern, NULL);
  }
  bez_report_add(r, &fixture_rules[1], BEZ_SEV_NOTE);
  bez_report_seal(r);
  bez_report_seal(r);
  assert_int_equal(r->n_findings, BEZ_MAX_FINDINGS + 1);
  assert_true(r->findings[0]->score == BEZ_MAX_FINDINGS + 6);
  assert_string_equal(r->not_checked->what, "BZ-D001");
  assert_string_equal(r->not_checked->reason, "7 findings beyond the first 5000 are not listed");
  assert_null(r->not_checked->next);
  bez_report_destroy(r);
}

static void test_rows_are_sorted_once_each(void **state) {
  bez_report *r = bez_report_create("scan");
  bez_finding *f = bez_report_add(r, &fixture_rules[0], BEZ_SEV_ERROR);
  char label[8] = "one";
  bez_row_hit rows[] = {{7, 1, NAN, label, NULL}, {3, NAN, NAN, NULL, NULL}, {7, 2, 0.5, label, label}};
  bez_finding_rows(r, f, rows, 3);
  strcpy(label, "two"); /* copied */
  assert_int_equal(f->n_rows, 2);
  assert_int_equal(f->rows[0].row, 3);
  assert_true(f->rows[1].score == 2);
  assert_string_equal(f->rows[1].label, "one");
  bez_finding_rows(r, f, NULL, 0);
  assert_int_equal(f->n_rows, 0);
  bez_report_destroy(r);
}

static void test_strings_are_cleaned(void **state) {
  bez_report *r = bez_report_create("scan");
  bez_finding *f = bez_report_add(r, &fixture_rules[0], BEZ_SEV_ERROR);
  char long_title[3000];
  memset(long_title, 'x', sizeof long_title);
  memcpy(long_title + 990, "\xE2\x82\xAC\xE2\x82\xAC\xE2\x82\xAC", 9); /* the cut falls into a character */
  bez_finding_title(r, f, "%.*s", 3000, long_title);
  assert_true(strlen(f->title) <= 1000 && bez_utf8_valid(f->title, strlen(f->title)));
  bez_finding_title(r, f, "bad \xC3( byte");
  assert_string_equal(f->title, "bad \xEF\xBF\xBD( byte");
  bez_exhibit *x = bez_finding_cells(r, f, "c", 1, 1);
  bez_exhibit_cell(r, x, 0, 0, "a\0b", 3, true);
  assert_string_equal(x->cells[0], "a\xEF\xBF\xBD"
                                   "b");
  bez_exhibit_cell(r, x, 5, 5, "out", 3, true); /* ignored */
  bez_exhibit_cell(r, x, 0, 0, long_title, sizeof long_title, false);
  assert_true(strlen(x->cells[0]) <= 243);
  bez_report_destroy(r);
}

static void test_excerpt_maps_spans(void **state) {
  bez_report *r = bez_report_create("scan");
  bez_finding *f = bez_report_add(r, &fixture_rules[0], BEZ_SEV_ERROR);
  bez_span spans[] = {{6, 9}, {2, 3}, {8, 12}, {5, 5}, {90, 99}};
  bez_exhibit *x = bez_finding_excerpt(r, f, "t", "a\xff\xffxyz_TRIG!", 12, spans, 5);
  assert_string_equal(x->text, "a\xEF\xBF\xBD\xEF\xBF\xBDxyz_TRIG!");
  assert_int_equal(x->n_spans, 2);
  assert_int_equal(x->spans[0].begin, 4); /* the second replaced byte */
  assert_int_equal(x->spans[0].end, 7);
  assert_memory_equal(x->text + x->spans[1].begin, "_TRIG!", 6);
  assert_int_equal(x->spans[1].end - x->spans[1].begin, 6);

  static char text[20000];
  for (size_t i = 0; i + 1 < sizeof text; i += 2) memcpy(text + i, "\xC3\xA4", 2);
  bez_span far = {15000, 15004};
  x = bez_finding_excerpt(r, f, "t", text, sizeof text, &far, 1);
  assert_true(strlen(x->text) < 1000 && bez_utf8_valid(x->text, strlen(x->text)));
  assert_int_equal(x->n_spans, 1);
  assert_int_equal(x->spans[0].end - x->spans[0].begin, 4);
  assert_memory_equal(x->text, "\xE2\x80\xA6", 3);
  assert_non_null(bez_finding_excerpt(r, f, NULL, "", 0, NULL, 0));
  bez_report_destroy(r);
}

static void test_series_are_thinned(void **state) {
  enum { N = 100000 };
  bez_report *r = bez_report_create("scan");
  bez_finding *f = bez_report_add(r, &fixture_rules[0], BEZ_SEV_ERROR);
  double *x = calloc(N, sizeof *x), *y = calloc(N, sizeof *y);
  uint8_t *marked = calloc(N, 1);
  for (int i = 0; i < N; i++) x[i] = i;
  for (int i = 0; i < 60; i++) marked[i * 1000] = 1;
  bez_exhibit *e = bez_finding_series(r, f, "s", "x", "y", x, y, marked, N);
  assert_in_range(e->n_points, 2000, 4096);
  uint32_t n_marked = 0;
  for (uint32_t i = 0; i < e->n_points; i++) n_marked += e->marked[i];
  assert_int_equal(n_marked, 60); /* none of the flagged points is lost */
  y[3] = INFINITY;
  e = bez_finding_series(r, f, "s", "x", "y", x, y, NULL, 5);
  assert_int_equal(e->n_points, 5);
  assert_true(isnan(e->y[3]));
  free(x);
  free(y);
  free(marked);
  bez_report_destroy(r);
}

static void test_builders_accept_null(void **state) {
  bez_report *r = bez_report_create("scan");
  bez_finding_title(r, NULL, "x");
  bez_finding_remedy(r, NULL, "x");
  bez_finding_subject(r, NULL, "x", NULL);
  bez_finding_number(r, NULL, "x", 1);
  bez_finding_text(r, NULL, "x", "y");
  bez_finding_rows(r, NULL, NULL, 0);
  bez_exhibit_header(r, bez_finding_cells(r, NULL, "c", 1, 1), 0, "x");
  bez_exhibit_cell(r, NULL, 0, 0, "x", 1, true);
  bez_exhibit_role(r, NULL, 0, "x");
  assert_null(bez_finding_excerpt(r, NULL, "c", "x", 1, NULL, 0));
  assert_null(bez_finding_series(r, NULL, "c", "x", "y", NULL, NULL, NULL, 0));
  assert_int_equal(bez_report_status(r, NULL), BEZ_OK);
  bez_report_seal(r);
  bez_report_destroy(r);
  bez_report_destroy(NULL);
}

static void test_pairs_and_rules(void **state) {
  bez_report *r = fixture_report();
  assert_int_equal(r->n_options, 2);
  assert_string_equal(r->options[1].value, "*.bak, *.tmp");
  bez_report_run_info(r, "threads", "4");
  assert_int_equal(r->n_run, 2);
  assert_string_equal(r->run[1].value, "4");
  bez_report_ran(r, &fixture_rules[0]);
  assert_int_equal(r->n_rules_run, 3);
  uint64_t local;
  assert_null(bez_report_locate(r, 1000, &local));
  assert_string_equal(bez_report_locate(r, 599, &local)->path, "data/a.csv");
  assert_int_equal(local, 599);
  bez_report_destroy(r);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_order_and_counts),
      cmocka_unit_test(test_rows_are_listed_by_file),
      cmocka_unit_test(test_fingerprints),
      cmocka_unit_test(test_seal_caps_each_rule),
      cmocka_unit_test(test_rows_are_sorted_once_each),
      cmocka_unit_test(test_strings_are_cleaned),
      cmocka_unit_test(test_excerpt_maps_spans),
      cmocka_unit_test(test_series_are_thinned),
      cmocka_unit_test(test_builders_accept_null),
      cmocka_unit_test(test_pairs_and_rules),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
