/* All URLs of a list, each at its time. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/error.h"
#include "base/limits.h"
#include "vault/watch.h"

#define AT_A_TIME 16u
#define PER_HOST 2.0

typedef struct pass {
  const bez_watchlist *list;
  bool (*wanted)(const bez_watched *row);
  bez_watch_fetcher *fetchers;
  bez_watch *stop;
  const uint64_t *order;
  const double *at;
  struct timespec start;
  bez_checked *out;
} pass;

static bez_status wait_until(const pass *p, double at, unsigned worker, bez_error *err) {
  for (;;) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    double left = at - (double)(t.tv_sec - p->start.tv_sec) - (double)(t.tv_nsec - p->start.tv_nsec) * 1e-9;
    if (left <= 0) return BEZ_OK;
    if (!bez_watch_ask(p->stop, worker)) return bez_watch_fail(err);
    t = (struct timespec){.tv_nsec = (long)((left < 0.1 ? left : 0.1) * 1e9)};
    nanosleep(&t, NULL);
  }
}

static bez_status check_one(void *ctx, uint64_t tile, unsigned worker, bez_error *err) {
  pass *p = ctx;
  const uint64_t i = p->order[tile];
  if (p->wanted && !p->wanted(&p->list->rows[i])) return BEZ_OK;
  bez_status st = wait_until(p, p->at[tile], worker, err);
  return st == BEZ_OK ? bez_watch_fetch(p->fetchers, worker, &p->list->rows[i], &p->out[i], err) : st;
}

void bez_checked_free(bez_checked *checked, uint64_t n) {
  for (uint64_t i = 0; checked && i < n; i++) {
    free(checked[i].why);
    free(checked[i].title);
  }
  free(checked);
}

bez_status bez_watch_check(const bez_watchlist *list, const bez_watch_options *o, bool (*wanted)(const bez_watched *),
                           bez_checked *out, bez_error *err) {
  bez_watch stop = {.progress = o->progress, .ctx = o->progress_ctx, .stage = "fetch", .unit = "URLs"};
  unsigned threads = o->threads ? o->threads : AT_A_TIME;
  if (threads > BEZ_MAX_THREADS) threads = BEZ_MAX_THREADS;
  if (threads > list->n) threads = list->n ? (unsigned)list->n : 1;
  double *at = calloc(list->n + 1, sizeof *at);
  uint64_t *order = calloc(list->n + 1, sizeof *order);
  pass p = {.list = list, .wanted = wanted, .stop = &stop, .order = order, .at = at, .out = out};
  bez_status st = at && order ? BEZ_OK : bez_fail_memory(err, (list->n + 1) * sizeof *at);
  if (st == BEZ_OK)
    st = bez_watch_schedule(list, o->seed, o->window, 1 / (o->per_host > 0 ? o->per_host : PER_HOST), order, at, err);
  if (st == BEZ_OK) st = bez_watch_fetchers_create(threads, o, &stop, &p.fetchers, err);
  if (st == BEZ_OK) {
    clock_gettime(CLOCK_MONOTONIC, &p.start);
    st = bez_parallel_watched(list->n, threads, &stop, check_one, &p, err);
  }
  bez_watch_fetchers_free(p.fetchers, threads);
  free(at);
  free(order);
  return st == BEZ_OK ? bez_watch_pages(list, out, err) : st;
}
