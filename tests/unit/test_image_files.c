/* Sets of picture files: folders as labels, manifests, one size for all, what cannot be read, helpers that die. */
#include "folder_help.h"
#include "reader_help.h"

#include <signal.h>

#include "base/buf.h"
#include "base/limits.h"
#include "format/image_files.h"
#include "format/image_helper.h"
#include "format/images.h"

/* A raw PGM or PPM of one colour. */
static void put_plain(const char *name, uint32_t width, uint32_t height, uint32_t channels, uint8_t value) {
  bez_buf b = {0};
  bez_buf_printf(&b, "P%c %u %u 255\n", channels == 3 ? '6' : '5', width, height);
  for (uint32_t i = 0; i < width * height * channels; i++) bez_buf_putc(&b, (char)value);
  put(name, b.data, b.len);
  bez_buf_free(&b);
}

static void put_corpus(const char *name, const char *from) {
  char path[256];
  bez_buf b = {0};
  bez_error err = {0};
  snprintf(path, sizeof path, "fuzz/corpus/picture/%s", from);
  if (bez_file_read(path, 1 << 20, &b, &err) != BEZ_OK) fail_msg("%s", err.message);
  put(name, b.data, b.len);
  bez_buf_free(&b);
}

static bez_status open_folder(const char *below, unsigned threads, bez_table **t, bez_error *err) {
  char path[1024];
  const char *list = path;
  bez_read_options options = {.threads = threads};
  snprintf(path, sizeof path, "%s%s", folder, below);
  *t = NULL;
  memset(err, 0, sizeof *err);
  return bez_table_open(&list, 1, &options, t, err);
}

static bez_table *must_open(void) {
  bez_table *t;
  bez_error err;
  if (open_folder("", 2, &t, &err) != BEZ_OK) fail_msg("%s: %s", err.subject, err.message);
  assert_non_null(t->images);
  assert_non_null(t->images->facts);
  assert_int_equal(t->images->n, t->n_rows);
  return t;
}

static void assert_label(const bez_table *t, uint64_t row, const char *want) {
  assert_true(t->label >= 0);
  assert_cell(t, (uint32_t)t->label, row, want);
}

static void folders_are_classes(void **state) {
  (void)state;
  assert_int_equal(make_folder(state), 0);
  put_plain("train/cat/1.ppm", 4, 3, 3, 10);
  put_plain("train/cat/2.ppm", 4, 3, 3, 20);
  put_plain("train/dog/1.ppm", 4, 3, 3, 30);
  put_plain("test/dog/images/9.ppm", 4, 3, 3, 40);
  put_plain("loose.ppm", 4, 3, 3, 50);
  bez_table *t = must_open();
  assert_int_equal(t->n_rows, 5);
  assert_int_equal(t->n_files, 5);
  assert_string_equal(t->files[0].path + strlen(folder), "/loose.ppm");
  assert_label(t, 0, "");
  assert_label(t, 1, "dog");
  assert_label(t, 2, "cat");
  assert_label(t, 4, "dog");
  const uint8_t want[] = {50, 40, 10, 20, 30};
  for (int i = 0; i < 5; i++) assert_int_equal(bez_image(t->images, (uint64_t)i)[0], want[i]);
  assert_int_equal(t->files[3].first_row, 3);
  assert_int_equal(t->files[3].n_rows, 1);
  assert_true(t->files[3].digest != 0);
  bez_table_destroy(t);
  assert_int_equal(remove_folder(state), 0);
}

static void one_folder_is_no_class(void **state) {
  (void)state;
  assert_int_equal(make_folder(state), 0);
  put_plain("train/1.ppm", 4, 3, 3, 10);
  put_plain("test/2.ppm", 4, 3, 3, 20);
  bez_table *t = must_open();
  assert_int_equal(t->label, -1);
  bez_table_destroy(t);
  assert_int_equal(remove_folder(state), 0);
}

static void manifests_name_labels(void **state) {
  (void)state;
  assert_int_equal(make_folder(state), 0);
  put_plain("a/x1.pgm", 4, 3, 1, 1);
  put_plain("a/x2.pgm", 4, 3, 1, 2);
  put_plain("b/x3.pgm", 4, 3, 1, 3);
  put_plain("b/x4.pgm", 4, 3, 1, 4);
  const char csv[] = "file_name,size,label\na/x1.pgm,1,hot\n./a/x2.pgm,2,cold\nx3,3,hot\n/etc/passwd,4,cold\n";
  put_text("labels.csv", csv);
  bez_table *t = must_open();
  assert_int_equal(t->n_rows, 4);
  assert_label(t, 0, "hot");
  assert_label(t, 1, "cold");
  assert_label(t, 2, "hot");
  assert_label(t, 3, "");
  assert_null(t->unread);
  const bez_table_remark *gaps = find_remark(t, "manifest-gaps");
  assert_non_null(gaps);
  assert_int_equal(gaps->count, 1);
  assert_int_equal(t->n_files, 5);
  assert_string_equal(t->files[0].format, "manifest");
  assert_int_equal(t->files[0].n_rows, 0);
  bez_table_destroy(t);
  assert_int_equal(remove_folder(state), 0);
}

