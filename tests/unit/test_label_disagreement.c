/* BZ-D006: flipped labels come first, on Adult and on generated tables of two and three classes. */
#include <math.h>

#include "base/file.h"
#include "base/rng.h"
#include "detect_helpers.h"

#define ADULT SHARED_DATA "adult/adult.csv"

/* Flips the label (the last cell) of every row that the seed picks; returns the new text. flipped[row] says which. */
static char *flip(const char *csv, const char *a, const char *b, double share, uint64_t seed, uint8_t *flipped) {
  bez_buf out = {0};
  const char *line = strchr(csv, '\n') + 1;
  bez_buf_write(&out, csv, (size_t)(line - csv));
  for (uint64_t row = 0; *line; row++) {
    const char *end = strchr(line, '\n'), *cell = end;
    while (cell[-1] != ',') cell--;
    bez_rng rng = bez_rng_make(seed, row);
    flipped[row] = bez_rng_unit(&rng) < share;
    bez_buf_write(&out, line, (size_t)(cell - line));
    bool is_a = strncmp(cell, a, strlen(a)) == 0;
    bez_buf_puts(&out, is_a != flipped[row] ? a : b);
    bez_buf_putc(&out, '\n');
    line = end + 1;
  }
  assert_false(out.failed);
  return out.data;
}

/* Area under the curve of the listed scores; rows that are not listed tie below all others. */
static double auc(const bez_finding *f, const uint8_t *flipped, uint64_t n) {
  double *score = malloc(n * sizeof *score), wins = 0, pairs = 0;
  for (uint64_t i = 0; i < n; i++) score[i] = -1e9;
  for (uint64_t i = 0; i < f->n_rows; i++) score[f->rows[i].row] = f->rows[i].score;
  for (uint64_t i = 0; i < n; i++) {
    if (!flipped[i]) continue;
    for (uint64_t j = 0; j < n; j += 7) { /* every seventh row stands for the rest */
      if (flipped[j]) continue;
      pairs += 1;
      wins += score[i] > score[j] ? 1 : score[i] == score[j] ? .5 : 0;
    }
  }
  free(score);
  return wins / pairs;
}

static void adult_flips_come_first(void **state) {
  (void)state;
  need_shared(ADULT);
  bez_buf csv = {0};
  bez_error err = {0};
  assert_ok(bez_file_read(ADULT, 1u << 28, &csv, &err));
  uint8_t *flipped = calloc(40000, 1);
  char *text = flip(csv.data, "<=50K", ">50K", .02, 5, flipped);
  bez_read_options options = {.label = "income-per-year"};
  bez_table *table = table_from_csv(text, &options);
  detect_run d = detect_begin(table, 2);
  detect_with(&d, bez_detector_find("label-disagreement"));
  assert_int_equal(d.report->n_findings, 1);
  const bez_finding *f = d.report->findings[0];
  assert_int_equal(f->severity, BEZ_SEV_NOTE);
  assert_true(f->ranked_list);
  double got = auc(f, flipped, table->n_rows);
  print_message("AUC %.4f\n", got);
  assert_true(got > .92); /* the bar of .94 is a mean over seeds: bench/detect */
  detect_end(&d);
  bez_table_destroy(table);
  free(text);
  free(flipped);
  bez_buf_free(&csv);
}

/* Three classes by a sum of two columns; a fifth column of noise. */
static char *three_classes(uint64_t n, uint8_t *wrong) {
  bez_buf csv = {0};
  bez_rng rng = bez_rng_make(3, 1);
  bez_buf_puts(&csv, "x,y,colour,noise,kind\n");
  for (uint64_t i = 0; i < n; i++) {
    unsigned x = (unsigned)bez_rng_below(&rng, 100), y = (unsigned)bez_rng_below(&rng, 100);
    unsigned colour = (unsigned)bez_rng_below(&rng, 4), kind = (x + y) / 67;
    wrong[i] = bez_rng_unit(&rng) < .04;
    if (wrong[i]) kind = (kind + 1 + (unsigned)bez_rng_below(&rng, 2)) % 3;
    bez_buf_printf(&csv, "%u,%u,c%u,%.4f,k%u\n", x, y, colour, bez_rng_unit(&rng), kind);
  }
  return csv.data;
}

static void three_classes_get_suggestions(void **state) {
  (void)state;
  enum { ROWS = 3000 };
  static uint8_t wrong[ROWS];
  char *text = three_classes(ROWS, wrong);
  bez_read_options options = {.label = "kind"};
  bez_table *table = table_from_csv(text, &options);
  detect_run one = detect_begin(table, 1), many = detect_begin(table, 5);
  detect_with(&one, bez_detector_find("BZ-D006"));
  detect_with(&many, bez_detector_find("BZ-D006"));
  const bez_finding *f = one.report->findings[0], *g = many.report->findings[0];
  assert_true(auc(f, wrong, ROWS) > .97);
  assert_int_equal(f->n_rows, g->n_rows);
  uint64_t suggested = 0;
  for (uint64_t i = 0; i < f->n_rows; i++) {
    assert_int_equal(f->rows[i].row, g->rows[i].row);
    assert_true(f->rows[i].score == g->rows[i].score);
    assert_non_null(f->rows[i].label);
    if (!f->rows[i].suggested) continue;
    suggested++;
    assert_string_not_equal(f->rows[i].label, f->rows[i].suggested);
  }
  assert_true(suggested > ROWS / 50 && suggested < ROWS / 8);
  detect_end(&one);
  detect_end(&many);
  bez_table_destroy(table);
  free(text);
}

/* Rows beyond the trees' limit are judged by the logistic model, without neighbours, and the report says so. */
static void many_rows_use_the_logistic_model(void **state) {
  (void)state;
  enum { ROWS = 110000 };
  uint8_t *wrong = calloc(ROWS, 1);
  char *text = three_classes(ROWS, wrong);
  bez_read_options options = {.label = "kind"};
  bez_table *table = table_from_csv(text, &options);
  detect_run d = detect_begin(table, 2);
  detect_with(&d, bez_detector_find("BZ-D006"));
  const bez_finding *f = d.report->findings[0];
  assert_non_null(strstr(f->evidence->text, "logistic"));
  assert_int_equal(f->n_rows, 20000);
  assert_non_null(d.report->not_checked);
  assert_false(d.report->not_checked->requested);
  assert_true(auc(f, wrong, ROWS) > .85);
  detect_end(&d);
  bez_table_destroy(table);
  free(text);
  free(wrong);
}

static void nothing_to_judge(void **state) {
  (void)state;
  const char *const csv[] = {"a,b,c\n", "a,b,c\n1,2,x\n", "a,b,c\n1,2,x\n3,4,y\nnan,inf,\n"};
  for (size_t i = 0; i < 3; i++) {
    bez_read_options options = {.label = "c"};
    assert_silent(table_from_csv(csv[i], &options), "BZ-D006", 1);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(adult_flips_come_first),
      cmocka_unit_test(three_classes_get_suggestions),
      cmocka_unit_test(many_rows_use_the_logistic_model),
      cmocka_unit_test(nothing_to_judge),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
