/* Digests in any order: chunks by their first ten bits in memory, beyond the budget written to a temporary file in runs
 * of all chunks, where every bucket's share of a run lies in one place. */
#include "content/digests.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "base/threads.h"

enum {
  BUCKETS = 1024,
  CHUNK = 127,      /* digests: with what leads them just under 4 KiB */
  TILE = 4096,      /* digests at least, but for the last */
  BATCH = 1 << 19,  /* digests that are sorted at once */
  WINDOW = 1 << 18, /* digests in a window, unless one tile has more */
  WRITE = 256 << 10 /* bytes of one write */
};

typedef struct chunk {
  struct chunk *next;
  uint64_t n;
  uint8_t digests[CHUNK][32];
} chunk;

typedef struct spill {
  uint64_t start[BUCKETS + 1]; /* in digests of the file */
} spill;

struct bez_digests {
  uint64_t memory, n;
  chunk *heads[BUCKETS], *unused;
  uint64_t counts[BUCKETS]; /* in memory and in the file */
  uint64_t chunk_bytes;
  int fd;
  uint64_t in_file; /* digests */
  spill **spills;
  size_t n_spills, cap_spills;
  unsigned next; /* bucket that bez_digests_next comes to */
};

static const char file_name[] = "temporary file";

bez_status bez_digests_create(uint64_t memory, bez_digests **out, bez_error *err) {
  bez_digests *d = calloc(1, sizeof *d);
  if (!d) return bez_fail_memory(err, sizeof *d);
  const uint64_t least = (uint64_t)2 * BUCKETS * sizeof(chunk);
  d->memory = memory < least ? least : memory;
  d->fd = -1;
  *out = d;
  return BEZ_OK;
}

static void free_chunks(chunk *c) {
  while (c) {
    chunk *next = c->next;
    free(c);
    c = next;
  }
}

static void empty(bez_digests *d) {
  for (size_t i = 0; i < BUCKETS; i++) free_chunks(d->heads[i]);
  free_chunks(d->unused);
  for (size_t i = 0; i < d->n_spills; i++) free(d->spills[i]);
  free(d->spills);
  if (d->fd >= 0) close(d->fd);
  *d = (bez_digests){.memory = d->memory, .fd = -1};
}

void bez_digests_free(bez_digests *digests) {
  if (!digests) return;
  empty(digests);
  free(digests);
}

uint64_t bez_digests_count(const bez_digests *digests) {
  return digests ? digests->n : 0;
}

static bez_status write_all(int fd, const void *bytes, size_t len, uint64_t at, bez_error *err) {
  for (const char *p = bytes; len;) {
    ssize_t n = pwrite(fd, p, len, (off_t)at);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return bez_fail_errno(err, file_name, "cannot write");
    p += n;
    at += (uint64_t)n;
    len -= (size_t)n;
  }
  return BEZ_OK;
}

/* One bucket's chunks go behind what the buffer holds; the buffer is written when it is full. */
static bez_status spill_bucket(bez_digests *d, size_t bucket, bez_buf *buf, bez_error *err) {
  bez_status st = BEZ_OK;
  while (d->heads[bucket] && st == BEZ_OK) {
    chunk *c = d->heads[bucket];
    bez_buf_write(buf, c->digests, (size_t)c->n * 32);
    d->in_file += c->n;
    d->heads[bucket] = c->next;
    c->next = d->unused;
    d->unused = c;
    if (buf->len < WRITE) continue;
    st = bez_buf_status(buf, err);
    if (st == BEZ_OK) st = write_all(d->fd, buf->data, buf->len, d->in_file * 32 - buf->len, err);
    bez_buf_clear(buf);
  }
  return st;
}

static bez_status room_for_spill(bez_digests *d, spill **out, bez_error *err) {
  if (d->n_spills == d->cap_spills) {
    size_t cap = d->cap_spills ? d->cap_spills * 2 : 8;
    spill **more = realloc(d->spills, cap * sizeof *more);
    if (!more) return bez_fail_memory(err, cap * sizeof *more);
    d->spills = more;
    d->cap_spills = cap;
  }
  *out = calloc(1, sizeof **out);
  if (!*out) return bez_fail_memory(err, sizeof **out);
  d->spills[d->n_spills++] = *out;
  return BEZ_OK;
}

static bez_status spill_all(bez_digests *d, bez_error *err) {
  bez_buf buf = {0};
  spill *s;
  bez_status st = BEZ_OK;
  if (d->fd < 0) st = bez_store_file(&d->fd, err);
  if (st == BEZ_OK) st = room_for_spill(d, &s, err);
  for (size_t i = 0; i < BUCKETS && st == BEZ_OK; i++) {
    s->start[i] = d->in_file;
    st = spill_bucket(d, i, &buf, err);
    s->start[i + 1] = d->in_file;
  }
  if (st == BEZ_OK) st = bez_buf_status(&buf, err);
  if (st == BEZ_OK) st = write_all(d->fd, buf.data, buf.len, d->in_file * 32 - buf.len, err);
  bez_buf_free(&buf);
  return st;
}

static bez_status room_for_chunk(bez_digests *d, size_t bucket, bez_error *err) {
  bez_status st = BEZ_OK;
  if (!d->unused && d->chunk_bytes + sizeof(chunk) > d->memory) st = spill_all(d, err);
  if (st != BEZ_OK) return st;
  chunk *c = d->unused;
  if (c) {
    d->unused = c->next;
  } else {
    c = malloc(sizeof *c);
    if (!c) return bez_fail_memory(err, sizeof *c);
    d->chunk_bytes += sizeof *c;
  }
  c->n = 0;
  c->next = d->heads[bucket];
  d->heads[bucket] = c;
  return BEZ_OK;
}

