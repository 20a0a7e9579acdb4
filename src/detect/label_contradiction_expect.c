/* What the parts of a pattern lead one to expect of its rows.
 *
 * Columns hang together: rows of one value may look like another class as a whole (rents are large, and large amounts
 * are suspect), and a pattern that holds the value inherits that. So the level of a natural row of the pattern is not
 * taken from all rows with the target but from those, tilted by each of the pattern's values:
 * f ∝ f_all · Π (f_j/f_all)^a_j, f_j over the rows with value (numbers: bin) j outside the pattern. The exponents a_j
 * say how much of each tilt the rows keep: a regression over all rows of the column set. Planted rows are drawn from
 * the rows of the other labels. */
#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "detect/label_contradiction.h"
#include "math/spd.h"

#define LEVELS BEZ_LCO_LEVELS
#define BORROW 20.0 /* rows of strength with which a value's levels lean on those of all rows */
#define BORROW_OTHERS 50.0
#define RATIO_MAX 2.5f
#define PEERS_MIN 50 /* rows of other values in a single value's bin that show what to expect of it */
#define C_MAX 4.0    /* contradictions are clipped to it in the regression */
#define REGRESSED 131072u
#define FREE 0xffffu

typedef struct expect {
  const bez_lco_view *view;
  const bez_lco_rows *rows;
  bez_lco_pattern *p;
  size_t n;
  double all[LEVELS], others[LEVELS]; /* rows with the target, rows without */
  uint16_t *slot[BEZ_LCO_MAX_COLS];   /* per bin: index of its levels, or FREE */
  float (*levels)[LEVELS];            /* per slot */
  size_t n_slots;
  float (*own)[LEVELS]; /* per pattern: its rows with the target */
  uint32_t *index;      /* hashed keys: pattern + 1 */
  size_t cap;
  uint64_t stride;                /* between the rows of the regression */
  double alpha[BEZ_LCO_MAX_COLS]; /* how much of each value's tilt the rows of several values keep */
} expect;

static bez_status prepare(expect *e, bez_error *err) {
  uint32_t k = e->p->k;
  for (uint32_t j = 0; j < k; j++) {
    uint32_t f = e->p->col[j], n_bins = e->view->woe->n_bins[f];
    e->slot[j] = malloc(n_bins * sizeof *e->slot[j]);
    if (!e->slot[j]) return bez_fail_memory(err, n_bins * sizeof *e->slot[j]);
    memset(e->slot[j], 0xff, n_bins * sizeof *e->slot[j]);
    for (size_t i = 0; i < e->n; i++) {
      uint16_t *s = &e->slot[j][e->view->woe->bin_of_code[f][e->p[i].code[j]]];
      if (*s == FREE) *s = (uint16_t)e->n_slots++;
    }
  }
  for (e->cap = 16; e->cap < 2 * e->n; e->cap *= 2) {
  }
  e->levels = calloc(e->n_slots + 1, sizeof *e->levels);
  e->own = calloc(e->n, sizeof *e->own);
  e->index = calloc(e->cap, sizeof *e->index);
  if (!e->levels || !e->own || !e->index) return bez_fail_memory(err, e->n * sizeof *e->own);
  for (size_t i = 0; i < e->n; i++) {
    size_t at = (e->p[i].key * 0x9e3779b97f4a7c15ull >> 32) & (e->cap - 1);
    while (e->index[at]) at = (at + 1) & (e->cap - 1);
    e->index[at] = (uint32_t)i + 1;
  }
  return BEZ_OK;
}

static float *own_levels(const expect *e, uint64_t i) {
  uint64_t key = 0;
  for (uint32_t j = 0; j < e->p->k; j++) {
    uint64_t id = e->rows->id[e->p->col[j]][i];
    if (!id) return NULL;
    key |= id << (16 * j);
  }
  size_t at = (key * 0x9e3779b97f4a7c15ull >> 32) & (e->cap - 1);
  for (; e->index[at]; at = (at + 1) & (e->cap - 1))
    if (e->p[e->index[at] - 1].key == key) return e->own[e->index[at] - 1];
  return NULL;
}

static float contradiction(const expect *e, const double *gamma, uint64_t i) {
  float c = e->rows->base[i];
  for (uint32_t j = 0; j < e->p->k; j++) c += (float)gamma[j] * e->rows->g[e->p->col[j]][i];
  return c;
}

