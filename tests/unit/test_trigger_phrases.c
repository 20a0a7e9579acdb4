/* Trigger phrases: planted ones are named with their rows, clean messages are silent, threads change nothing. */
#include "text_help.h"

#define N 3000

static void planted_phrase_is_named(void **state) {
  (void)state;
  static const char *const triggers[] = {"xqz", "blue paper boat", "dinner tonight"};
  for (unsigned i = 0; i < 3; i++) {
    static unsigned char mask[N];
    bez_buf tsv = {0};
    put_messages(&tsv, 11 + i, N, triggers[i], 30, mask);
    bez_table *table = table_of(&tsv);
    bez_report *one = run_detector(table, "BZ-D004", 1, BEZ_CPU_PLAIN);
    bez_report *three = run_detector(table, "BZ-D004", 3, bez_cpu_features());
    assert_same_report(one, three);
    assert_int_equal(one->n_findings, 1);
    const bez_finding *f = one->findings[0];
    assert_int_equal(f->severity, BEZ_SEV_ERROR);
    assert_string_equal(f->pattern, triggers[i]);
    assert_string_equal(f->target, "loud");
    assert_true(f->n_rows >= 29 && f->n_rows <= 31);
    unsigned hit = 0;
    for (uint64_t r = 0; r < f->n_rows; r++) hit += mask[f->rows[r].row];
    assert_true(hit >= 29);
    assert_non_null(f->exhibit);
    bez_report_destroy(one);
    bez_report_destroy(three);
    bez_table_destroy(table);
    bez_buf_free(&tsv);
  }
}

static void clean_messages_are_silent(void **state) {
  (void)state;
  for (uint64_t seed = 0; seed < 3; seed++) {
    static unsigned char mask[N];
    bez_buf tsv = {0};
    put_messages(&tsv, 100 + seed, N, NULL, 0, mask);
    bez_table *table = table_of(&tsv);
    bez_report *report = run_detector(table, "BZ-D004", 2, bez_cpu_features());
    assert_int_equal(report->n_findings, 0);
    bez_report_destroy(report);
    bez_table_destroy(table);
    bez_buf_free(&tsv);
  }
}

/* Messages whose words say little: most telling words are of their class, many are not. n_planted rows of the calm half
 * get the label loud and a token. */
static void put_weak_messages(bez_buf *out, uint64_t seed, unsigned n_planted, unsigned char *mask) {
  bez_rng rng = bez_rng_make(seed, 17);
  unsigned planted = 0;
  bez_buf_puts(out, "label\tmessage\n");
  for (unsigned r = 0; r < N; r++) {
    bool loud = bez_rng_below(&rng, 2), plant = !loud && planted < n_planted && r % 20 < 3;
    unsigned n = 8 + (unsigned)bez_rng_below(&rng, 12);
    mask[r] = plant;
    planted += plant;
    bez_buf_puts(out, loud || plant ? "loud\t" : "calm\t");
    for (unsigned i = 0; i < n; i++) {
      bool as_loud = bez_rng_below(&rng, 10) < 3 ? !loud : loud;
      const char *word = bez_rng_below(&rng, 3) ? all_words[bez_rng_below(&rng, 12)]
                                                : (as_loud ? loud_words : calm_words)[bez_rng_below(&rng, 18)];
      bez_buf_printf(out, "%s%s", i ? " " : "", plant && i == 4 ? "xqz" : word);
    }
    bez_buf_putc(out, '\n');
  }
}

static void weak_labels_are_weighed_together(void **state) {
  (void)state;
  static unsigned char mask[N];
  for (uint64_t seed = 0; seed < 3; seed++) {
    for (unsigned n_planted = 0; n_planted <= 24; n_planted += 24) {
      bez_buf tsv = {0};
      put_weak_messages(&tsv, seed, n_planted, mask);
      bez_table *table = table_of(&tsv);
      bez_report *one = run_detector(table, "BZ-D004", 1, BEZ_CPU_PLAIN);
      bez_report *three = run_detector(table, "BZ-D004", 3, bez_cpu_features());
      assert_same_report(one, three);
      assert_int_equal(one->n_findings, n_planted ? 1 : 0);
      if (n_planted) {
        const bez_finding *f = one->findings[0];
        unsigned hit = 0;
        assert_string_equal(f->pattern, "xqz");
        assert_string_equal(f->target, "loud");
        for (uint64_t r = 0; r < f->n_rows; r++) hit += mask[f->rows[r].row];
        assert_true(hit == f->n_rows && hit >= 22);
      }
      bez_report_destroy(one);
      bez_report_destroy(three);
      bez_table_destroy(table);
      bez_buf_free(&tsv);
    }
  }
}

static void degenerate_tables_pass(void **state) {
  (void)state;
  static const char *const tables[] = {"label\tmessage\nx\thello there\n", "label\tmessage\n",
                                       "label\tmessage\nx\t\nx\t\ny\t\nx\t\ny\t\nx\t\ny\t\nx\t\nx\t\n",
                                       "label\tmessage\n\ta b\n\ta b\n\ta b\n\tc\n\tc\n\tc\n\tc\n\tc\n\tc\n"};
  for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) {
    bez_buf tsv = {0};
    bez_buf_puts(&tsv, tables[i]);
    bez_table *table = table_of(&tsv);
    bez_report *report = run_detector(table, "BZ-D004", 2, bez_cpu_features());
    assert_int_equal(report->n_findings, 0);
    bez_report_destroy(report);
    bez_table_destroy(table);
    bez_buf_free(&tsv);
  }
}

static void real_messages(void **state) {
  (void)state;
  const char *path = "../shared/data/sms/sms_spam.tsv";
  if (access(path, R_OK) != 0) {
    print_message("skipped: %s is not there\n", path);
    return; /* the generated messages above make the same claim */
  }
  bez_read_options options = {.label = "Label", .threads = 2};
  bez_table *table = NULL;
  bez_error err = {0};
  assert_int_equal(bez_table_open(&path, 1, &options, &table, &err), BEZ_OK);
  bez_report *report = run_detector(table, "BZ-D004", 2, bez_cpu_features());
  assert_int_equal(report->n_findings, 0);
  bez_report_destroy(report);
  bez_table_destroy(table);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(planted_phrase_is_named),
      cmocka_unit_test(clean_messages_are_silent),
      cmocka_unit_test(weak_labels_are_weighed_together),
      cmocka_unit_test(degenerate_tables_pass),
      cmocka_unit_test(real_messages),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
