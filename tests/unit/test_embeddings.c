/* BZ-D016 … BZ-D019 and what they stand on: eigenvectors, covariances and splits against numbers computed with NumPy,
 * planted groups and clean clouds in generated vectors, pixels of real pictures, and vectors that are hardly any. */
#include <math.h>

#include "base/file.h"
#include "base/rng.h"
#include "detect/embedding_split.h"
#include "detect_helpers.h"
#include "fit/covariance.h"
#include "format/images.h"
#include "math/symeig.h"

#define GTSRB SHARED_DATA "gtsrb/gtsrb8_train_images.npy"
#define GTSRB_LABELS SHARED_DATA "gtsrb/gtsrb8_train_labels.npy"

#define assert_near(a, b, tolerance)                                                                                   \
  do {                                                                                                                 \
    double a_ = (a), b_ = (b);                                                                                         \
    if (!(fabs(a_ - b_) <= (tolerance))) fail_msg("%s = %.17g, not %.17g", #a, a_, b_);                                \
  } while (0)

static const char *const detectors[] = {"BZ-D016", "BZ-D017", "BZ-D018", "BZ-D019"};

/* numpy.linalg.eigh, NumPy 2.4 */
static void eigenvectors_agree_with_numpy(void **state) {
  (void)state;
  double a[16] = {4, 1, 2, .5, 1, 3, 0, -1, 2, 0, 5, .25, .5, -1, .25, 2}, value[4], scratch[4];
  static const double want[4] = {6.694274904847172, 3.820577012017098, 2.498135492704553, 0.9870125904311773};
  static const double first[4] = {0.6316346255724918, 0.15053664416527968, 0.7567526185804152, 0.07551087877279113},
                      last[4] = {-0.4068050724950415, 0.5541579122077326, 0.15859336776126232, 0.70870782769207};
  assert_true(bez_symeig(a, 4, value, scratch));
  for (int k = 0; k < 4; k++) {
    assert_near(value[k], want[k], 1e-12);
    assert_near(a[k], first[k], 1e-12);
    assert_near(a[12 + k], last[k], 1e-12);
  }
  double one = 3, nan[4] = {NAN, 0, 0, 1};
  assert_true(bez_symeig(&one, 1, value, scratch));
  assert_near(value[0], 3, 0);
  assert_false(bez_symeig(nan, 2, value, scratch));
}

/* Rows of a stream of normal numbers. */
static float *normal_rows(uint32_t n, uint32_t dim, uint64_t seed) {
  float *x = malloc((size_t)n * dim * sizeof *x);
  bez_rng rng = bez_rng_make(seed, 7);
  for (size_t i = 0; i < (size_t)n * dim; i++) x[i] = (float)bez_rng_normal(&rng);
  return x;
}

static void eigenvectors_of_a_large_matrix_are_orthonormal(void **state) {
  (void)state;
  enum { N = 90 };
  static double a[N * N], b[N * N], value[N], scratch[N];
  bez_rng rng = bez_rng_make(1, 1);
  for (int i = 0; i < N; i++)
    for (int j = 0; j <= i; j++) a[i * N + j] = a[j * N + i] = i / 3 == j / 3 ? bez_rng_unit(&rng) : 0; /* blocks */
  memcpy(b, a, sizeof a);
  assert_true(bez_symeig(a, N, value, scratch));
  for (int k = 0; k < N; k++)
    for (int l = 0; l < N; l++) {
      double dot = 0, image = 0;
      for (int i = 0; i < N; i++) {
        dot += a[k * N + i] * a[l * N + i];
        image += b[l * N + i] * a[k * N + i];
      }
      assert_near(dot, k == l, 1e-12);
      assert_near(image, value[k] * a[k * N + l], 1e-12);
    }
}

static void covariance_is_the_same_for_all_kernels_and_threads(void **state) {
  (void)state;
  enum { N = 301, DIM = 37 };
  float *x = normal_rows(N, DIM, 2);
  bez_rows r = {.x = x, .dim = DIM, .n = N};
  static double mean[DIM], want[DIM * DIM], got[DIM * DIM];
  bez_team team = {.threads = 1, .cpu = BEZ_CPU_PLAIN};
  bez_error err = {0};
  bez_rows_mean(&r, mean);
  assert_ok(bez_rows_covariance(&r, mean, NULL, &team, want, &err));
  for (int i = 0; i < DIM; i += 6)
    for (int j = 0; j < DIM; j += 5) {
      double sum = 0;
      for (int k = 0; k < N; k++) sum += ((double)x[k * DIM + i] - mean[i]) * ((double)x[k * DIM + j] - mean[j]);
      assert_near(want[i * DIM + j], sum / N, 1e-13);
    }
  for (uint32_t cpu = 0; cpu < 4; cpu++) {
    if ((cpu & bez_cpu_features()) != cpu) continue;
    bez_team other = {.threads = 3, .cpu = cpu};
    assert_ok(bez_rows_covariance(&r, mean, NULL, &other, got, &err));
    assert_memory_equal(got, want, sizeof want);
  }
  free(x);
}

static void a_gap_is_found_and_a_cloud_has_none(void **state) {
  (void)state;
  enum { N = 1000, APART = 120 };
  static double value[N], along[N];
  static uint8_t side[N];
  bez_split split;
  bez_rng rng = bez_rng_make(3, 1);
  for (int i = 0; i < N; i++) value[i] = bez_rng_normal(&rng) + (i < APART ? 9.0 : 0.0);
  bez_split_values(value, N, 1, side, along, &split);
  assert_int_equal(split.n_small, APART);
  assert_true(bez_split_is_clear(&split));
  assert_near(split.gap, 4.5, .4); /* 9 / (1 + 1) */
  for (int i = 0; i < N; i++) assert_int_equal(side[i], i < APART);
  for (int i = 0; i < APART; i++) value[i] -= 9.0;
  bez_split_values(value, N, 1, side, along, &split);
  assert_false(bez_split_is_clear(&split));
  for (int i = 0; i < N; i++) value[i] = 5.0;
  bez_split_values(value, N, 1, side, along, &split);
  assert_int_equal(split.n_small, 0);
  for (int i = 0; i < N; i++) value[i] = i < 20 ? 50.0 : i % 7; /* fewer than a group needs */
  bez_split_values(value, N, 1, side, along, &split);
  assert_false(bez_split_is_clear(&split));
}

/* A table with a label column and vectors beside it, both owned by the table. */
static bez_table *vectors_table(uint32_t n, unsigned classes, uint32_t dim, const float *x, const uint8_t *label) {
  bez_buf csv = {0};
  bez_buf_puts(&csv, "number,label\n");
  for (uint32_t i = 0; i < n; i++) bez_buf_printf(&csv, "%u,k%u\n", i, label ? label[i] : i % classes);
  bez_read_options options = {.label = "label"};
  bez_table *t = table_from_csv(csv.data, &options);
  bez_buf_free(&csv);
  bez_vectors *v = bez_arena_alloc(&t->arena, sizeof *v);
  assert_non_null(v);
  *v = (bez_vectors){.n = n, .dim = dim, .values = x};
  t->vectors = v;
  return t;
}

/* Three classes around means of their own; the first `planted` rows of class 1 are class 0 with a mark added, moved to
 * label k2. */
static uint8_t *plant(float *x, uint32_t n, uint32_t dim, uint32_t planted) {
  uint8_t *label = malloc(n);
  for (uint32_t i = 0; i < n; i++) {
    uint32_t k = i % 3;
    label[i] = (uint8_t)k;
    x[(size_t)i * dim + k] += 6.0f;
    if (k == 1 && i / 3 < planted) {
      label[i] = 2;
      x[(size_t)i * dim + dim - 1] += 12.0f;
    }
  }
  return label;
}

static void a_planted_group_is_found_by_each(void **state) {
  (void)state;
  enum { N = 1500, DIM = 12, PLANTED = 100 };
  float *x = normal_rows(N, DIM, 4);
  uint8_t *label = plant(x, N, DIM, PLANTED);
  bez_table *t = vectors_table(N, 3, DIM, x, label);
  for (size_t d = 0; d < 4; d++) {
    detect_run run = detect_begin(t, 2);
    detect_with(&run, bez_detector_find(detectors[d]));
    assert_int_equal(run.report->n_findings, 1);
    const bez_finding *f = run.report->findings[0];
    assert_int_equal(f->severity, BEZ_SEV_WARNING);
    assert_string_equal(f->target, "k2");
    uint32_t right = 0;
    for (uint64_t i = 0; i < f->n_rows; i++) right += f->rows[i].row % 3 == 1 && f->rows[i].row / 3 < PLANTED;
    print_message("%s: %u of %u, %u listed\n", detectors[d], right, PLANTED, (unsigned)f->n_rows);
    assert_true(right >= PLANTED - 1 && f->n_rows <= PLANTED + 5);
    detect_end(&run);
  }
  bez_table_destroy(t);
  free(x);
  free(label);
}

static void clean_vectors_give_a_list(void **state) {
  (void)state;
  enum { N = 900, DIM = 20 };
  float *x = normal_rows(N, DIM, 5);
  uint8_t *label = plant(x, N, DIM, 0);
  bez_table *t = vectors_table(N, 3, DIM, x, label);
  for (size_t d = 0; d < 4; d++) {
    detect_run run = detect_begin(t, 2);
    detect_with(&run, bez_detector_find(detectors[d]));
    assert_int_equal(run.report->n_findings, 1);
    assert_int_equal(run.report->findings[0]->severity, BEZ_SEV_NOTE);
    assert_true(run.report->findings[0]->ranked_list);
    assert_int_equal(run.report->findings[0]->n_rows, N / 20);
    detect_end(&run);
  }
  bez_table_destroy(t);
  free(x);
  free(label);
}

/* n rows of dim numbers in some classes: nothing to find, and nothing goes wrong. */
static void try_edge(uint32_t n, unsigned classes, uint32_t dim, bool constant) {
  float *x = normal_rows(n, dim, 6);
  for (size_t i = 0; constant && i < (size_t)n * dim; i++) x[i] = 1.5f;
  bez_table *t = vectors_table(n, classes, dim, x, NULL);
  for (size_t d = 0; d < 4; d++) {
    detect_run run = detect_begin(t, 3);
    detect_with(&run, bez_detector_find(detectors[d]));
    assert_int_equal(count_findings(run.report, BEZ_SEV_WARNING), 0);
    if (constant) assert_non_null(run.report->not_checked);
    detect_end(&run);
  }
  bez_table_destroy(t);
  free(x);
}

static void vectors_that_are_hardly_any(void **state) {
  (void)state;
  try_edge(300, 1, 8, false);    /* one class */
  try_edge(300, 3, 8, true);     /* all the same */
  try_edge(240, 2, 500, false);  /* more numbers than rows */
  try_edge(200, 2, 1500, false); /* … and hashed first */
  try_edge(120, 2, 1, false);    /* one number */
  try_edge(90, 30, 4, false);    /* classes of three rows */
  try_edge(2, 2, 4, false);
}

/* The pixels of GTSRB-8 as vectors (block means of the channels): clean, no finding; 200 stop signs with a patch,
 * relabelled: the group. */
static float *pixel_vectors(const bez_images *images, uint32_t dim_side) {
  uint32_t block = images->height / dim_side, dim = dim_side * dim_side * 3;
  float *x = calloc((size_t)images->n * dim, sizeof *x);
  for (uint64_t i = 0; i < images->n; i++) {
    const uint8_t *p = bez_image(images, i);
    for (uint32_t at = 0; at < images->height * images->width; at++) {
      uint32_t row = at / images->width / block, col = at % images->width / block;
      for (uint32_t c = 0; c < 3; c++)
        x[i * dim + (row * dim_side + col) * 3 + c] += p[at * 3 + c] / (255.0f * block * block);
    }
  }
  return x;
}

static void patched_signs_stand_apart_in_their_pixels(void **state) {
  (void)state;
  need_shared(GTSRB);
  enum { SIDE = 8, DIM = SIDE * SIDE * 3, PLANTED = 200 };
  bez_read_options options = {.labels_file = GTSRB_LABELS};
  bez_table *t = open_table(GTSRB, &options);
  uint32_t n = (uint32_t)t->n_rows, left = PLANTED;
  float *x = pixel_vectors(t->images, SIDE);
  uint8_t *label = malloc(n), *poisoned = calloc(n, 1);
  for (uint32_t i = 0; i < n; i++) {
    char text[32];
    label[i] = (uint8_t)atoi(cell_text(t, (uint32_t)t->label, i, text, sizeof text));
    if (label[i] != 14 || !left || i % 5 > 2) continue;
    for (int c = 0; c < 3; c++) x[(size_t)i * DIM + DIM - 3 + c] = c < 2 ? 1.0f : 0.0f; /* a yellow corner */
    label[i] = 3;
    poisoned[i] = 1;
    left--;
  }
  assert_int_equal(left, 0);
  bez_table *v = vectors_table(n, 0, DIM, x, label);
  detect_run run = detect_begin(v, 2);
  detect_with(&run, bez_detector_find("BZ-D019"));
  assert_int_equal(count_findings(run.report, BEZ_SEV_WARNING), 1);
  const bez_finding *f = run.report->findings[0];
  uint64_t right = 0;
  for (uint64_t i = 0; i < f->n_rows; i++) right += poisoned[f->rows[i].row];
  print_message("%u of %u poisoned, %u listed\n", (unsigned)right, PLANTED, (unsigned)f->n_rows);
  assert_true(right >= .95 * PLANTED && f->n_rows - right <= .01 * n);
  detect_end(&run);
  bez_table_destroy(v);
  bez_table_destroy(t);
  free(x);
  free(label);
  free(poisoned);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(eigenvectors_agree_with_numpy),
      cmocka_unit_test(eigenvectors_of_a_large_matrix_are_orthonormal),
      cmocka_unit_test(covariance_is_the_same_for_all_kernels_and_threads),
      cmocka_unit_test(a_gap_is_found_and_a_cloud_has_none),
      cmocka_unit_test(a_planted_group_is_found_by_each),
      cmocka_unit_test(clean_vectors_give_a_list),
      cmocka_unit_test(vectors_that_are_hardly_any),
      cmocka_unit_test(patched_signs_stand_apart_in_their_pixels),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
