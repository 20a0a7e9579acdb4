/* Scoring all rows and gathering those worth mining. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/hash.h"
#include "base/threads.h"
#include "detect/label_contradiction.h"

#define TILE_ROWS 4096u
#define STEP 32.0f      /* levels of contradiction per unit */
#define LEVEL_SKIP 255u /* takes no part */
#define LEVEL_MAX 250u
#define LEVEL_FLOOR 16u     /* candidates contradict by at least LEVEL_FLOOR / STEP */
#define MAX_ROWS (1u << 19) /* candidates, and sampled rows beside them, at most */
#define MAX_CELLS (1u << 24)
#define MAX_WORK 1e9  /* column sets × rows */
#define MIN_ROWS 8u   /* candidates that a value of a pattern must have */
#define MAX_SHARE .97 /* of all rows: a value above says nothing */
#define MAX_IDS 65534u
#define CHANCE_BITS 10.0 /* records with so many bits more than rows can be counted with are not equal by chance */

typedef struct gather {
  const bez_lco_view *view;
  uint8_t *level;                  /* per row of the table */
  uint64_t *tile_cand, *tile_rest; /* per tile: count, then first slot */
  uint32_t floor;
  uint64_t sample_mask; /* a row is sampled when its hash has none of these bits */
  bez_lco_rows *rows;
  const double *inverse; /* columns scaled by sign */
} gather;

static bool sampled(const gather *g, uint64_t row) {
  return !(bez_mix64(row ^ (g->view->in->seed + 0x5bd1e995u)) & g->sample_mask);
}

/* The level of a row with the target: its contradiction with the three most supporting columns forgotten. */
static uint8_t level_of(float contradiction, float top[3]) {
  float m = (contradiction + top[0] + top[1] + top[2]) * STEP;
  if (!(m >= 1.0f)) return 1;
  return m >= (float)LEVEL_MAX ? (uint8_t)LEVEL_MAX : (uint8_t)m;
}

static bez_status level_tile(void *ctx, uint64_t tile, unsigned worker, bez_error *err) {
  gather *g = ctx;
  const bez_lco_view *v = g->view;
  const bez_woe *woe = v->woe;
  const bez_column *label = &v->in->table->cols[v->in->label];
  uint64_t first = tile * TILE_ROWS, left = v->in->table->n_rows - first;
  uint32_t n = left < TILE_ROWS ? (uint32_t)left : TILE_ROWS;
  float term[TILE_ROWS], sum[TILE_ROWS], top[TILE_ROWS][3];
  memset(top, 0, sizeof top);
  for (uint32_t i = 0; i < n; i++) sum[i] = (float)(v->sign * woe->intercept - v->origin);
  for (uint32_t f = 0; f < woe->n_cols; f++) {
    bez_woe_terms(woe, v->in->table, f, first, n, term);
    float b = (float)(v->sign * woe->coef[f]);
    for (uint32_t i = 0; i < n; i++) {
      float u = b * term[i], *t = top[i];
      sum[i] += u;
      if (u > t[2]) { /* keep the three largest, largest first */
        t[2] = u > t[1] ? t[1] : u;
        float mid = u > t[1] ? u : t[1];
        t[1] = mid > t[0] ? t[0] : mid;
        t[0] = mid > t[0] ? mid : t[0];
      }
    }
  }
  for (uint32_t i = 0; i < n; i++) {
    uint64_t row = first + i;
    uint32_t code = bez_code(label, row);
    if (code < BEZ_CODE_FIRST || (v->skip && (v->skip[row >> 6] >> (row & 63) & 1)))
      g->level[row] = LEVEL_SKIP;
    else
      g->level[row] = code == v->target ? level_of(-sum[i], top[i]) : 0;
  }
  return BEZ_OK;
}

