/* Spots: at each place, the codes that many rows of one label share. One pass over all windows, a row of places at a
 * time; memory is one code per picture and place of that row. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/threads.h"
#include "detect/image_patch.h"
#include "math/tails.h"

#define LEAST_ROWS 6u
#define LEAST_GROUPS 6u
#define LARGEST_SHARE 0.35     /* of all rows: what more of them show is the data's own */
#define MOST_SPOTS 4096u       /* kept of one view and family */
#define MOST_PER_ROW 1024u     /* kept of one row of places */
#define CODE_BYTES (64u << 20) /* of codes per worker */

typedef struct limits {
  double purity, evidence;
} limits;

/* One worker's tables. */
typedef struct bench {
  uint32_t *codes;               /* columns × n_rows */
  uint32_t *bucket;              /* counts by hashed code */
  uint32_t *heavy;               /* rows whose bucket is full enough */
  uint32_t *slot;                /* open addressing: index of a code + 1 */
  uint32_t *code, *size, *begin; /* per distinct heavy code */
  uint32_t *sorted;              /* heavy rows, code after code */
  uint32_t *of;                  /* per heavy row: index of its code */
  uint32_t *per_label;
  uint32_t *seen; /* per track: the last code that met it */
  uint32_t stamp;
} bench;

typedef struct row_spots {
  bez_spot *list;
  size_t n, cap;
} row_spots;

typedef struct mining {
  const bez_patch_data *data;
  const bez_view *view;
  bez_code_family family;
  limits limit;
  uint32_t columns; /* places worked on at once */
  uint32_t mask;    /* of the bucket and slot tables */
  bench *benches;
  row_spots *found; /* per row of places */
} mining;

double bez_patch_evidence(uint32_t hits, uint32_t n, double p, uint32_t groups) {
  if (!hits || !n) return 0;
  return -bez_binomial_log_sf(hits, n, p) / M_LN10 * (groups < hits ? (double)groups / hits : 1.0);
}

/* −log10 of a bound, cheap enough to ask for every code. */
static bool may_reach(uint32_t hits, uint32_t n, double p, double least) {
  return -bez_chernoff_log_bound(hits, n, p) / M_LN10 + 4 >= least;
}

static uint32_t hash(uint32_t code, uint32_t mask) {
  return (uint32_t)(((uint64_t)code * 0x9e3779b97f4a7c15ull) >> 40) & mask;
}

/* Rows whose code is frequent enough to matter and no commonplace. */
static uint32_t heavy_rows(const mining *m, bench *b, const uint32_t *codes) {
  uint32_t n = m->data->n_rows, n_heavy = 0, most = (uint32_t)(LARGEST_SHARE * n);
  memset(b->bucket, 0, ((size_t)m->mask + 1) * sizeof *b->bucket);
  for (uint32_t i = 0; i < n; i++) b->bucket[hash(codes[i], m->mask)]++;
  for (uint32_t i = 0; i < n; i++) {
    uint32_t full = b->bucket[hash(codes[i], m->mask)];
    if (full >= LEAST_ROWS && full < most && codes[i] != BEZ_CODE_NONE) b->heavy[n_heavy++] = i;
  }
  return n_heavy;
}

/* Gives each distinct code of the heavy rows an index, in order of appearance, and sorts the rows by it. */
static uint32_t distinct_codes(const mining *m, bench *b, const uint32_t *codes, uint32_t n_heavy) {
  uint32_t n = 0, at = 0;
  memset(b->slot, 0, ((size_t)m->mask + 1) * sizeof *b->slot);
  for (uint32_t h = 0; h < n_heavy; h++) {
    uint32_t code = codes[b->heavy[h]], s = hash(code, m->mask);
    while (b->slot[s] && b->code[b->slot[s] - 1] != code) s = (s + 1) & m->mask;
    if (!b->slot[s]) {
      b->code[n] = code;
      b->size[n] = 0;
      b->slot[s] = ++n;
    }
    b->of[h] = b->slot[s] - 1;
    b->size[b->of[h]]++;
  }
  for (uint32_t c = 0; c < n; c++) {
    b->begin[c] = at;
    at += b->size[c];
  }
  for (uint32_t h = 0; h < n_heavy; h++) b->sorted[b->begin[b->of[h]]++] = b->heavy[h];
  for (uint32_t c = 0; c < n; c++) b->begin[c] -= b->size[c];
  return n;
}

