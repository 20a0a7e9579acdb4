/* When each URL is asked: nobody who serves them can tell when, and no host is pressed. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/hash.h"
#include "base/rng.h"
#include "net/url.h"
#include "vault/watch.h"

typedef struct slot {
  uint64_t row, rank; /* rank: where chance put it, for those of one moment */
  double at;
} slot;

static int by_time(const void *a, const void *b) {
  const slot *x = a, *y = b;
  if (x->at != y->at) return x->at < y->at ? -1 : 1;
  return (x->rank > y->rank) - (x->rank < y->rank);
}

/* When a host may be asked again: open addressing over the hash of its origin. Two origins of one hash share their
 * pauses, which does no harm. */
typedef struct hosts {
  uint64_t *key; /* 0: free */
  double *free_at;
  uint64_t mask;
} hosts;

static double *host_of(hosts *h, const char *url) {
  char origin[320];
  if (!bez_url_origin(url, origin)) origin[0] = '\0'; /* what is no URL is refused later, at no cost */
  uint64_t key = bez_hash64(origin, strlen(origin), 1) | 1, i = bez_mix64(key) & h->mask;
  while (h->key[i] && h->key[i] != key) i = (i + 1) & h->mask;
  h->key[i] = key;
  return &h->free_at[i];
}

static void space_out(const bez_watchlist *list, hosts *h, double gap, slot *slots) {
  for (uint64_t k = 0; k < list->n; k++) {
    double *free_at = host_of(h, list->rows[slots[k].row].url);
    if (slots[k].at < *free_at) slots[k].at = *free_at;
    *free_at = slots[k].at + gap;
  }
}

bez_status bez_watch_schedule(const bez_watchlist *list, uint64_t seed, double window, double gap, uint64_t *order,
                              double *at, bez_error *err) {
  hosts h = {.mask = 15};
  while (h.mask < 2 * list->n) h.mask = 2 * h.mask + 1;
  slot *slots = calloc(list->n + 1, sizeof *slots);
  h.key = calloc(h.mask + 1, sizeof *h.key);
  h.free_at = calloc(h.mask + 1, sizeof *h.free_at);
  bez_status st = slots && h.key && h.free_at ? BEZ_OK : bez_fail_memory(err, (h.mask + 1) * sizeof *h.key);
  if (st != BEZ_OK) goto cleanup;
  for (uint64_t i = 0; i < list->n; i++) {
    bez_rng rng = bez_rng_make(seed, i);
    slots[i] = (slot){.row = i, .rank = i, .at = bez_rng_unit(&rng)};
  }
  qsort(slots, list->n, sizeof *slots, by_time);
  for (uint64_t k = 0; k < list->n; k++) {
    slots[k].rank = k;
    slots[k].at *= window;
  }
  space_out(list, &h, gap, slots);
  qsort(slots, list->n, sizeof *slots, by_time);
  for (uint64_t k = 0; k < list->n; k++) {
    order[k] = slots[k].row;
    at[k] = slots[k].at;
  }
cleanup:
  free(slots);
  free(h.key);
  free(h.free_at);
  return st;
}
