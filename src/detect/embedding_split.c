#include "detect/embedding_split.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"

#define BINS 1024u
#define REACH 5.0 /* standard deviations that the bins cover on either side */
#define ROUNDS 20u

typedef struct bins {
  double sum[BINS], square[BINS];
  uint32_t count[BINS];
} bins;

static void moments(const double *value, uint32_t n, double *mean, double *deviation) {
  double sum = 0.0, square = 0.0;
  for (uint32_t i = 0; i < n; i++) sum += value[i];
  *mean = n ? sum / n : 0.0;
  for (uint32_t i = 0; i < n; i++) square += (value[i] - *mean) * (value[i] - *mean);
  *deviation = n ? sqrt(square / n) : 0.0;
}

static uint32_t bin_of(double standard) {
  double at = (standard + REACH) * (BINS / (2.0 * REACH));
  if (!(at > 0.0)) return 0;
  return at >= BINS ? BINS - 1 : (uint32_t)at;
}

/* −(log-likelihood) of n rows with these sums under their own normal distribution, less what is common to all splits.
 */
static double cost(double n, double sum, double square, double all) {
  double variance = square / n - (sum / n) * (sum / n);
  return n * (0.5 * log(fmax(variance, 1e-4)) - log(n / all));
}

bool bez_split_line(const double *value, uint32_t n, uint8_t *side) {
  bins b;
  double mean, deviation, sum = 0.0, square = 0.0, total = 0.0, best = INFINITY;
  uint32_t least = bez_split_least(n), below = 0, edge = 0, whole = 0;
  memset(&b, 0, sizeof b);
  moments(value, n, &mean, &deviation);
  if (!(deviation > 0.0) || !isfinite(deviation)) return false;
  for (uint32_t i = 0; i < n; i++) {
    double x = (value[i] - mean) / deviation;
    uint32_t at = bin_of(x);
    b.count[at]++;
    b.sum[at] += x;
    b.square[at] += x * x;
  }
  for (uint32_t k = 0; k < BINS; k++) {
    total += b.square[k];
    whole += b.count[k];
  }
  double total_sum = 0.0;
  for (uint32_t k = 0; k < BINS; k++) total_sum += b.sum[k];
  for (uint32_t k = 0; k + 1 < BINS && below + least <= whole; k++) {
    below += b.count[k];
    sum += b.sum[k];
    square += b.square[k];
    if (!b.count[k] || below < least || whole - below < least) continue;
    double c = cost(below, sum, square, n) + cost(n - below, total_sum - sum, total - square, n);
    if (c < best) {
      best = c;
      edge = k + 1;
    }
  }
  if (!edge) return false;
  for (uint32_t i = 0; i < n; i++) side[i] = bin_of((value[i] - mean) / deviation) >= edge;
  return true;
}

void bez_split_measure(const double *value, uint32_t n, uint8_t *side, bez_split *out) {
  double sum[2] = {0, 0}, square[2] = {0, 0}, mean[2], deviation = 0.0;
  uint32_t count[2] = {0, 0}, between = 0;
  for (uint32_t i = 0; i < n; i++) count[side[i]]++;
  if (count[1] > count[0]) {
    for (uint32_t i = 0; i < n; i++) side[i] = !side[i];
    uint32_t t = count[0];
    count[0] = count[1];
    count[1] = t;
  }
  out->n = n;
  out->n_small = count[1];
  out->gap = out->between = 0.0;
  if (!count[1]) return;
  for (uint32_t i = 0; i < n; i++) sum[side[i]] += value[i];
  for (int g = 0; g < 2; g++) mean[g] = sum[g] / count[g];
  for (uint32_t i = 0; i < n; i++) square[side[i]] += (value[i] - mean[side[i]]) * (value[i] - mean[side[i]]);
  for (int g = 0; g < 2; g++) deviation += sqrt(square[g] / count[g]);
  double way = mean[1] - mean[0];
  for (uint32_t i = 0; i < n && way != 0.0; i++) {
    double at = (value[i] - mean[0]) / way;
    between += at > 0.35 && at < 0.65;
  }
  out->gap = way == 0.0 ? 0.0 : fmin(fabs(way) / (deviation + 1e-3 * fabs(way)), 1000.0);
  out->between = (double)between / n;
}

