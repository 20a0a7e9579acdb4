/* Tracks: near-duplicate pictures are one group; the exact and the approximate search agree; threads do not matter. */
#include "test.h"

#include "base/rng.h"
#include "fit/tracks.h"
#include "fit/tracks_internal.h"
#include "format/table.h"

/* n_tracks pictures of coarse random blocks, each `copies` times with a little noise; copies stand apart. */
static uint8_t *filmed(uint32_t n_tracks, uint32_t copies, uint32_t side, uint32_t channels) {
  size_t each = (size_t)side * side * channels;
  uint8_t *pixels = malloc((size_t)n_tracks * copies * each), *p = pixels;
  assert_non_null(pixels);
  for (uint32_t c = 0; c < copies; c++)
    for (uint32_t t = 0; t < n_tracks; t++) {
      bez_rng shape = bez_rng_make(1, t), noise = bez_rng_make(2, (uint64_t)t * copies + c);
      uint8_t level[64];
      for (unsigned i = 0; i < 64; i++) level[i] = (uint8_t)(20 + bez_rng_below(&shape, 200));
      for (size_t i = 0; i < each; i++) {
        size_t y = i / channels / side, x = i / channels % side;
        *p++ = (uint8_t)(level[y * 8 / side * 8 + x * 8 / side] + bez_rng_below(&noise, 9));
      }
    }
  return pixels;
}

static bez_tracks *fit(const bez_images *images, unsigned threads) {
  bez_error err = {0};
  bez_tracks *t = NULL;
  assert_ok(bez_tracks_fit(images, 1, threads, &t, &err));
  return t;
}

static void copies_are_one_track(void **state) {
  (void)state;
  for (uint32_t channels = 1; channels <= 3; channels += 2) {
    uint8_t *pixels = filmed(70, 4, 28, channels);
    bez_images images = {.n = 280, .height = 28, .width = 28, .channels = channels, .pixels = pixels};
    bez_tracks *t = fit(&images, 1);
    assert_int_equal(t->n_groups, 70);
    for (uint32_t i = 0; i < 280; i++) {
      assert_int_equal(t->group[i], i % 70);
      assert_int_equal(t->size[i % 70], 4);
    }
    assert_true(bez_tracks_cosine(t, 0, 70) > 0.98);
    assert_true(bez_tracks_cosine(t, 0, 1) < 0.9);
    bez_tracks_destroy(t);
    free(pixels);
  }
}

static void odd_sizes_and_flat_pictures(void **state) {
  (void)state;
  uint8_t pixels[4 * 15] = {0};
  pixels[15] = 9; /* picture 1 has contrast */
  bez_images images = {.n = 4, .height = 5, .width = 1, .channels = 3, .pixels = pixels};
  bez_tracks *t = fit(&images, 2);
  assert_int_equal(t->dim, 5);
  assert_int_equal(t->n_groups, 2);
  assert_int_equal(t->group[0], t->group[3]);
  assert_int_equal(t->group[1], 1);
  bez_tracks_destroy(t);
  images.n = 0;
  t = fit(&images, 2);
  assert_int_equal(t->n_groups, 0);
  bez_tracks_destroy(t);
  images = (bez_images){.n = 2, .height = 1, .width = 1, .channels = 1, .pixels = pixels};
  t = fit(&images, 1);
  assert_int_equal(t->n_groups, 1);
  bez_tracks_destroy(t);
}

static void the_forest_finds_what_all_pairs_find(void **state) {
  (void)state;
  enum { N = 6000 };
  uint8_t *pixels = filmed(N / 6, 6, 16, 1);
  bez_images images = {.n = N, .height = 16, .width = 16, .channels = 1, .pixels = pixels};
  bez_error err = {0};
  bez_tracks *t = fit(&images, 2);
  bez_nearest *exact = malloc(N * sizeof *exact), *one = malloc(N * sizeof *one), *three = malloc(N * sizeof *three);
  for (uint32_t i = 0; i < N; i++)
    for (unsigned k = 0; k < BEZ_NEAR_K; k++) exact[i].product[k] = INT32_MIN, exact[i].row[k] = UINT32_MAX;
  memcpy(one, exact, N * sizeof *one);
  memcpy(three, exact, N * sizeof *three);
  assert_ok(bez_tracks_near_exact(t, 2, exact, &err));
  assert_ok(bez_tracks_near_forest(t, 1, 1, one, &err));
  assert_ok(bez_tracks_near_forest(t, 1, 3, three, &err));
  assert_memory_equal(one, three, N * sizeof *one);
  uint32_t same = 0;
  for (uint32_t i = 0; i < N; i++)
    for (unsigned k = 0; k < BEZ_NEAR_K; k++) same += exact[i].row[k] == one[i].row[k];
  assert_true(same > N * BEZ_NEAR_K * 98 / 100);
  free(exact);
  free(one);
  free(three);
  bez_tracks_destroy(t);
  free(pixels);
}

/* Frames of one sign are joined where the car was near enough to the last one; frames of different signs stay apart. */
static void traffic_signs_come_in_tracks(void **state) {
  (void)state;
  const char *path = SHARED_DATA "gtsrb/gtsrb8_train_images.npy";
  need_shared(path);
  bez_error err = {0};
  bez_table *table = NULL;
  bez_read_options options = {.threads = 2, .labels_file = SHARED_DATA "gtsrb/gtsrb8_train_labels.npy"};
  assert_ok(bez_table_open(&path, 1, &options, &table, &err));
  bez_tracks *one = fit(table->images, 1), *four = fit(table->images, 4);
  assert_memory_equal(one->group, four->group, one->n_rows * sizeof *one->group);
  assert_in_range(one->n_groups, 3000, 3900);
  const bez_column *label = &table->cols[table->label];
  uint32_t joined = 0, mixed = 0, *first = malloc(one->n_groups * sizeof *first);
  memset(first, 255, one->n_groups * sizeof *first);
  for (uint32_t i = 0; i < one->n_rows; i++) {
    uint32_t *f = &first[one->group[i]];
    if (*f == UINT32_MAX)
      *f = i;
    else
      joined++, mixed += bez_code(label, i) != bez_code(label, *f);
  }
  assert_true(joined > 200 && mixed * 5 < joined);
  free(first);
  bez_tracks_destroy(one);
  bez_tracks_destroy(four);
  bez_table_destroy(table);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(copies_are_one_track),
      cmocka_unit_test(odd_sizes_and_flat_pictures),
      cmocka_unit_test(the_forest_finds_what_all_pairs_find),
      cmocka_unit_test(traffic_signs_come_in_tracks),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
