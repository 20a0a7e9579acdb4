/* A team per call: threads are cheap beside tiles of a millisecond and more, and no pool means no global state. */
#include "base/threads.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

#include "base/error.h"
#include "base/limits.h"

#define ASK_NANOSECONDS 100000000

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
  bez_watch *watch; /* may be NULL */
  pthread_cond_t left;
  unsigned n_left; /* under lock: threads beside the calling one that are done */
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

bool bez_watch_ask(bez_watch *w, unsigned worker) {
  if (!w) return true;
  if (worker == 0 && w->progress && !w->progress(w->ctx, w->stage, w->unit, w->done, w->total))
    atomic_store_explicit(&w->stopped, true, memory_order_relaxed);
  return !atomic_load_explicit(&w->stopped, memory_order_relaxed);
}

bez_status bez_watch_fail(bez_error *err) {
  return bez_fail(err, BEZ_CANCELLED, NULL, "cancelled");
}

static bez_status run_tile(team *t, uint64_t tile, unsigned worker, bez_error *err) {
  if (t->watch && worker == 0) {
    t->watch->done = tile;
    t->watch->total = t->n_tiles;
  }
  return bez_watch_ask(t->watch, worker) ? t->fn(t->ctx, tile, worker, err) : bez_watch_fail(err);
}

static void *work(void *arg) {
  member *m = arg;
  team *t = m->team;
  while (!atomic_load_explicit(&t->stop, memory_order_relaxed)) {
    uint64_t tile = atomic_fetch_add_explicit(&t->next, 1, memory_order_relaxed);
    if (tile >= t->n_tiles) break;
    bez_error err = {.offset = -1, .line = -1};
    bez_status st = run_tile(t, tile, m->worker, &err);
    if (st != BEZ_OK) note_failure(t, tile, st, &err);
  }
  if (m->worker == 0) return NULL;
  pthread_mutex_lock(&t->lock);
  t->n_left++;
  pthread_cond_signal(&t->left);
  pthread_mutex_unlock(&t->lock);
  return NULL;
}

/* The calling thread has no tile left, and goes on asking while the others finish theirs. */
static void wait_and_ask(team *t, unsigned started) {
  pthread_mutex_lock(&t->lock);
  while (t->n_left < started) {
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += ASK_NANOSECONDS;
    until.tv_sec += until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    (void)pthread_cond_timedwait(&t->left, &t->lock, &until);
    if (t->n_left == started || t->status != BEZ_OK) continue;
    pthread_mutex_unlock(&t->lock);
    bez_error err = {.offset = -1, .line = -1};
    if (!bez_watch_ask(t->watch, 0)) note_failure(t, t->n_tiles, bez_watch_fail(&err), &err);
    pthread_mutex_lock(&t->lock);
  }
  pthread_mutex_unlock(&t->lock);
}

bez_status bez_parallel(uint64_t n_tiles, unsigned n_threads, bez_tile_fn fn, void *ctx, bez_error *err) {
  return bez_parallel_watched(n_tiles, n_threads, NULL, fn, ctx, err);
}

bez_status bez_parallel_watched(uint64_t n_tiles, unsigned n_threads, bez_watch *watch, bez_tile_fn fn, void *ctx,
                                bez_error *err) {
  if (n_tiles && !bez_watch_ask(watch, 0)) return bez_watch_fail(err);
  if (n_threads == 0) n_threads = bez_cpu_count();
  if (n_threads > BEZ_MAX_THREADS) n_threads = BEZ_MAX_THREADS;
  if (n_threads > n_tiles) n_threads = n_tiles ? (unsigned)n_tiles : 1;
  team t = {.fn = fn, .ctx = ctx, .n_tiles = n_tiles, .status = BEZ_OK, .watch = watch};
  pthread_mutex_init(&t.lock, NULL);
  pthread_cond_init(&t.left, NULL);
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
  if (watch) wait_and_ask(&t, started);
  for (unsigned i = 1; i <= started; i++) pthread_join(threads[i], NULL);
  pthread_cond_destroy(&t.left);
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
