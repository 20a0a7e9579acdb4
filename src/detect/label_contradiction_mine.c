/* Mining: every set of one to three columns, in two passes over the gathered rows.
 *
 * First each candidate adds its contradiction to a bucket of its hashed values: a bucket below t_min cannot hold a
 * pattern. Then the rows of the remaining buckets are counted exactly by their values. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/threads.h"
#include "detect/label_contradiction.h"

#define MIN_TARGET 8.0
#define MIN_PURITY .7
#define MAX_BUCKETS (1u << 20)
#define MAX_PER_SET 512u /* patterns kept of one column set, the strongest */
#define PROMISE_MIN 8.0  /* estimated strength that is worth an exact look */
#define SETS_PER_TILE 8u
#define SPARE_ROWS 2.0 /* sampled rows that may speak against a pattern by chance */

typedef struct entry {
  uint64_t key; /* 0: free */
  double t_cand, t_rest, cand, rest, rest_target;
} entry;

typedef struct map {
  entry *slot;
  size_t cap, used; /* cap: a power of two */
} map;

typedef struct mine {
  const bez_lco_view *view;
  const bez_lco_rows *rows;
  const uint32_t (*set)[BEZ_LCO_MAX_COLS]; /* column sets */
  const uint8_t *set_k;
  uint64_t n_sets;
  double t_min, t_min_single;
  uint32_t buckets;
  float **bucket; /* per worker */
  map *maps;
  bez_lco_patterns *found; /* per tile */
} mine;

static uint32_t bucket_of(uint64_t key, uint32_t mask) {
  return (uint32_t)((key * 0x9e3779b97f4a7c15ull) >> 40) & mask;
}

static bez_status map_grow(map *m, bez_error *err) {
  size_t cap = m->cap ? m->cap * 2 : 1024;
  entry *slot = calloc(cap, sizeof *slot);
  if (!slot) return bez_fail_memory(err, cap * sizeof *slot);
  for (size_t i = 0; i < m->cap; i++) {
    if (!m->slot[i].key) continue;
    size_t at = (m->slot[i].key * 0xd6e8feb86659fd93ull >> 32) & (cap - 1);
    while (slot[at].key) at = (at + 1) & (cap - 1);
    slot[at] = m->slot[i];
  }
  free(m->slot);
  m->slot = slot;
  m->cap = cap;
  return BEZ_OK;
}

static entry *map_at(map *m, uint64_t key, bez_error *err) {
  if ((m->used + 1) * 2 > m->cap && map_grow(m, err) != BEZ_OK) return NULL;
  size_t at = (key * 0xd6e8feb86659fd93ull >> 32) & (m->cap - 1);
  while (m->slot[at].key && m->slot[at].key != key) at = (at + 1) & (m->cap - 1);
  if (!m->slot[at].key) {
    m->slot[at].key = key;
    m->used++;
  }
  return &m->slot[at];
}

/* One to three columns as one view; those from k on repeat the first with a factor of zero. */
typedef struct lens {
  const uint16_t *id[BEZ_LCO_MAX_COLS];
  const float *g[BEZ_LCO_MAX_COLS];
  float gamma[BEZ_LCO_MAX_COLS];
  uint32_t k;
} lens;

static lens make_lens(const mine *c, uint64_t set) {
  double gamma[BEZ_LCO_MAX_COLS] = {0};
  lens l = {.k = c->set_k[set]};
  bez_woe_gamma(c->view->woe, c->set[set], l.k, gamma);
  for (uint32_t j = 0; j < BEZ_LCO_MAX_COLS; j++) {
    uint32_t f = c->set[set][j < l.k ? j : 0];
    l.id[j] = c->rows->id[f];
    l.g[j] = c->rows->g[f];
    l.gamma[j] = (float)gamma[j];
  }
  return l;
}

/* Key of a gathered row, 0 where one of its values cannot be part of a pattern. */
static inline uint64_t key_of(const lens *l, uint64_t i) {
  uint64_t a = l->id[0][i];
  if (!a || l->k == 1) return a;
  uint64_t b = l->id[1][i];
  if (!b) return 0;
  if (l->k == 2) return a | b << 16;
  uint64_t d = l->id[2][i];
  return d ? a | b << 16 | d << 32 : 0;
}

