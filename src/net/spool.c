/* The objects behind remote paths: listed once, fetched once, found by name. */
#include "net/spool.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/limits.h"
#include "net/object.h"

#define CONNECTIONS 8u
#define MOST_DEFAULT ((uint64_t)64 << 30)

/* A URL that was asked for, and the objects it names. */
typedef struct given {
  const char *url;
  size_t *ids, n, cap;
} given;

struct bez_spool {
  bez_spool_options options;
  bez_arena arena;
  bez_budget budget;
  bez_store store;
  uint64_t used; /* bytes of the store, and bytes fetched in all */
  bez_object *objects;
  size_t n, cap;
  size_t *by_name; /* n, sorted by shown */
  given *givens;
  size_t n_givens, cap_givens;
};

bez_status bez_spool_create(const bez_spool_options *options, bez_spool **out, bez_error *err) {
  bez_spool *s = calloc(1, sizeof *s);
  *out = s;
  if (!s) return bez_fail_memory(err, sizeof *s);
  if (options) s->options = *options;
  if (!s->options.most) s->options.most = MOST_DEFAULT;
  s->budget.bytes = s->options.memory ? s->options.memory : 1;
  bez_store_init(&s->store, &s->budget);
  return BEZ_OK;
}

void bez_spool_destroy(bez_spool *s) {
  if (!s) return;
  for (size_t i = 0; i < s->n_givens; i++) free(s->givens[i].ids);
  free(s->givens);
  free(s->by_name);
  free(s->objects);
  bez_store_free(&s->store);
  bez_arena_free(&s->arena);
  free(s);
}

const char *bez_spool_name(const bez_spool *s, size_t id) {
  return s->objects[id].shown;
}

size_t bez_spool_find(const bez_spool *s, const char *name) {
  size_t low = 0, high = s ? s->n : 0;
  while (low < high) {
    size_t mid = low + (high - low) / 2;
    int order = strcmp(s->objects[s->by_name[mid]].shown, name);
    if (order == 0) return s->by_name[mid];
    if (order < 0)
      low = mid + 1;
    else
      high = mid;
  }
  return SIZE_MAX;
}

static bool grow(void *list, size_t *cap, size_t n, size_t one) {
  if (n < *cap) return true;
  size_t want = *cap ? *cap * 2 : 16;
  void **at = list;
  void *more = realloc(*at, want * one);
  if (!more) return false;
  *at = more;
  *cap = want;
  return true;
}

static int by_name(const void *a, const void *b, void *ctx) {
  const bez_object *objects = ctx;
  size_t x = *(const size_t *)a, y = *(const size_t *)b;
  int order = strcmp(objects[x].shown, objects[y].shown);
  return order ? order : (x > y) - (x < y);
}

static bez_status index_names(bez_spool *s, bez_error *err) {
  size_t *index = calloc(s->n + 1, sizeof *index);
  if (!index) return bez_fail_memory(err, s->n * sizeof *index);
  for (size_t i = 0; i < s->n; i++) index[i] = i;
  qsort_r(index, s->n, sizeof *index, by_name, s->objects);
  free(s->by_name);
  s->by_name = index;
  return BEZ_OK;
}

/* The place that is being listed. */
typedef struct adding {
  bez_spool *spool;
  const bez_place *place;
  size_t first; /* objects from here on are its */
} adding;

static bez_status on_entry(void *ctx, const bez_entry *entry, bez_error *err) {
  adding *a = ctx;
  bez_spool *s = a->spool;
  if (s->n - a->first >= BEZ_MAX_FILES)
    return bez_fail(err, BEZ_LIMIT, a->place->shown, "more than %u files in one data set", BEZ_MAX_FILES);
  if (!grow(&s->objects, &s->cap, s->n, sizeof *s->objects)) return bez_fail_memory(err, s->n * sizeof *s->objects);
  bez_object o = {.entry = *entry, .place = a->place};
  o.shown = a->place->kind == BEZ_URL_HTTP ? a->place->shown
                                           : bez_arena_printf(&s->arena, "%s%s", a->place->prefix, entry->name);
  if (!o.shown) return bez_fail_memory(err, strlen(entry->name));
  s->objects[s->n++] = o;
  return BEZ_OK;
}

/* The object that was named by itself: what it is, or that the name is a folder's. */
static bez_status settle_one(adding *a, bez_place *place, bez_http *http, bez_error *err) {
  bez_spool *s = a->spool;
  bez_object *o = &s->objects[a->first];
  bool there;
  if (s->n != a->first + 1 || o->entry.size != BEZ_SIZE_UNKNOWN) return BEZ_OK;
  bez_status st = bez_object_probe(http, o, &s->arena, &there, err);
  if (st != BEZ_OK || there) return st;
  s->n = a->first;
  return place->kind == BEZ_URL_S3 ? bez_place_list_folder(http, place, &s->arena, on_entry, a, err) : BEZ_OK;
}

