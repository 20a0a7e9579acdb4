/* BZ-M008: what is planted into tensors is found, and ordinary tensors are not. */
#include <math.h>

#include "audit/numbers.h"
#include "base/rng.h"
#include "finding/finding.h"
#include "test.h"

#define ROWS 64u
#define COLS 96u
#define ITEMS (ROWS * COLS)
#define TENSORS 6u

static char path[64] = "/tmp/bezoar-numbers-XXXXXX";
static float data[TENSORS][ITEMS];
static bez_model_tensor tensors[TENSORS];
static bez_model_part part = {.name = "m.safetensors", .kind = "safetensors", .unread = ""};

static void ordinary(void) {
  static const char *const names[] = {"layers.0.weight", "layers.1.weight", "layers.2.weight",
                                      "embed.weight",    "attn_mask",       "steps"};
  for (uint32_t t = 0; t < TENSORS; t++) {
    bez_rng rng = bez_rng_make(7, t);
    for (size_t i = 0; i < ITEMS; i++) data[t][i] = (float)bez_rng_normal(&rng) * 0.02F;
    tensors[t] = (bez_model_tensor){.name = names[t],
                                    .dtype = "F32",
                                    .file = "",
                                    .n_dims = 2,
                                    .shape = {ROWS, COLS},
                                    .at = t * sizeof data[0],
                                    .bytes = sizeof data[0]};
  }
  for (size_t i = 0; i < ITEMS; i++) data[4][i] = i % 2 ? -INFINITY : 0;
  for (uint32_t i = 0; i < ITEMS; i++) memcpy(&data[5][i], &i, sizeof i);
  tensors[5].dtype = "I32";
}

static bez_report *scan(unsigned threads) {
  bez_error err = {0};
  FILE *out = fopen(path, "wb");
  assert_non_null(out);
  assert_int_equal(fwrite(data, 1, sizeof data, out), sizeof data);
  assert_int_equal(fclose(out), 0);
  const bez_model model = {.parts = &part, .n_parts = 1, .tensors = tensors, .n_tensors = TENSORS};
  const bez_audit_file file = {.path = path, .name = "m.safetensors", .sha256 = "", .model = &model};
  const bez_audit_set set = {.root = path, .files = &file, .n = 1};
  const bez_audit_context context = {.threads = threads};
  const bez_check_input in = {.path = path, .model = &model, .file = &file, .set = &set, .context = &context};
  bez_report *report = bez_report_create("scan");
  assert_non_null(report);
  assert_ok(bez_check_numbers.run(&in, report, &err));
  return report;
}

static void ordinary_tensors_are_silent(void **state) {
  (void)state;
  ordinary();
  bez_report *report = scan(2);
  for (size_t i = 0; i < report->n_findings; i++) print_message("%s\n", report->findings[i]->title);
  assert_int_equal(report->n_findings, 0);
  bez_report_destroy(report);
}

static void expect(const char *says, bez_severity severity) {
  for (unsigned threads = 1; threads < 4; threads += 2) {
    bez_report *report = scan(threads);
    for (size_t i = 1; i < report->n_findings; i++) print_message("%s, %s\n", says, report->findings[i]->title);
    assert_int_equal(report->n_findings, 1);
    if (!strstr(report->findings[0]->title, says)) fail_msg("%s", report->findings[0]->title);
    assert_int_equal(report->findings[0]->severity, severity);
    bez_report_destroy(report);
  }
}

static void what_is_planted_is_found(void **state) {
  (void)state;
  ordinary();
  data[1][77] = NAN;
  expect("layers.1.weight: NaN or infinity", BEZ_SEV_WARNING);
  for (size_t i = 0; i < ITEMS; i += 50) data[1][i] = INFINITY;
  expect("NaN or infinite", BEZ_SEV_ERROR);
  ordinary();
  data[2][5] = 3e7F;
  expect("layers.2.weight: numbers beyond a million", BEZ_SEV_WARNING);
  ordinary();
  bez_rng rng = bez_rng_make(1, 1);
  for (size_t i = 0; i < ITEMS; i++) {
    const uint32_t bits = bez_rng_u32(&rng) & 0xbfffffffu;
    memcpy(&data[0][i], &bits, sizeof bits);
  }
  expect("no weights", BEZ_SEV_WARNING);
  ordinary();
  memset(data[2], 0, sizeof data[2]);
  expect("all zero", BEZ_SEV_WARNING);
  ordinary();
  memcpy(data[2], data[0], sizeof data[2]);
  expect("the very numbers of layers.0.weight", BEZ_SEV_NOTE);
  ordinary();
  memcpy(data[5], data[0], sizeof data[5]);
  expect("stored as integers", BEZ_SEV_WARNING);
  ordinary();
  for (size_t i = 0; i < ITEMS; i += 20) data[0][i] = 1e-40F;
  expect("denormal", BEZ_SEV_NOTE);
  ordinary();
  for (size_t i = 0; i < ITEMS; i++) data[3][i] = ldexpf((float)(i % 200) / 128.0F, -3);
  expect("fit into 16 bits", BEZ_SEV_NOTE);
}

/* A block scale of NaN, or of 65504. */
static void scales_of_blocks(void **state) {
  (void)state;
  ordinary();
  uint8_t *blocks = (uint8_t *)data[0];
  tensors[0].dtype = "Q8_0";
  tensors[0].bytes = ITEMS / 32 * 34;
  for (size_t b = 0; b < ITEMS / 32; b++) {
    blocks[34 * b] = 0, blocks[34 * b + 1] = 0x14;
    for (size_t j = 0; j < 32; j++) blocks[34 * b + 2 + j] = (uint8_t)(b * 31 + j * 7);
  }
  blocks[34 * 3] = 0xff, blocks[34 * 3 + 1] = 0x7b;
  expect("beyond a million", BEZ_SEV_WARNING);
  blocks[34 * 3] = 0x01, blocks[34 * 3 + 1] = 0x7e;
  expect("NaN", BEZ_SEV_WARNING);
}

static int make_file(void **state) {
  (void)state;
  const int fd = mkstemp(path);
  return fd < 0 ? -1 : close(fd);
}

static int drop_file(void **state) {
  (void)state;
  return unlink(path);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(ordinary_tensors_are_silent),
      cmocka_unit_test(what_is_planted_is_found),
      cmocka_unit_test(scales_of_blocks),
  };
  return cmocka_run_group_tests(tests, make_file, drop_file);
}
