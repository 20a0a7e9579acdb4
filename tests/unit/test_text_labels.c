/* Label disagreement in text: flipped labels lead the list, whatever the number of threads. */
#include "text_help.h"

#include "fit/text_model.h"

#define N 3000

/* Flips every 40th label. */
static void put_flipped(bez_buf *out, uint64_t seed, unsigned char *flipped) {
  bez_rng rng = bez_rng_make(seed, 7);
  bez_buf_puts(out, "label\tmessage\n");
  for (unsigned r = 0; r < N; r++) {
    bool loud = bez_rng_below(&rng, 5) == 0;
    flipped[r] = r % 40 == 7;
    bez_buf_printf(out, "%s\t", loud != flipped[r] ? "loud" : "calm");
    put_message(out, &rng, loud);
    bez_buf_putc(out, '\n');
  }
}

static void flipped_labels_are_listed(void **state) {
  (void)state;
  static unsigned char flipped[N];
  bez_buf tsv = {0};
  put_flipped(&tsv, 5, flipped);
  bez_table *table = table_of(&tsv);
  bez_report *one = run_detector(table, "BZ-D007", 1, BEZ_CPU_PLAIN);
  bez_report *three = run_detector(table, "BZ-D007", 3, bez_cpu_features());
  assert_same_report(one, three);
  assert_int_equal(one->n_findings, 1);
  const bez_finding *f = one->findings[0];
  assert_int_equal(f->severity, BEZ_SEV_NOTE);
  assert_true(f->ranked_list);
  unsigned hit = 0;
  for (uint64_t i = 0; i < f->n_rows; i++) {
    hit += flipped[f->rows[i].row];
    assert_string_not_equal(f->rows[i].label, f->rows[i].suggested);
  }
  assert_true(hit >= 68 && f->n_rows <= 90); /* of 75 */
  bez_report_destroy(one);
  bez_report_destroy(three);
  bez_table_destroy(table);
  bez_buf_free(&tsv);
}

static void little_data_is_said(void **state) {
  (void)state;
  bez_buf tsv = {0};
  bez_buf_puts(&tsv, "label\tmessage\na\tone two\nb\tthree four\n");
  bez_table *table = table_of(&tsv);
  bez_report *report = run_detector(table, "BZ-D007", 1, BEZ_CPU_PLAIN);
  assert_int_equal(report->n_findings, 0);
  assert_non_null(report->not_checked);
  bez_report_destroy(report);
  bez_table_destroy(table);
  bez_buf_free(&tsv);
}

static void grams_of_odd_texts(void **state) {
  (void)state;
  bez_grams g = {0};
  assert_int_equal(bez_grams_load(&g, "", 0, 256, NULL), BEZ_OK);
  assert_int_equal(g.n, 0);
  assert_int_equal(bez_grams_load(&g, "A  a\n", 5, 1u << 20, NULL), BEZ_OK); /* " a a " */
  float sum = 0;
  for (uint32_t i = 0; i < g.n; i++) sum += g.grams[i].value;
  assert_true(sum == 9.0f && g.n == 6); /* " a" and "a " twice, " a " twice, "a a", 2 of 4 */
  static char big[100000];
  memset(big, 'x', sizeof big);
  assert_int_equal(bez_grams_load(&g, big, sizeof big, 1u << 20, NULL), BEZ_OK);
  assert_true(g.n < 10);
  bez_grams_free(&g);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(flipped_labels_are_listed),
      cmocka_unit_test(little_data_is_said),
      cmocka_unit_test(grams_of_odd_texts),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
