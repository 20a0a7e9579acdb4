/* Walks the table of model checks: each goes through the same trials, whatever it looks for.
 *
 *   trials     nothing at all, files that could not be read, every kind of fact with hostile texts, tensors that lie
 *              about their extents, a model compared with itself
 *   sameness   the same report for one thread and many
 *   memory     each allocation fails in turn: no crash, and BEZ_MEMORY or a whole report */
#include "test.h"

#include "audit/audit.h"
#include "base/buf.h"
#include "bezoar/report.h"
#include "bezoar/tensor.h"
#include "failing_allocations.h"

enum { ROWS = 24, COLUMNS = 16, LAYERS = 12 };

typedef struct scene {
  char folder[64], weights[96], bank[96];
  bez_model models[3];
  bez_audit_file files[5];
  bez_audit_set set, none;
  bez_audit_context context;
} scene;

/* ---- a folder with a model, its configuration, a hostile file, a link and a file that nobody could read ---------- */

static void write_weights(const char *path) {
  static float numbers[LAYERS][ROWS * COLUMNS];
  static char names[LAYERS][64];
  static const uint64_t shape[] = {ROWS, COLUMNS};
  bez_layer layers[LAYERS] = {0};
  bez_error err = {0};
  uint64_t x = 1;
  for (unsigned l = 0; l < LAYERS; l++) {
    for (size_t i = 0; i < sizeof *numbers / sizeof **numbers; i++) {
      x = x * 6364136223846793005ull + 1442695040888963407ull;
      numbers[l][i] = (float)(int32_t)(x >> 32) / 2147483648.0F;
    }
    snprintf(names[l], sizeof names[l], "base_model.model.layers.%u.q_proj.lora_%c.weight", l / 2, l % 2 ? 'B' : 'A');
    layers[l] = (bez_layer){.name = names[l], .dtype = BEZ_DTYPE_F32, .n_dims = 2, .shape = shape, .data = numbers[l]};
  }
  assert_ok(bez_tensors_write(path, layers, LAYERS, &err));
}

static void describe_weights(bez_model *m, uint64_t size) {
  static bez_model_part part;
  static bez_model_tensor tensors[LAYERS + 4];
  static char names[LAYERS][64];
  const uint64_t bytes = ROWS * COLUMNS * sizeof(float), first = size - LAYERS * bytes;
  part = (bez_model_part){.name = "adapter_model.safetensors", .kind = "safetensors", .size = size, .unread = ""};
  for (unsigned l = 0; l < LAYERS; l++) {
    snprintf(names[l], sizeof names[l], "base_model.model.layers.%u.q_proj.lora_%c.weight", l / 2, l % 2 ? 'B' : 'A');
    tensors[l] = (bez_model_tensor){.name = names[l],
                                    .dtype = "F32",
                                    .file = "",
                                    .n_dims = 2,
                                    .shape = {ROWS, COLUMNS},
                                    .at = first + l * bytes,
                                    .bytes = bytes};
  }
  tensors[LAYERS] = (bez_model_tensor){
      .name = "", .dtype = "F32", .file = "", .n_dims = 2, .shape = {UINT64_MAX, 8}, .at = 0, .bytes = 64};
  tensors[LAYERS + 1] = (bez_model_tensor){
      .name = "fc.weight", .dtype = "no such type", .file = "", .n_dims = 1, .shape = {16}, .at = 8, .bytes = 16};
  tensors[LAYERS + 2] = (bez_model_tensor){
      .name = "far.weight", .dtype = "F64", .file = "", .n_dims = 1, .shape = {2}, .at = UINT64_MAX - 8, .bytes = 16};
  tensors[LAYERS + 3] = (bez_model_tensor){.name = "out.weight",
                                           .dtype = "F32",
                                           .file = "../../../../etc/passwd",
                                           .n_dims = 2,
                                           .shape = {16, 1},
                                           .bytes = 64};
  *m = (bez_model){.parts = &part, .n_parts = 1, .tensors = tensors, .n_tensors = LAYERS + 4};
}

