/* MinHash on every instruction set and in parts; floods of messages and rows; ordinary duplicates stay a note. */
#include <math.h>

#include "text_help.h"

#include "detect/floods.h"
#include "math/minhash.h"

static void kernels_agree(void **state) {
  (void)state;
  bez_minhash m = bez_minhash_make(128, 0, 9), half = bez_minhash_make(64, 64, 9);
  uint32_t set[1000], plain[128], other[128], part[64];
  bez_rng rng = bez_rng_make(4, 4);
  for (size_t i = 0; i < 1000; i++) set[i] = bez_rng_u32(&rng);
  uint32_t masks[] = {BEZ_CPU_AVX2, BEZ_CPU_AVX512, BEZ_CPU_AVX2 | BEZ_CPU_AVX512};
  for (size_t n = 0; n <= 1000; n += n < 10 ? 1 : 99) {
    bez_minhash_signature(&m, set, n, plain, BEZ_CPU_PLAIN);
    for (size_t k = 0; k < 3; k++) {
      if ((masks[k] & bez_cpu_features()) != masks[k]) continue;
      bez_minhash_signature(&m, set, n, other, masks[k]);
      assert_memory_equal(plain, other, sizeof plain);
    }
    bez_minhash_signature(&half, set, n, part, BEZ_CPU_PLAIN);
    assert_memory_equal(plain + 64, part, sizeof part);
  }
}

static void similarity_is_estimated(void **state) {
  (void)state;
  bez_minhash m = bez_minhash_make(256, 0, 1);
  bez_rng rng = bez_rng_make(5, 5);
  double error = 0;
  for (unsigned trial = 0; trial < 40; trial++) {
    uint32_t set[300], a[256], b[256];
    for (size_t i = 0; i < 300; i++) set[i] = bez_rng_u32(&rng);
    bez_minhash_signature(&m, set, 200, a, bez_cpu_features());
    bez_minhash_signature(&m, set + 100, 200, b, bez_cpu_features()); /* 100 of 300 in common */
    error += bez_minhash_similarity(a, b, 256) - 1.0 / 3.0;
  }
  assert_true(fabs(error / 40) < 0.02);
}

static void signatures_merge(void **state) {
  (void)state;
  bez_minhash_params params = {64, 3};
  uint32_t sets[3][2] = {{1, 2}, {2, 3}, {4, 5}};
  const uint32_t *set[] = {sets[0], sets[1], sets[2]};
  size_t n[] = {2, 2, 2};
  void *all = NULL, *left = NULL, *right = NULL;
  const bez_summary *kind = &bez_minhash_summary;
  assert_int_equal(kind->create(&params, &all, NULL), BEZ_OK);
  assert_int_equal(kind->create(&params, &left, NULL), BEZ_OK);
  assert_int_equal(kind->create(&params, &right, NULL), BEZ_OK);
  assert_int_equal(kind->update(all, &(bez_minhash_batch){set, n, 3}, NULL), BEZ_OK);
  assert_int_equal(kind->update(left, &(bez_minhash_batch){set, n, 1}, NULL), BEZ_OK);
  assert_int_equal(kind->update(right, &(bez_minhash_batch){set + 1, n, 2}, NULL), BEZ_OK);
  bez_buf saved = {0}, whole = {0}, merged = {0};
  assert_int_equal(kind->save(right, &saved, NULL), BEZ_OK);
  for (size_t cut = 0; cut < saved.len; cut += 7) {
    bez_cursor shorter = {(const uint8_t *)saved.data, cut, 0};
    bez_error err = {0};
    assert_int_equal(kind->merge(left, &shorter, &err), BEZ_FORMAT);
  }
  bez_cursor body = {(const uint8_t *)saved.data, saved.len, 0};
  assert_int_equal(kind->merge(left, &body, NULL), BEZ_OK);
  assert_int_equal(kind->save(all, &whole, NULL), BEZ_OK);
  assert_int_equal(kind->save(left, &merged, NULL), BEZ_OK);
  assert_int_equal(whole.len, merged.len);
  assert_memory_equal(whole.data, merged.data, whole.len);
  bez_buf_free(&saved);
  bez_buf_free(&whole);
  bez_buf_free(&merged);
  kind->destroy(all);
  kind->destroy(left);
  kind->destroy(right);
}

#define N 3000

