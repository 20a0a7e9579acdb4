/* BZ-D014: flipped pictures are listed with their label, a crowded label is a warning, clean pictures are none; the
 * kernels below it give the same bits. */
#include "picture_helpers.h"

#include "fit/subspace.h"
#include "math/dense.h"
#include "math/jacobi.h"

#define GTSRB SHARED_DATA "gtsrb/gtsrb8_train_images.npy"
#define GTSRB_LABELS SHARED_DATA "gtsrb/gtsrb8_train_labels.npy"
#define N 1500u

static void kernels_agree(void **state) {
  (void)state;
  enum { ROWS = 13, DEPTH = 37 };
  float a[ROWS * DEPTH], b[DEPTH * 16], want[ROWS * 16], got[ROWS * 16];
  bez_rng rng = bez_rng_make(3, 1);
  for (unsigned i = 0; i < ROWS * DEPTH; i++) a[i] = (float)bez_rng_normal(&rng);
  for (unsigned i = 0; i < DEPTH * 16; i++) b[i] = (float)bez_rng_normal(&rng);
  for (unsigned i = 0; i < ROWS; i++)
    for (unsigned l = 0; l < 16; l++) {
      want[i * 16 + l] = 0;
      for (unsigned k = 0; k < DEPTH; k++) want[i * 16 + l] += a[i * DEPTH + k] * b[k * 16 + l];
    }
  for (uint32_t cpu = 0; cpu < 4; cpu++) {
    if (cpu & ~bez_cpu_features()) continue;
    bez_dense_choose(cpu)(&(bez_dense){.rows = ROWS,
                                       .depth = DEPTH,
                                       .a = a,
                                       .a_row = DEPTH,
                                       .a_step = 1,
                                       .b = b,
                                       .b_step = 16,
                                       .out = got,
                                       .out_row = 16});
    assert_memory_equal(got, want, sizeof want);
  }
}

static void rotations_find_eigenvectors(void **state) {
  (void)state;
  double a[9] = {4, 1, 0, 1, 3, 1, 0, 1, 2}, v[9], m[9];
  memcpy(m, a, sizeof a);
  bez_jacobi(a, 3, v);
  for (int j = 0; j < 3; j++)
    for (int i = 0; i < 3; i++) {
      double left = 0;
      for (int k = 0; k < 3; k++) left += m[i * 3 + k] * v[k * 3 + j];
      assert_true(fabs(left - a[j * 3 + j] * v[i * 3 + j]) < 1e-12);
    }
}

static void the_subspace_is_that_of_the_spread(void **state) {
  (void)state;
  enum { ROWS = 400, DIM = 48, K = 16 };
  static float rows[ROWS * DIM], basis[DIM * K], mean[DIM];
  bez_error err = {0};
  bez_rng rng = bez_rng_make(4, 1);
  for (unsigned i = 0; i < ROWS; i++)
    for (unsigned d = 0; d < DIM; d++) rows[i * DIM + d] = (float)(bez_rng_normal(&rng) * (d < K ? 9 : .1) + d);
  assert_ok(bez_subspace_fit(rows, ROWS, DIM, K, 2, 0, mean, basis, &err));
  for (unsigned d = K; d < DIM; d++)
    for (unsigned k = 0; k < K; k++) assert_true(fabsf(basis[d * K + k]) < .02f);
  assert_true(fabsf(mean[40] - 40) < .1f);
}

typedef struct outcome {
  double hit, wrong;
  size_t warnings;
} outcome;

static outcome judge(const pictures *p, const uint8_t *marked, unsigned threads, uint32_t cpu, bez_severity least) {
  bez_table *t = picture_table(p);
  detect_run d = detect_begin(t, threads);
  outcome o;
  d.in.cpu &= cpu;
  detect_with(&d, bez_detector_find("BZ-D014"));
  rates(d.report, "BZ-D014", least, marked, p->n, &o.hit, &o.wrong);
  o.warnings = count_findings(d.report, BEZ_SEV_WARNING);
  detect_end(&d);
  bez_table_destroy(t);
  return o;
}

static void flips_are_listed(void **state) {
  (void)state;
  for (uint32_t channels = 1; channels <= 3; channels += 2) {
    pictures p = make_bars(N, 28, channels, 5, 7);
    uint8_t marked[N] = {0};
    outcome clean = judge(&p, marked, 2, UINT32_MAX, BEZ_SEV_NOTE);
    assert_int_equal(clean.warnings, 0);
    assert_true(clean.wrong <= .01);
    for (uint32_t row = 0; row < N; row += 20) {
      p.label[row] = (uint8_t)((p.label[row] + 1 + row / 20 % 4) % 5);
      marked[row] = 1;
    }
    outcome o = judge(&p, marked, 2, UINT32_MAX, BEZ_SEV_NOTE), one = judge(&p, marked, 1, 0, BEZ_SEV_NOTE);
    assert_true(o.hit >= .95);
    assert_true(o.wrong <= .01);
    assert_int_equal(o.warnings, 0);
    assert_memory_equal(&o, &one, sizeof o); /* one thread, no vector instructions */
    free_pictures(&p);
  }
}

static void a_crowded_label_is_a_warning(void **state) {
  (void)state;
  pictures p = make_bars(N, 32, 3, 5, 8);
  uint8_t marked[N] = {0};
  for (uint32_t row = 0, n = 0; n < 60; row += 7)
    if (p.label[row] != 2) p.label[row] = 2, marked[row] = 1, n++;
  outcome o = judge(&p, marked, 2, UINT32_MAX, BEZ_SEV_WARNING);
  assert_int_equal(o.warnings, 1);
  assert_true(o.hit >= .9);
  assert_true(o.wrong <= .005);
  free_pictures(&p);
}

/* Same labels, no pictures that could tell them apart; one colour; a single row per label. */
static void odd_data_is_survived(void **state) {
  (void)state;
  pictures p = make_bars(40, 3, 1, 4, 9);
  uint8_t marked[N] = {0};
  memset(p.pixels, 17, 40 * picture_bytes(&p));
  assert_int_equal(judge(&p, marked, 2, UINT32_MAX, BEZ_SEV_NOTE).warnings, 0);
  for (uint32_t row = 0; row < 40; row++) p.label[row] = (uint8_t)row;
  assert_int_equal(judge(&p, marked, 2, UINT32_MAX, BEZ_SEV_NOTE).warnings, 0);
  free_pictures(&p);
}

static void real_signs(void **state) {
  (void)state;
  need_shared(GTSRB);
  bez_read_options options = {.labels_file = GTSRB_LABELS};
  bez_table *t = open_table(GTSRB, &options);
  detect_run d = detect_begin(t, 2);
  double hit, wrong;
  uint8_t *marked = calloc(t->n_rows, 1);
  detect_with(&d, bez_detector_find("BZ-D014"));
  rates(d.report, "BZ-D014", BEZ_SEV_NOTE, marked, (uint32_t)t->n_rows, &hit, &wrong);
  assert_int_equal(count_findings(d.report, BEZ_SEV_WARNING), 0);
  assert_true(wrong <= .01);
  assert_true(d.report->findings[0]->ranked_list);
  assert_non_null(d.report->findings[0]->exhibit);
  free(marked);
  detect_end(&d);
  bez_table_destroy(t);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(kernels_agree),        cmocka_unit_test(rotations_find_eigenvectors),
      cmocka_unit_test(flips_are_listed),     cmocka_unit_test(the_subspace_is_that_of_the_spread),
      cmocka_unit_test(real_signs),           cmocka_unit_test(a_crowded_label_is_a_warning),
      cmocka_unit_test(odd_data_is_survived),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
