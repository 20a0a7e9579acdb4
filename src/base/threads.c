/* A team per call: threads are cheap beside tiles of a millisecond and more, and no pool means no global state. */
#include "base/threads.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/error.h"
#include "base/limits.h"

typedef struct team {
  bez_tile_fn fn;
  void *ctx;
  uint64_t n_tiles;
  _Atomic uint64_t next;
  _Atomic bool stop;
  pthread_mutex_t lock;
  uint64_t failed_tile; /* under lock */
  bez_status status;
  bez_error error;
} team;

typedef struct member {
  team *team;
  unsigned worker;
} member;

static void note_failure(team *t, uint64_t tile, bez_status st, const bez_error *err) {
  pthread_mutex_lock(&t->lock);
  if (t->status == BEZ_OK || tile < t->failed_tile) {
    t->status = st;
    t->failed_tile = tile;
    t->error = *err;
  }
  pthread_mutex_unlock(&t->lock);
  atomic_store_explicit(&t->stop, true, memory_order_relaxed);
}

static void *work(void *arg) {
  member *m = arg;
  team *t = m->team;
  while (!atomic_load_explicit(&t->stop, memory_order_relaxed)) {
    uint64_t tile = atomic_fetch_add_explicit(&t->next, 1, memory_order_relaxed);
    if (tile >= t->n_tiles) break;
    bez_error err = {.offset = -1, .line = -1};
    bez_status st = t->fn(t->ctx, tile, m->worker, &err);
    if (st != BEZ_OK) note_failure(t, tile, st, &err);
  }
  return NULL;
}

bez_status bez_parallel(uint64_t n_tiles, unsigned n_threads, bez_tile_fn fn, void *ctx, bez_error *err) {
  if (n_threads == 0) n_threads = bez_cpu_count();
  if (n_threads > BEZ_MAX_THREADS) n_threads = BEZ_MAX_THREADS;
  if (n_threads > n_tiles) n_threads = n_tiles ? (unsigned)n_tiles : 1;
  team t = {.fn = fn, .ctx = ctx, .n_tiles = n_tiles, .status = BEZ_OK};
  pthread_mutex_init(&t.lock, NULL);
  pthread_t threads[BEZ_MAX_THREADS];
  member members[BEZ_MAX_THREADS];
  unsigned started = 0; /* beside the calling thread, which is worker 0 */
  for (unsigned i = 1; i < n_threads; i++) {
    members[i] = (member){&t, i};
    if (pthread_create(&threads[i], NULL, work, &members[i]) != 0) break; /* fewer hands, same result */
    started = i;
  }
  members[0] = (member){&t, 0};
  work(&members[0]);
  for (unsigned i = 1; i <= started; i++) pthread_join(threads[i], NULL);
  pthread_mutex_destroy(&t.lock);
  if (t.status != BEZ_OK && err && err->code == BEZ_OK) *err = t.error;
  return t.status;
}

unsigned bez_cpu_count(void) {
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) != 0) return 1;
  int n = CPU_COUNT(&set);
  return n < 1 ? 1 : n > (int)BEZ_MAX_THREADS ? BEZ_MAX_THREADS : (unsigned)n;
}