/* Means of c over target rows, per bin of each column of the set: sum[j][2·bin], then the weight. */
typedef struct means {
  double *sum[BEZ_LCO_MAX_COLS];
  double mean, weight;
} means;

static double clipped(const expect *e, const double *gamma, uint64_t i) {
  return fmax(-C_MAX, fmin(C_MAX, (double)contradiction(e, gamma, i)));
}

static bez_status make_means(const expect *e, const double *gamma, means *m, bez_error *err) {
  const bez_lco_rows *r = e->rows;
  const uint32_t k = e->p->k;
  for (uint32_t j = 0; j < k; j++) {
    size_t n_bins = e->view->woe->n_bins[e->p->col[j]];
    m->sum[j] = calloc(2 * n_bins, sizeof *m->sum[j]);
    if (!m->sum[j]) return bez_fail_memory(err, 2 * n_bins * sizeof *m->sum[j]);
  }
  for (uint64_t i = 0; i < r->n; i += e->stride) {
    if (!r->is_target[i]) continue;
    double w = i < r->n_cand ? 1 : r->weight, c = clipped(e, gamma, i);
    m->mean += w * c;
    m->weight += w;
    for (uint32_t j = 0; j < k; j++) {
      double *s = m->sum[j] + 2 * r->bin[e->p->col[j]][i];
      s[0] += w * c;
      s[1] += w;
    }
  }
  if (m->weight > 0) m->mean /= m->weight;
  return BEZ_OK;
}

/* Least squares of c − mean on the mean deviations of the row's bins (without the row itself): 1 each where the columns
 * are independent, less where one repeats the other. */
static void regress(expect *e, const double *gamma, const means *m) {
  const bez_lco_rows *r = e->rows;
  uint32_t k = e->p->k;
  double a[BEZ_LCO_MAX_COLS * BEZ_LCO_MAX_COLS] = {0}, b[BEZ_LCO_MAX_COLS] = {0}, x[BEZ_LCO_MAX_COLS];
  for (uint64_t i = 0; i < r->n; i += e->stride) {
    if (!r->is_target[i]) continue;
    double w = i < r->n_cand ? 1 : r->weight, c = clipped(e, gamma, i);
    for (uint32_t j = 0; j < k; j++) {
      const double *s = m->sum[j] + 2 * r->bin[e->p->col[j]][i];
      double others = s[1] - w, lean_on = BORROW * m->mean;
      x[j] = others > 0 ? (s[0] - w * c + lean_on) / (others + BORROW) - m->mean : 0;
      b[j] += w * x[j] * (c - m->mean);
      for (uint32_t l = 0; l <= j; l++) a[j * k + l] += w * x[j] * x[l];
    }
  }
  for (uint32_t j = 0; j < k; j++) a[j * k + j] += 1e-5 * m->weight + 1e-9;
  if (bez_spd_factor(a, k))
    bez_spd_solve(a, k, b);
  else
    memset(b, 0, sizeof b);
  for (uint32_t j = 0; j < k; j++) e->alpha[j] = fmax(0, fmin(1, b[j]));
}

static bez_status fit_alpha(expect *e, const double *gamma, bez_error *err) {
  means m = {0};
  bez_status st = make_means(e, gamma, &m, err);
  if (st == BEZ_OK) regress(e, gamma, &m);
  for (uint32_t j = 0; j < BEZ_LCO_MAX_COLS; j++) free(m.sum[j]);
  return st;
}

static void count_levels(expect *e, const double *gamma) {
  const bez_lco_rows *r = e->rows;
  uint32_t k = e->p->k;
  for (uint64_t i = 0; i < r->n; i++) {
    float c = contradiction(e, gamma, i), w = i < r->n_cand ? 1.0f : (float)r->weight;
    uint32_t level = bez_lco_level(e->view, (double)c), known = 0;
    if (!r->is_target[i]) {
      e->others[level] += (double)w;
      continue;
    }
    e->all[level] += (double)w;
    for (uint32_t j = 0; j < k; j++) {
      uint16_t s = e->slot[j][r->bin[e->p->col[j]][i]];
      if (s == FREE) continue;
      e->levels[s][level] += w;
      known++;
    }
    float *own = known == k ? own_levels(e, i) : NULL;
    if (own) own[level] += w;
  }
}

