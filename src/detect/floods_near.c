/* Near copies of one row. If copies differ from their original in one column, leaving that column out makes some of
 * them equal: the most crowded groups per left-out column give centres (the value that most of a group has, column by
 * column), and all rows within one or two columns of a centre are its neighbourhood. Neighbourhoods of rows drawn at
 * random say how crowded this data is anyway. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/hash.h"
#include "base/threads.h"
#include "detect/floods.h"

#define MOST_CELLS 10000000u /* more are not searched */
#define MOST_COLUMNS 255u
#define TILE 4096u
#define PER_COLUMN 4u /* centres per left-out column */
#define PROBES 64u    /* random rows */
#define HUBS 128u     /* rows with near copies in many columns */
#define LEAST_GROUP 3u
#define LEAST_ROWS 8u
#define RATIO 3.0        /* of spreads, one column away */
#define WIDE_RATIO 10.0  /* two columns away: natural crowds differ more from place to place */
#define ROW_RATIO 6.0    /* of rows, whatever their spread */
#define CHANCE_RATIO 6.0 /* and of what coarse columns give by themselves */
#define RADII 3u         /* distances 0, 1, 2 */
#define GROUP_ROWS 255u  /* of a group that a centre is taken from */

typedef struct neighbourhood {
  uint32_t *cell;         /* d codes of the centre */
  uint64_t within[RADII]; /* rows at most so many columns away */
  uint64_t spread[RADII]; /* of these, rows that agree in the column where most of them differ */
  uint64_t to_probe;      /* bit set: probes within 2 */
} neighbourhood;

typedef struct near {
  const bez_detect_input *in;
  uint64_t n_rows;
  const bez_column *col[MOST_COLUMNS]; /* features; truncated ones, whose rare values cannot be told apart, left out */
  uint32_t d;
  uint64_t *sum;         /* per row */
  neighbourhood *centre; /* [column · PER_COLUMN + i], then the probes */
  uint32_t n_centres, n_all;
  uint32_t *cells; /* storage of the centres' cells */
  uint32_t slots;
} near;

static uint64_t cell_hash(const near *s, uint32_t f, uint64_t row) {
  return bez_flood_cell(s->col[f], f, row);
}

static bez_status sum_tile(void *ctx, uint64_t tile, unsigned worker, bez_error *err) {
  near *s = ctx;
  for (uint64_t r = tile * TILE; r < s->n_rows && r < (tile + 1) * TILE; r++) {
    s->sum[r] = 0;
    for (uint32_t f = 0; f < s->d; f++) s->sum[r] += cell_hash(s, f, r);
  }
  return BEZ_OK;
}

static uint64_t key_without(const near *s, uint32_t f, uint64_t row) {
  return bez_mix64(s->sum[row] - cell_hash(s, f, row));
}

/* The value most rows of the group have, by Boyer and Moore's majority vote. */
static void take_centre(const near *s, const uint32_t *rows, uint32_t n, uint32_t *cell) {
  for (uint32_t f = 0; f < s->d; f++) {
    uint32_t vote = 0, lead = 0;
    for (uint32_t i = 0; i < n; i++) {
      uint32_t h = bez_code(s->col[f], rows[i]);
      if (!lead) vote = h;
      lead = vote == h ? lead + 1 : lead - 1;
    }
    cell[f] = vote;
  }
}

/* Slots of the largest counts, ties to the lower slot. */
static uint32_t crowded(const uint32_t *count, uint32_t slots, uint32_t best[PER_COLUMN]) {
  uint32_t n = 0;
  for (uint32_t i = 0; i < slots; i++) {
    if (count[i] < LEAST_GROUP || (n == PER_COLUMN && count[i] <= count[best[n - 1]])) continue;
    uint32_t at = n < PER_COLUMN ? n++ : n - 1;
    for (; at > 0 && count[best[at - 1]] < count[i]; at--) best[at] = best[at - 1];
    best[at] = i;
  }
  return n;
}

