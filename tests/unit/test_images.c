/* Pictures: axes, number types and ranges of arrays, IDX, labels and embeddings in files of their own. */
#include "reader_help.h"

#include <math.h>

#include "format/images.h"

/* An npy of version 1.0. */
static size_t npy(char *out, const char *descr, const char *shape, const void *data, size_t len) {
  char header[256];
  int n = snprintf(header, sizeof header, "{'descr': '%s', 'fortran_order': False, 'shape': (%s), }\n", descr, shape);
  memcpy(out, "\x93NUMPY\1\0", 8);
  out[8] = (char)(n & 255);
  out[9] = (char)(n >> 8);
  memcpy(out + 10, header, (size_t)n);
  memcpy(out + 10 + n, data, len);
  return 10 + (size_t)n + len;
}

static bez_table *open_array(const char *descr, const char *shape, const void *data, size_t len, bez_error *err) {
  char bytes[8192];
  bez_table *t = NULL;
  size_t n = npy(bytes, descr, shape, data, len);
  bez_status st = open_bytes("npy", bytes, n, 2, NULL, 0, &t, err);
  assert_int_equal(st == BEZ_OK, t != NULL);
  return t;
}

static bez_table *must_open(const char *descr, const char *shape, const void *data, size_t len) {
  bez_error err = {0};
  bez_table *t = open_array(descr, shape, data, len, &err);
  if (!t) fail_msg("%s (%s): %s", descr, shape, err.message);
  assert_non_null(t->images);
  assert_int_equal(t->images->n, t->n_rows);
  return t;
}

static void bytes_stay_as_they_are(void **state) {
  (void)state;
  uint8_t data[48];
  for (int i = 0; i < 48; i++) data[i] = (uint8_t)(5 * i);
  bez_table *grey = must_open("|u1", "2, 6, 4", data, 48), *colour = must_open("|u1", "2, 4, 2, 3", data, 48);
  assert_int_equal(grey->images->height, 6);
  assert_int_equal(grey->images->width, 4);
  assert_int_equal(grey->images->channels, 1);
  assert_memory_equal(grey->images->pixels, data, 48);
  assert_int_equal(colour->images->channels, 3);
  assert_memory_equal(bez_image(colour->images, 1), data + 24, 24);
  assert_int_equal(grey->label, -1);
  bez_table_destroy(grey);
  bez_table_destroy(colour);
}

static void planes_become_pixels(void **state) {
  (void)state;
  uint8_t data[30];
  for (int i = 0; i < 30; i++) data[i] = (uint8_t)i;
  bez_table *t = must_open("|u1", "1, 3, 5, 2", data, 30);
  const uint8_t first[] = {0, 10, 20, 1, 11, 21};
  assert_int_equal(t->images->height, 5);
  assert_memory_equal(t->images->pixels, first, 6);
  bez_table_destroy(t);
}

static void ranges_tell_what_numbers_mean(void **state) {
  (void)state;
  const float unit[] = {0, .5f, 1, .25f}, both[] = {-1, 0, 1, .5f}, wide[] = {-100, 0, 900, 400};
  const float odd[] = {0, NAN, 1, 1};
  const int16_t small[] = {0, 7, 255, 3};
  const uint8_t want_unit[] = {0, 128, 255, 64}, want_both[] = {0, 128, 255, 191}, want_wide[] = {0, 26, 255, 128};
  const uint8_t want_small[] = {0, 7, 255, 3}, want_odd[] = {0, 0, 255, 255};
  const struct {
    const char *descr;
    const void *data;
    size_t len;
    const uint8_t *want;
    const char *remark;
  } cases[] = {{"<f4", unit, 16, want_unit, NULL},
               {"<f4", both, 16, want_both, NULL},
               {"<f4", wide, 16, want_wide, "pixels-scaled"},
               {"<f4", odd, 16, want_odd, "pixels-nan"},
               {"<i2", small, 8, want_small, NULL}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    bez_table *t = must_open(cases[i].descr, "1, 2, 2", cases[i].data, cases[i].len);
    assert_memory_equal(t->images->pixels, cases[i].want, 4);
    assert_int_equal(t->remarks != NULL, cases[i].remark != NULL);
    if (cases[i].remark) assert_non_null(find_remark(t, cases[i].remark));
    bez_table_destroy(t);
  }
}

