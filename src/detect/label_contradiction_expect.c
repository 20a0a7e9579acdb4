/* What the parts of a pattern lead one to expect of its rows.
 *
 * Columns hang together: rows of one value may look like another class as a whole (rents are large, and large amounts are
 * suspect), and a pattern that holds the value inherits that. So the level of a natural row of the pattern is not
 * taken from all rows with the target but from those, tilted by each of the pattern's values: f ∝ f_all · Π f_j/f_all,
 * f_j over the rows with value (numbers: bin) j outside the pattern. Planted rows are drawn from the other labels. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "detect/label_contradiction.h"

#define LEVELS BEZ_LCO_LEVELS
#define BORROW 20.0  /* rows of strength with which a value's levels lean on those of all rows */
#define BORROW_OTHERS 50.0
#define RATIO_MAX 2.5f
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
  for (e->cap = 16; e->cap < 2 * e->n; e->cap *= 2) {}
  e->levels = calloc(e->n_slots, sizeof *e->levels);
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

static void count_levels(expect *e) {
  const bez_lco_rows *r = e->rows;
  uint32_t k = e->p->k;
  double gamma[BEZ_LCO_MAX_COLS];
  bez_woe_gamma(e->view->woe, e->p->col, k, gamma);
  for (uint64_t i = 0; i < r->n; i++) {
    float c = r->base[i], w = i < r->n_cand ? 1.0f : (float)r->weight;
    for (uint32_t j = 0; j < k; j++) c += (float)gamma[j] * r->g[e->p->col[j]][i];
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

static void set_ratio(float *ratio, const double *others, double *natural) {
  normalise(natural);
  for (uint32_t l = 0; l < LEVELS; l++) {
    float x = (float)log(others[l] / natural[l]);
    ratio[l] = x > RATIO_MAX ? RATIO_MAX : x < -RATIO_MAX ? -RATIO_MAX : x;
  }
}

static void fill_ratio(const expect *e, size_t i, const double *all, const double *others) {
  bez_lco_pattern *p = &e->p[i];
  double natural[BEZ_LCO_NULLS][LEVELS];
  for (uint32_t h = 0; h < BEZ_LCO_NULLS; h++) memcpy(natural[h], all, sizeof natural[h]);
  for (uint32_t j = 0; j < p->k; j++) {
    const float *levels = e->levels[e->slot[j][e->view->woe->bin_of_code[p->col[j]][p->code[j]]]];
    double rest[LEVELS], smoothed[LEVELS], part[LEVELS], n = 0;
    for (uint32_t l = 0; l < LEVELS; l++) n += rest[l] = fmax(0, (double)(levels[l] - e->own[i][l]));
    smooth(rest, smoothed);
    for (uint32_t l = 0; l < LEVELS; l++) smoothed[l] *= n;
    lean(smoothed, all, BORROW, part);
    for (uint32_t l = 0; l < LEVELS; l++) {
      natural[1][l] *= part[l] / all[l];
      natural[2 + j][l] = part[l];
    }
  }
  for (uint32_t h = 0; h < BEZ_LCO_NULLS; h++) set_ratio(p->ratio[h], others, natural[h]);
}

bez_status bez_lco_expect(const bez_lco_view *view, const bez_lco_rows *rows, bez_lco_pattern *patterns, size_t n,
                          bez_error *err) {
  expect e = {.view = view, .rows = rows, .p = patterns, .n = n};
  bez_status st = prepare(&e, err);
  if (st == BEZ_OK) {
    double all[LEVELS], others[LEVELS];
    count_levels(&e);
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