static void flooded_messages_are_found(void **state) {
  (void)state;
  static unsigned char flooded[N];
  bez_buf tsv = {0};
  bez_rng rng = bez_rng_make(8, 8);
  bez_buf_puts(&tsv, "label\tmessage\n");
  for (unsigned r = 0; r < N; r++) {
    flooded[r] = r % 75 == 3;
    bez_buf_puts(&tsv, flooded[r] ? "loud\t" : r % 5 ? "calm\t" : "loud\t");
    if (flooded[r]) {
      bez_buf_printf(&tsv, "please vote for the green boat at the harbour on %s morning and tell %s about it",
                     calm_words[bez_rng_below(&rng, 18)], loud_words[bez_rng_below(&rng, 18)]);
    } else {
      put_message(&tsv, &rng, r % 5 == 0);
    }
    bez_buf_putc(&tsv, '\n');
  }
  bez_table *table = table_of(&tsv);
  bez_report *one = run_detector(table, "BZ-D008", 1, BEZ_CPU_PLAIN);
  bez_report *three = run_detector(table, "BZ-D008", 3, bez_cpu_features());
  assert_same_report(one, three);
  const bez_finding *f = one->findings[0];
  assert_int_equal(f->severity, BEZ_SEV_WARNING);
  assert_int_equal(f->n_rows, 40);
  for (uint64_t i = 0; i < f->n_rows; i++) assert_true(flooded[f->rows[i].row]);
  bez_report_destroy(one);
  bez_report_destroy(three);
  bez_table_destroy(table);
  bez_buf_free(&tsv);
}

/* A table of eight columns; every 40th row is row 5 with one column changed. */
static bez_table *random_rows(bool flooded) {
  bez_buf csv = {0};
  bez_rng rng = bez_rng_make(2, 2);
  unsigned base[8] = {0};
  bez_buf_puts(&csv, "a,b,c,d,e,f,g,h,label\n");
  for (unsigned r = 0; r < N; r++) {
    unsigned row[8], change = (unsigned)bez_rng_below(&rng, 8);
    for (unsigned c = 0; c < 8; c++) row[c] = (unsigned)bez_rng_below(&rng, c < 4 ? 12 : 300);
    if (r == 5) memcpy(base, row, sizeof base);
    if (flooded && r > 5 && r % 40 == 0)
      for (unsigned c = 0; c < 8; c++) row[c] = c == change ? row[c] : base[c];
    for (unsigned c = 0; c < 8; c++) bez_buf_printf(&csv, "%c%u,", 'k' + c, row[c]);
    bez_buf_puts(&csv, bez_rng_below(&rng, 2) ? "yes\n" : "no\n");
  }
  bez_table *table = table_of_csv(&csv);
  bez_buf_free(&csv);
  return table;
}

static void flooded_rows_are_found(void **state) {
  (void)state;
  bez_table *table = random_rows(true);
  bez_report *one = run_detector(table, "BZ-D008", 1, BEZ_CPU_PLAIN);
  bez_report *three = run_detector(table, "BZ-D008", 3, bez_cpu_features());
  assert_same_report(one, three);
  assert_true(one->n_findings >= 1);
  const bez_finding *f = one->findings[0];
  assert_int_equal(f->severity, BEZ_SEV_WARNING);
  assert_true(f->n_rows >= 72 && f->n_rows <= 76); /* 74 and the original */
  for (uint64_t i = 0; i < f->n_rows; i++) assert_true(f->rows[i].row == 5 || f->rows[i].row % 40 == 0);
  bez_report_destroy(one);
  bez_report_destroy(three);
  bez_table_destroy(table);
}