/* Lowest level whose candidates fit; how thin to sample the rest. */
static void choose_limits(gather *g, uint64_t n_rows) {
  uint64_t count[256] = {0}, kept = 0;
  for (uint64_t row = 0; row < n_rows; row++) count[g->level[row]]++;
  double d = g->view->woe->n_cols, deep = fmin(d, BEZ_LCO_DEEP);
  double sets = d + d * (d - 1) / 2 + deep * (deep - 1) * (deep - 2) / 6;
  double room = fmin(MAX_ROWS, fmin(MAX_CELLS / d, MAX_WORK / sets));
  uint32_t level = LEVEL_MAX;
  for (kept = count[level]; level > LEVEL_FLOOR && (double)(kept + count[level - 1]) <= room; level--)
    kept += count[level - 1];
  g->floor = level;
  g->sample_mask = 0;
  while ((double)n_rows / (double)(g->sample_mask + 1) > room) g->sample_mask = g->sample_mask * 2 + 1;
}

/* Can records be equal by chance? Not where the columns together tell far more than which row it is. */
static bool copies_are_copies(const bez_lco_view *v) {
  const bez_table *table = v->in->table;
  double bits = 0, n = (double)table->n_rows;
  for (uint32_t f = 0; f < v->woe->n_cols; f++) {
    const bez_column *col = &table->cols[v->woe->cols[f]];
    for (uint32_t c = 0; c < col->n_values; c++)
      if (col->count[c]) bits -= col->count[c] / n * log2(col->count[c] / n);
  }
  return n > 0 && bits > log2(n) + CHANCE_BITS;
}

static uint64_t record_hash(const bez_lco_view *v, uint64_t row) {
  uint64_t h = 0;
  for (uint32_t f = 0; f < v->woe->n_cols; f++)
    h = bez_mix64(h ^ (bez_code(&v->in->table->cols[v->woe->cols[f]], row) + 0x9e3779b97f4a7c15ull));
  return h ? h : 1;
}

/* Copies of a candidate take no part: a group of copies agrees in every set of columns, and is no pattern but a flood
 * (BZ-D008). */
static bez_status drop_copies(gather *g, bez_error *err) {
  const bez_lco_view *v = g->view;
  uint64_t n_rows = v->in->table->n_rows, cap = 1024, n = 0;
  if (!copies_are_copies(v)) return BEZ_OK;
  for (uint64_t row = 0; row < n_rows; row++) n += g->level[row] != LEVEL_SKIP && g->level[row] >= g->floor;
  while (cap < 2 * n) cap *= 2;
  uint64_t *seen = calloc(cap, sizeof *seen);
  if (!seen) return bez_fail_memory(err, cap * sizeof *seen);
  for (uint64_t row = 0; row < n_rows; row++) {
    if (g->level[row] == LEVEL_SKIP || g->level[row] < g->floor) continue;
    uint64_t h = record_hash(v, row), at = h & (cap - 1);
    while (seen[at] && seen[at] != h) at = (at + 1) & (cap - 1);
    if (seen[at]) g->level[row] = LEVEL_SKIP;
    seen[at] = h;
  }
  free(seen);
  return BEZ_OK;
}

static bez_status count_tile(void *ctx, uint64_t tile, unsigned worker, bez_error *err) {
  gather *g = ctx;
  uint64_t first = tile * TILE_ROWS, end = first + TILE_ROWS, n_rows = g->view->in->table->n_rows;
  uint64_t cand = 0, rest = 0;
  for (uint64_t row = first; row < (end < n_rows ? end : n_rows); row++) {
    if (g->level[row] == LEVEL_SKIP) continue;
    if (g->level[row] >= g->floor)
      cand++;
    else
      rest += sampled(g, row);
  }
  g->tile_cand[tile] = cand;
  g->tile_rest[tile] = rest;
  return BEZ_OK;
}

