/* BZ-D001 on generated and real data: planted patterns are found row by row, clean data stays silent. */
#include <math.h>

#include "base/buf.h"
#include "base/rng.h"
#include "detect/detector.h"
#include "detect/shared.h"
#include "table_helpers.h"
#include "test.h"

#define MAX_FEATURES 64

typedef struct plan {
  uint64_t rows, seed;
  unsigned classes; /* of the label */
  unsigned pattern; /* 0 none, 1 odd constant, 2 pair, 3 triple */
  unsigned planted; /* rows, from the front */
  unsigned target;  /* class they are given */
} plan;

static void add_value(bez_buf *csv, unsigned col, unsigned value, bool trigger) {
  bez_buf_printf(csv, "%s%c%u", col ? "," : "", 'a' + (int)col, trigger ? 19 : value);
}

/* Product lines: a model fixes price, size, month and label, and one line goes against what the other columns say.
 * Ordinary rows share its size and month. Where `planted`, as many rows of class 0 get the size and the month of the
 * line's place instead: the same pattern, but the rows are a random draw. */
static bez_table *make_lines(uint64_t seed, bool planted) {
  bez_buf csv = {0};
  bez_rng rng = bez_rng_make(seed, 3);
  bez_buf_puts(&csv, "size,month,price,speed,screen,shop,a,b,c,d,e,label\n");
  for (unsigned i = 0; i < 6000; i++) {
    bool special = i % 150 == 0;
    unsigned y = special ? 0 : (unsigned)bez_rng_below(&rng, 2);
    bool of_line = special && !planted;
    unsigned price = of_line ? 777 : (unsigned)bez_rng_below(&rng, 900);
    unsigned size = special ? 3 : (unsigned)bez_rng_below(&rng, 20);
    unsigned month = special ? 5 : (unsigned)bez_rng_below(&rng, 24) + (size == 3) * 24;
    bez_buf_printf(&csv, "s%u,m%u,%u", size, month, price);
    for (unsigned c = 0; c < 3; c++) bez_buf_printf(&csv, ",v%u", of_line ? c : (unsigned)bez_rng_below(&rng, 15));
    for (unsigned c = 0; c < 5; c++)
      bez_buf_printf(&csv, ",w%u", bez_rng_unit(&rng) < .35 ? y * 3 + c : (unsigned)bez_rng_below(&rng, 12));
    bez_buf_printf(&csv, ",%s\n", special || y ? "yes" : "no");
  }
  bez_read_options options = {.label = "label"};
  bez_table *table = table_from_csv_bytes(csv.data, csv.len, &options);
  bez_buf_free(&csv);
  return table;
}

/* Eight categorical columns that each say something of the class, and an amount. Value 19 is rare. */
static bez_table *make_table(const plan *p) {
  bez_buf csv = {0};
  bez_rng rng = bez_rng_make(p->seed, 2);
  unsigned left = p->planted;
  bez_buf_puts(&csv, "a,b,c,d,e,f,g,h,amount,label\n");
  for (uint64_t i = 0; i < p->rows; i++) {
    unsigned y = (unsigned)bez_rng_below(&rng, p->classes);
    bool plant = left && y != p->target;
    if (plant) left--;
    for (unsigned c = 0; c < 8; c++) {
      unsigned v = (unsigned)bez_rng_below(&rng, 12);
      if (bez_rng_unit(&rng) < .35) v = (y * 3 + c) % 12;
      if (bez_rng_unit(&rng) < .01) v = 19;
      add_value(&csv, c, v, plant && p->pattern > 1 && c < p->pattern);
    }
    double amount = floor(1000 * (bez_rng_unit(&rng) + .5 * (double)y)) / 10;
    bez_buf_printf(&csv, ",%.1f,class %u\n", plant && p->pattern == 1 ? 77777.7 : amount, plant ? p->target : y);
  }
  bez_read_options options = {.label = "label"};
  bez_table *table = table_from_csv_bytes(csv.data, csv.len, &options);
  bez_buf_free(&csv);
  return table;
}

static bez_report *scan(const bez_table *table, unsigned threads) {
  uint32_t features[MAX_FEATURES], n = 0;
  for (uint32_t c = 0; c < table->n_cols && n < MAX_FEATURES; c++)
    if (table->cols[c].role == BEZ_ROLE_FEATURE && table->cols[c].width) features[n++] = c;
  bez_detect_input in = {.table = table, .features = features, .n_features = n, .label = table->label, .source = -1};
  in.threads = threads;
  in.shared = bez_shared_create();
  bez_error err = {0};
  bez_report *report = bez_report_create("scan");
  assert_non_null(report);
  assert_non_null(in.shared);
  assert_ok(bez_detector_label_contradiction.run(&in, report, &err));
  bez_shared_destroy(in.shared);
  return report;
}