bez_status bez_digests_add(bez_digests *digests, const uint8_t (*canonical)[32], size_t n, bez_error *err) {
  for (size_t i = 0; i < n; i++) {
    size_t bucket = (size_t)canonical[i][0] << 2 | canonical[i][1] >> 6;
    chunk *c = digests->heads[bucket];
    if (!c || c->n == CHUNK) {
      bez_status st = room_for_chunk(digests, bucket, err);
      if (st != BEZ_OK) return st;
      c = digests->heads[bucket];
    }
    memcpy(c->digests[c->n++], canonical[i], 32);
    digests->counts[bucket]++;
    digests->n++;
  }
  return BEZ_OK;
}

/* Digests of a tile on their way into its run. */
typedef struct gather {
  uint8_t (*digests)[32];
  size_t n, cap;
  bez_digest_run *run;
} gather;

static bez_status sort_batch(gather *g, bez_error *err) {
  bez_digest_run fresh = {0};
  if (!g->n) return BEZ_OK;
  bez_status st = bez_digest_run_sort((const uint8_t(*)[32])g->digests, g->n, &fresh, err);
  g->n = 0;
  if (st != BEZ_OK) return st;
  if (!g->run->n) {
    bez_digest_run_free(g->run);
    *g->run = fresh;
    return BEZ_OK;
  }
  st = bez_digest_run_merge(g->run, &fresh, err);
  bez_digest_run_free(&fresh);
  return st;
}

static bez_status gather_chunks(gather *g, const chunk *c, bez_error *err) {
  for (; c; c = c->next) {
    if (g->n + c->n > g->cap) {
      bez_status st = sort_batch(g, err);
      if (st != BEZ_OK) return st;
    }
    memcpy(g->digests[g->n], c->digests, (size_t)c->n * 32);
    g->n += c->n;
  }
  return BEZ_OK;
}

static bez_status gather_spilled(gather *g, int fd, uint64_t from, uint64_t to, bez_error *err) {
  while (from < to) {
    if (g->n == g->cap) {
      bez_status st = sort_batch(g, err);
      if (st != BEZ_OK) return st;
    }
    size_t n = g->cap - g->n;
    if (n > to - from) n = (size_t)(to - from);
    bez_status st = bez_file_pread(fd, file_name, g->digests[g->n], n * 32, from * 32, err);
    if (st != BEZ_OK) return st;
    g->n += n;
    from += n;
  }
  return BEZ_OK;
}

typedef struct tiles {
  const bez_digests *digests;
  bez_digest_window *window;
  unsigned first[BEZ_WINDOW_TILES + 1]; /* bucket with which a tile begins */
} tiles;

static bez_status load_tile(void *ctx, uint64_t tile, unsigned worker, bez_error *err) {
  const tiles *t = ctx;
  const bez_digests *d = t->digests;
  (void)worker;
  uint64_t all = 0;
  for (unsigned b = t->first[tile]; b < t->first[tile + 1]; b++) all += d->counts[b];
  if (!all) return BEZ_OK;
  gather g = {.cap = all < BATCH ? (size_t)all + CHUNK : BATCH, .run = &t->window->tiles[tile]};
  g.digests = malloc(g.cap * sizeof *g.digests);
  if (!g.digests) return bez_fail_memory(err, g.cap * sizeof *g.digests);
  bez_status st = BEZ_OK;
  for (unsigned b = t->first[tile]; b < t->first[tile + 1] && st == BEZ_OK; b++) {
    st = gather_chunks(&g, d->heads[b], err);
    for (size_t i = 0; i < d->n_spills && st == BEZ_OK; i++)
      st = gather_spilled(&g, d->fd, d->spills[i]->start[b], d->spills[i]->start[b + 1], err);
  }
  if (st == BEZ_OK) st = sort_batch(&g, err);
  free(g.digests);
  return st;
}

void bez_digest_window_free(bez_digest_window *window) {
  for (size_t i = 0; i < BEZ_WINDOW_TILES; i++) bez_digest_run_free(&window->tiles[i]);
  window->n_tiles = 0;
}

/* Buckets into tiles, tiles into a window, by nothing but their counts. */
static void plan(const bez_digests *d, tiles *t) {
  uint64_t in_window = 0, in_tile = 0;
  unsigned bucket = d->next;
  size_t n = 0;
  t->first[0] = bucket;
  for (; bucket < BUCKETS && n < BEZ_WINDOW_TILES && in_window < WINDOW; bucket++) {
    in_tile += d->counts[bucket];
    in_window += d->counts[bucket];
    if (in_tile < TILE) continue;
    t->first[++n] = bucket + 1;
    in_tile = 0;
  }
  if (t->first[n] < bucket && n < BEZ_WINDOW_TILES) t->first[++n] = bucket;
  t->window->n_tiles = n;
}

bez_status bez_digests_next(bez_digests *digests, unsigned threads, bez_digest_window *window, bez_error *err) {
  bez_digest_window_free(window);
  if (digests->next == BUCKETS || !digests->n) return BEZ_OK;
  tiles t = {.digests = digests, .window = window};
  plan(digests, &t);
  bez_status st = bez_parallel(window->n_tiles, threads, load_tile, &t, err);
  for (unsigned b = t.first[0]; b < t.first[window->n_tiles]; b++) {
    free_chunks(digests->heads[b]);
    digests->heads[b] = NULL;
  }
  digests->next = t.first[window->n_tiles];
  if (digests->next == BUCKETS) empty(digests);
  return st;
}