/* Base contradiction, the per-column corrections and the value ids of one gathered row. */
static void fill_row(const gather *g, uint64_t row, uint64_t at, float *term) {
  const bez_lco_view *v = g->view;
  const bez_woe *woe = v->woe;
  bez_lco_rows *r = g->rows;
  uint32_t d = woe->n_cols;
  double sum = v->sign * woe->intercept - v->origin;
  for (uint32_t f = 0; f < d; f++) {
    term[f] = bez_woe_term(woe, v->in->table, f, row);
    sum += v->sign * woe->coef[f] * (double)term[f];
  }
  for (uint32_t c = 0; c < d; c++) {
    const double *h = g->inverse + (size_t)c * (d + 1); /* symmetric: row c is column c */
    double s = h[d];
    for (uint32_t f = 0; f < d; f++) s += h[f] * (double)term[f];
    r->g[c][at] = (float)(v->sign * s);
  }
  r->row[at] = row;
  r->base[at] = (float)-sum;
  r->is_target[at] = g->level[row] != 0;
}

static bez_status fill_tile(void *ctx, uint64_t tile, unsigned worker, bez_error *err) {
  gather *g = ctx;
  uint64_t first = tile * TILE_ROWS, end = first + TILE_ROWS, n_rows = g->view->in->table->n_rows;
  uint64_t cand = g->tile_cand[tile], rest = g->tile_rest[tile];
  float *term = malloc(((size_t)g->view->woe->n_cols + 1) * sizeof *term);
  if (!term) return bez_fail_memory(err, g->view->woe->n_cols * sizeof *term);
  for (uint64_t row = first; row < (end < n_rows ? end : n_rows); row++) {
    if (g->level[row] == LEVEL_SKIP) continue;
    if (g->level[row] >= g->floor)
      fill_row(g, row, cand++, term);
    else if (sampled(g, row))
      fill_row(g, row, rest++, term);
  }
  free(term);
  return BEZ_OK;
}

/* Values with enough candidates get ids; then the ids of every gathered row. One column per tile. */
static bez_status id_tile(void *ctx, uint64_t tile, unsigned worker, bez_error *err) {
  gather *g = ctx;
  bez_lco_rows *r = g->rows;
  const bez_table *table = g->view->in->table;
  const bez_column *col = &table->cols[g->view->woe->cols[tile]];
  uint32_t n_values = col->n_values > BEZ_CODE_FIRST ? col->n_values : BEZ_CODE_FIRST, ids = 0;
  uint32_t *count = calloc(n_values, sizeof *count);
  r->id_of[tile] = calloc(n_values, sizeof *r->id_of[tile]);
  r->id[tile] = malloc((r->n ? r->n : 1) * sizeof *r->id[tile]);
  if (!count || !r->id_of[tile] || !r->id[tile]) {
    free(count);
    return bez_fail_memory(err, n_values * sizeof *count);
  }
  for (uint64_t i = 0; i < r->n_cand; i++) count[bez_code(col, r->row[i])]++;
  for (uint32_t v = 0; v < n_values && ids < MAX_IDS; v++)
    if (v != BEZ_CODE_RARE && count[v] >= MIN_ROWS && (double)col->count[v] <= MAX_SHARE * (double)table->n_rows)
      r->id_of[tile][v] = (uint16_t)++ids;
  free(count);
  r->n_ids[tile] = ids;
  r->code_of[tile] = calloc(ids + 1, sizeof *r->code_of[tile]);
  if (!r->code_of[tile]) return bez_fail_memory(err, (ids + 1) * sizeof *r->code_of[tile]);
  for (uint32_t v = 0; v < n_values; v++) r->code_of[tile][r->id_of[tile][v]] = v;
  r->bin[tile] = malloc((r->n ? r->n : 1) * sizeof *r->bin[tile]);
  if (!r->bin[tile]) return bez_fail_memory(err, r->n * sizeof *r->bin[tile]);
  for (uint64_t i = 0; i < r->n; i++) {
    uint32_t code = bez_code(col, r->row[i]);
    r->id[tile][i] = r->id_of[tile][code];
    r->bin[tile][i] = g->view->woe->bin_of_code[tile][code];
  }
  return BEZ_OK;
}

