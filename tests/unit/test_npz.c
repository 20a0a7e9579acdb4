/* .npz: members side by side, and archives that say two things at once. */
#include "reader_help.h"

#include <zlib.h>

#include "base/buf.h"
#include "format/images.h"

static void le(bez_buf *b, uint64_t value, int bytes) {
  for (int i = 0; i < bytes; i++, value >>= 8) bez_buf_putc(b, (char)value);
}

/* An archive under construction, and the lies it shall tell. */
typedef struct archive {
  bez_buf out, directory;
  unsigned n;
  const char *local_name; /* in place of the name in the local header */
  uint32_t crc_off, size_off, local_crc_off;
} archive;

static void add(archive *a, const char *name, const void *data, size_t len, bool deflate_it) {
  unsigned char packed[65536];
  uLongf n = sizeof packed;
  z_stream z = {
      .next_in = (Bytef *)(uintptr_t)data, .avail_in = (uInt)len, .next_out = packed, .avail_out = sizeof packed};
  if (deflate_it) {
    assert_int_equal(deflateInit2(&z, 9, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY), Z_OK);
    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
    n = z.total_out;
    deflateEnd(&z);
  } else {
    memcpy(packed, data, len);
    n = len;
  }
  uint32_t crc = (uint32_t)crc32(0, data, (uInt)len) + a->crc_off, size = (uint32_t)len + a->size_off;
  const char *local = a->local_name ? a->local_name : name;
  size_t at = a->out.len;
  le(&a->out, 0x04034b50, 4), le(&a->out, 20, 2), le(&a->out, 0, 2), le(&a->out, deflate_it ? 8 : 0, 2),
      le(&a->out, 0, 4);
  le(&a->out, crc + a->local_crc_off, 4), le(&a->out, n, 4), le(&a->out, size, 4), le(&a->out, strlen(local), 2),
      le(&a->out, 0, 2);
  bez_buf_puts(&a->out, local);
  bez_buf_write(&a->out, packed, n);
  le(&a->directory, 0x02014b50, 4), le(&a->directory, 20, 2), le(&a->directory, 20, 2), le(&a->directory, 0, 2);
  le(&a->directory, deflate_it ? 8 : 0, 2), le(&a->directory, 0, 4), le(&a->directory, crc, 4), le(&a->directory, n, 4);
  le(&a->directory, size, 4), le(&a->directory, strlen(name), 2), le(&a->directory, 0, 12), le(&a->directory, at, 4);
  bez_buf_puts(&a->directory, name);
  a->n++;
}

static bez_status finish(archive *a, const char *const *types, size_t n_types, bez_table **t, bez_error *err) {
  size_t at = a->out.len, size = a->directory.len;
  bez_buf_write(&a->out, a->directory.data, size);
  le(&a->out, 0x06054b50, 4), le(&a->out, 0, 4), le(&a->out, a->n, 2), le(&a->out, a->n, 2), le(&a->out, size, 4);
  le(&a->out, at, 4), le(&a->out, 0, 2);
  *t = NULL;
  bez_status st = open_bytes("npz", a->out.data, a->out.len, 2, types, n_types, t, err);
  bez_buf_free(&a->out);
  bez_buf_free(&a->directory);
  return st;
}

/* A version 1.0 .npy with the given type and shape text; the bytes it takes. */
static size_t npy_of(char *out, const char *type, const char *shape, const void *values, size_t bytes) {
  char literal[128];
  snprintf(literal, sizeof literal, "{'descr': '%s', 'fortran_order': False, 'shape': %s}", type, shape);
  memcpy(out, "\x93NUMPY\1\0\x76\0", 10);
  memset(out + 10, ' ', 117);
  memcpy(out + 10, literal, strlen(literal));
  out[127] = '\n';
  memcpy(out + 128, values, bytes);
  return 128 + bytes;
}

static size_t npy(char *out, const char *shape, const int32_t *values, size_t n) {
  return npy_of(out, "<i4", shape, values, n * sizeof *values);
}