static void alpha_is_left_out_and_said(void **state) {
  (void)state;
  const uint8_t data[] = {1, 2, 3, 255, 4, 5, 6, 0};
  const uint8_t want[] = {1, 2, 3, 4, 5, 6};
  bez_table *t = must_open("|u1", "1, 1, 2, 4", data, 8);
  assert_int_equal(t->images->channels, 3);
  assert_memory_equal(t->images->pixels, want, 6);
  assert_non_null(find_remark(t, "alpha-channel"));
  bez_table_destroy(t);
}

static void what_is_no_picture_is_refused(void **state) {
  (void)state;
  const struct {
    const char *descr, *shape, *say;
  } cases[] = {{"|u1", "2, 5, 5, 5", "no axis of 1, 3 or 4 channels"},
               {"|u1", "20, 20, 3", "one colour picture"},
               {"|u1", "1, 1, 1, 1, 1", "5 dimensions"},
               {"|u1", "0, 70000, 2", "too large"},
               {"|u1", "9, 70, 71", "bytes of data"},
               {"|u1", "0, 70, 0", "pictures of 70 × 0"},
               {"|S3", "2, 4, 4", "text or dates"},
               {"|O", "2, 4, 4", "Python objects"}};
  char data[1300] = {0};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    bez_error err = {0};
    assert_null(open_array(cases[i].descr, cases[i].shape, data, sizeof data, &err));
    if (!strstr(err.message, cases[i].say)) fail_msg("%s: %s", cases[i].shape, err.message);
  }
}

static void idx_holds_pictures_and_labels(void **state) {
  (void)state;
  const char pictures[] = "\0\0\x08\x03\0\0\0\2\0\0\0\1\0\0\0\2\x01\x02\x03\x04";
  const char labels[] = "\0\0\x08\x01\0\0\0\2\7\1";
  char images_path[4096];
  snprintf(images_path, sizeof images_path, "%s", temp_file("idx", pictures, sizeof pictures - 1));
  const char *path = images_path;
  bez_read_options options = {.threads = 1, .labels_file = temp_file("idx", labels, sizeof labels - 1)};
  bez_error err = {0};
  bez_table *t = NULL;
  if (bez_table_open(&path, 1, &options, &t, &err) != BEZ_OK) fail_msg("%s", err.message);
  assert_int_equal(t->images->n, 2);
  assert_int_equal(bez_image(t->images, 1)[0], 3);
  assert_true(t->label >= 0 && !t->label_guessed);
  assert_cell(t, (uint32_t)t->label, 0, "7");
  assert_cell(t, (uint32_t)t->label, 1, "1");
  bez_table_destroy(t);
  unlink(options.labels_file);
  options.labels_file = temp_file("idx", "\0\0\x08\x01\0\0\0\1\7", 9);
  assert_int_equal(bez_table_open(&path, 1, &options, &t, &err), BEZ_FORMAT);
  assert_non_null(strstr(err.message, "1 labels"));
  unlink(options.labels_file);
  unlink(images_path);
}

static void samples_keep_pictures_and_vectors_together(void **state) {
  (void)state;
  uint8_t pixels[200];
  float vectors[400];
  char bytes[4096], images_path[4096];
  for (int i = 0; i < 200; i++) pixels[i] = (uint8_t)i;
  for (int i = 0; i < 400; i++) vectors[i] = (float)i;
  snprintf(images_path, sizeof images_path, "%s", temp_file("npy", bytes, npy(bytes, "|u1", "200, 1, 1", pixels, 200)));
  const char *path = images_path;
  bez_read_options options = {.threads = 2, .sample = 50, .seed = 3};
  options.embeddings = temp_file("npy", bytes, npy(bytes, "<f4", "200, 2", vectors, sizeof vectors));
  bez_error err = {0};
  bez_table *t = NULL;
  if (bez_table_open(&path, 1, &options, &t, &err) != BEZ_OK) fail_msg("%s", err.message);
  assert_int_equal(t->n_rows, 50);
  for (uint64_t i = 0; i < 50; i++) {
    assert_int_equal(*bez_image(t->images, i), t->sampled_row[i]);
    assert_int_equal((int)bez_vector(t->vectors, i)[1], 2 * (int)t->sampled_row[i] + 1);
  }
  bez_table_destroy(t);
  unlink(options.embeddings);
  unlink(images_path);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(bytes_stay_as_they_are),
      cmocka_unit_test(planes_become_pixels),
      cmocka_unit_test(ranges_tell_what_numbers_mean),
      cmocka_unit_test(alpha_is_left_out_and_said),
      cmocka_unit_test(what_is_no_picture_is_refused),
      cmocka_unit_test(idx_holds_pictures_and_labels),
      cmocka_unit_test(samples_keep_pictures_and_vectors_together),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