/* Every kind of fact, with texts that want to be formats, terminals and very long. */
static void describe_hostile(bez_model *m) {
  static bez_model_part parts[2];
  static bez_model_fact facts[64];
  static char endless[60000];
  static const char *const texts[] = {"", "%s%n%s%n", "\x1b[2J", "'; DROP TABLE models; --", endless};
  static const char *const names[] = {"", "chat_template", "lora.alpha", "weight_map", "outside-path", "no such kind"};
  uint32_t n = 0;
  memset(endless, 'x', sizeof endless - 1);
  parts[0] = (bez_model_part){.name = "m.pkl", .kind = "pickle", .size = 9, .unread = ""};
  parts[1] = (bez_model_part){.name = "%s%n", .kind = "", .size = 1, .at = 4, .unread = "for a reason"};
  for (unsigned what = 0; what < BEZ_MODEL_WHATS; what++)
    for (unsigned i = 0; i < sizeof names / sizeof *names && n < 64; i++, n++)
      facts[n] = (bez_model_fact){.part = n % 2,
                                  .what = (bez_model_what)what,
                                  .at = n ? UINT64_MAX : 0,
                                  .count = 1,
                                  .opcode = "",
                                  .module = texts[(n + 1) % 5],
                                  .name = names[i],
                                  .text = texts[n % 5]};
  *m = (bez_model){.parts = parts, .n_parts = 2, .facts = facts, .n_facts = n};
}

static void describe_config(bez_model *m) {
  static bez_model_part part = {.name = "adapter_config.json", .kind = "config", .size = 9, .unread = ""};
  static bez_model_fact facts[] = {
      {.what = BEZ_MODEL_ABOUT, .opcode = "", .module = "", .name = "lora.alpha", .text = "not a number"},
      {.what = BEZ_MODEL_ABOUT, .opcode = "", .module = "", .name = "lora.r", .text = "1e999"},
      {.what = BEZ_MODEL_ABOUT, .opcode = "", .module = "", .name = "lora.alpha_pattern", .text = "{\"a\": [[["}};
  *m = (bez_model){.parts = &part, .n_parts = 1, .facts = facts, .n_facts = 3};
}

static const char digits[] = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";

static void set_scene(scene *s) {
  memset(s, 0, sizeof *s);
  snprintf(s->folder, sizeof s->folder, "/tmp/bez-checks-XXXXXX");
  assert_non_null(mkdtemp(s->folder));
  snprintf(s->weights, sizeof s->weights, "%s/adapter_model.safetensors", s->folder);
  snprintf(s->bank, sizeof s->bank, "%s/bank", s->folder);
  write_weights(s->weights);
  FILE *f = fopen(s->weights, "rb");
  assert_non_null(f);
  assert_int_equal(fseek(f, 0, SEEK_END), 0);
  describe_weights(&s->models[0], (uint64_t)ftell(f));
  (void)fclose(f);
  describe_hostile(&s->models[1]);
  describe_config(&s->models[2]);
  s->files[0] = (bez_audit_file){
      .path = "nowhere/adapter_config.json", .name = "adapter_config.json", .sha256 = "", .listed = true};
  s->files[0].model = &s->models[2];
  s->files[1] = (bez_audit_file){.path = s->weights, .name = "adapter_model.safetensors", .sha256 = digits};
  s->files[1].model = &s->models[0];
  s->files[2] = (bez_audit_file){.path = "nowhere/link.bin", .name = "link.bin", .sha256 = "", .link = "/etc/passwd"};
  s->files[3] = (bez_audit_file){.path = "nowhere/m.pkl", .name = "m.pkl", .sha256 = ""};
  s->files[3].model = &s->models[1];
  s->files[4] = (bez_audit_file){.path = "nowhere/unread.h5", .name = "unread.h5", .sha256 = digits, .size = 77};
  s->set = (bez_audit_set){.root = s->folder, .files = s->files, .n = 5};
  s->none = (bez_audit_set){.root = "nowhere", .files = s->files, .n = 0};
  s->context = (bez_audit_context){.base = &s->set, .threads = 1};
}

static void strike_scene(scene *s) {
  unlink(s->weights);
  unlink(s->bank);
  rmdir(s->folder);
}

