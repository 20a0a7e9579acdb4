/* Bucketing: the updates are shuffled and every s of them become their mean. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "aggregate/aggregator.h"
#include "base/error.h"
#include "base/rng.h"

static uint32_t least(uint32_t f) {
  return 2 * f + 1;
}

/* The shuffle goes by the clients' names, so that their order does not matter. */
typedef struct named {
  const char *client;
  uint32_t row;
} named;

static int by_name(const void *a, const void *b) {
  const named *x = a, *y = b;
  int order = x->client && y->client ? strcmp(x->client, y->client) : 0;
  return order ? order : (x->row > y->row) - (x->row < y->row);
}

static bez_status mix(const bez_aggregate_input *in, bez_mix *out, uint32_t *f, bez_error *err) {
  const uint32_t n = in->n;
  /* Largest bucket that leaves fewer than half of the buckets malicious: 2 f s < n; at least 1. */
  uint32_t fit = in->f ? (n - 1) / (2 * in->f) : n;
  uint32_t s = isnan(in->knob[0]) ? (fit ? fit : 1) : (uint32_t)in->knob[0], buckets = (n + s - 1) / s;
  named *clients = calloc(n, sizeof *clients);
  uint64_t *order = calloc(n, sizeof *order);
  bez_status st = clients && order ? bez_mix_make(buckets, n, out, err) : bez_fail_memory(err, n * sizeof *clients);
  if (st == BEZ_OK) {
    bez_rng rng = bez_rng_make(in->seed, 0x6275636bu);
    for (uint32_t i = 0; i < n; i++) {
      clients[i] = (named){in->client[i], i};
      order[i] = i;
    }
    qsort(clients, n, sizeof *clients, by_name);
    bez_rng_shuffle(&rng, order, n);
    for (uint32_t k = 0; k < n; k++) {
      uint32_t bucket = k / s, size = bucket + 1 < buckets ? s : n - bucket * s;
      out->weight[(size_t)bucket * n + clients[order[k]].row] = 1. / size;
    }
    *f = in->f < buckets ? in->f : buckets; /* each may spoil a bucket of its own */
  }
  free(clients);
  free(order);
  return st;
}

const bez_aggregator bez_aggregator_bucketing = {
    .info = {.name = "bucketing",
             .title = "Bucketing",
             .summary = "Shuffles the updates by the seed and replaces every s of them by their mean.",
             .parameters = "s: updates per bucket (the most that leaves f below half of the buckets)",
             .tolerance = "f < n / (2 s)",
             .cost = "part of the rule's own pass",
             .score = "",
             .source =
                 "Karimireddy, He, Jaggi, Byzantine-robust learning on heterogeneous datasets via bucketing, ICLR 2022",
             .pre = true},
    .knobs = {{.name = "s", .fallback = NAN, .least = 1, .most = 1e6, .whole = true}},
    .least = least,
    .mix = mix};