static inline float contradiction(const bez_lco_rows *r, const lens *l, uint64_t i) {
  float c = r->base[i];
  for (uint32_t j = 0; j < l->k; j++) c += l->gamma[j] * l->g[j][i];
  return c > BEZ_LCO_CLIP ? BEZ_LCO_CLIP : c < -BEZ_LCO_CLIP ? -BEZ_LCO_CLIP : c;
}

/* First pass. True where some bucket reaches t_min. */
static bool fill_buckets(const bez_lco_rows *r, const lens *l, float *bucket, uint32_t mask, float t_min) {
  memset(bucket, 0, ((size_t)mask + 1) * sizeof *bucket);
  bool any = false;
  for (uint64_t i = 0; i < r->n_cand; i++) {
    uint64_t key = key_of(l, i);
    if (!key) continue;
    float c = contradiction(r, l, i), *b = &bucket[bucket_of(key, mask)];
    if (c > 0.0f) *b += c;
    any |= *b >= t_min;
  }
  return any;
}

static bez_status count_rows(const bez_lco_rows *r, const lens *l, const float *bucket, uint32_t mask, float t_min,
                             map *m, bez_error *err) {
  memset(m->slot, 0, m->cap * sizeof *m->slot);
  m->used = 0;
  for (uint64_t i = 0; i < r->n; i++) {
    uint64_t key = key_of(l, i);
    if (!key || bucket[bucket_of(key, mask)] < t_min) continue;
    entry *e = map_at(m, key, err);
    if (!e) return BEZ_MEMORY;
    if (i < r->n_cand) {
      e->cand += 1;
      e->t_cand += (double)contradiction(r, l, i);
    } else {
      e->rest += 1;
      e->rest_target += r->is_target[i];
      if (r->is_target[i]) e->t_rest += (double)contradiction(r, l, i);
    }
  }
  return BEZ_OK;
}

static bez_status append(bez_lco_patterns *list, const bez_lco_pattern *p, bez_error *err) {
  if (list->n == list->cap) {
    size_t cap = list->cap ? list->cap * 2 : 64;
    bez_lco_pattern *item = realloc(list->item, cap * sizeof *item);
    if (!item) return bez_fail_memory(err, cap * sizeof *item);
    list->item = item;
    list->cap = cap;
  }
  list->item[list->n++] = *p;
  return BEZ_OK;
}

static int stronger(const void *a, const void *b) {
  const bez_lco_pattern *x = a, *y = b;
  if (x->promise != y->promise) return x->promise < y->promise ? 1 : -1;
  return x->key < y->key ? -1 : x->key > y->key;
}

/* What survives of one column set, strongest first. Where the rest is a sample, a few of its rows are forgiven. */
static bez_status harvest(const mine *c, uint64_t set, const map *m, bez_lco_patterns *out, bez_error *err) {
  const bez_lco_rows *r = c->rows;
  double w = r->weight, spare = w > 1 ? SPARE_ROWS : 0, t_min = c->set_k[set] == 1 ? c->t_min_single : c->t_min;
  size_t first = out->n;
  bez_status st = BEZ_OK;
  for (size_t i = 0; i < m->cap; i++) {
    const entry *e = &m->slot[i];
    if (!e->key) continue;
    out->tested++;
    double t_rest = e->t_rest + spare * (double)BEZ_LCO_CLIP, others = e->rest - e->rest_target - spare;
    double target = e->cand + w * e->rest_target, n = target + w * fmax(others, 0);
    double t = e->t_cand + w * (w > 1 ? fmin(t_rest, 0) : t_rest);
    if (t < t_min || target < MIN_TARGET || target < MIN_PURITY * n) continue;
    bez_lco_pattern p = {
        .k = c->set_k[set], .target = c->view->target, .key = e->key, .n = n, .n_target = target, .t = t};
    for (uint32_t j = 0; j < p.k; j++) {
      p.col[j] = c->set[set][j];
      p.code[j] = r->code_of[p.col[j]][e->key >> (16 * j) & 0xffff];
    }
    st = append(out, &p, err);
    if (st != BEZ_OK) return st;
  }
  if (out->n == first) return BEZ_OK;
  st = bez_lco_expect(c->view, r, out->item + first, out->n - first, err);
  if (st != BEZ_OK) return st;
  size_t kept = first;
  for (size_t i = first; i < out->n; i++)
    if (out->item[i].k == 1 || out->item[i].promise >= PROMISE_MIN) out->item[kept++] = out->item[i];
  out->n = kept;
  if (out->n > first) qsort(out->item + first, out->n - first, sizeof *out->item, stronger);
  if (out->n - first > MAX_PER_SET) out->n = first + MAX_PER_SET;
  return BEZ_OK;
}

