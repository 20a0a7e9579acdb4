/* Windows that recur. Two passes over all windows with an edge: counters by hashed code tell which may recur, those are
 * gathered, sorted and judged. Memory: 64 MB of counters and 16 bytes per gathered window. */
#include <math.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/threads.h"
#include "detect/image_patch_moving.h"

#define LEAST_ROWS 6u
#define LEAST_GROUPS 6u
#define LEAST_PURITY 0.9
#define LEAST_EVIDENCE 4.0
#define LEAST_WANDER 0.19 /* standard deviation of the places, by the side: .29 is uniform */
#define MOST_TIMES 2.0    /* in one picture, on average */
#define LARGEST_SHARE 0.35
#define FRAMED 0.9f /* an edge (nearly) all around makes a window another one: strokes never have it */
#define COUNTER_BITS 24u
#define MOST_SIGHTINGS (24u << 20)
#define TILE 128u

typedef struct gathered {
  bez_sighting *list;
  size_t n, cap;
} gathered;

typedef struct recurring {
  const bez_patch_data *data;
  const bez_images *im;
  _Atomic uint16_t *counter[2]; /* may wrap around: then the code is a commonplace */
  gathered *tiles;
  _Atomic uint64_t n_gathered;
} recurring;

/* The exact bytes of a window (multilinear hashing, see image_patch_codes.c); 0: no edge. */
static uint32_t exact_code(const bez_images *im, const uint8_t *picture, uint32_t y, uint32_t x) {
  float edge = bez_edge_share(im, picture, y, x, BEZ_WINDOW, BEZ_WINDOW);
  if (edge < BEZ_EDGE) return BEZ_CODE_NONE;
  uint64_t sum = edge >= FRAMED ? 0x9e3779b97f4a7c15ull : 0x2545f4914f6cdd1dull, key = 0xbf58476d1ce4e5b9ull;
  size_t line = (size_t)BEZ_WINDOW * im->channels;
  for (uint32_t dy = 0; dy < BEZ_WINDOW; dy++) {
    const uint8_t *p = picture + ((size_t)(y + dy) * im->width + x) * im->channels;
    for (size_t i = 0; i < line; i++, key = key * 0x5851f42d4c957f2dull + 0x14057b7ef767814full)
      sum += (key | 1) * (1u + p[i]);
  }
  uint32_t code = (uint32_t)(sum >> 32);
  return code == BEZ_CODE_NONE ? 1 : code;
}

static size_t slot_of(uint32_t code, unsigned which) {
  static const uint64_t key[2] = {0x9e3779b97f4a7c15ull, 0xd6e8feb86659fd93ull};
  return (size_t)((code * key[which]) >> (64 - COUNTER_BITS));
}

static int by_code(const void *a, const void *b) {
  const bez_sighting *p = a, *q = b;
  if (p->code != q->code) return p->code < q->code ? -1 : 1;
  if (p->row != q->row) return p->row < q->row ? -1 : 1;
  if (p->y != q->y) return p->y < q->y ? -1 : 1;
  return (p->x > q->x) - (p->x < q->x);
}

/* The picture's windows by code, each code once, with how often it stands there. */
static uint32_t windows_of(const recurring *r, uint32_t row, bez_sighting *out) {
  const bez_images *im = r->im;
  const uint8_t *picture = bez_image(im, row);
  uint32_t n = 0, kept = 0;
  for (uint32_t y = 0; y + BEZ_WINDOW <= im->height; y++)
    for (uint32_t x = 0; x + BEZ_WINDOW <= im->width; x++) {
      uint32_t code = exact_code(im, picture, y, x);
      if (code != BEZ_CODE_NONE) out[n++] = (bez_sighting){code, row, (uint16_t)y, (uint16_t)x, 1};
    }
  if (n) qsort(out, n, sizeof *out, by_code);
  for (uint32_t i = 0; i < n; i++) {
    if (kept && out[kept - 1].code == out[i].code)
      out[kept - 1].times++;
    else
      out[kept++] = out[i];
  }
  return kept;
}

static bez_status room(const recurring *r, bez_sighting **out, bez_error *err) {
  size_t n = (size_t)(r->im->height - BEZ_WINDOW + 1) * (r->im->width - BEZ_WINDOW + 1);
  *out = malloc(n * sizeof **out);
  return *out ? BEZ_OK : bez_fail_memory(err, n * sizeof **out);
}

