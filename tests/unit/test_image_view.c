/* BZ-D030: pictures that a scaler turns into others are found, patterns that resonate with one are not. */
#include "picture_helpers.h"

#include "math/scaled_view.h"

#define GTSRB SHARED_DATA "gtsrb/gtsrb8_train_images.npy"
#define GTSRB_LABELS SHARED_DATA "gtsrb/gtsrb8_train_labels.npy"
#define N 120u
#define SIDE 64u
#define SMALL 16u

/* The pixels that the sampler looks at show picture `hidden`, averaged to SMALL × SMALL. */
static void hide(const pictures *p, uint32_t row, uint32_t hidden, uint8_t sampler) {
  const uint32_t f = SIDE / SMALL, c = p->channels;
  double weight;
  const uint8_t *from = p->pixels + hidden * picture_bytes(p);
  uint8_t *to = p->pixels + row * picture_bytes(p);
  for (uint32_t i = 0; i < SMALL; i++)
    for (uint32_t j = 0; j < SMALL; j++)
      for (uint32_t k = 0; k < c; k++) {
        uint32_t sum = 0, y = bez_sample_at(sampler, i, p->side, SMALL, &weight);
        uint32_t x = bez_sample_at(sampler, j, p->side, SMALL, &weight);
        for (uint32_t s = 0; s < f * f; s++) sum += from[((i * f + s / f) * p->side + j * f + s % f) * c + k];
        to[(y * p->side + x) * c + k] = (uint8_t)(sum / (f * f));
        if (sampler != BEZ_SAMPLE_BILINEAR) continue;
        for (uint32_t s = 1; s < 4; s++) to[((y + s / 2) * p->side + x + s % 2) * c + k] = (uint8_t)(sum / (f * f));
      }
}

static void pictures_that_scaling_changes_are_found(void **state) {
  (void)state;
  static const uint8_t samplers[] = {BEZ_SAMPLE_FLOOR, BEZ_SAMPLE_CENTRE, BEZ_SAMPLE_BILINEAR};
  for (uint32_t s = 0; s < 3; s++) {
    pictures p = make_bars(N, SIDE, s == 1 ? 1 : 3, 4, 30 + s);
    uint8_t marked[N] = {0};
    double hit, wrong, again, amiss;
    for (uint32_t row = 3; row < N; row += 12) {
      uint32_t other = row + 1;
      while (p.label[other % N] == p.label[row] || p.label[other % N] % 2 == p.label[row] % 2) other++;
      hide(&p, row, other % N, samplers[s]);
      marked[row] = 1;
    }
    bez_table *t = picture_table(&p);
    detect_run d = detect_begin(t, 2), one = detect_begin(t, 1);
    detect_with(&d, bez_detector_find("BZ-D030"));
    detect_with(&one, bez_detector_find("BZ-D030"));
    assert_true(count_findings(d.report, BEZ_SEV_ERROR) >= 1);
    assert_non_null(d.report->findings[0]->exhibit);
    rates(d.report, "BZ-D030", BEZ_SEV_ERROR, marked, N, &hit, &wrong);
    rates(one.report, "BZ-D030", BEZ_SEV_ERROR, marked, N, &again, &amiss);
    if (hit < .9 || wrong > 0) fail_msg("sampler %u: %.2f found, %.3f wrong", samplers[s], hit, wrong);
    assert_true(hit == again && wrong == amiss);
    detect_end(&d);
    detect_end(&one);
    bez_table_destroy(t);
    free_pictures(&p);
  }
}

static void nothing_in_other_pictures(void **state) {
  (void)state;
  static const uint32_t sides[] = {1, 2, 13, 14, 28, 33, 64, 101};
  for (size_t i = 0; i < sizeof sides / sizeof *sides; i++) {
    pictures p = make_bars(40, sides[i], i % 2 ? 3 : 1, 3, 31);
    bez_table *t = picture_table(&p);
    detect_run d = detect_begin(t, 2);
    detect_with(&d, bez_detector_find("BZ-D030"));
    assert_int_equal(count_findings(d.report, BEZ_SEV_NOTE), 0);
    detect_end(&d);
    bez_table_destroy(t);
    free_pictures(&p);
  }
}

/* Checkerboards, dots and lines of every period up to 9. */
static void resonating_patterns_are_no_pictures(void **state) {
  (void)state;
  static uint8_t pixels[96 * 96];
  bez_scaled_view view;
  bez_error err = {0};
  for (uint32_t kind = 0; kind < 3; kind++)
    for (uint32_t period = 2; period < 10; period++) {
      for (uint32_t y = 0; y < 96; y++)
        for (uint32_t x = 0; x < 96; x++) {
          bool dot = y % period == 0 && x % period == 0, line = y % period == 0 || x % period == 0;
          bool check = (y / period + x / period) % 2;
          pixels[y * 96 + x] = (kind == 0 ? check : kind == 1 ? dot : line) ? 0 : 230;
        }
      assert_int_equal(bez_scaled_view_find(pixels, 96, 96, 1, &view, &err), BEZ_OK);
      if (bez_scaled_is_other(&view)) fail_msg("kind %u, period %u", kind, period);
    }
}

/* What each sampler shows of five pixels in a row of ten. */
static void samplers_are_those_of_the_libraries(void **state) {
  (void)state;
  double weight;
  for (uint32_t i = 0; i < 5; i++) {
    assert_int_equal(bez_sample_at(BEZ_SAMPLE_FLOOR, i, 10, 5, &weight), 2 * i);
    assert_int_equal(bez_sample_at(BEZ_SAMPLE_CENTRE, i, 10, 5, &weight), 2 * i + 1);
    assert_true(weight == 0);
    assert_int_equal(bez_sample_at(BEZ_SAMPLE_BILINEAR, i, 10, 5, &weight), 2 * i);
    assert_true(weight == .5);
  }
  assert_int_equal(bez_sample_at(BEZ_SAMPLE_ROUND, 1, 10, 4, &weight), 3);
  assert_int_equal(bez_sample_at(BEZ_SAMPLE_CORNERS, 4, 10, 5, &weight), 9);
  assert_int_equal(bez_sample_at(BEZ_SAMPLE_BILINEAR, 0, 12, 4, &weight), 1);
  assert_true(weight == 0);
}

static void clean_signs_are_silent(void **state) {
  (void)state;
  need_shared(GTSRB);
  bez_read_options options = {.labels_file = GTSRB_LABELS};
  bez_table *t = open_table(GTSRB, &options);
  detect_run d = detect_begin(t, 2);
  detect_with(&d, bez_detector_find("BZ-D030"));
  assert_int_equal(count_findings(d.report, BEZ_SEV_NOTE), 0);
  detect_end(&d);
  bez_table_destroy(t);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(pictures_that_scaling_changes_are_found),
      cmocka_unit_test(nothing_in_other_pictures),
      cmocka_unit_test(resonating_patterns_are_no_pictures),
      cmocka_unit_test(samplers_are_those_of_the_libraries),
      cmocka_unit_test(clean_signs_are_silent),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
