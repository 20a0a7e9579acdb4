/* Another picture for a scaler that skips pixels. Two things show it. The rows and the columns of the pixels it looks
 * at are rougher than those between them (scaled_comb.c). And the view taken from those pixels differs over whole areas
 * from the pixels around them, while views taken one or two pixels beside do not: fine texture averages out over an
 * area, and is no different a pixel further on. */
#include "math/scaled_view.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define COMB_SURE 1.0f
#define COMB_COMMON 1.0
#define COMB 2.0   /* standard errors: below, a size is not looked at */
#define GAP 8.0f   /* grey levels */
#define RATIO 3.0f /* clean pictures that are not plain reach 1.6 */
#define RATIO_MAY 2.0f
#define OWN 0.05f    /* raw sensor mosaics sample one colour of a picture */
#define AREAS 8u     /* per side, at most */
#define PER_AREA 12u /* samples of one, per side */
#define BOX 4u       /* pixels around a sample, at most */
#define SHIFTS 9u    /* of the grid; the middle one is none */
#define NONE 4u
#define SAME 0.95 /* share of samples of one colour, or of two levels */
#define SAME_ALL 0.9
#define APART 24 /* grey levels in some channel */

typedef struct picture {
  const uint8_t *pixels;
  uint32_t height, width, channels;
} picture;

/* A size and sampler to test: which rows and columns it looks at. */
typedef struct grid {
  const picture *p;
  bez_scaled_view *view;
  uint8_t *row, *col;        /* 1: looked at */
  uint32_t box_y, box_x;     /* pixels around a sample, to each side */
  uint32_t shift_y, shift_x; /* to a grid beside */
  uint32_t areas_y, areas_x; /* areas of the view */
  uint32_t every_y, every_x; /* samples of one */
} grid;

typedef struct area {
  double view[3], around[3]; /* sums */
  uint32_t n;
} area;

bool bez_scaled_is_other(const bez_scaled_view *v) {
  return v->height && !v->plain && v->gap >= GAP && bez_scaled_ratio(v) >= RATIO && v->own >= OWN &&
         v->comb >= COMB_SURE;
}
bool bez_scaled_may_be_other(const bez_scaled_view *v) {
  return v->height && !v->plain && v->gap >= GAP && bez_scaled_ratio(v) >= RATIO_MAY && v->own >= OWN;
}

/* ---- one view ---- */

/* What output pixel (i, j) shows. */
static void sample(const picture *p, const bez_scaled_view *v, uint32_t i, uint32_t j, double out[3]) {
  double down, across;
  uint32_t y = bez_sample_at(v->down, i, p->height, v->height, &down);
  uint32_t x = bez_sample_at(v->across, j, p->width, v->width, &across);
  uint32_t y1 = down > 0 && y + 1 < p->height ? y + 1 : y, x1 = across > 0 && x + 1 < p->width ? x + 1 : x;
  const uint8_t *a = p->pixels + (size_t)y * p->width * p->channels;
  const uint8_t *b = p->pixels + (size_t)y1 * p->width * p->channels;
  for (uint32_t k = 0; k < p->channels; k++) {
    size_t left = (size_t)x * p->channels + k, right = (size_t)x1 * p->channels + k;
    out[k] =
        (1 - down) * ((1 - across) * a[left] + across * a[right]) + down * ((1 - across) * b[left] + across * b[right]);
  }
}

void bez_scaled_view_draw(const uint8_t *pixels, uint32_t height, uint32_t width, uint32_t channels,
                          const bez_scaled_view *view, uint8_t *out) {
  picture p = {pixels, height, width, channels};
  for (uint32_t i = 0; i < view->height; i++)
    for (uint32_t j = 0; j < view->width; j++) {
      double value[3];
      sample(&p, view, i, j, value);
      for (uint32_t k = 0; k < channels; k++) *out++ = (uint8_t)(value[k] + .5);
    }
}