/* A manifest in each class folder, as traffic sign sets have them. */
static void manifests_beside_their_pictures(void **state) {
  (void)state;
  assert_int_equal(make_folder(state), 0);
  put_plain("00000/1.ppm", 4, 3, 3, 1);
  put_plain("00001/1.ppm", 4, 3, 3, 2);
  put_text("00000/GT.csv", "Filename;Width;ClassId\n1.ppm;4;0\n");
  put_text("00001/GT.csv", "Filename;Width;ClassId\n1.ppm;4;1\n");
  bez_table *t = must_open();
  assert_int_equal(t->n_rows, 2);
  assert_label(t, 0, "0");
  assert_label(t, 1, "1");
  bez_table_destroy(t);
  assert_int_equal(remove_folder(state), 0);
}

static void one_size_for_all(void **state) {
  (void)state;
  assert_int_equal(make_folder(state), 0);
  for (int i = 0; i < 5; i++) {
    char name[32];
    snprintf(name, sizeof name, "g%d.pgm", i);
    put_plain(name, 600, 300, 1, 7);
  }
  put_plain("h.ppm", 20, 40, 3, 9);
  bez_table *t = must_open();
  assert_int_equal(t->images->width, 256);
  assert_int_equal(t->images->height, 128);
  assert_int_equal(t->images->channels, 3);
  for (uint64_t i = 0; i < bez_image_bytes(t->images); i++) assert_int_equal(bez_image(t->images, 0)[i], 7);
  assert_int_equal(bez_image(t->images, 5)[1000], 9);
  assert_int_equal(t->images->facts[5].width, 20);
  assert_int_equal(t->images->facts[0].channels, 1);
  assert_int_equal(t->images->facts[0].resampled, 1);
  const bez_table_remark *size = find_remark(t, "pictures-resampled"), *colour = find_remark(t, "mixed-colours");
  assert_non_null(size);
  assert_int_equal(size->count, 6);
  assert_non_null(colour);
  assert_int_equal(colour->count, 5);
  bez_table_destroy(t);
  assert_int_equal(remove_folder(state), 0);
}

static void broken_files_are_named_and_the_others_read(void **state) {
  (void)state;
  static const char *const bad[] = {"crc.png",       "bomb.png",       "bomb.jpg", "truncated.png",
                                    "truncated.jpg", "truncated.webp", "bomb.pgm"};
  assert_int_equal(make_folder(state), 0);
  put_corpus("good.png", "rgb.png");
  put_corpus("turned.jpg", "turned.jpg");
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) put_corpus(bad[i], bad[i]);
  put_text("notes.txt", "hello\n");
  put_text("page.png", "<html>");
  put("moving.gif", "GIF89a\1\0\1\0", 10);
  for (unsigned threads = 1; threads <= 3; threads += 2) {
    bez_table *t;
    bez_error err;
    assert_int_equal(open_folder("", threads, &t, &err), BEZ_OK);
    assert_int_equal(t->n_rows, 2);
    assert_int_equal(t->images->facts[1].orientation, 6);
    assert_int_equal(t->images->facts[0].orientation, 0);
    assert_int_equal(bez_image(t->images, 0)[3], 30);
    size_t requested = 0, rest = 0;
    for (const bez_table_unread *u = t->unread; u; u = u->next) *(u->requested ? &requested : &rest) += 1;
    assert_int_equal(requested, sizeof bad / sizeof *bad + 2);
    assert_int_equal(rest, 1);
    bez_table_destroy(t);
  }
  bez_table *t;
  bez_error err;
  assert_int_equal(open_folder("/crc.png", 1, &t, &err), BEZ_FORMAT);
  assert_non_null(strstr(err.message, "CRC"));
  assert_int_equal(remove_folder(state), 0);
}

static void a_size_that_is_asked_for(void **state) {
  (void)state;
  assert_int_equal(make_folder(state), 0);
  put_plain("a.pgm", 8, 6, 1, 5);
  put_plain("b.pgm", 8, 6, 1, 6);
  const char *path = folder;
  bez_read_options options = {.threads = 1, .picture_height = 3, .picture_width = 5, .picture_channels = 3};
  bez_table *t = NULL;
  bez_error err = {0};
  assert_int_equal(bez_table_open(&path, 1, &options, &t, &err), BEZ_OK);
  assert_int_equal(t->images->height, 3);
  assert_int_equal(t->images->width, 5);
  assert_int_equal(t->images->channels, 3);
  for (uint64_t i = 0; i < 45; i++) assert_int_equal(bez_image(t->images, 1)[i], 6);
  bez_table_destroy(t);
  assert_int_equal(remove_folder(state), 0);
}