static bez_status mine_tile(void *ctx, uint64_t tile, unsigned worker, bez_error *err) {
  mine *c = ctx;
  map *m = &c->maps[worker];
  if (!m->cap) {
    bez_status st = map_grow(m, err);
    if (st != BEZ_OK) return st;
  }
  for (uint64_t set = tile * SETS_PER_TILE; set < (tile + 1) * SETS_PER_TILE && set < c->n_sets; set++) {
    float t_min = (float)(c->set_k[set] == 1 ? c->t_min_single : c->t_min);
    lens l = make_lens(c, set);
    if (!fill_buckets(c->rows, &l, c->bucket[worker], c->buckets - 1, t_min)) continue;
    bez_status st = count_rows(c->rows, &l, c->bucket[worker], c->buckets - 1, t_min, m, err);
    if (st == BEZ_OK) st = harvest(c, set, m, &c->found[tile], err);
    if (st != BEZ_OK) return st;
  }
  return BEZ_OK;
}

typedef struct column_size {
  uint32_t ids, feature;
} column_size;

static int more_values(const void *a, const void *b) {
  const column_size *x = a, *y = b;
  if (x->ids != y->ids) return x->ids < y->ids ? 1 : -1;
  return x->feature < y->feature ? -1 : x->feature > y->feature;
}

/* deep[f]: f may be part of a set of three. Returns how many are, 0 when all. */
static bez_status choose_deep(const bez_lco_rows *r, bool *deep, uint32_t *n_deep, bez_error *err) {
  column_size *size = malloc((r->n_features ? r->n_features : 1) * sizeof *size);
  if (!size) return bez_fail_memory(err, r->n_features * sizeof *size);
  uint32_t n = 0;
  for (uint32_t f = 0; f < r->n_features; f++)
    if (r->n_ids[f]) size[n++] = (column_size){r->n_ids[f], f};
  if (n) qsort(size, n, sizeof *size, more_values);
  for (uint32_t i = 0; i < n && i < BEZ_LCO_DEEP; i++) deep[size[i].feature] = true;
  *n_deep = n > BEZ_LCO_DEEP ? BEZ_LCO_DEEP : 0;
  free(size);
  return BEZ_OK;
}

/* All sets of one to three of the columns that have a value to offer. */
static bez_status make_sets(const bez_lco_rows *r, const bool *deep, uint32_t (**set)[BEZ_LCO_MAX_COLS],
                            uint8_t **set_k, uint64_t *n, bez_error *err) {
  uint64_t d = 0, t = 0, at = 0;
  for (uint32_t f = 0; f < r->n_features; f++) d += r->n_ids[f] > 0, t += deep[f];
  uint64_t total = d + d * (d ? d - 1 : 0) / 2 + (t > 2 ? t * (t - 1) * (t - 2) / 6 : 0);
  *set = calloc(total + 1, sizeof **set);
  *set_k = calloc(total + 1, 1);
  if (!*set || !*set_k) return bez_fail_memory(err, total * sizeof **set);
  for (uint32_t a = 0; a < r->n_features; a++) {
    if (!r->n_ids[a]) continue;
    memcpy((*set)[at], (uint32_t[3]){a}, sizeof **set);
    (*set_k)[at++] = 1;
    for (uint32_t b = a + 1; b < r->n_features; b++) {
      if (!r->n_ids[b]) continue;
      memcpy((*set)[at], (uint32_t[3]){a, b}, sizeof **set);
      (*set_k)[at++] = 2;
      for (uint32_t e = b + 1; e < r->n_features && deep[a] && deep[b]; e++) {
        if (!deep[e]) continue;
        memcpy((*set)[at], (uint32_t[3]){a, b, e}, sizeof **set);
        (*set_k)[at++] = 3;
      }
    }
  }
  *n = at;
  return BEZ_OK;
}

