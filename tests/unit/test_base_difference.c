/* BZ-M009 and what it measures: kernels agree to the bit, spectra are those of matrices made for it, edits are found
 * and what is no edit is not. */
#include <math.h>

#include "audit/base_difference.h"
#include "base/cpu.h"
#include "base/rng.h"
#include "test.h"

#define ROWS 48u
#define COLS 80u
#define ITEMS ((size_t)ROWS * COLS)
#define LAYERS 8u

static float base[LAYERS][ITEMS], model[LAYERS][ITEMS];
static char folder[] = "/tmp/bezoar-base-XXXXXX", paths[2][64], names[LAYERS][48];

static void noise(float *x, size_t n, float size, uint64_t stream) {
  bez_rng rng = bez_rng_make(3, stream);
  for (size_t i = 0; i < n; i++) x[i] += size * (float)bez_rng_normal(&rng);
}

static void start(float tuned) {
  memset(base, 0, sizeof base);
  for (uint32_t l = 0; l < LAYERS; l++) noise(base[l], ITEMS, 0.05F, l);
  memcpy(model, base, sizeof base);
  if (tuned > 0)
    for (uint32_t l = 0; l < LAYERS; l++) noise(model[l], ITEMS, tuned, 100 + l);
}

static void rank_one(uint32_t layer, float size) {
  float u[ROWS] = {0}, v[COLS] = {0};
  noise(u, ROWS, 1, 50);
  noise(v, COLS, 1, 51);
  for (uint32_t r = 0; r < ROWS; r++)
    for (uint32_t c = 0; c < COLS; c++) model[layer][r * COLS + c] += size * u[r] * v[c];
}

/* ---- kernels and spectra ---------------------------------------------------------------------------------------- */

static void kernels_agree(void **state) {
  (void)state;
  const uint32_t cpu = bez_cpu_features();
  bez_diff_sums want = {0}, have = {0};
  float a[ITEMS], columns[ITEMS] = {0}, b[ITEMS], more[ITEMS] = {0};
  start(0.01F);
  model[0][7] = NAN;
  for (size_t n = 3800; n < ITEMS; n += 11) {
    memcpy(a, model[0], sizeof a);
    memcpy(b, model[0], sizeof b);
    const double x = bez_diff_row_plain(a, base[0], n, columns, &want);
    const double y = bez_diff_row_choose(cpu)(b, base[0], n, more, &have);
    assert_true(x == y);
    assert_memory_equal(a, b, sizeof a);
    assert_memory_equal(columns, more, sizeof columns);
    assert_memory_equal(&want, &have, sizeof want);
  }
  assert_true(want.odd > 0 && want.changed > 0);
}

/* A matrix of rank three with singular values 3, 2, 1 in some directions. */
static void spectrum_of_low_rank(void **state) {
  (void)state;
  static float d[ITEMS], signs[COLS * BEZ_DIFF_RANK], z[COLS * BEZ_DIFF_RANK], y[ROWS * BEZ_DIFF_RANK],
      product[COLS * BEZ_DENSE_LANES];
  bez_diff_sketch sketch = {.z = z};
  double squares[BEZ_DIFF_RANK];
  memset(d, 0, sizeof d);
  for (uint32_t k = 0; k < 3; k++) /* Hadamard's rows are orthogonal */
    for (uint32_t r = 0; r < 32; r++)
      for (uint32_t c = 0; c < 64; c++) {
        const float u = __builtin_parity(r & (k + 1)) ? -1.F : 1.F, v = __builtin_parity(c & (2 * k + 5)) ? -1.F : 1.F;
        d[r * COLS + c] += (float)(3 - k) * u * v / sqrtf(32 * 64);
      }
  bez_diff_signs(9, COLS, signs);
  for (uint32_t r = 0; r < ROWS; r += 16)
    bez_diff_sketch_rows(&sketch, bez_dense_choose(bez_cpu_features()), d + (size_t)r * COLS, 16, COLS, signs, y,
                         product);
  assert_true(bez_diff_spectrum(&sketch, COLS, squares));
  for (uint32_t k = 0; k < BEZ_DIFF_RANK; k++) {
    const double want = k < 3 ? (3.0 - k) * (3.0 - k) : 0;
    if (fabs(squares[k] - want) > 1e-4) fail_msg("%u: %g, not %g", k, squares[k], want);
  }
}

/* ---- the check -------------------------------------------------------------------------------------------------- */