void bez_split_along(const double *value, uint32_t n, const uint8_t *side, double *along) {
  double sum[2] = {0, 0};
  uint32_t count[2] = {0, 0};
  for (uint32_t i = 0; i < n; i++) {
    sum[side[i]] += value[i];
    count[side[i]]++;
  }
  double zero = count[0] ? sum[0] / count[0] : 0.0, way = count[1] ? sum[1] / count[1] - zero : 0.0;
  for (uint32_t i = 0; i < n; i++) along[i] = way != 0.0 ? (value[i] - zero) / way : 0.0;
}

void bez_split_values(const double *value, uint32_t n, uint32_t dim, uint8_t *side, double *along, bez_split *out) {
  *out = (bez_split){0};
  memset(side, 0, n);
  if (bez_split_line(value, n, side)) bez_split_measure(value, n, side, out);
  out->dim = dim;
  bez_split_along(value, n, side, along);
}

typedef struct walk {
  const bez_rows *r;
  double *value, *direction, *sum;
  uint8_t *side, *before;
} walk;

static void project(const walk *w) {
  for (uint32_t i = 0; i < w->r->n; i++) {
    const float *x = bez_rows_at(w->r, i);
    double s = 0.0;
    for (uint32_t d = 0; d < w->r->dim; d++) s += w->direction[d] * (double)x[d];
    w->value[i] = s;
  }
}

/* direction ← difference of the two means; returns its squared length. */
static double difference(const walk *w) {
  uint32_t dim = w->r->dim, count[2] = {0, 0};
  memset(w->sum, 0, 2 * (size_t)dim * sizeof *w->sum);
  for (uint32_t i = 0; i < w->r->n; i++) {
    const float *x = bez_rows_at(w->r, i);
    double *sum = w->sum + (w->side[i] ? dim : 0);
    count[w->side[i]]++;
    for (uint32_t d = 0; d < dim; d++) sum[d] += (double)x[d];
  }
  double square = 0.0;
  for (uint32_t d = 0; d < dim; d++) {
    w->direction[d] = w->sum[dim + d] / (count[1] ? count[1] : 1) - w->sum[d] / (count[0] ? count[0] : 1);
    square += w->direction[d] * w->direction[d];
  }
  return square;
}

/* From one direction to where nothing moves. */
static bool settle(const walk *w, bez_split *out) {
  uint32_t n = w->r->n;
  double square = 0.0;
  project(w);
  for (uint32_t round = 0; round < ROUNDS; round++) {
    if (!bez_split_line(w->value, n, w->side)) return false;
    if (round && !memcmp(w->side, w->before, n)) break;
    memcpy(w->before, w->side, n);
    square = difference(w);
    if (!(square > 0.0)) return false;
    project(w);
  }
  bez_split_measure(w->value, n, w->side, out);
  double share = (double)out->n_small / n;
  out->dim = w->r->dim;
  out->gain = share * (1.0 - share) * square;
  return true;
}

bool bez_split_better(const bez_split *a, const bez_split *b) {
  if (!a->n_small || !b->n_small) return a->n_small != 0;
  bool clean_a = a->between <= BEZ_SPLIT_BETWEEN, clean_b = b->between <= BEZ_SPLIT_BETWEEN;
  if (clean_a != clean_b) return clean_a;
  return a->gap > b->gap;
}

bez_status bez_split_rows(const bez_rows *r, const double *start, uint32_t starts, uint8_t *side, double *along,
                          bez_split *out, bez_error *err) {
  size_t n = (size_t)r->n + 1, dim = r->dim;
  walk w = {.r = r, .value = malloc(n * sizeof *w.value), .direction = malloc(dim * sizeof *w.direction)};
  bez_status st = BEZ_OK;
  w.sum = malloc(2 * dim * sizeof *w.sum);
  w.side = malloc(n);
  w.before = malloc(n);
  *out = (bez_split){0};
  if (!w.value || !w.direction || !w.sum || !w.side || !w.before) BEZ_TRY(bez_fail_memory(err, n * 10 + dim * 24));
  memset(side, 0, r->n);
  memset(along, 0, r->n * sizeof *along);
  for (uint32_t s = 0; s < starts; s++) {
    bez_split found = {0};
    memcpy(w.direction, start + s * dim, dim * sizeof *w.direction);
    if (!settle(&w, &found) || !bez_split_better(&found, out)) continue;
    *out = found;
    memcpy(side, w.side, r->n);
    bez_split_along(w.value, r->n, side, along);
  }
cleanup:
  free(w.value);
  free(w.direction);
  free(w.sum);
  free(w.side);
  free(w.before);
  return st;
}