/* A table with a plot beside it stays a table. */
static void other_data_with_a_picture_beside_it(void **state) {
  (void)state;
  assert_int_equal(make_folder(state), 0);
  put_corpus("plot.png", "rgb.png");
  put_text("data.csv", "a,b\n1,x\n2,y\n3,x\n");
  bez_table *t;
  bez_error err;
  assert_int_equal(open_folder("", 1, &t, &err), BEZ_OK);
  assert_null(t->images);
  assert_int_equal(t->n_rows, 3);
  assert_non_null(t->unread);
  assert_true(t->unread->requested);
  assert_non_null(strstr(t->unread->path, "plot.png"));
  bez_table_destroy(t);
  for (int i = 0; i < 4; i++) {
    char name[16];
    snprintf(name, sizeof name, "p%d.png", i);
    put_corpus(name, "rgb.png");
  }
  assert_int_equal(open_folder("", 1, &t, &err), BEZ_OK);
  assert_non_null(t->images);
  assert_true(t->unread && t->unread->requested);
  assert_non_null(strstr(t->unread->path, "data.csv"));
  bez_table_destroy(t);
  assert_int_equal(remove_folder(state), 0);
}

/* ---- the helper itself ---- */

static bez_image_request request_for(uint64_t bytes) {
  return (bez_image_request){
      .magic = BEZ_IMAGE_MAGIC, .op = BEZ_IMAGE_DECODE, .height = 1, .width = 2, .channels = 1, .bytes = bytes};
}

static const uint8_t tiny[] = "P5 2 1 255\n\x05\x06";

static void a_helper_that_dies_is_replaced(void **state) {
  (void)state;
  bez_helper h = {0};
  bez_image_reply reply;
  bez_error err = {0};
  uint8_t pixels[2] = {0, 0};
  bez_image_request q = request_for(13);
  for (int round = 0; round < 3; round++) {
    pixels[1] = 0;
    assert_int_equal(bez_image_helper_ask(&h, &q, tiny, &reply, pixels, &err), BEZ_OK);
    assert_string_equal(reply.why, "");
    assert_int_equal(pixels[0], 5);
    assert_int_equal(pixels[1], 6);
    assert_int_equal(kill(h.child.pid, SIGKILL), 0);
  }
  bez_helper_stop(&h);
}

/* A size that the helper refuses to serve makes it end: the file is given up, the next one is served. */
static void a_file_that_kills_the_helper_is_given_up(void **state) {
  (void)state;
  bez_helper h = {0};
  bez_image_reply reply;
  bez_error err = {0};
  uint8_t pixels[2];
  bez_image_request q = request_for(13), bad = q;
  bad.width = BEZ_MAX_IMAGE_SIDE + 1;
  assert_int_equal(bez_image_helper_ask(&h, &bad, tiny, &reply, pixels, &err), BEZ_OK);
  assert_non_null(strstr(reply.why, "gave up"));
  assert_int_equal(bez_image_helper_ask(&h, &q, tiny, &reply, pixels, &err), BEZ_OK);
  assert_string_equal(reply.why, "");
  bez_helper_stop(&h);
}

/* What the running helper may still do, by the kernel's word. */
static void the_helper_is_locked_in(void **state) {
  (void)state;
  bez_helper h = {0};
  bez_image_reply reply;
  bez_error err = {0};
  bez_buf status = {0};
  uint8_t pixels[2];
  char path[64];
  bez_image_request q = request_for(13);
  assert_int_equal(bez_image_helper_ask(&h, &q, tiny, &reply, pixels, &err), BEZ_OK);
  snprintf(path, sizeof path, "/proc/%d/status", (int)h.child.pid);
  assert_int_equal(bez_file_read(path, 1 << 16, &status, &err), BEZ_OK);
  assert_non_null(strstr(status.data, "NoNewPrivs:\t1"));
  assert_non_null(strstr(status.data, "Seccomp:\t2"));
  assert_non_null(strstr(status.data, "Seccomp_filters:\t2"));
  bez_buf_free(&status);
  bez_helper_stop(&h);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(folders_are_classes),
      cmocka_unit_test(one_folder_is_no_class),
      cmocka_unit_test(manifests_name_labels),
      cmocka_unit_test(manifests_beside_their_pictures),
      cmocka_unit_test(one_size_for_all),
      cmocka_unit_test(broken_files_are_named_and_the_others_read),
      cmocka_unit_test(a_size_that_is_asked_for),
      cmocka_unit_test(other_data_with_a_picture_beside_it),
      cmocka_unit_test(a_helper_that_dies_is_replaced),
      cmocka_unit_test(a_file_that_kills_the_helper_is_given_up),
      cmocka_unit_test(the_helper_is_locked_in),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
