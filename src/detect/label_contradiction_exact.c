/* The surviving patterns over all rows: exact counts, exact downdate, and the rows themselves. */
#include <math.h>
#include <stdlib.h>

#include "base/error.h"
#include "base/threads.h"
#include "detect/label_contradiction.h"

#define FILTER_BITS 16u
#define LEVELS BEZ_LCO_LEVELS
#define SQRT_TWO_PI 2.5066282746310002
#define EFFECT_STEPS 24 /* grid over ± 6 standard deviations */

/* Rows of a pattern by label and log-odds. */
typedef struct levels {
  uint32_t count[2][LEVELS];
} levels;

/* Patterns of one column set: [first, end) of the list, ordered by key. */
typedef struct group {
  size_t first, end;
} group;

typedef struct exact {
  const bez_lco_view *view;
  const bez_lco_rows *rows;
  bez_lco_patterns *patterns;
  group *groups;
  size_t n_groups;
} exact;

static int by_key(const void *a, const void *b) {
  const bez_lco_pattern *x = a, *y = b;
  return x->key < y->key ? -1 : x->key > y->key;
}

static bool same_set(const bez_lco_pattern *x, const bez_lco_pattern *y) {
  if (x->k != y->k) return false;
  for (uint32_t j = 0; j < x->k; j++)
    if (x->col[j] != y->col[j]) return false;
  return true;
}

static bez_status make_groups(exact *c, bez_error *err) {
  bez_lco_patterns *p = c->patterns;
  c->groups = calloc(p->n + 1, sizeof *c->groups);
  if (!c->groups) return bez_fail_memory(err, p->n * sizeof *c->groups);
  for (size_t i = 0; i < p->n; i++) {
    if (!i || !same_set(&p->item[i - 1], &p->item[i])) c->groups[c->n_groups++].first = i;
    c->groups[c->n_groups - 1].end = i + 1;
  }
  for (size_t k = 0; k < c->n_groups; k++) {
    const group *g = &c->groups[k];
    qsort(p->item + g->first, g->end - g->first, sizeof *p->item, by_key);
  }
  return BEZ_OK;
}

/* log(1 + exp(x)) without overflow. */
static double softplus(double x) {
  return x > 0 ? x + log1p(exp(-x)) : log1p(exp(x));
}

static bez_status list_row(bez_lco_pattern *p, uint64_t row, float c, bez_error *err) {
  if (!(p->n_rows & (p->n_rows - 1))) { /* a power of two: full */
    uint64_t cap = p->n_rows ? p->n_rows * 2 : 1;
    uint64_t *rows = realloc(p->row, cap * sizeof *rows);
    if (!rows) return bez_fail_memory(err, cap * sizeof *rows);
    p->row = rows;
    float *cs = realloc(p->c, cap * sizeof *cs);
    if (!cs) return bez_fail_memory(err, cap * sizeof *cs);
    p->c = cs;
  }
  p->row[p->n_rows] = row;
  p->c[p->n_rows++] = c;
  return BEZ_OK;
}

/* ln ∫ Π P(label | log-odds + e) dN(e; 0, sd²), by the trapezoid rule over ± 6 sd. */
static double natural_fit(const levels *h, double sd) {
  double part[2 * EFFECT_STEPS + 1], best = -INFINITY, sum = 0;
  for (int s = 0; s <= 2 * EFFECT_STEPS; s++) {
    double z = 6.0 * (s - EFFECT_STEPS) / EFFECT_STEPS, ll = -.5 * z * z;
    for (uint32_t k = 0; k < LEVELS; k++) {
      double eta = bez_lco_level_eta(k) + z * sd;
      if (h->count[1][k]) ll -= h->count[1][k] * softplus(-eta);
      if (h->count[0][k]) ll -= h->count[0][k] * softplus(eta);
    }
    part[s] = ll;
    if (ll > best) best = ll;
  }
  for (int s = 0; s <= 2 * EFFECT_STEPS; s++) sum += exp(part[s] - best);
  return best + log(sum * 6.0 / EFFECT_STEPS / SQRT_TWO_PI);
}

typedef struct planted {
  double labels; /* log likelihood */
  double rows, whole;
} planted;

/* Where the share q was planted: log likelihood of the labels, log likelihood ratios of the rows. */
static planted planted_fit(const bez_lco_pattern *p, const levels *h, double q, double origin) {
  planted fit = {0};
  double clip = (double)BEZ_LCO_CLIP;
  for (uint32_t k = 0; k < LEVELS; k++) {
    double eta = bez_lco_level_eta(k), share = 1 / (1 + exp(-eta)), c = fmax(-clip, fmin(clip, origin - eta));
    if (h->count[1][k]) {
      fit.labels += h->count[1][k] * log(q + (1 - q) * share);
      fit.whole += h->count[1][k] * log(1 - q + q * exp(c));
      fit.rows += h->count[1][k] * log(1 - q + q * exp((double)p->ratio[k]));
    }
    if (h->count[0][k]) {
      fit.labels += h->count[0][k] * log((1 - q) * (1 - share));
      fit.whole += h->count[0][k] * log(1 - q);
    }
  }
  return fit;
}

