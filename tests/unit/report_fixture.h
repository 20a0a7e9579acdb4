/* A report with one of everything, for tests of the wire form and the writers. CANARY stands wherever a value of the
 * data can stand. */
#ifndef BEZ_TEST_REPORT_FIXTURE_H
#define BEZ_TEST_REPORT_FIXTURE_H

#include <math.h>
#include <string.h>

#include "finding/finding.h"

#define CANARY "Zx9CANARYq7"
#define HOSTILE "<script>alert(1)</script>\x1b[31m\xE2\x80\xAEgnp|`]]>&amp;\"'@everyone"

static const bez_rule fixture_rules[] = {
    {"BZ-D001", "label-contradiction", "Label contradiction of a pattern",
     "A rare combination of values carries one label although all other columns say another.",
     "Quarantine the rows and ask their source.", "ATLAS:AML.T0020 NIST:NISTAML.013 OWASP:LLM04 OWASP-ML:ML02"},
    {"BZ-D004", "label-disagreement", "Labels that the data contradict", "Rows whose label a model disputes.",
     "Review the list from the top.", "ATLAS:AML.T0020"},
    {"BZ-D005", "flood", "Floods of near-duplicates", "Many copies of one message.", "Keep one copy.", "OWASP:LLM04"},
    {"BZ-D003", "trigger-phrase", "Trigger phrase", "A phrase that decides the label.", "Remove the rows.", ""},
};

static inline void fixture_data(bez_report *r) {
  static const char *const names[] = {"age", "workclass", "note", "income"};
  static const char *const types[] = {"numeric", "categorical", "text", "categorical"};
  static const char *const roles[] = {"feature", "feature", "text", "label"};
  r->n_rows = 1000;
  r->n_files = 2;
  r->files = bez_arena_array(&r->arena, 2, sizeof *r->files);
  r->files[0] = (bez_report_file){
      .path = "data/a.csv", .n_rows = 600, .bytes = 12000, .format = "csv", .digest = "00000000000000a1"};
  r->files[1] =
      (bez_report_file){.path = "data/b, \"odd\".csv", .first_row = 600, .n_rows = 400, .bytes = 8000, .format = "csv"};
  r->n_columns = 4;
  r->columns = bez_arena_array(&r->arena, 4, sizeof *r->columns);
  for (int i = 0; i < 4; i++)
    r->columns[i] = (bez_report_column){names[i], types[i], roles[i], 10 + (uint64_t)i, (uint64_t)i, i == 3, i == 3};
  r->n_incidents = 1;
  r->incidents = bez_arena_array(&r->arena, 1, sizeof *r->incidents);
  r->incidents[0] = (bez_incident){1, BEZ_SEV_ERROR, "workclass=" CANARY " pushes to <=50K", 3};
}

static inline void fixture_pattern(bez_report *r) {
  bez_finding *f = bez_report_add(r, &fixture_rules[0], BEZ_SEV_ERROR);
  bez_finding_title(r, f, "3 rows with workclass=\"%s\" and age=%d carry %s", CANARY, 77, HOSTILE);
  bez_finding_subject(r, f, "workclass=" CANARY " & age=77", "<=50K" CANARY);
  bez_finding_number(r, f, "support", 3);
  bez_finding_number(r, f, "purity", 1.0 / 3);
  bez_finding_text(r, f, "value", "%s", CANARY);
  f->score = 41.25;
  f->p_value = 1e-12;
  f->q_value = 2.5e-9;
  f->incident = 1;
  bez_row_hit rows[] = {{700, 3.5, NAN, "<=50K" CANARY, NULL},
                        {5, 2.25, 0.01, "<=50K" CANARY, ">50K"},
                        {6, NAN, NAN, "=cmd|' /C calc'!A0", "a,\"b\""}};
  bez_finding_rows(r, f, rows, 3);
  bez_exhibit *x = bez_finding_cells(r, f, "Flagged rows beside their nearest clean rows", 2, 4);
  static const char *const header[] = {"age", "workclass", "note", "income"};
  for (uint32_t c = 0; c < 4; c++) {
    bez_exhibit_header(r, x, c, header[c]);
    bez_exhibit_cell(r, x, 0, c, c == 2 ? HOSTILE : CANARY, strlen(c == 2 ? HOSTILE : CANARY), c < 2);
    bez_exhibit_cell(r, x, 1, c, "4" CANARY, strlen("4" CANARY), false);
  }
  bez_exhibit_role(r, x, 0, "flagged");
  bez_exhibit_role(r, x, 1, "nearest clean");
  double px[] = {0, 1, 2, 3}, py[] = {0.5, 1.5, 40, 41.25};
  uint8_t marked[] = {0, 0, 0, 1};
  bez_finding_series(r, f, "Scores of all patterns", "rank", "score", px, py, marked, 4);
}

static inline void fixture_others(bez_report *r) {
  bez_finding *f = bez_report_add(r, &fixture_rules[3], BEZ_SEV_WARNING);
  static const char text[] = "call \xff now " CANARY " tomorrow";
  bez_span span = {11, 11 + sizeof CANARY - 1};
  bez_finding_title(r, f, "Phrase \"%s\"", CANARY);
  bez_finding_subject(r, f, CANARY, "ham");
  bez_finding_excerpt(r, f, "Message 5 says " CANARY, text, sizeof text - 1, &span, 1);
  bez_row_hit hit = {5, 9.5, 0.001, "ham", NULL};
  bez_finding_rows(r, f, &hit, 1);
  f->score = 9.5;
  f->incident = 1;
  f = bez_report_add(r, &fixture_rules[1], BEZ_SEV_NOTE);
  f->ranked_list = true;
  f->suppressed = true;
  f->suppressed_by = "reviewed by Ann";
  bez_row_hit list[] = {{10, 0.9, NAN, "a", "b" CANARY}, {20, 0.8, NAN, "b", "a"}};
  bez_finding_rows(r, f, list, 2);
}

/* Owned by the caller; sealed. */
static inline bez_report *fixture_report(void) {
  bez_report *r = bez_report_create("scan");
  fixture_data(r);
  fixture_others(r);
  fixture_pattern(r);
  bez_report_not_checked(r, false, "BZ-D006", "no source column was named");
  bez_report_not_checked(r, true, "data/c.parquet", "value \"%s\" at byte %d cannot be read", CANARY, 17);
  for (int i = 0; i < 3; i++) bez_report_ran(r, &fixture_rules[i]);
  bez_report_option(r, "label", "income");
  bez_report_option(r, "exclude", "*.bak");
  bez_report_option(r, "exclude", "*.tmp");
  bez_report_run_info(r, "time", "2030-01-02T03:04:05Z");
  bez_report_run_info(r, "threads", "2");
  r->n_suppressions = 1;
  r->suppressions = bez_arena_array(&r->arena, 1, sizeof *r->suppressions);
  r->suppressions[0] =
      (bez_suppression){"BZ-D004", NULL, "ann@example.org", "reviewed by hand", "2031-01-01", false, true};
  bez_report_seal(r);
  return r;
}

#endif
