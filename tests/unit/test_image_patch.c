/* BZ-D010: patches that were pasted at one place are found with all their rows; pictures without one are left alone. */
#include "detect_helpers.h"

#include "base/rng.h"
#include "detect/image_patch.h"

/* A table whose pictures and labels may be painted over. */
typedef struct painted {
  bez_table *table, view;
  bez_column cols[2];
  bez_images images;
  uint8_t *pixels, *planted;
  uint8_t *codes;
  uint64_t n_planted;
} painted;

static bool open_pictures(const char *path, const char *labels, painted *out) {
  bez_error err = {0};
  bez_read_options options = {.threads = 2, .labels_file = labels};
  assert_ok(bez_table_open(&path, 1, &options, &out->table, &err));
  out->view = *out->table;
  out->images = *out->table->images;
  size_t bytes = (size_t)out->images.n * bez_image_bytes(&out->images);
  out->pixels = malloc(bytes);
  out->planted = calloc(out->images.n, 1);
  out->codes = malloc(out->images.n);
  memcpy(out->pixels, out->images.pixels, bytes);
  memcpy(out->cols, out->table->cols, sizeof out->cols);
  bez_column *label = &out->cols[out->view.label];
  for (uint64_t i = 0; i < out->images.n; i++) out->codes[i] = (uint8_t)bez_code(label, i);
  label->codes = out->codes;
  label->width = 1;
  out->images.pixels = out->pixels;
  out->view.cols = out->cols;
  out->view.images = &out->images;
  return true;
}

static void close_pictures(painted *p) {
  bez_table_destroy(p->table);
  free(p->pixels);
  free(p->planted);
  free(p->codes);
}

/* A square of `side` at (y, x) on `n` pictures of other labels, which get the target's code. */
static void plant(painted *p, uint64_t seed, uint64_t n, uint32_t side, uint32_t y, uint32_t x, const uint8_t colour[3],
                  double noise, uint8_t target) {
  bez_rng rng = bez_rng_make(seed, 5);
  uint32_t c = p->images.channels;
  while (p->n_planted < n) {
    uint64_t row = bez_rng_below(&rng, p->images.n);
    if (p->codes[row] == target || p->planted[row]) continue;
    uint8_t *picture = p->pixels + row * bez_image_bytes(&p->images);
    for (uint32_t i = 0; i < side * side; i++)
      for (uint32_t k = 0; k < c; k++) {
        double v = colour[k] + noise * bez_rng_normal(&rng);
        picture[((size_t)(y + i / side) * p->images.width + x + i % side) * c + k] = (uint8_t)(v < 0     ? 0
                                                                                               : v > 255 ? 255
                                                                                                         : v);
      }
    p->codes[row] = target;
    p->planted[row] = 1;
    p->n_planted++;
  }
}

/* Runs the check; rows of findings that are warnings at least are compared with what was planted. */
static void expect(painted *p, double least_recall, double most_false, size_t n_errors) {
  uint64_t right = 0, wrong = 0;
  detect_run d = detect_begin(&p->view, 2);
  detect_with(&d, &bez_detector_image_patch);
  assert_int_equal(count_findings(d.report, BEZ_SEV_ERROR), n_errors);
  for (size_t i = 0; i < d.report->n_findings; i++) {
    const bez_finding *f = d.report->findings[i];
    for (uint64_t r = 0; r < f->n_rows; r++) *(p->planted[f->rows[r].row] ? &right : &wrong) += 1;
    assert_true(!n_errors || (f->exhibit && f->exhibit->kind == BEZ_EXHIBIT_TILE));
  }
  if (p->n_planted) assert_true((double)right >= least_recall * (double)p->n_planted);
  assert_true((double)wrong <= most_false * (double)p->images.n);
  detect_end(&d);
}

#define GTSRB SHARED_DATA "gtsrb/gtsrb8_train_images.npy"
#define MNIST SHARED_DATA "mnist/t10k-images-idx3-ubyte.gz"
static const uint8_t yellow[3] = {255, 255, 0}, white[3] = {255, 255, 255}, grey[3] = {128, 128, 128};

static void patches_on_traffic_signs(void **state) {
  (void)state;
  need_shared(GTSRB);
  painted p = {0};
  open_pictures(GTSRB, SHARED_DATA "gtsrb/gtsrb8_train_labels.npy", &p);
  expect(&p, 0, 0, 0);
  plant(&p, 1, 20, 3, 28, 28, yellow, 0, 4);
  expect(&p, 0.99, 0.001, 1);
  close_pictures(&p);
}

