/* Fixed tiles over a team of threads. The tiling, never the thread count, decides the result: a task writes
 * only what belongs to its tile, and the caller combines tiles in order. */
#ifndef BEZ_BASE_THREADS_H
#define BEZ_BASE_THREADS_H

#include "bezoar/base.h"

/* Runs fn(ctx, tile, worker) once for each tile in [0, n_tiles), worker in [0, n_threads). The first failing
 * status by tile order is returned with its error; tiles behind a failure may be left out.
 * n_threads 0 means bez_cpu_count(). n_threads 1 runs in the calling thread. */
typedef bez_status (*bez_tile_fn)(void *ctx, uint64_t tile, unsigned worker, bez_error *err);
BEZ_MUST_USE bez_status bez_parallel(uint64_t n_tiles, unsigned n_threads, bez_tile_fn fn, void *ctx, bez_error *err);

/* Somebody to ask whether long work is to go on (--max-time, Ctrl-C). Only the calling thread asks; the others see its
 * answer in `stopped`. */
typedef struct bez_watch {
  bez_progress_fn progress; /* NULL: nobody */
  void *ctx;
  const char *stage, *unit; /* of tiles */
  uint64_t done, total;     /* tiles; the calling thread's */
  _Atomic bool stopped;
} bez_watch;

/* As bez_parallel; the watch (NULL: none) is asked at the start, before the calling thread's tiles and, while it waits
 * for the others, ten times a second. BEZ_CANCELLED when it says no. */
BEZ_MUST_USE bez_status bez_parallel_watched(uint64_t n_tiles, unsigned n_threads, bez_watch *watch, bez_tile_fn fn,
                                             void *ctx, bez_error *err);
/* For loops inside a long tile: false when the tile is to return BEZ_CANCELLED (bez_watch_fail). watch may be NULL. */
BEZ_MUST_USE bool bez_watch_ask(bez_watch *watch, unsigned worker);
BEZ_MUST_USE bez_status bez_watch_fail(bez_error *err);

/* Processors this process may run on (sched_getaffinity), 1 at least. */
unsigned bez_cpu_count(void);

#endif
