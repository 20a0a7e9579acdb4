/* Numbers of tensors: every type against references written out here and against gguf's own (digests that
 * tests/cli/test_dequant.py makes anew), and extents that do not fit. */
#include <fcntl.h>
#include <math.h>
#include <sys/stat.h>

#include "format/weights.h"
#include "math/half.h"
#include "test.h"

static char folder[64], path[96];

static void write_file(const char *name, const void *bytes, size_t len) {
  FILE *out = fopen(name, "wb");
  assert_non_null(out);
  assert_int_equal(fwrite(bytes, 1, len, out), len);
  assert_int_equal(fclose(out), 0);
}

/* ---- blocks ----------------------------------------------------------------------------------------------------- */

#define BLOCKS 64u

/* Bytes that Python makes as well. */
static void fill(uint8_t *bytes, size_t n) {
  uint32_t x = 12345;
  for (size_t i = 0; i < n; i++) {
    x = x * 1664525u + 1013904223u;
    bytes[i] = (uint8_t)(x >> 24);
  }
}

/* FNV-1a over the bits; every NaN is one. */
static uint64_t digest(const float *x, size_t n) {
  uint64_t h = UINT64_C(14695981039346656037);
  for (size_t i = 0; i < n; i++) {
    uint32_t bits = isnan(x[i]) ? 0x7fc00000u : bez_float_bits(x[i]);
    for (unsigned k = 0; k < 4; k++) h = (h ^ (bits >> 8 * k & 255)) * UINT64_C(1099511628211);
  }
  return h;
}

static void blocks_are_those_of_gguf(void **state) {
  (void)state;
  static const struct {
    const char *name;
    uint64_t digest;
  } cases[] = {
#include "dequant_digests.inc"
  };
  static uint8_t bytes[BLOCKS * 292];
  static float x[BLOCKS * 256];
  fill(bytes, sizeof bytes);
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    const bez_number_type *type = bez_number_type_find(cases[i].name);
    assert_non_null(type);
    type->unpack(bytes, BLOCKS, x);
    if (digest(x, (size_t)BLOCKS * type->items) != cases[i].digest)
      fail_msg("%s: 0x%016llx", cases[i].name, (unsigned long long)digest(x, (size_t)BLOCKS * type->items));
  }
}

/* Types that gguf's Python does not unpack: a scale, 8 bits each. */
static void eight_bits(void **state) {
  (void)state;
  uint8_t small[36] = {0, 0x3c}, large[292] = {0};
  float x[256], scale = 0.25f;
  memcpy(large, &scale, sizeof scale);
  for (unsigned j = 0; j < 32; j++) small[4 + j] = (uint8_t)(j * 8);
  for (unsigned j = 0; j < 256; j++) large[4 + j] = (uint8_t)j;
  bez_number_type_find("Q8_1")->unpack(small, 1, x);
  for (unsigned j = 0; j < 32; j++) assert_true(x[j] == (float)(int8_t)(j * 8));
  bez_number_type_find("Q8_K")->unpack(large, 1, x);
  for (unsigned j = 0; j < 256; j++) assert_true(x[j] == 0.25f * (float)(int8_t)j);
}

static float small_float(unsigned bits, int bias, unsigned mantissa) {
  const int exponent = (int)((bits & 0x7f) >> mantissa);
  const double fraction = (double)(bits & ((1u << mantissa) - 1)) / (double)(1u << mantissa);
  const double x = exponent ? ldexp(1 + fraction, exponent - bias) : ldexp(fraction, 1 - bias);
  return (float)(bits & 0x80 ? -x : x);
}

static void floats_of_eight_bits(void **state) {
  (void)state;
  for (unsigned bits = 0; bits < 256; bits++) {
    const uint8_t byte = (uint8_t)bits;
    float x;
    bez_unpack_f8_e4m3(&byte, 1, &x);
    if ((bits & 0x7f) == 0x7f)
      assert_true(isnan(x));
    else
      assert_true(x == small_float(bits, 7, 3));
    bez_unpack_f8_e5m2(&byte, 1, &x);
    if ((bits & 0x7c) == 0x7c)
      assert_true(bits & 3 ? isnan(x) : isinf(x));
    else
      assert_true(x == small_float(bits, 15, 2));
    bez_unpack_f8_e8m0(&byte, 1, &x);
    assert_true(bits == 255 ? isnan(x) : x == (float)ldexp(1, (int)bits - 127));
  }
}

