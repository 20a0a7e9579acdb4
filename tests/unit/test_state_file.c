/* What stateful rules remember, as a file: the same back, and nothing from files that are none of a state. */
#include <math.h>

#include "bezoar/aggregate.h"
#include "table_helpers.h"
#include "test.h"

static const uint64_t two[] = {2}, square[] = {2, 1};
static const float small[] = {1.5F, -2.25F};
static const double wide[] = {1e300, -1e-300};

static void put(bez_aggregate_state *state, const char *key) {
  bez_error err = {0};
  const bez_layer layers[] = {{.name = "w:x", .n_dims = 1, .shape = two, .data = small},
                              {.name = "b", .dtype = BEZ_DTYPE_F64, .n_dims = 2, .shape = square, .data = wide},
                              {.name = "empty", .n_dims = 1, .shape = (const uint64_t[]){0}}};
  assert_ok(bez_aggregate_state_put(state, &(bez_update){.client = key, .n_layers = 3, .layers = layers}, &err));
}

static const bez_update *find(const bez_aggregate_state *state, const char *key) {
  for (size_t i = 0; i < bez_aggregate_state_count(state); i++)
    if (!strcmp(bez_aggregate_state_get(state, i)->client, key)) return bez_aggregate_state_get(state, i);
  fail_msg("\"%s\" is not remembered", key);
  return NULL;
}

static const bez_layer *layer_of(const bez_update *update, const char *name) {
  for (uint32_t l = 0; l < update->n_layers; l++)
    if (!strcmp(update->layers[l].name, name)) return &update->layers[l];
  fail_msg("no layer \"%s\"", name);
  return NULL;
}

static void comes_back(void **unused) {
  static const char *const keys[] = {"", "client 7", "a:b", "\xc3\xa9\x01\"\\"};
  bez_error err = {0};
  char path[256];
  bez_aggregate_state *state = bez_aggregate_state_create(), *again = bez_aggregate_state_create();
  temp_file(".safetensors", "", 0, path);
  for (size_t i = 0; i < 4; i++) put(state, keys[i]);
  assert_ok(bez_aggregate_state_save(path, state, &err));
  assert_ok(bez_aggregate_state_load(path, again, &err));
  assert_int_equal(bez_aggregate_state_count(again), 4);
  for (size_t i = 0; i < 4; i++) {
    const bez_update *memory = find(again, keys[i]);
    assert_int_equal(memory->n_layers, 3);
    assert_memory_equal(layer_of(memory, "w:x")->data, small, sizeof small);
    assert_memory_equal(layer_of(memory, "b")->data, wide, sizeof wide);
    assert_int_equal(layer_of(memory, "b")->n_dims, 2);
    assert_int_equal(layer_of(memory, "empty")->shape[0], 0);
  }
  assert_ok(bez_aggregate_state_load(path, again, &err)); /* takes the place of what is there */
  assert_int_equal(bez_aggregate_state_count(again), 4);
  unlink(path);
  assert_ok(bez_aggregate_state_load(path, again, &err)); /* not there: the first round */
  bez_aggregate_state_destroy(state);
  bez_aggregate_state_destroy(again);
}

/* One tensor NAME of two F32 (NaN and 0, or zeros). */
static size_t tensor_file(const char *name, bool odd, char *out, size_t room) {
  const float values[] = {odd ? (float)NAN : 0, 0};
  int n = snprintf(out + 8, room - 8, "{\"%s\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}", name);
  for (int i = 0; i < 8; i++) out[i] = (char)(i ? 0 : n);
  memcpy(out + 8 + n, values, sizeof values);
  return 8 + (size_t)n + sizeof values;
}

static void is_none(void **unused) {
  static const char *const names[] = {"w", "6:w", "zz:w", "00:w", "616:w", "+1:w", " 1:w", "0x:w", "6-:w"};
  for (size_t i = 0; i < 11; i++) {
    bez_error err = {0};
    char bytes[256], path[256];
    const bool odd = i == 9, junk = i == 10;
    size_t len = tensor_file(odd || junk ? "61:w" : names[i], odd, bytes, sizeof bytes);
    temp_file(".safetensors", bytes, junk ? len - 1 : len, path);
    bez_aggregate_state *state = bez_aggregate_state_create();
    bez_status st = bez_aggregate_state_load(path, state, &err);
    if (st == BEZ_OK) fail_msg("\"%s\" was taken for a state", i < 9 ? names[i] : "61:w");
    assert_int_equal(bez_aggregate_state_count(state), 0);
    assert_non_null(strstr(err.subject, odd ? "a" : path));
    bez_aggregate_state_destroy(state);
    unlink(path);
  }
}

static void cannot_be_written(void **unused) {
  bez_error err = {0};
  bez_aggregate_state *state = bez_aggregate_state_create();
  put(state, "a");
  assert_int_equal(bez_aggregate_state_save("/nowhere/at/all.safetensors", state, &err), BEZ_IO);
  bez_aggregate_state_destroy(state);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(comes_back), cmocka_unit_test(is_none),
                                     cmocka_unit_test(cannot_be_written)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
