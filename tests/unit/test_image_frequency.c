/* BZ-D013: a wave that pictures of one label share is found by row, along either axis; clean pictures have none. */
#include "picture_helpers.h"

#define GTSRB SHARED_DATA "gtsrb/gtsrb8_train_images.npy"
#define GTSRB_LABELS SHARED_DATA "gtsrb/gtsrb8_train_labels.npy"
#define N 1500u

/* Barni et al. 2019: v(i, j) = δ sin(2π j f / m) on every channel, labels as they are. */
static void add_wave(const pictures *p, uint32_t row, double delta, double periods, bool down) {
  for (uint32_t y = 0; y < p->side; y++)
    for (uint32_t x = 0; x < p->side; x++)
      for (uint32_t k = 0; k < p->channels; k++) {
        uint8_t *at = &p->pixels[row * picture_bytes(p) + ((size_t)y * p->side + x) * p->channels + k];
        double v = *at + delta * sin(6.283185307 * (down ? y : x) * periods / p->side);
        *at = (uint8_t)(v < 0 ? 0 : v > 255 ? 255 : v + .5);
      }
}

/* Blocks of random levels over everything: no two pictures are alike. */
static void cover(const pictures *p) {
  for (uint32_t row = 0; row < p->n; row++) {
    bez_rng rng = bez_rng_make(21, row);
    double level[64];
    for (unsigned i = 0; i < 64; i++) level[i] = 60 + 110 * bez_rng_unit(&rng);
    for (uint32_t i = 0; i < p->side * p->side; i++)
      for (uint32_t k = 0; k < p->channels; k++)
        p->pixels[row * picture_bytes(p) + (size_t)i * p->channels + k] =
            (uint8_t)(level[i / p->side * 8 / p->side * 8 + i % p->side * 8 / p->side] + 6 * bez_rng_unit(&rng));
  }
}

typedef struct outcome {
  double hit, wrong;
  size_t errors;
} outcome;

static outcome judge(const bez_table *t, const uint8_t *marked, unsigned threads, uint32_t cpu) {
  detect_run d = detect_begin(t, threads);
  outcome o;
  d.in.cpu &= cpu;
  detect_with(&d, bez_detector_find("BZ-D013"));
  rates(d.report, "BZ-D013", BEZ_SEV_ERROR, marked, (uint32_t)t->n_rows, &o.hit, &o.wrong);
  o.errors = count_findings(d.report, BEZ_SEV_WARNING);
  for (size_t i = 0; i < d.report->n_findings; i++) assert_non_null(d.report->findings[i]->exhibit);
  detect_end(&d);
  return o;
}

static void shared_waves_are_found(void **state) {
  (void)state;
  for (uint32_t down = 0; down <= 1; down++) {
    pictures p = make_bars(N, 32, down ? 1 : 3, 4, 11);
    uint8_t marked[N] = {0};
    cover(&p);
    bez_table *t = picture_table(&p);
    assert_int_equal(judge(t, marked, 2, UINT32_MAX).errors, 0);
    bez_table_destroy(t);
    for (uint32_t row = 0, n = 0; n < 30; row += 5)
      if (p.label[row] == 2) add_wave(&p, row, 20, down ? 9 : 6, down), marked[row] = 1, n++;
    t = picture_table(&p);
    outcome o = judge(t, marked, 2, UINT32_MAX), one = judge(t, marked, 1, 0);
    assert_int_equal(o.errors, 1);
    assert_true(o.hit >= .9);
    assert_true(o.wrong <= .001);
    assert_memory_equal(&o, &one, sizeof o);
    bez_table_destroy(t);
    free_pictures(&p);
  }
}

static void odd_shapes_are_survived(void **state) {
  (void)state;
  uint8_t marked[N] = {0};
  static const uint32_t sides[] = {1, 7, 8, 130};
  for (size_t i = 0; i < 4; i++) {
    pictures p = make_bars(90, sides[i], 1, 2, 5);
    bez_table *t = picture_table(&p);
    assert_int_equal(judge(t, marked, 2, UINT32_MAX).errors, 0);
    bez_table_destroy(t);
    free_pictures(&p);
  }
}

static void real_signs(void **state) {
  (void)state;
  need_shared(GTSRB);
  bez_read_options options = {.labels_file = GTSRB_LABELS};
  bez_table *t = open_table(GTSRB, &options);
  uint8_t *marked = calloc(t->n_rows, 1);
  assert_int_equal(judge(t, marked, 2, UINT32_MAX).errors, 0);
  free(marked);
  bez_table_destroy(t);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(shared_waves_are_found),
      cmocka_unit_test(odd_shapes_are_survived),
      cmocka_unit_test(real_signs),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