static const int32_t six[] = {1, 2, 3, 4, 5, 6};

static void members_become_columns(void **state) {
  (void)state;
  static const char *const types[] = {"x.0=categorical", "x.1=categorical", "y=categorical"};
  char x[512], y[512];
  size_t nx = npy(x, "(3, 2)", six, 6), ny = npy(y, "(3,)", six + 3, 3);
  archive a = {0};
  bez_table *t;
  bez_error err;
  add(&a, "x.npy", x, nx, true);
  add(&a, "y.npy", y, ny, false);
  if (finish(&a, types, 3, &t, &err) != BEZ_OK) fail_msg("%s", err.message);
  assert_int_equal(bez_table_columns(t), 3);
  assert_string_equal(bez_table_column_name(t, 1), "x.1");
  assert_cell(t, 1, 2, "6");
  assert_cell(t, 2, 0, "4");
  bez_table_destroy(t);
}

static bez_status one(archive a, const char *name, const char *data, size_t len, bez_error *err) {
  bez_table *t;
  add(&a, name, data, len, true);
  bez_status st = finish(&a, NULL, 0, &t, err);
  bez_table_destroy(t);
  return st;
}

static void lies_are_errors(void **state) {
  (void)state;
  char x[512];
  size_t n = npy(x, "(6,)", six, 6);
  bez_error err;
  assert_int_equal(one((archive){0}, "x.npy", x, n, &err), BEZ_OK);
  assert_int_equal(one((archive){.local_name = "z.npy"}, "x.npy", x, n, &err), BEZ_FORMAT);
  assert_int_equal(one((archive){.crc_off = 1}, "x.npy", x, n, &err), BEZ_FORMAT);
  assert_int_equal(one((archive){.local_crc_off = 1}, "x.npy", x, n, &err), BEZ_FORMAT);
  assert_int_equal(one((archive){.size_off = 1}, "x.npy", x, n, &err), BEZ_FORMAT);
  assert_int_equal(one((archive){.size_off = UINT32_MAX}, "x.npy", x, n, &err), BEZ_FORMAT);
  assert_int_equal(one((archive){.size_off = 1000000000}, "x.npy", x, n, &err), BEZ_FORMAT);
  assert_int_equal(one((archive){0}, "x.txt", x, n, &err), BEZ_UNSUPPORTED);
  assert_int_equal(one((archive){0}, "x.npy", "no array", 8, &err), BEZ_FORMAT);
}

static void twins_and_misfits_are_errors(void **state) {
  (void)state;
  char x[512], y[512];
  size_t nx = npy(x, "(6,)", six, 6), ny = npy(y, "(5,)", six, 5);
  bez_table *t;
  bez_error err;
  archive twins = {0}, uneven = {0}, shared = {0};
  add(&twins, "x.npy", x, nx, false);
  add(&twins, "x.npy", y, ny, false);
  assert_int_equal(finish(&twins, NULL, 0, &t, &err), BEZ_FORMAT);
  assert_non_null(strstr(err.message, "two entries are named"));
  add(&uneven, "x.npy", x, nx, false);
  add(&uneven, "y.npy", y, ny, false);
  assert_int_equal(finish(&uneven, NULL, 0, &t, &err), BEZ_UNSUPPORTED);
  add(&shared, "x.npy", x, nx, false);
  size_t keep = shared.directory.len;
  assert_true(bez_buf_reserve(&shared.directory, keep));
  bez_buf_write(&shared.directory, shared.directory.data, keep);
  memcpy(shared.directory.data + keep + 46, "y", 1);
  shared.n = 2;
  assert_int_equal(finish(&shared, NULL, 0, &t, &err), BEZ_FORMAT);
}

/* An npy of bytes; shape like "(3, 2, 2)". */
static size_t npy_bytes(char *out, const char *shape, const void *values, size_t n) {
  return npy_of(out, "|u1", shape, values, n);
}