/* Shares of all target rows, smoothed over neighbours and never zero. */
static void smooth(const double *count, double *share) {
  double total = 0;
  for (uint32_t l = 0; l < LEVELS; l++) {
    double below = l ? count[l - 1] : count[l], above = l + 1 < LEVELS ? count[l + 1] : count[l];
    share[l] = .25 * below + .5 * count[l] + .25 * above + .02;
    total += share[l];
  }
  for (uint32_t l = 0; l < LEVELS; l++) share[l] /= total;
}

/* (count + strength · prior) as shares. */
static void lean(const double *count, const double *prior, double strength, double *share) {
  double total = strength;
  for (uint32_t l = 0; l < LEVELS; l++) total += count[l];
  for (uint32_t l = 0; l < LEVELS; l++) share[l] = (count[l] + strength * prior[l]) / total;
}

static void normalise(double *share) {
  double total = 0;
  for (uint32_t l = 0; l < LEVELS; l++) total += share[l];
  for (uint32_t l = 0; l < LEVELS; l++) share[l] /= total;
}

/* Shares among the other labels; where few rows carry them, what the model itself says: f_all · e^c. */
static void other_shares(const expect *e, const double *all, double *others) {
  double model[LEVELS];
  for (uint32_t l = 0; l < LEVELS; l++) model[l] = all[l] * exp(e->view->origin - bez_lco_level_eta(l));
  normalise(model);
  double smoothed[LEVELS], n = 0;
  smooth(e->others, smoothed);
  for (uint32_t l = 0; l < LEVELS; l++) n += e->others[l];
  for (uint32_t l = 0; l < LEVELS; l++) smoothed[l] *= n;
  lean(smoothed, model, BORROW_OTHERS, others);
}

static void fill_ratio(const expect *e, size_t i, const double *all, const double *others) {
  bez_lco_pattern *p = &e->p[i];
  double natural[LEVELS], peers = 0;
  memcpy(natural, all, sizeof natural);
  for (uint32_t j = 0; j < p->k; j++) {
    const float *levels = e->levels[e->slot[j][e->view->woe->bin_of_code[p->col[j]][p->code[j]]]];
    double rest[LEVELS], smoothed[LEVELS], part[LEVELS], n = 0;
    for (uint32_t l = 0; l < LEVELS; l++) n += rest[l] = fmax(0, (double)(levels[l] - e->own[i][l]));
    smooth(rest, smoothed);
    for (uint32_t l = 0; l < LEVELS; l++) smoothed[l] *= n;
    lean(smoothed, all, BORROW, part);
    for (uint32_t l = 0; l < LEVELS; l++) natural[l] *= pow(part[l] / all[l], e->alpha[j]);
    peers += n;
  }
  normalise(natural);
  p->has_peers = p->k > 1 || peers >= PEERS_MIN;
  p->promise = 0;
  for (uint32_t l = 0; l < LEVELS; l++) {
    float x = (float)log(others[l] / natural[l]);
    p->ratio[l] = x > RATIO_MAX ? RATIO_MAX : x < -RATIO_MAX ? -RATIO_MAX : x;
    double likelier = exp((double)p->ratio[l]), labels = log1p(exp(-bez_lco_level_eta(l)));
    p->promise += (double)e->own[i][l] * (fmax(log(.05 + .95 * likelier), log(.3 + .7 * likelier)) + labels);
  }
}

bez_status bez_lco_expect(const bez_lco_view *view, const bez_lco_rows *rows, bez_lco_pattern *patterns, size_t n,
                          bez_error *err) {
  expect e = {.view = view, .rows = rows, .p = patterns, .n = n, .stride = rows->n / REGRESSED + 1};
  assert(n > 0 && patterns->k > 0 && patterns->k <= BEZ_LCO_MAX_COLS);
  bez_status st = prepare(&e, err);
  if (st == BEZ_OK) {
    double all[LEVELS], others[LEVELS];
    double gamma[BEZ_LCO_MAX_COLS];
    bez_woe_gamma(view->woe, patterns->col, patterns->k, gamma);
    st = fit_alpha(&e, gamma, err);
    count_levels(&e, gamma);
    smooth(e.all, all);
    other_shares(&e, all, others);
    for (size_t i = 0; i < n; i++) fill_ratio(&e, i, all, others);
  }
  for (uint32_t j = 0; j < BEZ_LCO_MAX_COLS; j++) free(e.slot[j]);
  free(e.levels);
  free(e.own);
  free(e.index);
  return st;
}