static bez_status run(const bez_check *check, const bez_audit_set *set, const bez_audit_context *context,
                      bez_report *report, bez_error *err) {
  const bez_check_input whole = {.path = set->root, .set = set, .context = context};
  bez_status st = BEZ_OK;
  for (size_t i = 0; check->run && st == BEZ_OK && i < set->n; i++) {
    const bez_check_input in = bez_audit_of(&whole, &set->files[i]);
    if (in.model) st = check->run(&in, report, err);
  }
  if (st == BEZ_OK && check->run_set) st = check->run_set(&whole, report, err);
  return st;
}

/* What the check would need and this context has not: then a scan would not run it. */
static bool runs(const bez_check *check, const bez_audit_context *context) {
  return (!(check->needs & BEZ_CHECK_BASE) || context->base) && (!(check->needs & BEZ_CHECK_BANK) || context->bank) &&
         (!(check->needs & BEZ_CHECK_KNOWN) || context->known);
}

/* ---- trials ------------------------------------------------------------------------------------------------------ */

static void test_trials(void **state) {
  (void)state;
  scene s;
  set_scene(&s);
  for (size_t i = 0; bez_checks[i]; i++) {
    const bez_check *check = bez_checks[i];
    assert_true(check->run || check->run_set);
    if (!runs(check, &s.context)) continue;
    const bez_audit_set *const sets[] = {&s.none, &s.set};
    for (size_t k = 0; k < 2; k++) {
      bez_error err = {0};
      bez_report *r = bez_report_create("scan");
      assert_non_null(r);
      bez_status st = run(check, sets[k], &s.context, r, &err);
      if (st != BEZ_OK) fail_msg("%s: %s (%s)", check->rule.id, err.message, bez_status_text(st));
      if (k == 0 && r->n_findings) fail_msg("%s finds something where there is nothing", check->rule.id);
      bez_report_destroy(r);
    }
  }
  strike_scene(&s);
}

static char *report_of(const bez_check *check, const scene *s, unsigned threads) {
  bez_error err = {0};
  bez_audit_context context = s->context;
  bez_write_options w = {.without_run = true};
  char *text = NULL;
  size_t len;
  bez_report *r = bez_report_create("scan");
  assert_non_null(r);
  context.threads = threads;
  assert_ok(run(check, &s->set, &context, r, &err));
  bez_report_seal(r);
  assert_ok(bez_report_render(r, "json", &w, &text, &len, &err));
  bez_report_destroy(r);
  return text;
}

static void test_same_report_for_any_number_of_threads(void **state) {
  (void)state;
  scene s;
  set_scene(&s);
  for (size_t i = 0; bez_checks[i]; i++) {
    if (!runs(bez_checks[i], &s.context)) continue;
    char *one = report_of(bez_checks[i], &s, 1), *many = report_of(bez_checks[i], &s, 5);
    if (strcmp(one, many) != 0) fail_msg("%s: threads change the report", bez_checks[i]->rule.id);
    bez_free(one);
    bez_free(many);
  }
  strike_scene(&s);
}

static void test_failing_allocations(void **state) {
  (void)state;
  scene s;
  set_scene(&s);
  for (size_t i = 0; bez_checks[i]; i++) {
    if (!runs(bez_checks[i], &s.context)) continue;
    for (long k = 0; k < 20000; k += k < 100 ? 1 : 1 + k / 10) {
      bez_error err = {0};
      bez_report *r = bez_report_create("scan");
      assert_non_null(r);
      atomic_store(&until_failure, k);
      bez_status st = run(bez_checks[i], &s.set, &s.context, r, &err);
      const bool reached = atomic_load(&until_failure) < 0;
      atomic_store(&until_failure, -1);
      if (st != BEZ_OK && st != BEZ_MEMORY)
        fail_msg("%s, allocation %ld: %s", bez_checks[i]->rule.id, k, bez_status_text(st));
      bez_report_destroy(r);
      if (!reached) break;
    }
  }
  strike_scene(&s);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_trials),
      cmocka_unit_test(test_same_report_for_any_number_of_threads),
      cmocka_unit_test(test_failing_allocations),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