static bez_status leave_column(void *ctx, uint64_t tile, unsigned worker, bez_error *err) {
  near *s = ctx;
  uint32_t f = (uint32_t)tile, best[PER_COLUMN], rows[PER_COLUMN][GROUP_ROWS], n_rows[PER_COLUMN] = {0};
  uint64_t key[PER_COLUMN];
  uint32_t *count = calloc(s->slots, sizeof *count);
  if (!count) return bez_fail_memory(err, s->slots * sizeof *count);
  for (uint64_t r = 0; r < s->n_rows; r++) count[key_without(s, f, r) & (s->slots - 1)]++;
  uint32_t n = crowded(count, s->slots, best);
  for (uint64_t r = 0; n && r < s->n_rows; r++) {
    uint64_t k = key_without(s, f, r);
    for (uint32_t i = 0; i < n; i++) {
      if ((k & (s->slots - 1)) != best[i] || n_rows[i] == GROUP_ROWS) continue;
      if (!n_rows[i]) key[i] = k;
      if (k == key[i]) rows[i][n_rows[i]++] = (uint32_t)r;
    }
  }
  for (uint32_t i = 0; i < n; i++) {
    if (n_rows[i] < LEAST_GROUP) continue;
    neighbourhood *c = &s->centre[f * PER_COLUMN + i];
    c->cell = s->cells + (size_t)(f * PER_COLUMN + i) * s->d;
    take_centre(s, rows[i], n_rows[i], c->cell);
  }
  free(count);
  return BEZ_OK;
}

static unsigned distance(const near *s, const uint32_t *cell, uint64_t row) {
  unsigned apart = 0;
  for (uint32_t f = 0; f < s->d && apart < RADII; f++) apart += bez_code(s->col[f], row) != cell[f];
  return apart;
}

/* The distances of a tile of rows, column by column so that compilers use vectors. */
static void distances(const near *s, const uint32_t *cell, uint64_t first, uint32_t n, uint8_t *apart) {
  memset(apart, 0, n);
  for (uint32_t f = 0; f < s->d; f++) {
    const bez_column *col = s->col[f];
    if (col->width == 1) {
      const uint8_t *code = (const uint8_t *)col->codes + first, want = (uint8_t)cell[f];
      for (uint32_t i = 0; i < n; i++) apart[i] = (uint8_t)(apart[i] + (code[i] != want));
    } else if (col->width == 2) {
      const uint16_t *code = (const uint16_t *)col->codes + first, want = (uint16_t)cell[f];
      for (uint32_t i = 0; i < n; i++) apart[i] = (uint8_t)(apart[i] + (code[i] != want));
    } else {
      const uint32_t *code = (const uint32_t *)col->codes + first, want = cell[f];
      for (uint32_t i = 0; i < n; i++) apart[i] = (uint8_t)(apart[i] + (code[i] != want));
    }
  }
}

/* Adds a row at distance 1 or 2 to the columns it differs in, from its distance on. */
static void note_columns(const near *s, const uint32_t *cell, uint64_t row, unsigned apart, uint64_t *differ) {
  for (uint32_t f = 0; f < s->d; f++)
    if (bez_code(s->col[f], row) != cell[f])
      for (unsigned k = apart; k < RADII; k++) differ[k * s->d + f]++;
}

static uint64_t probe_row(const near *s, uint32_t i) {
  return bez_mix64(i + 1 + s->in->seed * 0x9E3779B97F4A7C15ull) % s->n_rows;
}

