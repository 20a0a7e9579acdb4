/* tar archives and the samples in them; the archives are the fuzzer's corpus. */
#include "reader_help.h"

#include "base/buf.h"
#include "base/file.h"
#include "format/images.h"
#include "format/samples.h"

static bez_status open_corpus(const char *name, bez_table **t, bez_error *err) {
  char path[256];
  const char *list = path;
  bez_read_options options = {.threads = 2};
  snprintf(path, sizeof path, "fuzz/corpus/webdataset/%s", name);
  *t = NULL;
  memset(err, 0, sizeof *err);
  return bez_table_open(&list, 1, &options, t, err);
}

static bez_table *must(const char *name) {
  bez_table *t;
  bez_error err;
  if (open_corpus(name, &t, &err) != BEZ_OK) fail_msg("%s: %s", name, err.message);
  assert_non_null(t->images);
  assert_non_null(t->images->facts);
  return t;
}

static void samples_become_rows(void **state) {
  (void)state;
  static const char *const names[] = {"ustar", "base256", "open", "tail"};
  const uint8_t pixels[] = {1, 2, 3, 4};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    bez_table *t = must(names[i]);
    assert_int_equal(t->n_rows, 3);
    assert_int_equal(t->n_files, 1);
    assert_string_equal(t->files[0].format, "webdataset");
    assert_int_equal(t->images->width, 2);
    assert_memory_equal(bez_image(t->images, 2), pixels, 4);
    assert_cell(t, (uint32_t)t->label, 0, "0");
    assert_cell(t, (uint32_t)t->label, 1, "1");
    assert_int_equal(find_remark(t, "open-end") != NULL, i == 2);
    assert_int_equal(find_remark(t, "trailing-bytes") != NULL, i == 3);
    bez_table_destroy(t);
  }
}

static void labels_from_json_and_from_folders(void **state) {
  (void)state;
  bez_table *t = must("json");
  assert_int_equal(t->n_rows, 3);
  assert_cell(t, (uint32_t)t->label, 0, "cat");
  assert_cell(t, (uint32_t)t->label, 1, "7");
  assert_cell(t, (uint32_t)t->label, 2, ""); /* its key stands twice: no label rather than either */
  bez_table_destroy(t);
  t = must("folders");
  assert_cell(t, (uint32_t)t->label, 0, "cat");
  assert_cell(t, (uint32_t)t->label, 1, "dog");
  bez_table_destroy(t);
}

static void long_names_of_every_kind(void **state) {
  (void)state;
  static const char *const names[] = {"gnu", "pax"};
  for (int i = 0; i < 2; i++) {
    bez_table *t = must(names[i]);
    assert_int_equal(t->n_rows, 1);
    assert_true(t->label >= 0);
    assert_cell(t, (uint32_t)t->label, 0, "1");
    assert_null(t->remarks);
    bez_table_destroy(t);
  }
}

static void what_is_odd_is_remarked(void **state) {
  (void)state;
  bez_table *t = must("odd");
  assert_int_equal(t->n_rows, 4);
  const bez_table_remark *twice = find_remark(t, "duplicate-member"), *unsafe = find_remark(t, "unsafe-member");
  const bez_table_remark *sample = find_remark(t, "odd-sample");
  assert_true(twice && unsafe && sample);
  assert_int_equal(twice->count, 2);  /* the member and its sample */
  assert_int_equal(unsafe->count, 3); /* .., /, the link */
  assert_int_equal(sample->count, 2); /* two pictures; none */
  bez_table_destroy(t);
}

static void lies_are_errors(void **state) {
  (void)state;
  const struct {
    const char *name, *say;
  } cases[] = {{"cut", "cut off"}, {"sum", "checksum"}, {"huge", "behind the end"}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    bez_table *t;
    bez_error err;
    assert_int_equal(open_corpus(cases[i].name, &t, &err), BEZ_FORMAT);
    assert_true(err.offset >= 0);
    if (!strstr(err.message, cases[i].say)) fail_msg("%s: %s", cases[i].name, err.message);
  }
}

static void names_that_lead_elsewhere(void **state) {
  (void)state;
  static const char *const unsafe[] = {"", "/a", "..", "../a", "a/../b", "a/..", "a\nb", "a\\b", "\x7f"};
  static const char *const safe[] = {"a", "a/b.c", "..a", "a..", "a/..b", "a/b../c", "\xC3\xA4"};
  for (size_t i = 0; i < sizeof unsafe / sizeof *unsafe; i++) assert_true(bez_tar_unsafe(unsafe[i]));
  for (size_t i = 0; i < sizeof safe / sizeof *safe; i++) assert_false(bez_tar_unsafe(safe[i]));
}

/* ".pgm" belongs to no sample: it is remarked, and takes nothing from its neighbours. */
static void names_without_a_sample(void **state) {
  (void)state;
  bez_buf b = {0};
  bez_error err = {0};
  bez_table *t;
  assert_int_equal(bez_file_read("fuzz/corpus/webdataset/ustar", 1 << 20, &b, &err), BEZ_OK);
  memmove(b.data, b.data + 3, 97); /* "000.pgm" → ".pgm" */
  unsigned sum = 0;
  memset(b.data + 148, ' ', 8);
  for (int i = 0; i < 512; i++) sum += (unsigned char)b.data[i];
  snprintf(b.data + 148, 8, "%06o", sum);
  assert_int_equal(open_bytes("tar", b.data, b.len, 1, NULL, 0, &t, &err), BEZ_OK);
  assert_int_equal(t->n_rows, 2);
  const bez_table_remark *r = find_remark(t, "odd-sample");
  assert_non_null(r);
  assert_int_equal(r->count, 2); /* the name, and the label that is left without a picture */
  bez_table_destroy(t);
  bez_buf_free(&b);
}

/* A broken picture inside is named with its archive; the samples around it are read. */
static void broken_members_are_named(void **state) {
  (void)state;
  bez_buf b = {0};
  bez_error err = {0};
  bez_table *t;
  assert_int_equal(bez_file_read("fuzz/corpus/webdataset/ustar", 1 << 20, &b, &err), BEZ_OK);
  char *second = b.data + 2048 + 512; /* header, data, header, data: the second picture */
  assert_memory_equal(second, "P5 2 2", 6);
  second[3] = '9';
  assert_int_equal(open_bytes("tar", b.data, b.len, 2, NULL, 0, &t, &err), BEZ_OK);
  assert_int_equal(t->n_rows, 2);
  assert_cell(t, (uint32_t)t->label, 1, "0");
  assert_true(t->unread && t->unread->requested);
  assert_non_null(strstr(t->unread->path, ".tar:001.pgm"));
  bez_table_destroy(t);
  bez_buf_free(&b);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(samples_become_rows),      cmocka_unit_test(labels_from_json_and_from_folders),
      cmocka_unit_test(long_names_of_every_kind), cmocka_unit_test(what_is_odd_is_remarked),
      cmocka_unit_test(lies_are_errors),          cmocka_unit_test(names_that_lead_elsewhere),
      cmocka_unit_test(names_without_a_sample),   cmocka_unit_test(broken_members_are_named),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