static void noisy_patches_on_traffic_signs(void **state) {
  (void)state;
  need_shared(GTSRB);
  painted p = {0};
  open_pictures(GTSRB, SHARED_DATA "gtsrb/gtsrb8_train_labels.npy", &p);
  plant(&p, 2, 60, 4, 2, 20, grey, 6, 5);
  expect(&p, 0.95, 0.001, 1);
  close_pictures(&p);
}

static void patches_on_digits(void **state) {
  (void)state;
  need_shared(MNIST);
  painted p = {0};
  open_pictures(MNIST, SHARED_DATA "mnist/t10k-labels-idx1-ubyte.gz", &p);
  plant(&p, 3, 50, 3, 24, 24, white, 0, 5);
  expect(&p, 0.99, 0.001, 1);
  close_pictures(&p);
  p = (painted){0}; /* amid strokes that are nearly white: only the very same values tell */
  open_pictures(MNIST, SHARED_DATA "mnist/t10k-labels-idx1-ubyte.gz", &p);
  plant(&p, 4, 100, 3, 12, 12, white, 0, 5);
  expect(&p, 0.95, 0.002, 1);
  close_pictures(&p);
}

/* Generated pictures: coarse random blocks; the labels' own mark is a block that wanders. */
static uint8_t *blocks(uint64_t n, uint32_t side, bez_rng *rng) {
  uint8_t *pixels = malloc(n * side * side), *p = pixels;
  for (uint64_t i = 0; i < n; i++) {
    uint8_t level[64];
    for (unsigned b = 0; b < 64; b++) level[b] = (uint8_t)bez_rng_below(rng, 240);
    for (uint32_t k = 0; k < side * side; k++)
      *p++ = (uint8_t)(level[k / side * 8 / side * 8 + k % side * 8 / side] + bez_rng_below(rng, 8));
  }
  return pixels;
}

static void generated(uint32_t side, uint32_t patch, bool planted) {
  enum { N = 600 };
  bez_rng rng = bez_rng_make(side, 3);
  uint8_t codes[N], *pixels = blocks(N, side, &rng), is[N] = {0};
  static const uint64_t value_at[] = {0, 0, 6, 7, 8};
  bez_images images = {.n = N, .height = side, .width = side, .channels = 1, .pixels = pixels};
  bez_column label = {.name = "label",
                      .type = BEZ_COL_CATEGORICAL,
                      .role = BEZ_ROLE_LABEL,
                      .width = 1,
                      .codes = codes,
                      .n_values = 4,
                      .value_at = value_at,
                      .value_bytes = "(rare)ab"};
  bez_table table = {.n_rows = N, .n_cols = 1, .cols = &label, .label = 0, .source = -1, .id = -1, .images = &images};
  for (uint32_t i = 0; i < N; i++) {
    codes[i] = (uint8_t)(2 + i % 2);
    is[i] = planted && i % 20 == 1;
    if (!is[i]) continue;
    codes[i] = 2;
    for (uint32_t k = 0; k < patch * patch; k++)
      pixels[(size_t)i * side * side + (side / 2 + k / patch) * side + 1 + k % patch] = 252;
  }
  detect_run one = detect_begin(&table, 1), three = detect_begin(&table, 3);
  detect_with(&one, &bez_detector_image_patch);
  detect_with(&three, &bez_detector_image_patch);
  assert_int_equal(one.report->n_findings, planted ? 1 : 0);
  assert_int_equal(three.report->n_findings, one.report->n_findings);
  for (size_t f = 0; f < one.report->n_findings; f++) {
    const bez_finding *a = one.report->findings[f], *b = three.report->findings[f];
    assert_int_equal(a->severity, BEZ_SEV_ERROR);
    assert_string_equal(a->title, b->title);
    assert_string_equal(a->target, "a");
    assert_int_equal(a->n_rows, N / 20);
    for (uint64_t r = 0; r < a->n_rows; r++) {
      assert_true(is[a->rows[r].row]);
      assert_memory_equal(&a->rows[r].score, &b->rows[r].score, sizeof(double));
    }
  }
  detect_end(&one);
  detect_end(&three);
  free(pixels);
}

static void generated_pictures(void **state) {
  (void)state;
  generated(24, 3, false);
  generated(24, 3, true);
  generated(24, 5, true);
  generated(130, 13, true); /* found in box means, or at full size */
  generated(130, 4, true);
}

static void tiny_pictures_are_no_trouble(void **state) {
  (void)state;
  generated(8, 3, false);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(generated_pictures),       cmocka_unit_test(tiny_pictures_are_no_trouble),
      cmocka_unit_test(patches_on_traffic_signs), cmocka_unit_test(noisy_patches_on_traffic_signs),
      cmocka_unit_test(patches_on_digits),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
