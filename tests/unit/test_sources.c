/* BZ-D009 reads the report: flagged rows, disputes and duplicates by source. */
#include "base/rng.h"
#include "detect_helpers.h"

enum { ROWS = 4000, SOURCES = 20 };

static const bez_rule flagging = {.id = "BZ-D001", .name = "test"};
static const bez_rule disputing = {.id = "BZ-D006", .name = "test"};

static bez_table *table_of_sources(uint64_t seed) {
  bez_buf csv = {0};
  bez_rng rng = bez_rng_make(seed, 1);
  bez_buf_puts(&csv, "x,who,label\n");
  for (int i = 0; i < ROWS; i++)
    bez_buf_printf(&csv, "%u,user-%02u,%u\n", (unsigned)bez_rng_below(&rng, 50), (unsigned)bez_rng_below(&rng, SOURCES),
                   (unsigned)bez_rng_below(&rng, 2));
  bez_read_options options = {.label = "label", .source = "who"};
  bez_table *table = table_from_csv(csv.data, &options);
  bez_buf_free(&csv);
  return table;
}

static bool is_of(const bez_table *table, uint64_t row, const char *who) {
  char cell[64];
  return strcmp(cell_text(table, (uint32_t)table->source, row, cell, sizeof cell), who) == 0;
}

/* A finding over rows that `share` draws at random, and all rows of `who` with chance `more`. */
static void plant_finding(detect_run *d, const bez_rule *rule, bez_severity severity, double share, const char *who,
                          double more) {
  static bez_row_hit hits[ROWS];
  uint64_t n = 0;
  bez_rng rng = bez_rng_make(77, d->in.seed);
  for (uint64_t row = 0; row < d->in.table->n_rows; row++) {
    bool hit = bez_rng_unit(&rng) < share, extra = bez_rng_unit(&rng) < more;
    if (hit || (extra && is_of(d->in.table, row, who)))
      hits[n++] = (bez_row_hit){.row = row, .suggested = "1", .label = "0"};
  }
  bez_finding *f = bez_report_add(d->report, rule, severity);
  f->ranked_list = rule == &disputing;
  bez_finding_rows(d->report, f, hits, n);
}

static void flagged_rows_of_one_source(void **state) {
  (void)state;
  bez_table *table = table_of_sources(1);
  detect_run d = detect_begin(table, 1);
  plant_finding(&d, &flagging, BEZ_SEV_ERROR, 0, "user-07", .3);
  detect_with(&d, bez_detector_find("sources"));
  assert_int_equal(d.report->n_findings, 2);
  const bez_finding *f = d.report->findings[1];
  assert_int_equal(f->severity, BEZ_SEV_WARNING);
  assert_string_equal(f->pattern, "who=user-07: flagged rows");
  assert_true(f->q_value < 1e-6 && f->q_value >= f->p_value);
  assert_int_equal(f->n_rows, d.report->findings[0]->n_rows);
  for (uint64_t i = 0; i < f->n_rows; i++) assert_true(is_of(table, f->rows[i].row, "user-07"));
  detect_end(&d);
  bez_table_destroy(table);
}

static void disputes_of_one_source(void **state) {
  (void)state;
  bez_table *table = table_of_sources(2);
  detect_run d = detect_begin(table, 1);
  plant_finding(&d, &disputing, BEZ_SEV_NOTE, .05, "user-03", .35);
  detect_with(&d, bez_detector_find("sources"));
  assert_int_equal(d.report->n_findings, 2);
  const bez_finding *f = d.report->findings[1];
  assert_string_equal(f->pattern, "who=user-03: disputed labels");
  assert_true(f->ranked_list);
  assert_int_equal(f->severity, BEZ_SEV_WARNING);
  detect_end(&d);
  bez_table_destroy(table);
}

/* Sources that have nothing to do with what was found: 100 scans, at q <= .01 one false alarm is due. */
static void sources_by_chance_are_silent(void **state) {
  (void)state;
  size_t alarms = 0;
  for (uint64_t seed = 0; seed < 100; seed++) {
    bez_table *table = table_of_sources(10 + seed % 5);
    detect_run d = detect_begin(table, 1);
    d.in.seed = seed;
    plant_finding(&d, &flagging, BEZ_SEV_WARNING, .01, "", 0);
    plant_finding(&d, &disputing, BEZ_SEV_NOTE, .05, "", 0);
    detect_with(&d, bez_detector_find("sources"));
    alarms += d.report->n_findings > 2;
    detect_end(&d);
    bez_table_destroy(table);
  }
  assert_true(alarms <= 4);
}

static void nothing_found_nothing_said(void **state) {
  (void)state;
  bez_table *table = table_of_sources(3);
  detect_run d = detect_begin(table, 1);
  detect_with(&d, bez_detector_find("sources"));
  assert_int_equal(d.report->n_findings, 0);
  assert_null(d.report->not_checked);
  detect_end(&d);
  bez_table_destroy(table);
}

static void one_source_is_said(void **state) {
  (void)state;
  bez_read_options options = {.label = "label", .source = "who"};
  bez_table *table = table_from_csv("x,who,label\n1,a,0\n2,a,1\n3,a,1\n", &options);
  detect_run d = detect_begin(table, 1);
  detect_with(&d, bez_detector_find("sources"));
  assert_non_null(d.report->not_checked);
  assert_int_equal(d.report->n_findings, 0);
  detect_end(&d);
  bez_table_destroy(table);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(flagged_rows_of_one_source),   cmocka_unit_test(disputes_of_one_source),
      cmocka_unit_test(sources_by_chance_are_silent), cmocka_unit_test(nothing_found_nothing_said),
      cmocka_unit_test(one_source_is_said),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