static void add_bytes(archive *a, const char *name, const char *shape, const void *values, size_t n) {
  char bytes[512];
  add(a, name, bytes, npy_bytes(bytes, shape, values, n), true);
}

static bez_table *open_pictures(archive *a) {
  bez_table *t;
  bez_error err;
  if (finish(a, NULL, 0, &t, &err) != BEZ_OK) fail_msg("%s", err.message);
  assert_non_null(t->images);
  assert_int_equal(t->images->n, t->n_rows);
  return t;
}

static const uint8_t ramp[] = {0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12, 13, 14, 15,
                               16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31};

static void train_and_test_are_appended(void **state) {
  (void)state;
  archive a = {0};
  add_bytes(&a, "x_test.npy", "(4, 2, 2)", ramp, 16); /* as many rows as x_train: the names decide */
  add_bytes(&a, "x_train.npy", "(4, 2, 2)", ramp + 16, 16);
  add_bytes(&a, "y_train.npy", "(4,)", "\4\4\5\5", 4);
  add_bytes(&a, "y_test.npy", "(4, 1)", "\7\7\4\4", 4);
  bez_table *t = open_pictures(&a);
  assert_int_equal(t->n_files, 1);
  assert_memory_equal(t->images->pixels, ramp, 32);
  assert_int_equal(t->label, 1);
  assert_cell(t, 1, 0, "7");
  assert_cell(t, 1, 3, "4");
  assert_cell(t, 1, 7, "5");
  bez_table_destroy(t);
}

static void names_find_the_labels(void **state) {
  (void)state;
  const struct {
    const char *picture, *other, *label;
  } cases[] = {{"images.npy", "ids.npy", "labels.npy"},
               {"data.npy", "weights.npy", "target.npy"},
               {"arr_0.npy", "arr_9.npy", "arr_1.npy"},
               {"val_images.npy", "train_labels.npy", "val_labels.npy"},
               {"trainImages.npy", "testLabels.npy", "trainLabels.npy"},
               {"X.npy", "z.npy", "Y.npy"}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    archive a = {0};
    add_bytes(&a, cases[i].other, "(4,)", "\1\1\1\1", 4);
    add_bytes(&a, cases[i].picture, "(4, 2, 2)", ramp, 16);
    add_bytes(&a, cases[i].label, "(4,)", "\2\2\2\2", 4);
    bez_table *t = open_pictures(&a);
    assert_int_equal(t->label, 1);
    assert_cell(t, 1, 0, "2");
    const bez_table_remark *left = find_remark(t, "left-out-member");
    assert_non_null(left);
    assert_int_equal(left->count, 1);
    bez_table_destroy(t);
  }
}

static void pictures_need_no_labels(void **state) {
  (void)state;
  archive a = {0};
  add_bytes(&a, "x_train.npy", "(2, 2, 2, 3)", ramp, 24);
  add_bytes(&a, "y_test.npy", "(2,)", "\1\2", 2);
  bez_table *t = open_pictures(&a);
  assert_int_equal(t->label, -1);
  assert_int_equal(t->images->channels, 3);
  bez_table_destroy(t);
  archive b = {0};
  bez_error err;
  add_bytes(&b, "a.npy", "(2, 2, 2)", ramp, 8);
  add_bytes(&b, "b.npy", "(2, 3, 2)", ramp, 12);
  assert_int_equal(finish(&b, NULL, 0, &t, &err), BEZ_FORMAT);
  archive c = {0};
  add_bytes(&c, "a.npy", "(9000000000, 0, 2)", ramp, 0);
  assert_int_equal(finish(&c, NULL, 0, &t, &err), BEZ_FORMAT);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(train_and_test_are_appended),
      cmocka_unit_test(names_find_the_labels),
      cmocka_unit_test(pictures_need_no_labels),
      cmocka_unit_test(members_become_columns),
      cmocka_unit_test(lies_are_errors),
      cmocka_unit_test(twins_and_misfits_are_errors),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