/* The mean of the pixels around (y, x) that the sampler does not look at; false where there are fewer than two. */
static bool around(const grid *g, uint32_t y, uint32_t x, double out[3]) {
  const picture *p = g->p;
  uint32_t y0 = y > g->box_y ? y - g->box_y : 0, y1 = y + g->box_y < p->height ? y + g->box_y : p->height - 1;
  uint32_t x0 = x > g->box_x ? x - g->box_x : 0, x1 = x + g->box_x < p->width ? x + g->box_x : p->width - 1;
  uint32_t sum[3] = {0}, n = 0;
  for (uint32_t v = y0; v <= y1; v++)
    for (uint32_t u = x0; u <= x1; u++) {
      if ((g->row[v] && g->col[u]) || (v == y && u == x)) continue;
      const uint8_t *at = p->pixels + ((size_t)v * p->width + u) * p->channels;
      for (uint32_t k = 0; k < p->channels; k++) sum[k] += at[k];
      n++;
    }
  if (n < 2) return false;
  for (uint32_t k = 0; k < p->channels; k++) out[k] = (double)sum[k] / n;
  return true;
}

/* Adds the sample (i, j) of the grid moved by (dy, dx), where that is inside and no pixel of the grid itself. */
static void add_sample(const grid *g, uint32_t i, uint32_t j, int dy, int dx, area *to) {
  const picture *p = g->p;
  double view[3], rest[3], weight_y, weight_x;
  int64_t y = bez_sample_at(g->view->down, i, p->height, g->view->height, &weight_y);
  int64_t x = bez_sample_at(g->view->across, j, p->width, g->view->width, &weight_x);
  y += (weight_y >= .5) + dy;
  x += (weight_x >= .5) + dx;
  if (y < 0 || x < 0 || y >= p->height || x >= p->width) return;
  bool moved = dy != 0 || dx != 0;
  if (moved && g->row[y] && g->col[x]) return;
  if (!around(g, (uint32_t)y, (uint32_t)x, rest)) return;
  if (!moved) sample(p, g->view, i, j, view);
  for (uint32_t k = 0; k < p->channels; k++) {
    to->view[k] += moved ? p->pixels[((size_t)y * p->width + (size_t)x) * p->channels + k] : view[k];
    to->around[k] += rest[k];
  }
  to->n++;
}

/* The view of the moved grid, in areas. */
static void look(const grid *g, int dy, int dx, area areas[AREAS * AREAS]) {
  uint32_t ny = g->every_y < PER_AREA ? g->every_y : PER_AREA, nx = g->every_x < PER_AREA ? g->every_x : PER_AREA;
  memset(areas, 0, AREAS * AREAS * sizeof *areas);
  for (uint32_t a = 0; a < g->areas_y * g->areas_x; a++) {
    uint32_t i0 = a / g->areas_x * g->every_y + (g->every_y - ny) / 2;
    uint32_t j0 = a % g->areas_x * g->every_x + (g->every_x - nx) / 2;
    for (uint32_t s = 0; s < ny * nx; s++) add_sample(g, i0 + s / nx, j0 + s % nx, dy, dx, &areas[a]);
  }
}

/* ---- judging it ---- */

/* Spread over areas of view less surroundings; below 0 where half of the areas have none. *own: what of the view's
 * spread a straight line through the surroundings leaves. */
static double spread(const grid *g, const area *areas, float *own) {
  uint32_t n = g->areas_y * g->areas_x, live = 0;
  double total = 0, left = 0, all = 0;
  for (uint32_t a = 0; a < n; a++) live += areas[a].n > 0;
  if (live * 2 < n || live < 2) return -1;
  for (uint32_t k = 0; k < g->p->channels; k++) {
    double v = 0, q = 0, vv = 0, qq = 0, vq = 0;
    for (uint32_t a = 0; a < n; a++) {
      if (!areas[a].n) continue;
      double s = areas[a].view[k] / areas[a].n, m = areas[a].around[k] / areas[a].n;
      v += s, q += m, vv += s * s, qq += m * m, vq += s * m;
    }
    vv = vv / live - v / live * (v / live);
    qq = qq / live - q / live * (q / live);
    vq = vq / live - v / live * (q / live);
    total += vv + qq - 2 * vq;
    all += vv;
    left += qq > 1e-6 ? vv - vq * vq / qq : vv;
  }
  *own = (float)(all > 1e-6 && left > 0 ? left / all : 0);
  return sqrt(total > 0 ? total / g->p->channels : 0);
}

