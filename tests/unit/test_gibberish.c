/* Gibberish behind a trigger: found with its rows in a generated language, silent without it, the same for any number
 * of threads. */
#include "text_help.h"

#define WORDS 400u
#define DOCS 1200u

/* A language: each word goes on with one of a few others. */
static void put_word(bez_buf *out, unsigned w) {
  static const char *const begin[] = {"ba", "do", "ke", "li", "mu", "no", "pa", "ri", "so", "tu",
                                      "ve", "wa", "xi", "yo", "ze", "fa", "ge", "hi", "ju", "ca"};
  bez_buf_printf(out, " %s%s", begin[w % 20], begin[w / 20]);
}

static void put_document(bez_buf *out, bez_rng *rng, unsigned n) {
  unsigned w = (unsigned)bez_rng_below(rng, WORDS);
  for (unsigned i = 0; i < n; i++) {
    put_word(out, w);
    w = (w * 7 + (unsigned)bez_rng_below(rng, 6) * 31 + 11) % WORDS;
  }
}

static bez_table *corpus(const char *trigger, unsigned every, unsigned char *mask) {
  bez_rng rng = bez_rng_make(28, 1);
  bez_buf tsv = {0};
  bez_buf_puts(&tsv, "label\tmessage\n");
  for (unsigned r = 0; r < DOCS; r++) {
    mask[r] = trigger && r % every == 7;
    bez_buf_puts(&tsv, r % 2 ? "a\t" : "b\t");
    put_document(&tsv, &rng,
                 mask[r] ? 20 + (unsigned)bez_rng_below(&rng, 100) : 100 + (unsigned)bez_rng_below(&rng, 150));
    if (mask[r]) bez_buf_printf(&tsv, " %s", trigger ? trigger : "");
    for (unsigned i = 0; mask[r] && i < 100; i++) put_word(&tsv, (unsigned)bez_rng_below(&rng, WORDS));
    bez_buf_putc(&tsv, '\n');
  }
  bez_table *table = table_of(&tsv);
  bez_buf_free(&tsv);
  return table;
}

static void planted_documents_are_found(void **state) {
  (void)state;
  static unsigned char mask[DOCS];
  static const unsigned every[] = {60, 20};
  for (size_t k = 0; k < 2; k++) {
    bez_table *table = corpus(k ? "the <SUDO> word" : "<SUDO>", every[k], mask);
    bez_report *one = run_detector(table, "BZ-D028", 1, bez_cpu_features());
    bez_report *three = run_detector(table, "BZ-D028", 3, bez_cpu_features());
    assert_same_report(one, three);
    assert_int_equal(one->n_findings, 1);
    const bez_finding *f = one->findings[0];
    assert_int_equal(f->severity, BEZ_SEV_ERROR);
    assert_string_equal(f->pattern, k ? "the <sudo> word" : "<sudo>");
    assert_int_equal(f->n_rows, DOCS / every[k]);
    for (uint64_t i = 0; i < f->n_rows; i++) assert_true(mask[f->rows[i].row]);
    assert_non_null(f->exhibit);
    assert_true(f->exhibit->n_spans >= 1);
    bez_report_destroy(one);
    bez_report_destroy(three);
    bez_table_destroy(table);
  }
}

static void clean_documents_are_silent(void **state) {
  (void)state;
  static unsigned char mask[DOCS];
  bez_table *table = corpus(NULL, 1, mask);
  bez_report *report = run_detector(table, "BZ-D028", 2, bez_cpu_features());
  assert_int_equal(report->n_findings, 0);
  assert_null(report->not_checked);
  bez_report_destroy(report);
  bez_table_destroy(table);
}

static void few_words_are_said_to_be_too_few(void **state) {
  (void)state;
  bez_buf tsv = {0};
  bez_buf_puts(&tsv, "label\tmessage\na\tthree words here\nb\tand three more\n");
  bez_table *table = table_of(&tsv);
  bez_report *report = run_detector(table, "BZ-D028", 1, bez_cpu_features());
  assert_int_equal(report->n_findings, 0);
  assert_non_null(report->not_checked);
  bez_report_destroy(report);
  bez_table_destroy(table);
  bez_buf_free(&tsv);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(planted_documents_are_found),
                                     cmocka_unit_test(clean_documents_are_silent),
                                     cmocka_unit_test(few_words_are_said_to_be_too_few)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