/* Another query may stand behind the same shown name: such objects are told apart by a number. */
static bez_status rename_twin(bez_spool *s, bez_object *o, bez_error *err) {
  for (unsigned k = 2;; k++) {
    const char *shown = bez_arena_printf(&s->arena, "%s#%u", o->shown, k);
    if (!shown) return bez_fail_memory(err, strlen(o->shown));
    size_t twin = bez_spool_find(s, shown);
    if (twin != SIZE_MAX && strcmp(s->objects[twin].place->base, o->place->base) != 0) continue;
    o->shown = shown;
    return BEZ_OK;
  }
}

/* New objects that are known already leave; the others are indexed. */
static bez_status settle_names(adding *a, given *g, bez_error *err) {
  bez_spool *s = a->spool;
  size_t total = s->n, kept = a->first;
  bez_status st = BEZ_OK;
  s->n = a->first;
  if (!s->by_name) BEZ_TRY(index_names(s, err));
  for (size_t i = a->first; i < total; i++) {
    bez_object o = s->objects[i];
    size_t known = bez_spool_find(s, o.shown);
    if (known != SIZE_MAX && o.place->kind == BEZ_URL_HTTP && strcmp(s->objects[known].place->base, o.place->base)) {
      BEZ_TRY(rename_twin(s, &o, err));
      known = bez_spool_find(s, o.shown);
    }
    if (!grow(&g->ids, &g->cap, g->n, sizeof *g->ids)) BEZ_TRY(bez_fail_memory(err, g->n * sizeof *g->ids));
    g->ids[g->n++] = known != SIZE_MAX ? known : kept;
    if (known == SIZE_MAX) s->objects[kept++] = o;
  }
  s->n = kept;
  BEZ_TRY(index_names(s, err));
  if (g->n) qsort_r(g->ids, g->n, sizeof *g->ids, by_name, s->objects);
cleanup:
  return st;
}

static bez_status list(bez_spool *s, const char *url, given *g, bez_error *err) {
  bez_watch watch = {.progress = s->options.progress, .ctx = s->options.progress_ctx, .stage = "list", .unit = "pages"};
  bez_http_options options = {.stall = s->options.stall, .watch = &watch};
  bez_http *http = NULL;
  adding a = {.spool = s, .first = s->n};
  bez_status st = BEZ_OK;
  bez_place *place = bez_arena_alloc(&s->arena, sizeof *place);
  if (!place) return bez_fail_memory(err, sizeof *place);
  a.place = place;
  BEZ_TRY(bez_place_parse(url, &s->arena, place, err));
  st = bez_http_create(&options, &http, err);
  if (st != BEZ_OK && err && !err->subject[0]) snprintf(err->subject, sizeof err->subject, "%s", place->shown);
  if (st != BEZ_OK) goto cleanup;
  BEZ_TRY(bez_place_list(http, place, &s->arena, on_entry, &a, err));
  BEZ_TRY(settle_one(&a, place, http, err));
  if (s->n == a.first)
    BEZ_TRY(bez_fail(err, BEZ_IO, place->shown,
                     bez_place_is_one(place) ? "is not there" : "there is no data file of this name or below it"));
  BEZ_TRY(settle_names(&a, g, err));
cleanup:
  bez_http_destroy(http);
  return st;
}

bez_status bez_spool_add(bez_spool *s, const char *url, const size_t **ids, size_t *n, bez_error *err) {
  given *g = NULL;
  for (size_t i = 0; i < s->n_givens && !g; i++)
    if (!strcmp(s->givens[i].url, url)) g = &s->givens[i];
  if (!g) {
    size_t before = s->n;
    given fresh = {.url = bez_arena_strdup(&s->arena, url)};
    if (!fresh.url || !grow(&s->givens, &s->cap_givens, s->n_givens, sizeof *s->givens))
      return bez_fail_memory(err, strlen(url));
    bez_status st = list(s, url, &fresh, err);
    if (st != BEZ_OK) {
      s->n = before;
      free(fresh.ids);
      return st;
    }
    g = &s->givens[s->n_givens++];
    *g = fresh;
  }
  *ids = g->ids;
  *n = g->n;
  return BEZ_OK;
}

const void *bez_spool_bytes(const bez_spool *s, size_t id, uint64_t *size) {
  const bez_object *o = &s->objects[id];
  if (!o->fetched) return NULL;
  *size = o->entry.size;
  return o->entry.size ? (const uint8_t *)s->store.data + o->at : (const uint8_t *)"";
}

/* A fetch of several objects by ranges. */
typedef struct fetching {
  bez_spool *spool;
  bez_object **objects; /* of known size, not empty */
  uint64_t *first_tile; /* n + 1 */
  size_t n;
  bez_watch watch;
  bez_http *http[CONNECTIONS];
  unsigned n_http;
  _Atomic uint64_t *missing; /* n: ranges that are not there yet */
} fetching;

