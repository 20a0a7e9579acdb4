/* Updates in memory: n clients × d floats in several layers. */
#ifndef BEZ_BENCH_UPDATES_H
#define BEZ_BENCH_UPDATES_H

#include "bezoar/aggregate.h"

#define BENCH_LAYERS 25u

typedef struct bench_updates {
  uint32_t n;
  uint64_t d, piece; /* floats of an update, of a layer */
  float *data;       /* n × d, or one d that all clients share */
  bool shared;
  size_t bytes;
  float *out; /* d */
  bez_update *update;
  bez_layer *layer; /* n × BENCH_LAYERS */
  char (*client)[24];
  char layer_name[BENCH_LAYERS][24];
  void *layer_out[BENCH_LAYERS];
  const float **run; /* n × BENCH_LAYERS pieces, for the floor */
} bench_updates;

/* d is rounded to a multiple of BENCH_LAYERS. shared: one update's worth of memory; the layers of client i are those of
 * client 0 moved on by i, so that no two clients (of 25) have the same piece at the same time and every client's bytes
 * come from memory. False: no memory. */
bool bench_updates_make(uint32_t n, uint64_t d, bool shared, unsigned threads, bench_updates *out);
void bench_updates_free(bench_updates *u);

/* d floats of client i that lie in one piece; not for shared ones. */
float *bench_update_of(bench_updates *u, uint32_t i);

#endif