static void weigh(bez_lco_pattern *p, const levels *h, double origin) {
  static const double share[] = {.7, .8, .9, .95, .99};
  double labels = 0, most = -INFINITY, sd = 1.0;
  for (size_t j = 0; j < sizeof share / sizeof *share; j++) {
    planted fit = planted_fit(p, h, share[j], origin);
    if (fit.rows + fit.labels <= most) continue;
    most = fit.rows + fit.labels;
    p->rows_llr = fit.rows;
    p->whole_llr = fit.whole;
    labels = fit.labels;
  }
  for (uint32_t e = 0; e < BEZ_LCO_EFFECTS; e++, sd *= 1.5) p->labels_llr[e] = labels - natural_fit(h, sd);
}

static bez_status add_row(const bez_lco_view *v, bez_lco_pattern *p, levels *h, const double *coef, uint64_t row,
                          bool is_target, bez_error *err) {
  const bez_woe *woe = v->woe;
  double eta = coef[woe->n_cols];
  for (uint32_t f = 0; f < woe->n_cols; f++)
    if (coef[f] != 0.0) eta += coef[f] * (double)bez_woe_term(woe, v->in->table, f, row);
  eta *= v->sign; /* log-odds of the target */
  double share = 1.0 / (1.0 + exp(-eta)), c = v->origin - eta, clip = (double)BEZ_LCO_CLIP;
  p->n += 1;
  p->expected += share;
  h->count[is_target][bez_lco_level(v, c)]++;
  if (!is_target) return BEZ_OK;
  p->n_target += 1;
  p->t += c > clip ? clip : c < -clip ? -clip : c;
  return list_row(p, row, (float)c, err);
}

static bez_lco_pattern *find(bez_lco_pattern *first, size_t n, uint64_t key) {
  bez_lco_pattern probe = {.key = key};
  return bsearch(&probe, first, n, sizeof *first, by_key);
}

static uint32_t filter_slot(uint64_t key) {
  return (uint32_t)((key * 0x9e3779b97f4a7c15ull) >> (64 - FILTER_BITS));
}

static bez_status group_tile(void *ctx, uint64_t tile, unsigned worker, bez_error *err) {
  bez_status st = BEZ_OK;
  exact *c = ctx;
  const bez_lco_view *v = c->view;
  const bez_table *table = v->in->table;
  group *g = &c->groups[tile];
  bez_lco_pattern *first = c->patterns->item + g->first;
  uint32_t k = first->k;
  const bez_column *label = &table->cols[v->in->label], *col[BEZ_LCO_MAX_COLS];
  double *coef = malloc(((size_t)v->woe->n_cols + 1) * sizeof *coef);
  uint8_t *filter = calloc(1u << FILTER_BITS, 1);
  levels *h = calloc(g->end - g->first, sizeof *h);
  if (!coef || !filter || !h) BEZ_TRY(bez_fail_memory(err, 1u << FILTER_BITS));
  bez_woe_leave_out(v->woe, first->col, k, coef);
  for (uint32_t j = 0; j < k; j++) col[j] = &table->cols[v->woe->cols[first->col[j]]];
  for (size_t i = 0; i < g->end - g->first; i++) {
    filter[filter_slot(first[i].key)] = 1;
    first[i].n = first[i].n_target = first[i].t = 0;
  }
  for (uint64_t row = 0; row < table->n_rows; row++) {
    uint64_t key = 0;
    for (uint32_t j = 0; j < k; j++) {
      uint64_t id = c->rows->id_of[first->col[j]][bez_code(col[j], row)];
      key |= id << (16 * j);
      if (!id) key = 0;
      if (!id) break;
    }
    if (!key || !filter[filter_slot(key)]) continue;
    uint32_t code = bez_code(label, row);
    if (code < BEZ_CODE_FIRST || (v->skip && (v->skip[row >> 6] >> (row & 63) & 1))) continue;
    bez_lco_pattern *p = find(first, g->end - g->first, key);
    if (p) BEZ_TRY(add_row(v, p, &h[p - first], coef, row, code == v->target, err));
  }
  for (size_t i = 0; i < g->end - g->first; i++) weigh(&first[i], &h[i], v->origin);
cleanup:
  free(coef);
  free(filter);
  free(h);
  return st;
}

bez_status bez_lco_exact(const bez_lco_view *view, const bez_lco_rows *rows, bez_lco_patterns *patterns,
                         bez_error *err) {
  exact c = {.view = view, .rows = rows, .patterns = patterns};
  bez_status st = make_groups(&c, err);
  if (st == BEZ_OK) st = bez_detect_parallel(view->in, "label contradictions", c.n_groups, group_tile, &c, err);
  free(c.groups);
  return st;
}