static uint32_t count_groups(const mining *m, bench *b, const uint32_t *rows, uint32_t n, uint32_t label) {
  uint32_t groups = 0;
  b->stamp++;
  for (uint32_t i = 0; i < n; i++) {
    if (m->data->label[rows[i]] != label) continue;
    uint32_t *seen = &b->seen[m->data->tracks->group[rows[i]]];
    groups += *seen != b->stamp;
    *seen = b->stamp;
  }
  return groups;
}

static bez_status keep(row_spots *to, const bez_spot *spot, bez_error *err) {
  if (to->n == to->cap) {
    size_t cap = to->cap ? 2 * to->cap : 64;
    bez_spot *list = realloc(to->list, cap * sizeof *list);
    if (!list) return bez_fail_memory(err, cap * sizeof *list);
    to->list = list;
    to->cap = cap;
  }
  to->list[to->n++] = *spot;
  return BEZ_OK;
}

/* Fills the spot's numbers; false: nothing remarkable. */
static bool judge(const mining *m, bench *b, const uint32_t *rows, bez_spot *spot) {
  const bez_patch_data *d = m->data;
  for (uint32_t i = 0; i < spot->rows; i++) b->per_label[d->label[rows[i]]]++;
  for (uint32_t i = 0; i < spot->rows; i++) {
    uint32_t label = d->label[rows[i]], n = b->per_label[label];
    if (label != BEZ_CODE_MISSING && (n > spot->top_rows || (n == spot->top_rows && label < spot->label))) {
      spot->top_rows = n;
      spot->label = label;
    }
  }
  for (uint32_t i = 0; i < spot->rows; i++) b->per_label[d->label[rows[i]]] = 0;
  double prior = (double)d->count[spot->label] / d->n_rows;
  if (spot->top_rows < LEAST_ROWS || spot->top_rows < m->limit.purity * spot->rows) return false;
  if (!may_reach(spot->top_rows, spot->rows, prior, m->limit.evidence)) return false;
  spot->groups = count_groups(m, b, rows, spot->rows, spot->label);
  if (spot->groups < LEAST_GROUPS) return false;
  spot->evidence = bez_patch_evidence(spot->top_rows, spot->rows, prior, spot->groups);
  return spot->evidence >= m->limit.evidence;
}

static bez_status mine_place(const mining *m, bench *b, const uint32_t *codes, uint32_t y, uint32_t x, bez_error *err) {
  bez_status st = BEZ_OK;
  uint32_t n_heavy = heavy_rows(m, b, codes), n = distinct_codes(m, b, codes, n_heavy);
  uint32_t most = (uint32_t)(LARGEST_SHARE * m->data->n_rows);
  for (uint32_t c = 0; c < n && st == BEZ_OK; c++) {
    bez_spot spot = {.y = y, .x = x, .code = b->code[c], .family = m->family, .rows = b->size[c]};
    if (spot.rows < LEAST_ROWS || spot.rows >= most) continue;
    if (judge(m, b, b->sorted + b->begin[c], &spot)) st = keep(&m->found[y], &spot, err);
  }
  return st;
}

/* Orders by what is left after the surroundings, then by evidence, then by place: total, so that ties do not depend
 * on who came first. */
static int better(const void *a, const void *b) {
  const bez_spot *p = a, *q = b;
  double wp = fmin(p->evidence, 60) * fmin(p->ratio, 30), wq = fmin(q->evidence, 60) * fmin(q->ratio, 30);
  if (wp != wq) return wp > wq ? -1 : 1;
  if (p->evidence != q->evidence) return p->evidence > q->evidence ? -1 : 1;
  if (p->y != q->y) return p->y < q->y ? -1 : 1;
  if (p->x != q->x) return p->x < q->x ? -1 : 1;
  return (p->code > q->code) - (p->code < q->code);
}

static bez_status mine_row(void *ctx, uint64_t tile, unsigned worker, bez_error *err) {
  const mining *m = ctx;
  bez_status st = BEZ_OK;
  bench *b = &m->benches[worker];
  const bez_images *im = &m->view->images;
  uint32_t y = (uint32_t)tile, places = im->width - BEZ_WINDOW + 1, n = m->data->n_rows;
  uint32_t *line = malloc(places * sizeof *line);
  if (!line) return bez_fail_memory(err, places * sizeof *line);
  for (uint32_t first = 0; first < places; first += m->columns) {
    uint32_t columns = places - first < m->columns ? places - first : m->columns;
    for (uint32_t i = 0; i < n; i++) {
      bez_codes_row(m->family, im, bez_image(im, i), y, line);
      for (uint32_t x = 0; x < columns; x++) b->codes[(size_t)x * n + i] = line[first + x];
    }
    for (uint32_t x = 0; x < columns; x++) BEZ_TRY(mine_place(m, b, b->codes + (size_t)x * n, y, first + x, err));
  }
  row_spots *found = &m->found[y];
  if (found->n) qsort(found->list, found->n, sizeof *found->list, better);
  if (found->n > MOST_PER_ROW) found->n = MOST_PER_ROW;
cleanup:
  free(line);
  return st;
}

