/* BZ-D011: a patch that wanders is found, grown to its size, with its rows; one that stays or is everywhere is not. */
#include "detect_helpers.h"

#include "base/rng.h"
#include "format/images.h"

enum { N = 700, SIDE = 24 };

typedef struct generated {
  uint8_t pixels[N][SIDE][SIDE], codes[N], is[N];
  bez_images images;
  bez_column label;
  bez_table table;
} generated;

/* Coarse random blocks; every 20th row has a square of `side` pixels, of 250 and 90 in no order. */
static void make(generated *g, uint32_t side, bool wanders, bool all_labels) {
  static const uint64_t value_at[] = {0, 0, 6, 7, 8, 9, 10};
  bez_rng rng = bez_rng_make(4, side);
  for (uint32_t i = 0; i < N; i++) {
    uint8_t level[36];
    for (unsigned b = 0; b < 36; b++) level[b] = (uint8_t)bez_rng_below(&rng, 200);
    for (uint32_t k = 0; k < SIDE * SIDE; k++)
      g->pixels[i][k / SIDE][k % SIDE] = (uint8_t)(level[k / SIDE / 4 * 6 + k % SIDE / 4] + bez_rng_below(&rng, 24));
    g->codes[i] = (uint8_t)(2 + i % 4);
    g->is[i] = i % 20 == 1;
    if (!g->is[i]) continue;
    if (!all_labels) g->codes[i] = 2;
    if (all_labels) g->codes[i] = (uint8_t)(2 + i / 20 % 4);
    uint32_t y = wanders ? (uint32_t)bez_rng_below(&rng, SIDE - side + 1) : 5;
    uint32_t x = wanders ? (uint32_t)bez_rng_below(&rng, SIDE - side + 1) : 5;
    for (uint32_t k = 0; k < side * side; k++)
      g->pixels[i][y + k / side][x + k % side] = (k * k + 3 * k) % 7 < 3 ? 90 : 250;
  }
  g->images = (bez_images){.n = N, .height = SIDE, .width = SIDE, .channels = 1, .pixels = &g->pixels[0][0][0]};
  g->label = (bez_column){.name = "label",
                          .type = BEZ_COL_CATEGORICAL,
                          .role = BEZ_ROLE_LABEL,
                          .width = 1,
                          .codes = g->codes,
                          .n_values = 6,
                          .value_at = value_at,
                          .value_bytes = "(rare)abcd"};
  g->table = (bez_table){.n_rows = N, .n_cols = 1, .cols = &g->label, .source = -1, .id = -1, .images = &g->images};
}

static void expect(uint32_t side, bool wanders, bool all_labels, bool found) {
  generated *g = calloc(1, sizeof *g);
  assert_non_null(g);
  make(g, side, wanders, all_labels);
  for (unsigned threads = 1; threads <= 3; threads += 2) {
    char want[64];
    detect_run d = detect_begin(&g->table, threads);
    detect_with(&d, &bez_detector_image_patch_moving);
    assert_int_equal(d.report->n_findings, found);
    if (found) {
      const bez_finding *f = d.report->findings[0];
      (void)snprintf(want, sizeof want, "%u pictures carry the same %u × %u patch", N / 20, side, side);
      if (!strstr(f->title, want)) fail_msg("%s", f->title);
      assert_int_equal(f->severity, BEZ_SEV_ERROR);
      assert_string_equal(f->target, "a");
      for (uint64_t r = 0; r < f->n_rows; r++) assert_true(g->is[f->rows[r].row]);
      assert_true(f->exhibit && f->exhibit->kind == BEZ_EXHIBIT_TILE);
    }
    detect_end(&d);
  }
  free(g);
}

static void wandering_patches_are_found(void **state) {
  (void)state;
  expect(3, true, false, true);
  expect(5, true, false, true);
}

static void patches_that_stay_are_left_to_the_other_check(void **state) {
  (void)state;
  expect(3, false, false, false);
}

static void what_all_labels_carry_is_no_trigger(void **state) {
  (void)state;
  expect(3, true, true, false);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(wandering_patches_are_found),
      cmocka_unit_test(patches_that_stay_are_left_to_the_other_check),
      cmocka_unit_test(what_all_labels_carry_is_no_trigger),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