static void write_floats(const char *path, const void *bytes, size_t len) {
  FILE *out = fopen(path, "wb");
  assert_non_null(out);
  assert_int_equal(fwrite(bytes, 1, len, out), len);
  assert_int_equal(fclose(out), 0);
}

static bez_report *compare(unsigned threads) {
  static bez_model_part part = {.name = "m", .kind = "safetensors", .unread = ""};
  static bez_model_tensor tensors[2][LAYERS];
  bez_model models[2];
  bez_audit_file files[2];
  bez_audit_set sets[2];
  bez_error err = {0};
  for (uint32_t k = 0; k < 2; k++) {
    for (uint32_t l = 0; l < LAYERS; l++)
      tensors[k][l] = (bez_model_tensor){.name = k ? names[l] : names[l] + 6, /* one side without "model." */
                                         .dtype = "F32",
                                         .file = "",
                                         .n_dims = 2,
                                         .shape = {ROWS, COLS},
                                         .at = l * sizeof base[0],
                                         .bytes = sizeof base[0]};
    models[k] = (bez_model){.parts = &part, .n_parts = 1, .tensors = tensors[k], .n_tensors = LAYERS};
    files[k] = (bez_audit_file){.path = paths[k], .name = "m", .sha256 = "", .model = &models[k]};
    sets[k] = (bez_audit_set){.root = paths[k], .files = &files[k], .n = 1};
  }
  write_floats(paths[0], model, sizeof model);
  write_floats(paths[1], base, sizeof base);
  const bez_audit_context context = {.base = &sets[1], .threads = threads};
  const bez_check_input in = {.path = paths[0], .set = &sets[0], .context = &context};
  bez_report *report = bez_report_create("scan");
  assert_non_null(report);
  assert_ok(bez_check_base_difference.run_set(&in, report, &err));
  return report;
}

/* NULL: nothing but the note. */
static void expect(const char *layer, const char *says) {
  for (unsigned threads = 1; threads < 4; threads += 2) {
    bez_report *report = compare(threads);
    const bez_finding *first = report->findings[0];
    assert_int_equal(report->n_findings, says ? 2 : 1);
    if (says && (!strstr(first->title, layer) || !strstr(first->title, says))) fail_msg("%s", first->title);
    assert_int_equal(first->severity, says ? BEZ_SEV_WARNING : BEZ_SEV_NOTE);
    assert_int_equal(report->findings[report->n_findings - 1]->severity, BEZ_SEV_NOTE);
    bez_report_destroy(report);
  }
}

static void what_is_no_edit(void **state) {
  (void)state;
  start(0);
  expect(NULL, NULL); /* the same */
  start(0.002F);
  expect(NULL, NULL); /* fine-tuned */
  start(0);
  for (uint32_t l = LAYERS / 2; l < LAYERS; l++) noise(model[l], ITEMS, 0.01F, 200 + l);
  expect(NULL, NULL); /* the upper half */
  start(0);
  for (uint32_t l = 0; l < LAYERS; l++) rank_one(l, 0.001F * (float)(l + 5));
  expect(NULL, NULL); /* a merged adapter */
  bez_report *report = compare(1);
  assert_non_null(strstr(report->findings[0]->title, "merged adapter of rank 1"));
  bez_report_destroy(report);
}

static void edits_are_found(void **state) {
  (void)state;
  start(0);
  rank_one(3, 0.01F);
  expect("layers.3.", "rank one");
  start(0.002F);
  rank_one(3, 0.02F);
  expect("layers.3.", "one direction");
  start(0);
  noise(model[2] + 5 * (size_t)COLS, COLS, 0.1F, 300);
  expect("layers.2.", "1 of 48 rows differ");
  start(0.0005F);
  noise(model[2] + 5 * (size_t)COLS, COLS, 0.1F, 300);
  expect("layers.2.", "changed");
}

static int make_files(void **state) {
  (void)state;
  if (!mkdtemp(folder)) return -1;
  for (unsigned k = 0; k < 2; k++) snprintf(paths[k], sizeof paths[k], "%s/%u.bin", folder, k);
  for (uint32_t l = 0; l < LAYERS; l++) snprintf(names[l], sizeof names[l], "model.layers.%u.mlp.down_proj.weight", l);
  return 0;
}

static int drop_files(void **state) {
  (void)state;
  return unlink(paths[0]) | unlink(paths[1]) | rmdir(folder);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(kernels_agree),
      cmocka_unit_test(spectrum_of_low_rank),
      cmocka_unit_test(what_is_no_edit),
      cmocka_unit_test(edits_are_found),
  };
  return cmocka_run_group_tests(tests, make_files, drop_files);
}