static int by_size(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

/* The quieter of two neighbours on opposite sides. */
static double quieter(double a, double b) {
  return a < 0 ? b : b < 0 || a < b ? a : b;
}

/* What the grids beside show: their middle one, and on each axis the quieter neighbour. Lines one pixel wide show in
 * two of eight; a bilinear scaler touches three of its neighbours. Below 0 where too few are left. */
static double quiet_of(const double level[SHIFTS]) {
  double sorted[SHIFTS];
  uint32_t n = 0;
  for (uint32_t s = 0; s < SHIFTS; s++)
    if (s != NONE && level[s] >= 0) sorted[n++] = level[s];
  if (n < 3) return -1;
  qsort(sorted, n, sizeof *sorted, by_size);
  return fmax(sorted[n / 2], fmax(quieter(level[1], level[7]), quieter(level[3], level[5])));
}

/* Share of the two fullest of 32 bins. */
static double two_levels(const uint64_t bins[32]) {
  uint64_t first = 0, second = 0, all = 0;
  for (int b = 0; b < 32; b++) {
    all += bins[b];
    if (bins[b] > first)
      second = first, first = bins[b];
    else if (bins[b] > second)
      second = bins[b];
  }
  return all ? (double)(first + second) / (double)all : 1;
}

static uint32_t bin_of(const uint8_t *at, uint32_t channels) {
  return channels == 3 ? ((uint32_t)at[0] + 2u * at[1] + at[2]) / 32 : at[0] / 8u;
}

typedef struct tones {
  uint64_t looked[32], all[32]; /* pixels the sampler looks at, and all of them, by level */
  uint64_t apart[32], n_apart;  /* of the former those unlike their surroundings */
} tones;

static void count_row(const grid *g, uint32_t y, tones *t) {
  const picture *p = g->p;
  for (uint32_t x = 0; x < p->width; x++) {
    const uint8_t *at = p->pixels + ((size_t)y * p->width + x) * p->channels;
    uint32_t bin = bin_of(at, p->channels);
    double rest[3], most = 0;
    t->all[bin]++;
    if (!g->row[y] || !g->col[x]) continue;
    t->looked[bin]++;
    if (!around(g, y, x, rest)) continue;
    for (uint32_t k = 0; k < p->channels; k++) most = fmax(most, fabs(at[k] - rest[k]));
    t->apart[bin] += most >= APART;
    t->n_apart += most >= APART;
  }
}

/* Dots and lines of one colour on a picture, and pictures of two levels (halftones, dither, checkerboards), resonate
 * with a sampler and hide nothing. */
static bool is_plain(const grid *g) {
  tones t = {0};
  uint64_t one = 0;
  for (uint32_t y = 0; y < g->p->height; y++) count_row(g, y, &t);
  for (int b = 0; b < 32; b++)
    if (t.apart[b] > one) one = t.apart[b];
  return (double)one >= SAME * (double)t.n_apart || (two_levels(t.looked) >= SAME && two_levels(t.all) >= SAME_ALL);
}

/* ---- sizes ---- */

static void mark(uint8_t *lit, uint8_t sampler, uint32_t large, uint32_t small) {
  double weight;
  memset(lit, 0, large);
  for (uint32_t i = 0; i < small; i++) {
    uint32_t at = bez_sample_at(sampler, i, large, small, &weight);
    if (weight < .9) lit[at] = 1;
    if (weight > .1 && at + 1 < large) lit[at + 1] = 1;
  }
}

static void lay(grid *g) {
  const bez_scaled_view *v = g->view;
  bool two = v->down == BEZ_SAMPLE_BILINEAR;
  uint32_t fy = g->p->height / v->height, fx = g->p->width / v->width;
  mark(g->row, v->down, g->p->height, v->height);
  mark(g->col, v->across, g->p->width, v->width);
  g->box_y = fy / 2 + two < BOX ? fy / 2 + two : BOX;
  g->box_x = fx / 2 + two < BOX ? fx / 2 + two : BOX;
  g->shift_y = fy >= (two ? 3 : 4) ? 2 : 1;
  g->shift_x = fx >= (two ? 3 : 4) ? 2 : 1;
  g->every_y = (v->height + AREAS - 1) / AREAS < 2 ? 2 : (v->height + AREAS - 1) / AREAS;
  g->every_x = (v->width + AREAS - 1) / AREAS < 2 ? 2 : (v->width + AREAS - 1) / AREAS;
  g->areas_y = v->height / g->every_y;
  g->areas_x = v->width / g->every_x;
}

/* Fills gap, quiet and own; false where the view cannot be judged or is like the picture. Most are, by the first look
 * or by a neighbour. */
static bool judge(grid *g) {
  static const uint8_t order[SHIFTS] = {NONE, 1, 7, 3, 5, 0, 2, 6, 8};
  area areas[AREAS * AREAS];
  double level[SHIFTS];
  float ignored;
  lay(g);
  for (uint32_t i = 0; i < SHIFTS; i++) {
    uint32_t s = order[i];
    int dy = ((int)(s / 3) - 1) * (int)g->shift_y, dx = ((int)(s % 3) - 1) * (int)g->shift_x;
    look(g, dy, dx, areas);
    level[s] = spread(g, areas, s == NONE ? &g->view->own : &ignored);
    if (level[NONE] < GAP) return false;
    if (i == 4 && level[NONE] < RATIO_MAY * (fmax(quieter(level[1], level[7]), quieter(level[3], level[5])) + 1))
      return false;
  }
  double quiet = quiet_of(level);
  if (quiet < 0) return false;
  g->view->gap = (float)level[NONE];
  g->view->quiet = (float)quiet;
  if (bez_scaled_may_be_other(g->view)) g->view->plain = is_plain(g);
  return true;
}

static float score(const bez_scaled_view *v) {
  return v->height && !v->plain ? bez_scaled_ratio(v) * fminf(v->gap, 20) : -1;
}

/* Samplers are of one kind on both axes; where one looks bilinear and the other does not, both are tried as such. */
static void try_sizes(const picture *p, grid *g, const bez_comb *down, const bez_comb *across, bez_scaled_view *best) {
  bool bilinear = down->sampler == BEZ_SAMPLE_BILINEAR || across->sampler == BEZ_SAMPLE_BILINEAR;
  bool middle = down->sampler == BEZ_SAMPLE_CENTRE && across->sampler == BEZ_SAMPLE_CENTRE;
  for (uint8_t two = bilinear; two <= (bilinear || middle); two++) {
    bez_scaled_view v = {.height = down->size,
                         .width = across->size,
                         .down = two ? BEZ_SAMPLE_BILINEAR : down->sampler,
                         .across = two ? BEZ_SAMPLE_BILINEAR : across->sampler,
                         .comb = (float)fmin(down->z, across->z)};
    if (two && (p->height < BEZ_SCALED_SPARSE * down->size || p->width < BEZ_SCALED_SPARSE * across->size)) continue;
    g->view = &v;
    if (judge(g) && (!best->height || score(&v) > score(best))) *best = v;
    g->view = NULL; /* v ends here */
  }
}

/* How much each row and column differs from the mean of the eight pixels around, in grey levels. */
static void roughness(const picture *p, double *rows, double *cols) {
  size_t c = p->channels, line = p->width * c;
  for (uint32_t y = 1; y + 1 < p->height; y++)
    for (uint32_t x = 1; x + 1 < p->width; x++) {
      const uint8_t *at = p->pixels + y * line + x * c;
      int sum = 0;
      for (size_t k = 0; k < c; k++, at++) {
        const uint8_t *up = at - line, *low = at + line;
        sum += abs(8 * *at - (up[0] + *(up - c) + up[c] + *(at - c) + at[c] + low[0] + *(low - c) + low[c]));
      }
      rows[y] += sum;
      cols[x] += sum;
    }
  for (uint32_t y = 0; y < p->height; y++) rows[y] /= 8.0 * (double)line;
  for (uint32_t x = 0; x < p->width; x++) cols[x] /= 8.0 * (double)(p->height * c);
}

/* What models take; an attack may be on one of them though other sizes share many of its rows. */
static void try_common(const picture *p, grid *g, const bez_scaled_rows *rows, const bez_scaled_rows *cols,
                       bez_scaled_view *best) {
  static const uint16_t sizes[] = {8,   14,  16,  28,  32,  40,  48,  56,  64,  80,  96,  100, 112, 128,
                                   150, 160, 192, 224, 227, 240, 256, 288, 299, 300, 320, 331, 336, 380,
                                   384, 416, 448, 480, 512, 518, 600, 640, 768, 800, 896, 1024};
  static const uint8_t samplers[] = {BEZ_SAMPLE_FLOOR, BEZ_SAMPLE_CENTRE, BEZ_SAMPLE_BILINEAR};
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
    for (size_t s = 0; s < sizeof samplers; s++) {
      bez_comb down = bez_comb_at(rows, samplers[s], sizes[i]), across = bez_comb_at(cols, samplers[s], sizes[i]);
      if (down.size && across.size && down.z >= COMB_COMMON && across.z >= COMB_COMMON)
        try_sizes(p, g, &down, &across, best);
    }
}

static void try_found(const picture *p, grid *g, const bez_scaled_rows *rows, const bez_scaled_rows *cols,
                      bez_scaled_view *best) {
  bez_comb down[BEZ_COMB_CANDIDATES], across[BEZ_COMB_CANDIDATES];
  bez_comb_find(rows, down);
  bez_comb_find(cols, across);
  for (uint32_t i = 0; i < BEZ_COMB_CANDIDATES * BEZ_COMB_CANDIDATES; i++) {
    const bez_comb *d = &down[i / BEZ_COMB_CANDIDATES], *a = &across[i % BEZ_COMB_CANDIDATES];
    if (d->size && a->size && d->z >= COMB && a->z >= COMB) try_sizes(p, g, d, a, best);
  }
}

bez_status bez_scaled_view_find(const uint8_t *pixels, uint32_t height, uint32_t width, uint32_t channels,
                                bez_scaled_view *out, bez_error *err) {
  picture p = {pixels, height, width, channels};
  bez_status st = BEZ_OK;
  *out = (bez_scaled_view){0};
  if (height < 2 * BEZ_SCALED_LEAST || width < 2 * BEZ_SCALED_LEAST) return BEZ_OK;
  size_t n = (size_t)height + width;
  double *rough = calloc(2 * n, sizeof *rough);
  uint8_t *lit = calloc(n, 1);
  bez_scaled_rows rows, cols;
  if (!rough || !lit) {
    st = bez_fail_memory(err, 2 * n * sizeof *rough);
    goto cleanup;
  }
  roughness(&p, rough, rough + height);
  bez_scaled_rows_make(rough, height, rough + n, &rows);
  bez_scaled_rows_make(rough + height, width, rough + n + height, &cols);
  grid g = {.p = &p, .row = lit, .col = lit + height};
  try_found(&p, &g, &rows, &cols, out);
  if (!bez_scaled_is_other(out)) try_common(&p, &g, &rows, &cols, out);
cleanup:
  free(rough);
  free(lit);
  return st;
}