static bez_status count_tile(void *ctx, uint64_t tile, unsigned worker, bez_error *err) {
  (void)worker;
  recurring *r = ctx;
  bez_sighting *windows;
  bez_status st = room(r, &windows, err);
  if (st != BEZ_OK) return st;
  uint32_t n = r->data->n_rows, first = (uint32_t)tile * TILE, end = n - first < TILE ? n : first + TILE;
  for (uint32_t row = first; row < end; row++) {
    uint32_t k = windows_of(r, row, windows);
    for (uint32_t i = 0; i < k; i++)
      for (unsigned w = 0; w < 2; w++)
        atomic_fetch_add_explicit(&r->counter[w][slot_of(windows[i].code, w)], 1, memory_order_relaxed);
  }
  free(windows);
  return BEZ_OK;
}

static bool may_recur(const recurring *r, uint32_t code) {
  for (unsigned w = 0; w < 2; w++)
    if (atomic_load_explicit(&r->counter[w][slot_of(code, w)], memory_order_relaxed) < LEAST_ROWS) return false;
  return true;
}

static bez_status gather_tile(void *ctx, uint64_t tile, unsigned worker, bez_error *err) {
  (void)worker;
  recurring *r = ctx;
  gathered *g = &r->tiles[tile];
  bez_sighting *windows;
  bez_status st = room(r, &windows, err);
  if (st != BEZ_OK) return st;
  uint32_t n = r->data->n_rows, first = (uint32_t)tile * TILE, end = n - first < TILE ? n : first + TILE;
  for (uint32_t row = first; row < end && st == BEZ_OK; row++) {
    uint32_t k = windows_of(r, row, windows);
    for (uint32_t i = 0; i < k && st == BEZ_OK; i++) {
      if (!may_recur(r, windows[i].code)) continue;
      if (g->n == g->cap) {
        size_t cap = g->cap ? 2 * g->cap : 256;
        bez_sighting *list = realloc(g->list, cap * sizeof *list);
        if (!list) {
          st = bez_fail_memory(err, cap * sizeof *list);
          break;
        }
        g->list = list;
        g->cap = cap;
      }
      g->list[g->n++] = windows[i];
    }
  }
  atomic_fetch_add(&r->n_gathered, g->n);
  free(windows);
  return st;
}

/* ---- judging ---- */

typedef struct judge {
  const bez_patch_data *data;
  uint32_t *per_label, *seen, stamp;
} judge;

static bool wanders(const bez_images *im, const bez_sighting *s, uint32_t n) {
  double sum[2] = {0}, square[2] = {0}, times = 0;
  for (uint32_t i = 0; i < n; i++) {
    const double at[2] = {(double)s[i].y / im->height, (double)s[i].x / im->width};
    for (int k = 0; k < 2; k++) sum[k] += at[k], square[k] += at[k] * at[k];
    times += s[i].times;
  }
  if (times > MOST_TIMES * n) return false;
  for (int k = 0; k < 2; k++)
    if (square[k] / n - sum[k] / n * (sum[k] / n) < LEAST_WANDER * LEAST_WANDER) return false;
  return true;
}

static bool is_remarkable(judge *j, const bez_images *im, const bez_sighting *s, bez_recurrence *out) {
  const bez_patch_data *d = j->data;
  if (out->n < LEAST_ROWS || out->n >= LARGEST_SHARE * d->n_rows || !wanders(im, s, out->n)) return false;
  for (uint32_t i = 0; i < out->n; i++) j->per_label[d->label[s[i].row]]++;
  for (uint32_t i = 0; i < out->n; i++) {
    uint32_t label = d->label[s[i].row], n = j->per_label[label];
    if (label != BEZ_CODE_MISSING && (n > out->n_label || (n == out->n_label && label < out->label)))
      out->n_label = n, out->label = label;
  }
  for (uint32_t i = 0; i < out->n; i++) j->per_label[d->label[s[i].row]] = 0;
  if (out->n_label < LEAST_ROWS || out->n_label < LEAST_PURITY * out->n) return false;
  j->stamp++;
  for (uint32_t i = 0; i < out->n; i++) {
    uint32_t *seen = &j->seen[d->tracks->group[s[i].row]];
    out->groups += *seen != j->stamp && d->label[s[i].row] == out->label;
    if (d->label[s[i].row] == out->label) *seen = j->stamp;
  }
  out->evidence = bez_patch_evidence(out->n_label, out->n, (double)d->count[out->label] / d->n_rows, out->groups);
  return out->groups >= LEAST_GROUPS && out->evidence >= LEAST_EVIDENCE;
}

