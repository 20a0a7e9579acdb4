/* Updates in memory. */
#include "updates.h"

#include <stdio.h>
#include <stdlib.h>

#include "measure.h"

static void lay_out(bench_updates *u) {
  for (uint32_t l = 0; l < BENCH_LAYERS; l++) {
    (void)snprintf(u->layer_name[l], sizeof u->layer_name[l], "layer%u", l);
    u->layer_out[l] = u->out + l * u->piece;
  }
  for (uint32_t i = 0; i < u->n; i++) {
    bez_layer *layers = u->layer + (size_t)i * BENCH_LAYERS;
    (void)snprintf(u->client[i], sizeof u->client[i], "client%u", i);
    u->update[i] = (bez_update){.client = u->client[i], .n_layers = BENCH_LAYERS, .layers = layers};
    for (uint32_t l = 0; l < BENCH_LAYERS; l++) {
      const float *at = u->shared ? u->data + (l + i) % BENCH_LAYERS * u->piece : u->data + i * u->d + l * u->piece;
      layers[l] = (bez_layer){.name = u->layer_name[l], .n_dims = 1, .shape = &u->piece, .data = at};
      u->run[(size_t)i * BENCH_LAYERS + l] = at;
    }
  }
}

bool bench_updates_make(uint32_t n, uint64_t d, bool shared, unsigned threads, bench_updates *u) {
  *u = (bench_updates){.n = n, .piece = d / BENCH_LAYERS, .shared = shared};
  u->d = u->piece * BENCH_LAYERS;
  u->bytes = (size_t)(shared ? 1 : n) * u->d * sizeof(float);
  u->data = bench_alloc(u->bytes);
  u->out = bench_alloc(u->d * sizeof(float));
  u->update = calloc(n, sizeof *u->update);
  u->layer = calloc((size_t)n * BENCH_LAYERS, sizeof *u->layer);
  u->client = calloc(n, sizeof *u->client);
  u->run = calloc((size_t)n * BENCH_LAYERS, sizeof *u->run);
  if (!u->data || !u->out || !u->update || !u->layer || !u->client || !u->run) {
    bench_updates_free(u);
    return false;
  }
  bench_fill(u->data, u->bytes / sizeof(float), n + u->d, threads);
  lay_out(u);
  return true;
}

void bench_updates_free(bench_updates *u) {
  bench_free(u->data, u->bytes);
  bench_free(u->out, u->d * sizeof(float));
  free(u->update);
  free(u->layer);
  free(u->client);
  free((void *)u->run);
  *u = (bench_updates){0};
}

float *bench_update_of(bench_updates *u, uint32_t i) {
  return u->data + i * u->d;
}