/* ---- files ------------------------------------------------------------------------------------------------------ */

static bez_model_tensor tensor(const char *dtype, uint64_t items, uint64_t at, uint64_t bytes) {
  return (bez_model_tensor){
      .name = "w", .dtype = dtype, .file = "", .n_dims = 1, .shape = {items}, .at = at, .bytes = bytes};
}

static void plain_types(void **state) {
  (void)state;
  struct {
    float f32[3];
    double f64[3];
    int64_t i64[3];
    uint16_t f16[3], bf16[3];
    int8_t i8[4];
  } data = {{1.5f, -2, 3}, {1.5, -2, 3}, {1, -2, 3}, {0x3e00, 0xc000, 0x4200}, {0x3fc0, 0xc000, 0x4040}, {1, -2, 3, 0}};
  bez_model_tensor t[] = {tensor("F32", 3, 0, 12), tensor("F64", 3, 16, 24), tensor("I64", 3, 40, 24),
                          tensor("F16", 3, 64, 6), tensor("BF16", 3, 70, 6), tensor("I8", 3, 76, 3)};
  bez_model m = {.tensors = t, .n_tensors = sizeof t / sizeof *t};
  bez_weights *w = NULL;
  bez_error err = {0};
  write_file(path, &data, sizeof data);
  assert_ok(bez_weights_open(path, &m, &w, &err));
  for (uint32_t i = 0; i < m.n_tensors; i++) {
    float x[3];
    if (bez_weights_unreadable(w, i)) fail_msg("%s: %s", t[i].dtype, bez_weights_unreadable(w, i));
    assert_int_equal(bez_weights_items(w, i), 3);
    assert_ok(bez_weights_read(w, i, 0, 3, x, &err));
    assert_true(fabsf(x[0]) >= 1 && x[1] == -2 && x[2] == 3);
    assert_ok(bez_weights_read(w, i, 1, 2, x, &err));
    assert_true(x[0] == -2 && x[1] == 3);
    assert_int_equal(bez_weights_read(w, i, 2, 2, x, &err), BEZ_USAGE);
    err = (bez_error){0};
  }
  bez_weights_close(w);
}

/* Any stretch of a quantised tensor is that stretch of the whole. */
static void stretches_of_blocks(void **state) {
  (void)state;
  static uint8_t bytes[2000 * 18];
  static float whole[2000 * 32], part[2000 * 32];
  static const size_t from[] = {0, 1, 31, 32, 33, 5000, 63999, 40}, n[] = {64000, 5, 2, 32, 31, 50000, 1, 0};
  bez_model_tensor t = tensor("Q4_0", 64000, 0, sizeof bytes);
  bez_model m = {.tensors = &t, .n_tensors = 1};
  bez_weights *w = NULL;
  bez_error err = {0};
  for (size_t i = 0; i < sizeof bytes; i++) bytes[i] = (uint8_t)(i % 18 == 1 ? 0x2c : i * 7);
  write_file(path, bytes, sizeof bytes);
  assert_ok(bez_weights_open(path, &m, &w, &err));
  bez_unpack_q4_0(bytes, 2000, whole);
  for (size_t i = 0; i < sizeof n / sizeof *n; i++) {
    assert_ok(bez_weights_read(w, 0, from[i], n[i], part, &err));
    assert_memory_equal(part, whole + from[i], n[i] * sizeof *part);
  }
  uint8_t raw[36];
  assert_ok(bez_weights_raw(w, 0, 18, sizeof raw, raw, &err));
  assert_memory_equal(raw, bytes + 18, sizeof raw);
  bez_weights_close(w);
}

