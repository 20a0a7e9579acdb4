/* BZ-D012: pictures that share faint noise are found by row; clean pictures have none; threads do not matter. */
#include "picture_helpers.h"

#define GTSRB SHARED_DATA "gtsrb/gtsrb8_train_images.npy"
#define GTSRB_LABELS SHARED_DATA "gtsrb/gtsrb8_train_labels.npy"
#define N 1200u

/* One picture of noise blended into pictures of other labels, alpha .1, and the target label set (Chen et al. 2017). */
static uint32_t blend(uint8_t *pixels, size_t each, uint32_t row) {
  for (size_t i = 0; i < each; i++) {
    bez_rng rng = bez_rng_make(77, i);
    double v = .9 * pixels[row * each + i] + .1 * 255 * bez_rng_unit(&rng);
    pixels[row * each + i] = (uint8_t)(v + .5);
  }
  return 1;
}

typedef struct outcome {
  double hit, wrong;
  size_t errors, warnings;
} outcome;

static outcome judge(const bez_table *t, const uint8_t *marked, unsigned threads, uint32_t cpu) {
  detect_run d = detect_begin(t, threads);
  outcome o;
  d.in.cpu &= cpu;
  detect_with(&d, bez_detector_find("BZ-D012"));
  rates(d.report, "BZ-D012", BEZ_SEV_WARNING, marked, (uint32_t)t->n_rows, &o.hit, &o.wrong);
  o.errors = count_findings(d.report, BEZ_SEV_ERROR);
  o.warnings = count_findings(d.report, BEZ_SEV_WARNING);
  for (size_t i = 0; i < d.report->n_findings; i++) assert_non_null(d.report->findings[i]->exhibit);
  detect_end(&d);
  return o;
}

static void shared_noise_is_found(void **state) {
  (void)state;
  for (uint32_t channels = 1; channels <= 3; channels += 2) {
    pictures p = make_bars(N, 24, channels, 4, 3);
    uint8_t marked[N] = {0};
    bez_table *t = picture_table(&p);
    assert_int_equal(judge(t, marked, 2, UINT32_MAX).warnings, 0);
    bez_table_destroy(t);
    for (uint32_t row = 0, n = 0; n < 36; row += 11) {
      if (p.label[row] == 1) continue;
      p.label[row] = 1;
      marked[row] = 1;
      n += blend(p.pixels, picture_bytes(&p), row);
    }
    t = picture_table(&p);
    outcome o = judge(t, marked, 2, UINT32_MAX), one = judge(t, marked, 1, 0);
    assert_int_equal(o.errors, 1);
    assert_true(o.hit >= .95);
    assert_true(o.wrong <= .001);
    assert_memory_equal(&o, &one, sizeof o); /* one thread, no vector instructions */
    bez_table_destroy(t);
    free_pictures(&p);
  }
}

static void odd_shapes_are_survived(void **state) {
  (void)state;
  uint8_t marked[N] = {0};
  for (uint32_t side = 1; side <= 90; side += 89) {
    pictures p = make_bars(60, side, 3, 2, 5);
    bez_table *t = picture_table(&p);
    assert_int_equal(judge(t, marked, 2, UINT32_MAX).errors, 0);
    bez_table_destroy(t);
    free_pictures(&p);
  }
}

static void real_signs_carry_none(void **state) {
  (void)state;
  need_shared(GTSRB);
  bez_read_options options = {.labels_file = GTSRB_LABELS};
  bez_table *t = open_table(GTSRB, &options);
  uint8_t *marked = calloc(t->n_rows, 1);
  assert_int_equal(judge(t, marked, 2, UINT32_MAX).warnings, 0);
  free(marked);
  bez_table_destroy(t);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(shared_noise_is_found),
      cmocka_unit_test(odd_shapes_are_survived),
      cmocka_unit_test(real_signs_carry_none),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
