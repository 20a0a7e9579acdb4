/* State files of aggregation rules: what is loaded is finite, can be saved and comes back the same, and rules run on
 * it. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "aggregate/state.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { CLIENTS = 4, LEN = 3 };

/* A round with layers "w" and "b"; the state may know some of the clients, or layers of another size. */
static void run_rule(const char *rule, bez_aggregate_state *state) {
  static const uint64_t shape[] = {LEN};
  static const char *const names[CLIENTS] = {"a", "b", "c", "d"};
  float w[CLIENTS][LEN], new_w[LEN];
  double b[CLIENTS][LEN], new_b[LEN];
  bez_layer layers[CLIENTS][2];
  bez_update updates[CLIENTS];
  bez_error err = {0};
  void *out[] = {new_w, new_b};
  bez_aggregate_options o = {.rule = rule, .f = 1, .state = state, .threads = 1};
  for (int i = 0; i < CLIENTS; i++) {
    for (int c = 0; c < LEN; c++) {
      w[i][c] = (float)(i * c) - 1;
      b[i][c] = (double)(i - c) * 3;
    }
    layers[i][0] = (bez_layer){.name = "w", .dtype = BEZ_DTYPE_F32, .n_dims = 1, .shape = shape, .data = w[i]};
    layers[i][1] = (bez_layer){.name = "b", .dtype = BEZ_DTYPE_F64, .n_dims = 1, .shape = shape, .data = b[i]};
    updates[i] = (bez_update){.client = names[i], .n_layers = 2, .layers = layers[i]};
  }
  if (bez_aggregate(updates, CLIENTS, &o, out, NULL, &err) != BEZ_OK) return;
  for (int c = 0; c < LEN; c++)
    if (!isfinite(new_w[c]) || !isfinite(new_b[c])) abort();
}

static void there_and_back(const bez_aggregate_state *state) {
  char path[64];
  bez_error err = {0};
  bez_aggregate_state *again = bez_aggregate_state_create();
  snprintf(path, sizeof path, "/tmp/bezoar-fuzz-state-%ld", (long)getpid());
  if (!again || bez_aggregate_state_save(path, state, &err) != BEZ_OK) abort();
  if (bez_aggregate_state_load(path, again, &err) != BEZ_OK) abort();
  if (bez_aggregate_state_count(again) != bez_aggregate_state_count(state)) abort();
  bez_aggregate_state_destroy(again);
  unlink(path);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  char path[64];
  bez_error err = {0};
  bez_aggregate_state *state = bez_aggregate_state_create();
  int fd = memfd_create("state", 0);
  if (!state || fd < 0 || write(fd, data, size) != (ssize_t)size) abort();
  snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
  if (bez_aggregate_state_load(path, state, &err) == BEZ_OK) {
    there_and_back(state);
    run_rule("centered-clipping", state);
    run_rule("foolsgold", state);
  }
  bez_aggregate_state_destroy(state);
  close(fd);
  return 0;
}
