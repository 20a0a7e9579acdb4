/* BZ-D002: two foreign cells in otherwise ordinary rows are found without any label; clean tables are silent. */
#include "base/rng.h"
#include "detect_helpers.h"

#define ADULT SHARED_DATA "adult/adult.csv"

/* Rows of four kinds; each of five columns mostly shows one of ten values of its kind. `plant` rows of any kind get
 * c0=k0v7 and c1=k2v6, which hardly ever stand together. planted[row] says which; their label is
 * "yes" where `pure`, that of any row otherwise. */
static char *kinds(int n, int plant, bool pure, uint8_t *planted) {
  bez_buf csv = {0};
  bez_rng rng = bez_rng_make(12, 3);
  bez_buf_puts(&csv, "c0,c1,c2,c3,c4,label\n");
  for (int i = 0; i < n; i++) {
    unsigned kind = (unsigned)bez_rng_below(&rng, 4);
    planted[i] = i % 53 == 11 && i / 53 < plant;
    for (int c = 0; c < 5; c++) {
      unsigned shown = bez_rng_unit(&rng) < .85 ? kind : (unsigned)bez_rng_below(&rng, 4);
      double u = bez_rng_unit(&rng);
      unsigned value = (unsigned)(u * u * 10);
      if (planted[i] && c == 0) shown = 0, value = 7;
      if (planted[i] && c == 1) shown = 2, value = 6;
      bez_buf_printf(&csv, "k%uv%u,", shown, value);
    }
    bez_buf_printf(&csv, "%s\n", (pure && planted[i]) || bez_rng_unit(&rng) < .6 ? "yes" : "no");
  }
  assert_false(csv.failed);
  return csv.data;
}

static void planted_combination_is_found(void **state) {
  (void)state;
  enum { ROWS = 6000, PLANT = 80 };
  static uint8_t planted[ROWS];
  char *csv = kinds(ROWS, PLANT, true, planted);
  bez_read_options options = {.label = "label"};
  bez_table *table = table_from_csv(csv, &options);
  detect_run one = detect_begin(table, 1), many = detect_begin(table, 4);
  detect_with(&one, bez_detector_find("context-contradiction"));
  detect_with(&many, bez_detector_find("BZ-D002"));
  assert_int_equal(count_findings(one.report, BEZ_SEV_WARNING), 1);
  const bez_finding *f = one.report->findings[0], *g = many.report->findings[0];
  assert_string_equal(f->pattern, "c0=k0v7 & c1=k2v6");
  assert_string_equal(f->target, "yes");
  assert_true(f->score == g->score && f->n_rows == g->n_rows);
  uint64_t right = 0;
  for (uint64_t i = 0; i < f->n_rows; i++) right += planted[f->rows[i].row];
  assert_int_equal(right, PLANT);
  assert_true(f->n_rows < PLANT + 8);
  detect_end(&one);
  detect_end(&many);
  bez_table_destroy(table);
  free(csv);
}

/* A few rows contradict weakly; that they all carry one label as well makes the difference. */
static void one_label_makes_a_warning(void **state) {
  (void)state;
  static uint8_t planted[6000];
  for (int pure = 0; pure < 2; pure++) {
    char *csv = kinds(6000, 24, pure, planted);
    bez_read_options options = {.label = "label"};
    bez_table *table = table_from_csv(csv, &options);
    detect_run d = detect_begin(table, 1);
    detect_with(&d, bez_detector_find("BZ-D002"));
    assert_int_equal(count_findings(d.report, BEZ_SEV_WARNING), pure);
    if (pure) assert_string_equal(d.report->findings[0]->pattern, "c0=k0v7 & c1=k2v6");
    detect_end(&d);
    bez_table_destroy(table);
    free(csv);
  }
}

static void clean_kinds_are_silent(void **state) {
  (void)state;
  static uint8_t planted[6000];
  char *csv = kinds(6000, 0, true, planted);
  bez_read_options options = {.label = "label"};
  assert_silent(table_from_csv(csv, &options), "BZ-D002", 2);
  free(csv);
}

static void clean_adult_is_silent(void **state) {
  (void)state;
  need_shared(ADULT);
  bez_read_options options = {.label = "income-per-year"};
  assert_silent(open_table(ADULT, &options), "BZ-D002", 2);
}

/* Twin columns (a code and its name) contradict every combination that leaves one of them out: they must not count. */
static void twins_are_silent(void **state) {
  (void)state;
  bez_buf csv = {0};
  bez_rng rng = bez_rng_make(7, 1);
  bez_buf_puts(&csv, "code,name,job,size,label\n");
  for (int i = 0; i < 5000; i++) {
    unsigned code = (unsigned)bez_rng_below(&rng, 12);
    unsigned job = bez_rng_unit(&rng) < .4 ? code % 7 : (unsigned)bez_rng_below(&rng, 9);
    bez_buf_printf(&csv, "%u,name-%c,job%u,s%u,%u\n", code, 'a' + (int)code, job, (unsigned)bez_rng_below(&rng, 5),
                   i % 2);
  }
  bez_read_options options = {.label = "label"};
  assert_silent(table_from_csv(csv.data, &options), "BZ-D002", 1);
  bez_buf_free(&csv);
}

/* Independent columns: no context can contradict, but sixty rows where one is expected stand out by themselves. */
static void spike_among_independent_columns(void **state) {
  (void)state;
  for (int plant = 0; plant <= 60; plant += 60) {
    bez_buf csv = {0};
    bez_rng rng = bez_rng_make(31, 1);
    bez_buf_puts(&csv, "shop,town,kind,label\n");
    for (int i = 0; i < 20000; i++) {
      double u = bez_rng_unit(&rng), v = bez_rng_unit(&rng);
      unsigned shop = (unsigned)(u * u * 60), town = (unsigned)(v * v * 80), kind = (unsigned)bez_rng_below(&rng, 6);
      bool planted = i % 300 == 7 && i / 300 < plant;
      bez_buf_printf(&csv, "s%u,t%u,k%u,%u\n", planted ? 51 : shop, planted ? 70 : town, kind,
                     (unsigned)bez_rng_below(&rng, 2));
    }
    bez_read_options options = {.label = "label"};
    bez_table *table = table_from_csv(csv.data, &options);
    detect_run d = detect_begin(table, 2);
    detect_with(&d, bez_detector_find("BZ-D002"));
    assert_int_equal(d.report->n_findings, plant ? 1 : 0);
    if (plant) {
      assert_string_equal(d.report->findings[0]->pattern, "shop=s51 & town=t70");
      assert_int_equal(d.report->findings[0]->severity, BEZ_SEV_WARNING);
      assert_true(d.report->findings[0]->n_rows >= 60 && d.report->findings[0]->n_rows <= 66);
    }
    detect_end(&d);
    bez_table_destroy(table);
    bez_buf_free(&csv);
  }
}

static void small_and_empty_tables(void **state) {
  (void)state;
  const char *const csv[] = {"a,b,c\n", "a,b,c\n1,2,x\n", "a,b,c,d\n1,2,x,\n3,4,y,\nnan,inf,,\n", "a\n1\n"};
  for (size_t i = 0; i < 4; i++) {
    assert_silent(table_from_csv(csv[i], NULL), "BZ-D002", 1);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(planted_combination_is_found),    cmocka_unit_test(clean_kinds_are_silent),
      cmocka_unit_test(clean_adult_is_silent),           cmocka_unit_test(twins_are_silent),
      cmocka_unit_test(spike_among_independent_columns), cmocka_unit_test(small_and_empty_tables),
      cmocka_unit_test(one_label_makes_a_warning),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