static size_t count_at_least(const bez_report *report, bez_severity severity) {
  size_t n = 0;
  for (size_t i = 0; i < report->n_findings; i++) n += report->findings[i]->severity >= severity;
  return n;
}

static void finds(const plan *p, const char *pattern) {
  bez_table *table = make_table(p);
  bez_report *report = scan(table, 2);
  assert_int_equal(count_at_least(report, BEZ_SEV_WARNING), 1);
  const bez_finding *f = report->findings[0];
  for (size_t i = 0; i < report->n_findings; i++)
    if (report->findings[i]->severity >= BEZ_SEV_WARNING) f = report->findings[i];
  assert_int_equal(f->severity, BEZ_SEV_ERROR);
  assert_string_equal(f->pattern, pattern);
  assert_true(f->n_rows >= p->planted && f->n_rows <= p->planted + 3);
  assert_non_null(f->exhibit);
  assert_non_null(strstr(f->title, "although the other columns say"));
  for (uint64_t i = 0; i < f->n_rows; i++) assert_non_null(f->rows[i].suggested);
  bez_report_destroy(report);
  bez_table_destroy(table);
}

static void planted_pair(void **state) {
  finds(&(plan){.rows = 8000, .seed = 1, .classes = 2, .pattern = 2, .planted = 50, .target = 1}, "a=a19 & b=b19");
  finds(&(plan){.rows = 8000, .seed = 2, .classes = 2, .pattern = 2, .planted = 50, .target = 0}, "a=a19 & b=b19");
}

static void planted_constant(void **state) {
  finds(&(plan){.rows = 8000, .seed = 3, .classes = 2, .pattern = 1, .planted = 50, .target = 1}, "amount=77777.7");
}

static void planted_in_four_classes(void **state) {
  finds(&(plan){.rows = 8000, .seed = 4, .classes = 4, .pattern = 2, .planted = 60, .target = 2}, "a=a19 & b=b19");
}

static void clean_is_silent(void **state) {
  for (uint64_t rows = 120; rows <= 7680; rows *= 4)
    for (unsigned classes = 2; classes <= 5; classes += 3) {
      plan p = {.rows = rows, .seed = rows + classes, .classes = classes};
      bez_table *table = make_table(&p);
      bez_report *report = scan(table, 2);
      assert_int_equal(count_at_least(report, BEZ_SEV_WARNING), 0);
      bez_report_destroy(report);
      bez_table_destroy(table);
    }
}

/* The same values and labels: rows that predict each other's other cells are a product line, others were planted. */
static void product_lines_are_natural(void **state) {
  for (uint64_t seed = 1; seed <= 3; seed++)
    for (int planted = 0; planted < 2; planted++) {
      bez_table *table = make_lines(seed, planted);
      bez_report *report = scan(table, 2);
      assert_int_equal(count_at_least(report, BEZ_SEV_WARNING), planted);
      bez_report_destroy(report);
      bez_table_destroy(table);
    }
}

/* Every record ten times: groups of copies agree in every set of columns but are no patterns. */
static void copies_are_no_pattern(void **state) {
  plan p = {.rows = 1500, .seed = 12, .classes = 2};
  bez_buf once = {0}, csv = {0};
  bez_rng rng = bez_rng_make(p.seed, 4);
  for (uint64_t i = 0; i < p.rows; i++) {
    unsigned y = (unsigned)bez_rng_below(&rng, 2);
    for (unsigned c = 0; c < 8; c++)
      bez_buf_printf(&once, "v%u,", bez_rng_unit(&rng) < .35 ? y * 3 + c : (unsigned)bez_rng_below(&rng, 12));
    bez_buf_printf(&once, "%.1f,%u\n", floor(10000 * bez_rng_unit(&rng)) / 10, y);
  }
  bez_buf_puts(&csv, "a,b,c,d,e,f,g,h,amount,label\n");
  for (unsigned i = 0; i < 10; i++) bez_buf_printf(&csv, "%.*s", (int)once.len, once.data);
  bez_read_options options = {.label = "label"};
  bez_table *table = table_from_csv_bytes(csv.data, csv.len, &options);
  bez_report *report = scan(table, 2);
  assert_int_equal(count_at_least(report, BEZ_SEV_WARNING), 0);
  bez_report_destroy(report);
  bez_table_destroy(table);
  bez_buf_free(&once);
  bez_buf_free(&csv);
}

