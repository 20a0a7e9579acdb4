#include "math/spikes.h"

#include <math.h>
#include <string.h>

#define TAIL_MOST 50u
#define TAIL_LEAST 10u
#define KEPT (TAIL_MOST + BEZ_SPIKES_MAX + 1u)
#define STEEPEST 20.0 /* a tail estimated from few, nearly equal ratios is not believed beyond this */

typedef struct top {
  double ratio[KEPT], mean[KEPT];
  size_t at[KEPT];
  size_t n;
} top;

/* Keeps the KEPT largest, ties by position. */
static void offer(top *t, double ratio, double mean, size_t at) {
  if (t->n == KEPT && ratio <= t->ratio[KEPT - 1]) return;
  size_t i = t->n < KEPT ? t->n++ : KEPT - 1;
  for (; i > 0 && t->ratio[i - 1] < ratio; i--) {
    t->ratio[i] = t->ratio[i - 1];
    t->mean[i] = t->mean[i - 1];
    t->at[i] = t->at[i - 1];
  }
  t->ratio[i] = ratio;
  t->mean[i] = mean;
  t->at[i] = at;
}

/* Ratios of all values but zero and the two ends; returns how many there were. */
static size_t rank_ratios(const double *value, const uint64_t *count, size_t n, double floor, top *t) {
  const size_t w = BEZ_SPIKES_WINDOW;
  size_t eligible = 0;
  uint64_t sum = 0; /* over [lo, hi) */
  size_t lo = 0, hi = 0;
  for (size_t i = 0; i < n; i++) {
    while (hi < n && hi <= i + w) sum += count[hi++];
    while (lo + w < i) sum -= count[lo++];
    if (i == 0 || i + 1 == n || value[i] == 0.0) continue;
    double mean = (double)(sum - count[i]) / (double)(hi - lo - 1);
    if (mean < floor) mean = floor;
    offer(t, (double)count[i] / mean, mean, i);
    eligible++;
  }
  return eligible;
}

/* Hill's estimator over ratios g … g+h−1 with ratio g+h as the threshold. */
static double tail_exponent(const top *t, size_t g, size_t h) {
  double base = t->ratio[g + h] > 1.0 ? t->ratio[g + h] : 1.0, sum = 0.0;
  for (size_t i = g; i < g + h; i++) sum += log(t->ratio[i] > base ? t->ratio[i] / base : 1.0);
  double exponent = sum > 0.0 ? (double)h / sum : STEEPEST;
  return exponent < STEEPEST ? exponent : STEEPEST;
}

size_t bez_spikes_find(const double *value, const uint64_t *count, size_t n, double floor, double gap,
                       bez_spike out[BEZ_SPIKES_MAX]) {
  if (n < BEZ_SPIKES_DISTINCT) return 0;
  top t = {.n = 0};
  size_t eligible = rank_ratios(value, count, n, floor, &t);
  size_t h = eligible / 10;
  if (h < TAIL_LEAST) h = TAIL_LEAST;
  if (h > TAIL_MOST) h = TAIL_MOST;
  size_t group = 0;
  for (size_t g = 1; g <= BEZ_SPIKES_MAX && g + h < t.n; g++)
    if (t.ratio[g - 1] >= gap * t.ratio[g]) group = g;
  if (group == 0) return 0;
  double exponent = tail_exponent(&t, group, h);
  double base = t.ratio[group + h] > 1.0 ? t.ratio[group + h] : 1.0;
  for (size_t i = 0; i < group; i++) {
    double log_p = log((double)h) - exponent * log(t.ratio[i] / base);
    out[i] = (bez_spike){.index = t.at[i],
                         .local_mean = t.mean[i],
                         .ratio = t.ratio[i],
                         .next_ratio = t.ratio[group],
                         .tail = exponent,
                         .log_p = log_p < 0.0 ? log_p : 0.0};
  }
  return group;
}