static bez_status make_storage(bez_lco_rows *r, bez_error *err) {
  size_t n = r->n ? r->n : 1, d = r->n_features ? r->n_features : 1;
  r->row = malloc(n * sizeof *r->row);
  r->base = malloc(n * sizeof *r->base);
  r->is_target = malloc(n);
  r->g = calloc(d, sizeof *r->g);
  r->id = calloc(d, sizeof *r->id);
  r->bin = calloc(d, sizeof *r->bin);
  r->id_of = calloc(d, sizeof *r->id_of);
  r->code_of = calloc(d, sizeof *r->code_of);
  r->n_ids = calloc(d, sizeof *r->n_ids);
  if (!r->row || !r->base || !r->is_target || !r->g || !r->id || !r->bin || !r->id_of || !r->code_of || !r->n_ids)
    return bez_fail_memory(err, n * sizeof *r->row);
  for (uint32_t f = 0; f < r->n_features; f++) {
    r->g[f] = malloc(n * sizeof **r->g);
    if (!r->g[f]) return bez_fail_memory(err, n * sizeof **r->g);
  }
  return BEZ_OK;
}

bez_status bez_lco_rows_make(const bez_lco_view *view, bez_lco_rows **out, bez_error *err) {
  bez_status st = BEZ_OK;
  uint64_t n_rows = view->in->table->n_rows, tiles = (n_rows + TILE_ROWS - 1) / TILE_ROWS;
  gather g = {.view = view, .inverse = view->woe->inverse};
  bez_lco_rows *r = calloc(1, sizeof *r);
  *out = NULL;
  if (!r) return bez_fail_memory(err, sizeof *r);
  g.rows = r;
  r->n_features = view->woe->n_cols;
  g.level = malloc(n_rows ? n_rows : 1);
  g.tile_cand = calloc(tiles + 1, sizeof *g.tile_cand);
  g.tile_rest = calloc(tiles + 1, sizeof *g.tile_rest);
  if (!g.level || !g.tile_cand || !g.tile_rest) BEZ_TRY(bez_fail_memory(err, n_rows));
  BEZ_TRY(bez_detect_parallel(view->in, "label contradictions", tiles, level_tile, &g, err));
  choose_limits(&g, n_rows);
  BEZ_TRY(drop_copies(&g, err));
  r->weight = (double)(g.sample_mask + 1);
  BEZ_TRY(bez_detect_parallel(view->in, "label contradictions", tiles, count_tile, &g, err));
  for (uint64_t t = 0; t < tiles; t++) {
    uint64_t here = g.tile_cand[t];
    g.tile_cand[t] = r->n_cand;
    r->n_cand += here;
  }
  r->n = r->n_cand;
  for (uint64_t t = 0; t < tiles; t++) {
    uint64_t here = g.tile_rest[t];
    g.tile_rest[t] = r->n;
    r->n += here;
  }
  BEZ_TRY(make_storage(r, err));
  BEZ_TRY(bez_detect_parallel(view->in, "label contradictions", tiles, fill_tile, &g, err));
  BEZ_TRY(bez_detect_parallel(view->in, "label contradictions", r->n_features, id_tile, &g, err));
  *out = r;
  r = NULL;
cleanup:
  free(g.level);
  free(g.tile_cand);
  free(g.tile_rest);
  bez_lco_rows_destroy(r);
  return st;
}

void bez_lco_rows_destroy(bez_lco_rows *r) {
  if (!r) return;
  for (uint32_t f = 0; f < r->n_features; f++) {
    if (r->g) free(r->g[f]);
    if (r->id) free(r->id[f]);
    if (r->bin) free(r->bin[f]);
    if (r->id_of) free(r->id_of[f]);
    if (r->code_of) free(r->code_of[f]);
  }
  free(r->g);
  free(r->id);
  free(r->bin);
  free(r->id_of);
  free(r->code_of);
  free(r->n_ids);
  free(r->row);
  free(r->base);
  free(r->is_target);
  free(r);
}