static bez_status fetch_tile(void *ctx, uint64_t tile, unsigned worker, bez_error *err) {
  fetching *f = ctx;
  size_t low = 0, high = f->n - 1;
  while (low < high) {
    size_t mid = low + (high - low + 1) / 2;
    if (f->first_tile[mid] <= tile)
      low = mid;
    else
      high = mid - 1;
  }
  const bez_object *o = f->objects[low];
  uint64_t from = (tile - f->first_tile[low]) * BEZ_RANGE, to = from + BEZ_RANGE;
  if (to > o->entry.size) to = o->entry.size;
  uint8_t *out = (uint8_t *)f->spool->store.data + o->at + from;
  bez_status st = bez_object_range(f->http[worker], o, from, to, out, err);
  if (st == BEZ_OK) f->missing[low]--;
  return st;
}

static bez_status connect_all(fetching *f, uint64_t wanted, bez_error *err) {
  for (unsigned w = 0; w < CONNECTIONS && w < (wanted ? wanted : 1); w++) {
    bez_http_options options = {.stall = f->spool->options.stall, .watch = &f->watch, .worker = w};
    bez_status st = bez_http_create(&options, &f->http[w], err);
    if (st != BEZ_OK) return st;
    f->n_http++;
  }
  return BEZ_OK;
}

/* Places for the objects of known size in the store, and their tiles. */
static bez_status lay_out(fetching *f, bez_error *err) {
  bez_spool *s = f->spool;
  uint64_t at = s->used, tiles = 0;
  for (size_t i = 0; i < f->n; i++) {
    bez_object *o = f->objects[i];
    if (!o->laid_out && o->entry.size > s->options.most - at)
      return bez_fail(err, BEZ_LIMIT, o->shown,
                      "with it, more than %llu bytes are to be fetched: allow it with --max-download",
                      (unsigned long long)s->options.most);
    if (!o->laid_out) { /* else a fetch before this one failed */
      o->at = at;
      at += o->entry.size;
    }
    f->first_tile[i] = tiles;
    f->missing[i] = (o->entry.size + BEZ_RANGE - 1) / BEZ_RANGE;
    tiles += f->missing[i];
  }
  f->first_tile[f->n] = tiles;
  bez_status st = bez_store_grow(&s->store, (size_t)at + 1, err);
  if (st != BEZ_OK) return st;
  s->used = at;
  for (size_t i = 0; i < f->n; i++) f->objects[i]->laid_out = true;
  return BEZ_OK;
}

static bez_status fetch_ranges(fetching *f, bez_error *err) {
  bez_status st = BEZ_OK;
  BEZ_TRY(lay_out(f, err));
  uint64_t tiles = f->first_tile[f->n];
  BEZ_TRY(connect_all(f, tiles, err));
  if (tiles) st = bez_parallel_watched(tiles, f->n_http, &f->watch, fetch_tile, f, err);
  for (size_t i = 0; i < f->n; i++) f->objects[i]->fetched = f->missing[i] == 0;
cleanup:
  return st;
}

static bez_status fetch_streams(fetching *f, const size_t *ids, size_t n, bez_error *err) {
  bez_spool *s = f->spool;
  for (size_t i = 0; i < n; i++) {
    bez_object *o = &s->objects[ids[i]];
    if (o->fetched || !o->streamed) continue;
    o->at = s->used;
    bez_status st = bez_object_stream(f->http[0], o, &s->store, s->used, s->options.most - s->used, err);
    if (st != BEZ_OK) return st;
    o->fetched = true;
    s->used += o->entry.size;
  }
  return BEZ_OK;
}

static void fetching_free(fetching *f) {
  for (size_t i = 0; i < f->n; i++) f->objects[i]->queued = false;
  for (unsigned w = 0; w < f->n_http; w++) bez_http_destroy(f->http[w]);
  free(f->objects);
  free(f->first_tile);
  free(f->missing);
}

bez_status bez_spool_fetch(bez_spool *s, const size_t *ids, size_t n, bez_error *err) {
  fetching f = {
      .spool = s,
      .objects = calloc(n + 1, sizeof *f.objects),
      .first_tile = calloc(n + 1, sizeof *f.first_tile),
      .missing = calloc(n + 1, sizeof *f.missing),
      .watch = {.progress = s->options.progress, .ctx = s->options.progress_ctx, .stage = "fetch", .unit = "parts"}};
  size_t streams = 0;
  bez_status st = BEZ_OK;
  if (!f.objects || !f.first_tile || !f.missing) BEZ_TRY(bez_fail_memory(err, n * sizeof *f.objects));
  for (size_t i = 0; i < n; i++) {
    bez_object *o = &s->objects[ids[i]];
    if (o->entry.size == 0) o->fetched = true;
    streams += o->streamed && !o->fetched;
    if (o->fetched || o->streamed || o->queued) continue;
    o->queued = true;
    f.objects[f.n++] = o;
  }
  if (!f.n && !streams) goto cleanup;
  BEZ_TRY(fetch_ranges(&f, err));
  st = fetch_streams(&f, ids, n, err);
cleanup:
  fetching_free(&f);
  return st;
}