static void bench_free(bench *b) {
  free(b->codes);
  free(b->bucket);
  free(b->heavy);
  free(b->slot);
  free(b->code);
  free(b->size);
  free(b->begin);
  free(b->sorted);
  free(b->of);
  free(b->per_label);
  free(b->seen);
}

static bez_status bench_make(const mining *m, bench *b, bez_error *err) {
  size_t n = (size_t)m->data->n_rows + 1, table = (size_t)m->mask + 1;
  b->codes = malloc(m->columns * n * sizeof *b->codes);
  b->bucket = malloc(table * sizeof *b->bucket);
  b->slot = malloc(table * sizeof *b->slot);
  b->heavy = malloc(n * sizeof *b->heavy);
  b->code = malloc(n * sizeof *b->code);
  b->size = malloc(n * sizeof *b->size);
  b->begin = malloc(n * sizeof *b->begin);
  b->sorted = malloc(n * sizeof *b->sorted);
  b->of = malloc(n * sizeof *b->of);
  b->per_label = calloc((size_t)m->data->n_labels + 1, sizeof *b->per_label);
  b->seen = calloc((size_t)m->data->tracks->n_groups + 1, sizeof *b->seen);
  if (b->codes && b->bucket && b->slot && b->heavy && b->code && b->size && b->begin && b->sorted && b->of &&
      b->per_label && b->seen)
    return BEZ_OK;
  return bez_fail_memory(err, (m->columns + 8) * n * sizeof *b->codes);
}

static bez_status gather(const mining *m, uint32_t rows, bez_spots *out, bez_error *err) {
  size_t n = 0;
  for (uint32_t y = 0; y < rows; y++) n += m->found[y].n;
  out->list = malloc((n + 1) * sizeof *out->list);
  if (!out->list) return bez_fail_memory(err, n * sizeof *out->list);
  for (uint32_t y = 0; y < rows; y++) {
    if (m->found[y].n) memcpy(out->list + out->n, m->found[y].list, m->found[y].n * sizeof *out->list);
    out->n += m->found[y].n;
  }
  if (out->n) qsort(out->list, out->n, sizeof *out->list, better);
  if (out->n > MOST_SPOTS) out->n = MOST_SPOTS;
  return BEZ_OK;
}

bez_status bez_spots_find(const bez_patch_data *data, const bez_view *view, bez_code_family family, bez_spots *out,
                          bez_error *err) {
  static const limits fine = {0.8, 4}, coarse = {0.5, 3};
  bez_status st = BEZ_OK;
  const bez_images *im = &view->images;
  *out = (bez_spots){0};
  if (im->height < BEZ_WINDOW || im->width < BEZ_WINDOW || data->n_rows < LEAST_ROWS) return BEZ_OK;
  uint32_t places = im->width - BEZ_WINDOW + 1, rows = im->height - BEZ_WINDOW + 1;
  uint64_t columns = CODE_BYTES / sizeof(uint32_t) / data->n_rows;
  unsigned workers = data->in->threads;
  bez_watch watch = bez_detect_watch(data->in, "image-patch", "rows of places");
  mining m = {.data = data, .view = view, .family = family, .limit = family == BEZ_CODES_FINE ? fine : coarse};
  m.columns = columns > places ? places : columns ? (uint32_t)columns : 1;
  for (m.mask = 255; m.mask < 2u * data->n_rows && m.mask < (1u << 24) - 1;) m.mask = 2 * m.mask + 1;
  m.benches = calloc(workers, sizeof *m.benches);
  m.found = calloc(rows, sizeof *m.found);
  if (!m.benches || !m.found) {
    st = bez_fail_memory(err, rows * sizeof *m.found);
    goto cleanup;
  }
  for (unsigned w = 0; w < workers; w++) BEZ_TRY(bench_make(&m, &m.benches[w], err));
  BEZ_TRY(bez_parallel_watched(rows, workers, &watch, mine_row, &m, err));
  BEZ_TRY(gather(&m, rows, out, err));
cleanup:
  for (unsigned w = 0; m.benches && w < workers; w++) bench_free(&m.benches[w]);
  for (uint32_t y = 0; m.found && y < rows; y++) free(m.found[y].list);
  free(m.benches);
  free(m.found);
  return st;
}
