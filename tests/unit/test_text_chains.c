/* Texts that share a part with others are no flood; near copies of one long text among them are. Overstrikes and rare
 * marks in a corpus are notes. */
#include "text_help.h"

#define N 2400

/* Words of three letters; digits would all look alike. */
static void put_words(bez_buf *out, bez_rng *rng, unsigned n) {
  for (unsigned i = 0; i < n; i++) {
    unsigned w = (unsigned)bez_rng_below(rng, 4000);
    bez_buf_printf(out, "%c%c%c ", 'a' + w % 20, 'a' + w / 20 % 20, 'a' + w / 400);
  }
}

/* Every third text ends in one of 100 pieces that a footer of 60 words is followed by: neighbours are alike by their
 * footer and piece, the ends of the family have only the footer in common. */
static bez_table *family(bool flooded, unsigned char *planted) {
  bez_buf tsv = {0};
  bez_rng rng = bez_rng_make(6, 6);
  bez_buf_puts(&tsv, "label\tmessage\n");
  for (unsigned r = 0; r < N; r++) {
    planted[r] = flooded && r % 60 == 1;
    bez_buf_puts(&tsv, r % 2 ? "a\t" : "b\t");
    bez_rng shared = bez_rng_make(7, planted[r] ? 1 : 2), piece = bez_rng_make(8, r % 300);
    if (planted[r]) {
      put_words(&tsv, &shared, 60);
      put_words(&tsv, &rng, 2);
      put_words(&tsv, &shared, 60);
    } else if (r % 3 == 0) {
      put_words(&tsv, &rng, 10 + r % 40);
      put_words(&tsv, &piece, 20);
      put_words(&tsv, &shared, 60);
    } else {
      put_words(&tsv, &rng, 40);
    }
    bez_buf_putc(&tsv, '\n');
  }
  bez_table *table = table_of(&tsv);
  bez_buf_free(&tsv);
  return table;
}

static void families_are_no_floods(void **state) {
  (void)state;
  static unsigned char planted[N];
  bez_table *table = family(false, planted);
  bez_report *r = run_detector(table, "BZ-D008", 2, bez_cpu_features());
  for (size_t i = 0; i < r->n_findings; i++) assert_int_equal(r->findings[i]->severity, BEZ_SEV_NOTE);
  bez_report_destroy(r);
  bez_table_destroy(table);
}

static void floods_beside_families_are_found(void **state) {
  (void)state;
  static unsigned char planted[N];
  bez_table *table = family(true, planted);
  bez_report *one = run_detector(table, "BZ-D008", 1, BEZ_CPU_PLAIN);
  bez_report *three = run_detector(table, "BZ-D008", 3, bez_cpu_features());
  assert_same_report(one, three);
  const bez_finding *f = one->findings[0];
  assert_int_equal(f->severity, BEZ_SEV_WARNING);
  assert_int_equal(f->n_rows, N / 60);
  for (uint64_t i = 0; i < f->n_rows; i++) assert_true(planted[f->rows[i].row]);
  bez_report_destroy(one);
  bez_report_destroy(three);
  bez_table_destroy(table);
}

/* Manual pages print bold as x\bx; somebody writes about look-alikes once. No labels. */
static bez_report *corpus_with(const char *odd, unsigned every) {
  bez_buf tsv = {0};
  bez_rng rng = bez_rng_make(9, 9);
  bez_buf_puts(&tsv, "label\tmessage\n");
  for (unsigned r = 0; r < 3 * N; r++) {
    bez_buf_puts(&tsv, "-\t");
    put_words(&tsv, &rng, 12);
    if (r % every == 5) bez_buf_puts(&tsv, odd);
    bez_buf_putc(&tsv, '\n');
  }
  bez_table *table = table_of(&tsv);
  table->label = -1;
  bez_report *report = run_detector(table, "BZ-D005", 2, bez_cpu_features());
  bez_table_destroy(table);
  bez_buf_free(&tsv);
  return report;
}

static void marks_of_corpora_are_weighed(void **state) {
  (void)state;
  static const struct {
    const char *odd;
    unsigned every;
    bez_severity severity;
  } cases[] = {
      {" +\bo item", 50, BEZ_SEV_NOTE},          {" b\bbo\bol\bld\bd", 50, BEZ_SEV_NOTE},
      {" soft\xC2\xADhyphen", 50, BEZ_SEV_NOTE}, {" p\xD0\xB0ypal", 3 * N, BEZ_SEV_NOTE}, /* once in 7,200 texts */
      {" p\xD0\xB0ypal", 300, BEZ_SEV_ERROR},    {" invis\xE2\x80\x8Bible", 300, BEZ_SEV_ERROR},
      {" secrX\bet", 300, BEZ_SEV_ERROR}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    bez_report *r = corpus_with(cases[i].odd, cases[i].every);
    assert_int_equal(r->n_findings, 1);
    assert_int_equal(r->findings[0]->severity, cases[i].severity);
    bez_report_destroy(r);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(families_are_no_floods),
      cmocka_unit_test(floods_beside_families_are_found),
      cmocka_unit_test(marks_of_corpora_are_weighed),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