static bez_status make_scratch(mine *c, unsigned threads, bez_error *err) {
  c->buckets = 1024;
  while (c->buckets < MAX_BUCKETS && c->buckets < 2 * c->rows->n_cand) c->buckets *= 2;
  c->bucket = calloc(threads, sizeof *c->bucket);
  c->maps = calloc(threads, sizeof *c->maps);
  if (!c->bucket || !c->maps) return bez_fail_memory(err, threads * sizeof *c->maps);
  for (unsigned w = 0; w < threads; w++) {
    c->bucket[w] = malloc(c->buckets * sizeof **c->bucket);
    if (!c->bucket[w]) return bez_fail_memory(err, c->buckets * sizeof **c->bucket);
  }
  return BEZ_OK;
}

bez_status bez_lco_mine(const bez_lco_view *view, const bez_lco_rows *rows, double t_min, double t_min_single,
                        bez_lco_patterns *out, bez_error *err) {
  bez_status st = BEZ_OK;
  uint32_t(*set)[BEZ_LCO_MAX_COLS] = NULL;
  uint8_t *set_k = NULL;
  bool *deep = NULL;
  unsigned threads = view->in->threads;
  uint64_t tiles = 0;
  mine c = {.view = view, .rows = rows, .t_min = t_min, .t_min_single = t_min_single};
  deep = calloc(rows->n_features ? rows->n_features : 1, sizeof *deep);
  if (!deep) BEZ_TRY(bez_fail_memory(err, rows->n_features));
  BEZ_TRY(choose_deep(rows, deep, &out->deep, err));
  BEZ_TRY(make_sets(rows, deep, &set, &set_k, &c.n_sets, err));
  c.set = (const uint32_t(*)[BEZ_LCO_MAX_COLS])set;
  c.set_k = set_k;
  tiles = (c.n_sets + SETS_PER_TILE - 1) / SETS_PER_TILE;
  BEZ_TRY(make_scratch(&c, threads, err));
  c.found = calloc(tiles + 1, sizeof *c.found);
  if (!c.found) BEZ_TRY(bez_fail_memory(err, tiles * sizeof *c.found));
  BEZ_TRY(bez_detect_parallel(view->in, "label contradictions", tiles, mine_tile, &c, err));
  for (uint64_t t = 0; t < tiles; t++) {
    out->tested += c.found[t].tested;
    for (size_t i = 0; i < c.found[t].n; i++) BEZ_TRY(append(out, &c.found[t].item[i], err));
  }
cleanup:
  for (unsigned w = 0; w < threads; w++) {
    if (c.bucket) free(c.bucket[w]);
    if (c.maps) free(c.maps[w].slot);
  }
  for (uint64_t t = 0; c.found && t < tiles; t++) free(c.found[t].item);
  free(c.found);
  free(c.bucket);
  free(c.maps);
  free(set);
  free(set_k);
  free(deep);
  return st;
}

void bez_lco_patterns_free(bez_lco_patterns *patterns) {
  for (size_t i = 0; i < patterns->n; i++) {
    free(patterns->item[i].row);
    free(patterns->item[i].c);
  }
  free(patterns->item);
  *patterns = (bez_lco_patterns){0};
}

bez_status bez_lco_patterns_move(bez_lco_patterns *to, bez_lco_patterns *from, bez_error *err) {
  bez_status st = BEZ_OK;
  size_t moved = 0;
  for (; moved < from->n && st == BEZ_OK; moved++) st = append(to, &from->item[moved], err);
  if (st != BEZ_OK) moved--; /* the one that failed stays where it was */
  if (moved) memmove(from->item, from->item + moved, (from->n - moved) * sizeof *from->item);
  from->n -= moved;
  to->tested += from->tested;
  if (from->deep > to->deep) to->deep = from->deep;
  return st;
}
