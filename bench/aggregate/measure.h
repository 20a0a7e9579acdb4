/* Clocks, memory and the floor of the benchmark: what reading the bytes costs at least. */
#ifndef BEZ_BENCH_MEASURE_H
#define BEZ_BENCH_MEASURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BENCH_MOST_ROUNDS 32u

typedef struct bench_time {
  double wall, cpu; /* seconds; cpu: all threads, user and system */
} bench_time;

bench_time bench_now(void);
bench_time bench_since(bench_time start);

double bench_median(const double *values, unsigned n); /* n ≤ BENCH_MOST_ROUNDS */

/* The sum of n runs of `len` floats each, by `threads` threads with the widest registers of this machine: the plainest
 * way to touch every byte once. */
double bench_sum(const float *const *run, size_t n, size_t len, unsigned threads);

/* Numbers in [-1, 1) that depend on seed and place alone. */
void bench_fill(float *out, size_t len, uint64_t seed, unsigned threads);

/* Memory with large pages where the system grants them, touched; NULL: none left. */
void *bench_alloc(size_t bytes);
void bench_free(void *memory, size_t bytes);

/* Anonymous memory of this process, watched by a thread of its own every millisecond; mapped files do not count. */
typedef struct bench_watch bench_watch;
bench_watch *bench_watch_start(void);
double bench_watch_stop(bench_watch *watch); /* MiB that the peak lies above the start */

#endif
