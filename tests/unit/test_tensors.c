/* Files of tensors: what is written comes back, and what breaks a rule is refused by name. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bezoar/tensor.h"
#include "test.h"

static char path[64];

static void write_bytes(const void *bytes, size_t len) {
  FILE *out = fopen(path, "wb");
  assert_non_null(out);
  assert_int_equal(fwrite(bytes, 1, len, out), len);
  assert_int_equal(fclose(out), 0);
}

/* A header of safetensors and so many bytes of data. */
static bez_status open_header(const char *json, size_t data, bez_tensors **out, bez_error *err) {
  unsigned char bytes[1024] = {0};
  size_t len = strlen(json);
  bytes[0] = (unsigned char)len;
  bytes[1] = (unsigned char)(len >> 8);
  memcpy(bytes + 8, json, len);
  *err = (bez_error){0};
  write_bytes(bytes, 8 + len + data);
  return bez_tensors_open(path, out, err);
}

static void there_and_back(void **state) {
  (void)state;
  static const uint64_t shape[] = {2, 3};
  float w[6] = {1, 2, 3, 4, 5, 6};
  int64_t step = 7;
  bez_layer layers[] = {{.name = "w \"quoted\" ü", .dtype = BEZ_DTYPE_F32, .n_dims = 2, .shape = shape, .data = w},
                        {.name = "step", .dtype = BEZ_DTYPE_I64, .data = &step}};
  bez_tensors *t = NULL;
  bez_error err = {0};
  assert_int_equal(bez_tensors_write(path, layers, 2, &err), BEZ_OK);
  assert_int_equal(bez_tensors_open(path, &t, &err), BEZ_OK);
  assert_int_equal(bez_tensors_count(t), 2);
  for (uint32_t l = 0; l < 2; l++) {
    const bez_layer *have = &bez_tensors_layers(t)[l], *want = strcmp(have->name, "step") ? &layers[0] : &layers[1];
    assert_string_equal(have->name, want->name);
    assert_int_equal(have->dtype, want->dtype);
    assert_int_equal(have->n_dims, want->n_dims);
    assert_memory_equal(have->data, want->data, want == layers ? sizeof w : sizeof step);
  }
  bez_tensors_close(t);
}

static void broken_files_are_named(void **state) {
  (void)state;
  static const struct {
    const char *json;
    size_t data;
    const char *says;
  } cases[] = {
      {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}", 4, "lies beyond the end of the file"},
      {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,4]}}", 4, "do not fit its shape"},
      {"{\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[1,2]}}", 2, "leaves a gap"},
      {"{\"a\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[0,2]},\"b\":{\"dtype\":\"U8\",\"shape\":[2],\"data_"
       "offsets\":[1,3]}}",
       3, "overlaps"},
      {"{\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]}}", 3, "behind the last tensor"},
      {"{\"a\":{\"dtype\":\"F8_E4M3\",\"shape\":[1],\"data_offsets\":[0,1]}}", 1, "F8_E4M3"},
      {"{\"a\":{\"dtype\":\"U8\",\"shape\":[-1],\"data_offsets\":[0,1]}}", 1, "no whole number"},
      {"{\"a\":{\"dtype\":\"U8\",\"shape\":[1099511627776,1099511627776],\"data_offsets\":[0,1]}}", 1, "do not fit"},
      {"{\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]},\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_"
       "offsets\":[0,1]}}",
       1, "uplicate"},
      {"{\"a\":{\"shape\":[1],\"data_offsets\":[0,1]}}", 1, "has no dtype"},
      {"{\"a\":1}", 1, "has no dtype"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    bez_tensors *t = NULL;
    bez_error err;
    assert_int_not_equal(open_header(cases[i].json, cases[i].data, &t, &err), BEZ_OK);
    if (!strstr(err.message, cases[i].says)) fail_msg("case %zu says: %s", i, err.message);
    assert_string_equal(err.subject, path);
    assert_null(t);
  }
}

static void other_files_are_refused(void **state) {
  (void)state;
  bez_tensors *t = NULL;
  bez_error err = {0};
  write_bytes("", 0);
  assert_int_equal(bez_tensors_open(path, &t, &err), BEZ_FORMAT);
  err = (bez_error){0};
  write_bytes("hello, this is text", 19);
  assert_int_equal(bez_tensors_open(path, &t, &err), BEZ_FORMAT);
  err = (bez_error){0};
  write_bytes("\xff\xff\xff\xff\xff\xff\xff\x7f{}", 10);
  assert_int_equal(bez_tensors_open(path, &t, &err), BEZ_FORMAT);
  err = (bez_error){0};
  unlink(path);
  assert_int_equal(bez_tensors_open(path, &t, &err), BEZ_IO);
}

/* A header that is no multiple of eight leaves floats unaligned. */
static void unaligned_tensors_are_copied(void **state) {
  (void)state;
  bez_tensors *t = NULL;
  bez_error err;
  assert_int_equal(open_header("{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}} ", 8, &t, &err),
                   BEZ_OK);
  assert_int_equal((uintptr_t)bez_tensors_layers(t)[0].data % sizeof(float), 0);
  bez_tensors_close(t);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(there_and_back), cmocka_unit_test(broken_files_are_named),
                                     cmocka_unit_test(other_files_are_refused),
                                     cmocka_unit_test(unaligned_tensors_are_copied)};
  snprintf(path, sizeof path, "test_tensors.%d", (int)getpid());
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  unlink(path);
  return failed;
}