static bez_status count_rows(void *ctx, uint64_t tile, unsigned worker, bez_error *err) {
  near *s = ctx;
  neighbourhood *c = &s->centre[tile];
  if (!c->cell) return BEZ_OK;
  uint64_t *differ = calloc((size_t)RADII * s->d, sizeof *differ);
  if (!differ) return bez_fail_memory(err, (size_t)RADII * s->d * sizeof *differ);
  for (uint64_t first = 0; first < s->n_rows; first += TILE) {
    uint8_t apart[TILE];
    uint32_t n = s->n_rows - first < TILE ? (uint32_t)(s->n_rows - first) : TILE;
    distances(s, c->cell, first, n, apart);
    for (uint32_t i = 0; i < n; i++) {
      if (apart[i] >= RADII) continue;
      for (unsigned k = apart[i]; k < RADII; k++) c->within[k]++;
      if (apart[i]) note_columns(s, c->cell, first + i, apart[i], differ);
    }
  }
  for (unsigned k = 0; k < RADII; k++) {
    uint64_t most = 0;
    for (uint32_t f = 0; f < s->d; f++)
      if (differ[k * s->d + f] > most) most = differ[k * s->d + f];
    uint64_t copies = c->within[0] > 1 ? c->within[0] - 1 : 0; /* a matter of their own */
    c->spread[k] = c->within[k] - copies - most;
  }
  free(differ);
  for (uint32_t i = 0; i < PROBES; i++) {
    if (distance(s, c->cell, probe_row(s, i)) >= RADII) continue;
    c->to_probe |= (uint64_t)1 << i;
  }
  return BEZ_OK;
}

/* The largest spread and the most rows of a random neighbourhood, those aside that lie in c's own. */
static void normal(const near *s, const neighbourhood *c, unsigned radius, double *spread, double *rows) {
  *spread = *rows = 1;
  for (uint32_t i = 0; i < PROBES; i++) {
    bool own = c->to_probe >> i & 1;
    const neighbourhood *p = &s->centre[s->n_centres + i];
    if (own) continue;
    if ((double)p->spread[radius] > *spread) *spread = (double)p->spread[radius];
    if ((double)p->within[radius] > *rows) *rows = (double)p->within[radius];
  }
}

/* Rows that coarse columns put into the neighbourhood by themselves: were the columns independent, those that agree
 * with the centre in all but `radius` columns, summed over the choices of these columns (an elementary symmetric
 * polynomial, so that no choice is walked). */
static double by_chance(const near *s, const neighbourhood *c, unsigned radius) {
  double sum[RADII] = {1}; /* sum[k]: products of shares with k columns left out */
  for (uint32_t f = 0; f < s->d; f++) {
    double share = (double)s->col[f]->count[c->cell[f]] / (double)s->n_rows;
    for (unsigned k = RADII - 1; k > 0; k--) sum[k] = sum[k] * share + sum[k - 1];
    sum[0] *= share;
  }
  return (double)s->n_rows * sum[radius];
}

/* The smallest radius at which the neighbourhood stands out. */
static bool stands_out(const near *s, const neighbourhood *c, unsigned *radius, double *limit) {
  for (unsigned k = 1; k < RADII; k++) {
    double spread, rows;
    normal(s, c, k, &spread, &rows);
    spread *= k == 1 ? RATIO : WIDE_RATIO;
    bool spreads = (double)c->spread[k] >= (spread > LEAST_ROWS ? spread : LEAST_ROWS);
    bool crowds = k == 1 && c->spread[k] > 1 &&
                  (double)c->within[k] >= (ROW_RATIO * rows > 2 * LEAST_ROWS ? ROW_RATIO * rows : 2 * LEAST_ROWS);
    if ((!spreads && !crowds) || (double)c->within[k] < CHANCE_RATIO * by_chance(s, c, k)) continue;
    *radius = k;
    *limit = rows;
    return true;
  }
  return false;
}

static bez_status collect(const near *s, const neighbourhood *c, unsigned radius, bez_near_flood *out, bez_error *err) {
  out->rows = malloc((size_t)(c->within[radius] + 1) * sizeof *out->rows);
  if (!out->rows) return bez_fail_memory(err, (size_t)c->within[radius] * sizeof *out->rows);
  for (uint64_t r = 0; r < s->n_rows && out->n < c->within[radius]; r++)
    if (distance(s, c->cell, r) <= radius) out->rows[out->n++] = (uint32_t)r;
  out->radius = radius;
  return BEZ_OK;
}

static bool overlaps(const bez_near_flood *a, const uint8_t *taken) {
  uint64_t both = 0;
  for (uint64_t i = 0; i < a->n; i++) both += taken[a->rows[i]];
  return 2 * both > a->n;
}

