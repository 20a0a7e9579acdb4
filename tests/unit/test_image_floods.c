/* BZ-D015: copies that are moved, lighter and mirrored are one flood; alike pictures are not. */
#include "picture_helpers.h"

#define GTSRB SHARED_DATA "gtsrb/gtsrb8_train_images.npy"
#define GTSRB_LABELS SHARED_DATA "gtsrb/gtsrb8_train_labels.npy"
#define N 600u

/* Row becomes picture 0, moved by a pixel, mirrored or lighter by turns. */
static void copy(const pictures *p, uint32_t row, uint32_t turn) {
  size_t each = picture_bytes(p);
  for (uint32_t y = 0; y < p->side; y++)
    for (uint32_t x = 0; x < p->side; x++)
      for (uint32_t k = 0; k < p->channels; k++) {
        uint32_t from = turn % 4 == 1 ? (x ? x - 1 : 0) : turn % 4 == 2 ? p->side - 1 - x : x;
        uint32_t v = p->pixels[((size_t)y * p->side + from) * p->channels + k];
        p->pixels[row * each + ((size_t)y * p->side + x) * p->channels + k] =
            (uint8_t)(turn % 4 == 3 ? v * 9 / 10 + 9 : v);
      }
}

static void copies_are_a_flood(void **state) {
  (void)state;
  for (uint32_t channels = 1; channels <= 3; channels += 2) {
    pictures p = make_bars(N, 32, channels, 3, 15);
    uint8_t marked[N] = {1};
    double hit, wrong, again, amiss;
    for (uint32_t turn = 0; turn < 20; turn++) copy(&p, 30 * turn + 7, turn), marked[30 * turn + 7] = 1;
    bez_table *t = picture_table(&p);
    detect_run d = detect_begin(t, 2), one = detect_begin(t, 1);
    detect_with(&d, bez_detector_find("BZ-D015"));
    detect_with(&one, bez_detector_find("BZ-D015"));
    assert_int_equal(count_findings(d.report, BEZ_SEV_WARNING), 1);
    assert_non_null(d.report->findings[0]->exhibit);
    rates(d.report, "BZ-D015", BEZ_SEV_WARNING, marked, N, &hit, &wrong);
    rates(one.report, "BZ-D015", BEZ_SEV_WARNING, marked, N, &again, &amiss);
    assert_true(hit >= .9);
    assert_true(wrong <= .005);
    assert_true(hit == again && wrong == amiss);
    detect_end(&d);
    detect_end(&one);
    bez_table_destroy(t);
    free_pictures(&p);
  }
}

static void pictures_that_are_alike_are_none(void **state) {
  (void)state;
  static const uint32_t sides[] = {1, 5, 32, 70};
  for (size_t i = 0; i < 4; i++) {
    pictures p = make_bars(N, sides[i], 1, 3, 16);
    if (sides[i] == 1) memset(p.pixels, 9, N);
    bez_table *t = picture_table(&p);
    detect_run d = detect_begin(t, 2);
    detect_with(&d, bez_detector_find("BZ-D015"));
    if (sides[i] != 5) assert_int_equal(count_findings(d.report, BEZ_SEV_WARNING), 0);
    detect_end(&d);
    bez_table_destroy(t);
    free_pictures(&p);
  }
}

static void films_are_a_note(void **state) {
  (void)state;
  need_shared(GTSRB);
  bez_read_options options = {.labels_file = GTSRB_LABELS};
  bez_table *t = open_table(GTSRB, &options);
  detect_run d = detect_begin(t, 2);
  detect_with(&d, bez_detector_find("BZ-D015"));
  assert_int_equal(count_findings(d.report, BEZ_SEV_WARNING), 0);
  assert_int_equal(d.report->n_findings, 1);
  detect_end(&d);
  bez_table_destroy(t);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(copies_are_a_flood),
      cmocka_unit_test(pictures_that_are_alike_are_none),
      cmocka_unit_test(films_are_a_note),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