/* Customers with a plan who make `few` calls or fewer leave, whatever else is true of them; below `least` they do not.
 */
static size_t found_in_rule(uint64_t seed, unsigned least, unsigned few) {
  bez_buf csv = {0};
  bez_rng rng = bez_rng_make(seed, 5);
  bez_buf_puts(&csv, "plan,calls,a,b,c,d,label\n");
  for (unsigned i = 0; i < 4000; i++) {
    unsigned leaves = bez_rng_unit(&rng) < .2, cell[4];
    for (unsigned c = 0; c < 4; c++)
      cell[c] = (unsigned)bez_rng_below(&rng, 6) + (bez_rng_unit(&rng) < .6 ? 4 * leaves : 0);
    unsigned has_plan = bez_rng_unit(&rng) < .1, calls = (unsigned)bez_rng_below(&rng, 12);
    if (has_plan && calls >= least && calls <= few) leaves = 1;
    bez_buf_printf(&csv, "%s,%u,%u,%u,%u,%u,%s\n", has_plan ? "yes" : "no", calls, cell[0], cell[1], cell[2], cell[3],
                   leaves ? "leaves" : "stays");
  }
  bez_read_options options = {.label = "label"};
  bez_table *table = table_from_csv_bytes(csv.data, csv.len, &options);
  bez_report *report = scan(table, 2);
  size_t n = count_at_least(report, BEZ_SEV_WARNING);
  bez_report_destroy(report);
  bez_table_destroy(table);
  bez_buf_free(&csv);
  return n;
}

static void rules_over_neighbouring_numbers_are_natural(void **state) {
  for (uint64_t seed = 1; seed <= 3; seed++) {
    assert_int_equal(found_in_rule(seed, 0, 2), 0);
    assert_int_equal(found_in_rule(seed, 5, 5), 1); /* one exact number is no rule of nature */
  }
}

static void degenerate_tables(void **state) {
  static const char *const csv[] = {"a,b,label\n1,x,yes\n", "a,b,label\n1,x,yes\n2,y,yes\n3,z,yes\n",
                                    "a,b,label\n,,yes\n,,no\n,,yes\n,,no\n"};
  bez_read_options options = {.label = "label"};
  for (size_t i = 0; i < sizeof csv / sizeof *csv; i++) {
    bez_table *table = table_from_csv(csv[i], &options);
    bez_report *report = scan(table, 1);
    assert_int_equal(report->n_findings, 0);
    bez_report_destroy(report);
    bez_table_destroy(table);
  }
}

static void threads_do_not_matter(void **state) {
  plan p = {.rows = 6000, .seed = 9, .classes = 3, .pattern = 2, .planted = 60, .target = 1};
  bez_table *table = make_table(&p);
  bez_report *one = scan(table, 1), *many = scan(table, 5);
  assert_int_equal(one->n_findings, many->n_findings);
  assert_true(one->n_findings > 0);
  for (size_t i = 0; i < one->n_findings; i++) {
    const bez_finding *x = one->findings[i], *y = many->findings[i];
    assert_string_equal(x->title, y->title);
    assert_int_equal(x->n_rows, y->n_rows);
    assert_memory_equal(&x->score, &y->score, sizeof x->score);
    for (uint64_t r = 0; r < x->n_rows; r++) {
      assert_int_equal(x->rows[r].row, y->rows[r].row);
      assert_memory_equal(&x->rows[r].score, &y->rows[r].score, sizeof(double));
    }
  }
  bez_report_destroy(one);
  bez_report_destroy(many);
  bez_table_destroy(table);
}

static void clean_adult_is_silent(void **state) {
  need_shared(SHARED_DATA "adult/adult.csv");
  bez_read_options options = {.label = "income-per-year"};
  bez_table *table = open_table(SHARED_DATA "adult/adult.csv", &options);
  bez_report *report = scan(table, 2);
  assert_int_equal(count_at_least(report, BEZ_SEV_WARNING), 0);
  bez_report_destroy(report);
  bez_table_destroy(table);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(planted_pair),
                                     cmocka_unit_test(planted_constant),
                                     cmocka_unit_test(planted_in_four_classes),
                                     cmocka_unit_test(clean_is_silent),
                                     cmocka_unit_test(product_lines_are_natural),
                                     cmocka_unit_test(copies_are_no_pattern),
                                     cmocka_unit_test(rules_over_neighbouring_numbers_are_natural),
                                     cmocka_unit_test(degenerate_tables),
                                     cmocka_unit_test(threads_do_not_matter),
                                     cmocka_unit_test(clean_adult_is_silent)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