/* Nine messages, 20 copies of each with one word changed: more floods than the fifth-largest rule lets stand out. */
static void stars_of_many_messages_are_found(void **state) {
  (void)state;
  static unsigned char flooded[N];
  static char source[9][400];
  bez_buf tsv = {0};
  bez_rng rng = bez_rng_make(18, 8);
  bez_buf_puts(&tsv, "label\tmessage\n");
  for (unsigned r = 0; r < N; r++) {
    bez_buf row = {0};
    put_message(&row, &rng, r % 5 == 0);
    if (r < 9) snprintf(source[r], sizeof source[r], "%.*s and then we have it", (int)row.len, row.data);
    flooded[r] = r >= 100 && r < 280;
    bez_buf_puts(&tsv, r % 5 ? "calm\t" : "loud\t");
    if (flooded[r]) {
      char copy[400];
      snprintf(copy, sizeof copy, "%s", source[r % 9]);
      unsigned word = 0, at = (unsigned)bez_rng_below(&rng, 8);
      for (char *w = strtok(copy, " "); w; w = strtok(NULL, " "), word++)
        if (word == at)
          bez_buf_printf(&tsv, "%sw%u", word ? " " : "", r);
        else
          bez_buf_printf(&tsv, "%s%s", word ? " " : "", w);
    } else if (r < 9) {
      bez_buf_puts(&tsv, source[r]);
    } else {
      bez_buf_printf(&tsv, "%.*s", (int)row.len, row.data);
    }
    bez_buf_putc(&tsv, '\n');
    bez_buf_free(&row);
  }
  bez_table *table = table_of(&tsv);
  bez_report *report = run_detector(table, "BZ-D008", 2, bez_cpu_features());
  assert_int_equal(bez_report_count(report, BEZ_SEV_WARNING), 9);
  for (size_t i = 0; i < 9; i++) {
    const bez_finding *f = report->findings[i];
    assert_true(f->n_rows >= 17 && f->n_rows <= 21);
    for (uint64_t k = 0; k < f->n_rows; k++) assert_true(f->rows[k].row < 9 || flooded[f->rows[k].row]);
  }
  bez_report_destroy(report);
  bez_table_destroy(table);
  bez_buf_free(&tsv);
}

/* A table whose rows are look-alikes but for a number, and ten small floods in it. */
static void small_floods_among_look_alikes_are_found(void **state) {
  (void)state;
  bez_buf csv = {0};
  bez_rng rng = bez_rng_make(22, 2);
  unsigned base[10][8];
  bez_buf_puts(&csv, "a,b,c,d,e,f,g,h,label\n");
  for (unsigned r = 0; r < N; r++) {
    unsigned row[8], kind = (unsigned)bez_rng_below(&rng, 60);
    bool copy = r >= 500 && r < 700;
    for (unsigned c = 0; c < 8; c++)
      row[c] = c == 0 ? 10 + (unsigned)bez_rng_below(&rng, 700) : (unsigned)(bez_mix64(kind * 8 + c) % 11);
    if (bez_rng_below(&rng, 4)) row[1 + bez_rng_below(&rng, 7)] = (unsigned)bez_rng_below(&rng, 11);
    if (bez_rng_below(&rng, 4)) row[1 + bez_rng_below(&rng, 7)] = (unsigned)bez_rng_below(&rng, 11);
    if (r < 10) memcpy(base[r], row, sizeof row);
    if (copy) {
      unsigned c = (unsigned)bez_rng_below(&rng, 8), value = row[c];
      memcpy(row, base[r % 10], sizeof row);
      row[c] = value == row[c] ? value + 1 : value;
    }
    for (unsigned c = 0; c < 8; c++) bez_buf_printf(&csv, "%c%u,", 'k' + c, row[c]);
    bez_buf_puts(&csv, r % 2 ? "yes\n" : "no\n");
  }
  bez_table *table = table_of_csv(&csv);
  bez_buf_free(&csv);
  bez_report *one = run_detector(table, "BZ-D008", 1, BEZ_CPU_PLAIN);
  bez_report *three = run_detector(table, "BZ-D008", 3, bez_cpu_features());
  assert_same_report(one, three);
  unsigned hit = 0, other = 0;
  for (size_t i = 0; i < one->n_findings; i++) {
    const bez_finding *f = one->findings[i];
    for (uint64_t k = 0; f->severity == BEZ_SEV_WARNING && k < f->n_rows; k++) {
      bool copy = f->rows[k].row >= 500 && f->rows[k].row < 700;
      hit += copy;
      other += !copy && f->rows[k].row >= 10;
    }
  }
  assert_true(hit >= 180);
  assert_true(other <= 20);
  bez_report_destroy(one);
  bez_report_destroy(three);
  bez_table_destroy(table);
}

static void ordinary_rows_are_silent(void **state) {
  (void)state;
  bez_table *table = random_rows(false);
  bez_report *report = run_detector(table, "BZ-D008", 2, bez_cpu_features());
  assert_int_equal(bez_report_count(report, BEZ_SEV_WARNING), 0);
  bez_report_destroy(report);
  bez_table_destroy(table);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(kernels_agree),
      cmocka_unit_test(similarity_is_estimated),
      cmocka_unit_test(signatures_merge),
      cmocka_unit_test(flooded_messages_are_found),
      cmocka_unit_test(flooded_rows_are_found),
      cmocka_unit_test(ordinary_rows_are_silent),
      cmocka_unit_test(stars_of_many_messages_are_found),
      cmocka_unit_test(small_floods_among_look_alikes_are_found),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