/* The largest first; a neighbourhood that is mostly reported already is left out. */
static bez_status choose(near *s, bez_near_flood *out, size_t max, size_t *n, bez_error *err) {
  uint8_t *taken = calloc(s->n_rows, 1);
  bez_status st = BEZ_OK;
  if (!taken) return bez_fail_memory(err, s->n_rows);
  while (*n < max) {
    neighbourhood *best = NULL;
    unsigned radius = 0, best_radius = 0;
    double limit = 0, best_limit = 0;
    for (uint32_t i = 0; i < s->n_centres; i++) {
      neighbourhood *c = &s->centre[i];
      if (!c->cell || !stands_out(s, c, &radius, &limit)) continue;
      if (best && c->within[radius] <= best->within[best_radius]) continue;
      best = c;
      best_radius = radius;
      best_limit = limit;
    }
    if (!best) break;
    bez_near_flood flood = {.normal = best_limit};
    st = collect(s, best, best_radius, &flood, err);
    if (st != BEZ_OK) break;
    best->cell = NULL; /* done with */
    if (overlaps(&flood, taken)) {
      free(flood.rows);
      continue;
    }
    for (uint64_t i = 0; i < flood.n; i++) taken[flood.rows[i]] = 1;
    out[(*n)++] = flood;
  }
  free(taken);
  return st;
}

static void centre_at(near *s, size_t i, uint64_t row) {
  s->centre[i].cell = s->cells + i * s->d;
  for (uint32_t f = 0; f < s->d; f++) s->centre[i].cell[f] = bez_code(s->col[f], row);
}

bez_status bez_near_floods(const bez_detect_input *in, bez_near_flood *out, size_t max, size_t *n, bool *checked,
                           bez_error *err) {
  bez_status st = BEZ_OK;
  near s = {.in = in, .n_rows = in->table->n_rows, .slots = 1024};
  uint32_t hub[HUBS];
  size_t n_hubs;
  *n = 0;
  *checked = in->n_features <= MOST_COLUMNS && s.n_rows <= MOST_CELLS / in->n_features;
  if (!*checked) return BEZ_OK;
  for (uint32_t f = 0; f < in->n_features; f++)
    if (!in->table->cols[in->features[f]].truncated) s.col[s.d++] = &in->table->cols[in->features[f]];
  if (s.d < 3 || s.n_rows < LEAST_ROWS) return BEZ_OK;
  while (s.slots < 2 * s.n_rows) s.slots *= 2;
  s.n_centres = s.d * PER_COLUMN + HUBS;
  s.n_all = s.n_centres + PROBES;
  s.sum = malloc(s.n_rows * sizeof *s.sum);
  s.centre = calloc(s.n_all, sizeof *s.centre);
  s.cells = malloc((size_t)s.n_all * s.d * sizeof *s.cells);
  if (!s.sum || !s.centre || !s.cells) {
    st = bez_fail_memory(err, s.n_rows * sizeof *s.sum);
    goto cleanup;
  }
  BEZ_TRY(bez_detect_parallel(in, "floods", (s.n_rows + TILE - 1) / TILE, sum_tile, &s, err));
  BEZ_TRY(bez_detect_parallel(in, "floods", s.d, leave_column, &s, err));
  BEZ_TRY(bez_flood_hubs(s.col, s.d, s.n_rows, s.sum, in->threads, hub, HUBS, &n_hubs, err));
  for (size_t i = 0; i < n_hubs; i++) centre_at(&s, s.d * PER_COLUMN + i, hub[i]);
  for (uint32_t i = 0; i < PROBES; i++) centre_at(&s, s.n_centres + i, probe_row(&s, i));
  BEZ_TRY(bez_detect_parallel(in, "floods", s.n_all, count_rows, &s, err));
  BEZ_TRY(choose(&s, out, max, n, err));
cleanup:
  free(s.sum);
  free(s.centre);
  free(s.cells);
  return st;
}
