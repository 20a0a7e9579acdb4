/* Models of very many layers: found by name whatever their order, at a cost that does not grow with the square. */
#include "base/rng.h"
#include "bezoar/aggregate.h"
#include "test.h"

enum { LAYERS = 20000, CLIENTS = 5, NAME = 24 };

typedef struct model {
  bez_layer *layer;
  float *value; /* of layer "layer.K": K + client */
  char (*name)[NAME];
} model;

static const uint64_t one[] = {1};

static bez_update make_client(model *m, uint32_t client, uint32_t n) {
  static const char *const names[CLIENTS] = {"a", "b", "c", "d", "e"};
  bez_rng rng = bez_rng_make(7, client);
  uint64_t *order = calloc(n, sizeof *order);
  m->layer = calloc(n, sizeof *m->layer);
  m->value = calloc(n, sizeof *m->value);
  m->name = calloc(n, sizeof *m->name);
  assert_true(order && m->layer && m->value && m->name);
  for (uint32_t l = 0; l < n; l++) order[l] = l;
  if (client) bez_rng_shuffle(&rng, order, n); /* the first in order, the others each in one of their own */
  for (uint32_t l = 0; l < n; l++) {
    snprintf(m->name[l], NAME, "layer.%u", (unsigned)order[l]);
    m->value[l] = (float)(order[l] + client);
    m->layer[l] = (bez_layer){.name = m->name[l], .n_dims = 1, .shape = one, .data = &m->value[l]};
  }
  free(order);
  return (bez_update){.client = names[client], .n_layers = n, .layers = m->layer};
}

static void free_client(model *m) {
  free(m->layer);
  free(m->value);
  free(m->name);
}

static void **make_out(float *values, uint32_t n) {
  void **out = calloc(n, sizeof *out);
  assert_non_null(out);
  for (uint32_t l = 0; l < n; l++) out[l] = &values[l];
  return out;
}

/* The square of this many layers would take longer than the test is allowed to. */
static void every_client_in_an_order_of_its_own(void **state) {
  (void)state;
  model m[CLIENTS];
  bez_update updates[CLIENTS];
  float *values = calloc(LAYERS, sizeof *values);
  assert_non_null(values);
  void **out = make_out(values, LAYERS);
  bez_error err = {0};
  bez_aggregate_state *memory = bez_aggregate_state_create();
  for (uint32_t i = 0; i < CLIENTS; i++) updates[i] = make_client(&m[i], i, LAYERS);
  static const char *const rules[] = {"median", "centered-clipping", "foolsgold"};
  for (size_t k = 0; k < 3; k++) {
    bez_aggregate_state_destroy(memory);
    memory = bez_aggregate_state_create();
    bez_aggregate_options o = {.rule = rules[k], .f = 2, .state = memory, .threads = 2};
    for (int turn = 0; turn < 2; turn++) assert_ok(bez_aggregate(updates, CLIENTS, &o, out, NULL, &err));
    for (uint32_t l = 0; k == 0 && l < LAYERS; l++) assert_true(values[l] == (float)(l + 2));
  }
  bez_aggregate_state_destroy(memory);
  for (uint32_t i = 0; i < CLIENTS; i++) free_client(&m[i]);
  free(out);
  free(values);
}

static bez_status run(const bez_update *updates, void *const *out, const bez_update *reference, bez_error *err) {
  *err = (bez_error){0};
  bez_aggregate_options o = {.rule = "median", .f = 2, .reference = reference, .threads = 1};
  return bez_aggregate(updates, CLIENTS, &o, out, NULL, err);
}

static void odd_names_are_named(void **state) {
  (void)state;
  enum { FEW = 50 };
  model m[CLIENTS];
  bez_update updates[CLIENTS];
  float values[FEW];
  void **out = make_out(values, FEW);
  bez_error err;
  for (uint32_t i = 0; i < CLIENTS; i++) updates[i] = make_client(&m[i], i, FEW);
  updates[3].n_layers--; /* one is missing */
  assert_int_equal(run(updates, out, NULL, &err), BEZ_USAGE);
  assert_string_equal(err.subject, "d");
  assert_non_null(strstr(err.message, "is missing"));
  updates[3].n_layers++;
  m[2].layer[7].name = m[2].layer[9].name;
  assert_int_equal(run(updates, out, NULL, &err), BEZ_USAGE);
  assert_string_equal(err.subject, "c");
  assert_non_null(strstr(err.message, "is there twice"));
  m[2].layer[7].name = m[2].name[7];
  m[0].layer[4].name = "stranger"; /* the first, but not what most have */
  assert_int_equal(run(updates, out, NULL, &err), BEZ_USAGE);
  assert_string_equal(err.subject, "a");
  assert_non_null(strstr(err.message, "\"stranger\" is not part of the model"));
  assert_int_equal(run(updates, out, &updates[0], &err), BEZ_USAGE); /* now the model has it */
  assert_string_equal(err.subject, "b");
  m[0].layer[4].name = m[0].name[5];
  assert_int_equal(run(updates, out, &updates[0], &err), BEZ_USAGE);
  assert_string_equal(err.subject, "a");
  assert_non_null(strstr(err.message, "is there twice"));
  for (uint32_t i = 0; i < CLIENTS; i++) free_client(&m[i]);
  free(out);
}

/* A vector that was kept as F32 is nothing to a model that is F64 now. */
static void memory_of_another_type_is_not_used(void **state) {
  (void)state;
  static const uint64_t shape[] = {64};
  float narrow[3][64];
  double wide[3][64], out_wide[64];
  bez_layer layer[3];
  bez_update updates[3];
  bez_error err = {0};
  float out_narrow[64];
  void *out[] = {out_narrow}, *outs[] = {out_wide};
  static const char *const names[] = {"a", "b", "c"};
  bez_aggregate_state *memory = bez_aggregate_state_create();
  for (int i = 0; i < 3; i++) {
    for (int c = 0; c < 64; c++) wide[i][c] = narrow[i][c] = (float)(i == c % 3);
    layer[i] = (bez_layer){.name = "w", .n_dims = 1, .shape = shape, .data = narrow[i]};
    updates[i] = (bez_update){.client = names[i], .n_layers = 1, .layers = &layer[i]};
  }
  bez_aggregate_options o = {.rule = "foolsgold", .f = 1, .state = memory, .threads = 1};
  assert_ok(bez_aggregate(updates, 3, &o, out, NULL, &err));
  for (int i = 0; i < 3; i++) {
    layer[i].dtype = BEZ_DTYPE_F64;
    layer[i].data = wide[i];
  }
  assert_ok(bez_aggregate(updates, 3, &o, outs, NULL, &err));
  for (int c = 0; c < 64; c++) assert_true(out_wide[c] > .33 && out_wide[c] < .34);
  bez_aggregate_state_destroy(memory);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_client_in_an_order_of_its_own),
      cmocka_unit_test(odd_names_are_named),
      cmocka_unit_test(memory_of_another_type_is_not_used),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