static void what_does_not_fit_is_said(void **state) {
  (void)state;
  bez_model_tensor t[] = {
      tensor("F32", 4, 8, 16),      tensor("F32", 4, 0, 12),         tensor("F32", 4, UINT64_MAX, 16),
      tensor("IQ2_XXS", 256, 0, 1), tensor("Q4_0", 16, 0, 9),        tensor("F32", 2, UINT64_MAX - 4, 8),
      tensor("F32", 4, 0, 16),      tensor("F32", UINT64_MAX, 0, 8), tensor("F32", 0, 20, 0)};
  static const char *const says[] = {"beyond the end", "do not fit", "packed",    "not known", "whole number of blocks",
                                     "beyond the end", "in order",   "too large", NULL};
  t[6].strided = true;
  bez_model m = {.tensors = t, .n_tensors = sizeof t / sizeof *t};
  bez_weights *w = NULL;
  bez_error err = {0};
  float x;
  write_file(path, "01234567890123456789", 20);
  assert_ok(bez_weights_open(path, &m, &w, &err));
  for (uint32_t i = 0; i < m.n_tensors; i++) {
    const char *why = bez_weights_unreadable(w, i);
    if (!says[i]) {
      assert_null(why);
      continue;
    }
    if (!why || !strstr(why, says[i])) fail_msg("tensor %u: %s", i, why ? why : "can be read");
    assert_int_equal(bez_weights_read(w, i, 0, 1, &x, &err), BEZ_USAGE);
    err = (bez_error){0};
  }
  bez_weights_close(w);
}

/* External data: below the folder only. */
static void data_of_other_files(void **state) {
  (void)state;
  static const char *const names[] = {"data.bin", "sub/data.bin", "../outside.bin", "link.bin",       "/etc/hostname",
                                      "pipe",     "sub",          "gone.bin",       "sub/../data.bin"};
  char at[160];
  float two[2] = {4, 5}, x[2];
  bez_model_tensor t[9];
  for (unsigned i = 0; i < 9; i++) {
    t[i] = tensor("F32", 2, 0, 8);
    t[i].file = names[i];
  }
  bez_model m = {.tensors = t, .n_tensors = 9};
  bez_weights *w = NULL;
  bez_error err = {0};
  write_file(path, "model", 5);
  snprintf(at, sizeof at, "%s/data.bin", folder), write_file(at, two, sizeof two);
  snprintf(at, sizeof at, "%s/../outside.bin", folder), write_file(at, two, sizeof two);
  snprintf(at, sizeof at, "%s/sub", folder), assert_int_equal(mkdir(at, 0700), 0);
  snprintf(at, sizeof at, "%s/sub/data.bin", folder), write_file(at, two, sizeof two);
  snprintf(at, sizeof at, "%s/link.bin", folder), assert_int_equal(symlink("../outside.bin", at), 0);
  snprintf(at, sizeof at, "%s/pipe", folder), assert_int_equal(mkfifo(at, 0600), 0);
  assert_ok(bez_weights_open(path, &m, &w, &err));
  for (unsigned i = 0; i < 9; i++) {
    const bool good = i < 2 || i == 8;
    if (good != !bez_weights_unreadable(w, i)) fail_msg("%s", names[i]);
    if (!good) continue;
    assert_ok(bez_weights_read(w, i, 0, 2, x, &err));
    assert_memory_equal(x, two, sizeof two);
  }
  bez_weights_close(w);
}

static int make_folder(void **state) {
  (void)state;
  char top[] = "/tmp/bezoar-weights-XXXXXX";
  if (!mkdtemp(top)) return -1;
  snprintf(folder, sizeof folder, "%s/model", top);
  snprintf(path, sizeof path, "%s/model.bin", folder);
  return mkdir(folder, 0700);
}

static int drop_folder(void **state) {
  (void)state;
  char line[128];
  *strrchr(folder, '/') = '\0';
  snprintf(line, sizeof line, "rm -rf '%s'", folder);
  return system(line);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(blocks_are_those_of_gguf), cmocka_unit_test(eight_bits),
      cmocka_unit_test(floats_of_eight_bits),     cmocka_unit_test(plain_types),
      cmocka_unit_test(stretches_of_blocks),      cmocka_unit_test(what_does_not_fit_is_said),
      cmocka_unit_test(data_of_other_files),
  };
  return cmocka_run_group_tests(tests, make_folder, drop_folder);
}