static int stronger(const void *a, const void *b) {
  const bez_recurrence *p = a, *q = b;
  if (p->evidence != q->evidence) return p->evidence > q->evidence ? -1 : 1;
  return (p->begin > q->begin) - (p->begin < q->begin);
}

static bez_status judge_all(const recurring *r, bez_recurrences *out, bez_error *err) {
  judge j = {.data = r->data};
  size_t cap = 0;
  bez_status st = BEZ_OK;
  j.per_label = calloc((size_t)r->data->n_labels + 1, sizeof *j.per_label);
  j.seen = calloc((size_t)r->data->tracks->n_groups + 1, sizeof *j.seen);
  if (!j.per_label || !j.seen) st = bez_fail_memory(err, r->data->tracks->n_groups * sizeof *j.seen);
  for (size_t begin = 0, end; st == BEZ_OK && begin < out->n_sightings; begin = end) {
    for (end = begin; end < out->n_sightings && out->sightings[end].code == out->sightings[begin].code;) end++;
    bez_recurrence one = {.begin = begin, .n = (uint32_t)(end - begin)};
    if (!is_remarkable(&j, r->im, out->sightings + begin, &one)) continue;
    if (out->n == cap) {
      cap = cap ? 2 * cap : 64;
      bez_recurrence *list = realloc(out->list, cap * sizeof *list);
      if (!list) {
        st = bez_fail_memory(err, cap * sizeof *list);
        break;
      }
      out->list = list;
    }
    out->list[out->n++] = one;
  }
  if (st == BEZ_OK && out->n) qsort(out->list, out->n, sizeof *out->list, stronger);
  free(j.per_label);
  free(j.seen);
  return st;
}

static bez_status join_tiles(recurring *r, uint64_t n_tiles, bez_recurrences *out, bez_error *err) {
  out->sightings = malloc((r->n_gathered + 1) * sizeof *out->sightings);
  if (!out->sightings) return bez_fail_memory(err, r->n_gathered * sizeof *out->sightings);
  for (uint64_t t = 0; t < n_tiles; t++) {
    if (r->tiles[t].n)
      memcpy(out->sightings + out->n_sightings, r->tiles[t].list, r->tiles[t].n * sizeof *out->sightings);
    out->n_sightings += r->tiles[t].n;
  }
  if (out->n_sightings) qsort(out->sightings, out->n_sightings, sizeof *out->sightings, by_code);
  return BEZ_OK;
}

void bez_recurrences_free(bez_recurrences *r) {
  free(r->sightings);
  free(r->list);
  *r = (bez_recurrences){0};
}

bez_status bez_recurrences_find(const bez_patch_data *data, bez_recurrences *out, bez_error *err) {
  bez_status st = BEZ_OK;
  recurring r = {.data = data, .im = data->in->table->images};
  uint64_t n_tiles = (data->n_rows + TILE - 1) / TILE;
  bez_watch watch = bez_detect_watch(data->in, "image-patch-moving", "tiles");
  *out = (bez_recurrences){.complete = true};
  if (r.im->height < BEZ_WINDOW || r.im->width < BEZ_WINDOW) return BEZ_OK;
  r.tiles = calloc(n_tiles + 1, sizeof *r.tiles);
  for (unsigned w = 0; w < 2; w++) r.counter[w] = calloc((size_t)1 << COUNTER_BITS, sizeof *r.counter[w]);
  if (!r.tiles || !r.counter[0] || !r.counter[1]) {
    st = bez_fail_memory(err, (size_t)4 << COUNTER_BITS);
    goto cleanup;
  }
  BEZ_TRY(bez_parallel_watched(n_tiles, data->in->threads, &watch, count_tile, &r, err));
  BEZ_TRY(bez_parallel_watched(n_tiles, data->in->threads, &watch, gather_tile, &r, err));
  out->complete = r.n_gathered <= MOST_SIGHTINGS;
  if (!out->complete) goto cleanup;
  BEZ_TRY(join_tiles(&r, n_tiles, out, err));
  BEZ_TRY(judge_all(&r, out, err));
cleanup:
  for (uint64_t t = 0; r.tiles && t < n_tiles; t++) free(r.tiles[t].list);
  free(r.tiles);
  free((void *)r.counter[0]);
  free((void *)r.counter[1]);
  if (st != BEZ_OK) bez_recurrences_free(out);
  return st;
}
