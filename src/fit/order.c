/* Where the numbers are spread over their range, 22 bits of the place in it tell nearly all of them apart: two passes
 * of 11 bits (nine more bits settle the rest without a look at the values). Else (long tails, infinities, missing
 * values) the upper half of the number's own bits: three passes. */
#include "fit/order.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define LANES 8u
#define DIGIT 11u
#define RADIX (1u << DIGIT)
#define LAST INT32_MAX /* place in the range */
#define CROWDED 8u     /* a digit that every eighth row shares: the range does not tell them apart */
#define FEW 24u        /* sorted by insertion */

/* The careful way: some are NaN, or infinities cancelled each other. */
static void sum_numbers(const double *x, uint64_t n, bez_extent *e) {
  double sum[LANES] = {0};
  e->seen = 0;
  for (uint64_t i = 0; i < n; i++) {
    if (isnan(x[i])) continue;
    sum[i % LANES] += x[i];
    e->seen++;
  }
  e->sum = 0.0;
  for (uint32_t k = 0; k < LANES; k++) e->sum += sum[k];
}

bez_extent bez_column_extent(const double *x, uint64_t n) {
  double sum[LANES] = {0}, low[LANES], high[LANES];
  uint64_t whole = n - n % LANES;
  for (uint32_t k = 0; k < LANES; k++) low[k] = INFINITY, high[k] = -INFINITY;
  for (uint64_t i = 0; i < whole; i += LANES)
    for (uint32_t k = 0; k < LANES; k++) {
      double v = x[i + k];
      sum[k] += v;
      low[k] = v < low[k] ? v : low[k]; /* NaN changes nothing */
      high[k] = v > high[k] ? v : high[k];
    }
  bez_extent e = {n, INFINITY, -INFINITY, 0.0};
  for (uint64_t i = whole; i < n; i++) {
    sum[i % LANES] += x[i];
    low[0] = x[i] < low[0] ? x[i] : low[0];
    high[0] = x[i] > high[0] ? x[i] : high[0];
  }
  for (uint32_t k = 0; k < LANES; k++) {
    e.sum += sum[k];
    e.low = low[k] < e.low ? low[k] : e.low;
    e.high = high[k] > e.high ? high[k] : e.high;
  }
  if (isnan(e.sum)) sum_numbers(x, n, &e);
  return e;
}

/* Counts become places. */
static void add_up(uint32_t count[RADIX]) {
  uint32_t at = 0;
  for (uint32_t d = 0; d < RADIX; d++) {
    uint32_t here = count[d];
    count[d] = at;
    at += here;
  }
}

/* The place of v in the range; ascends with v, because each rounding does. */
static inline uint32_t place_of(double v, double low, double scale) {
  return (uint32_t)(int32_t)((v - low) * scale);
}

static bez_keyed *sort_by_place(const double *x, uint64_t n, double low, double scale, bez_keyed *room) {
  uint32_t first[RADIX] = {0}, second[RADIX] = {0}, most = 0;
  for (uint64_t i = 0; i < n; i++) {
    uint32_t place = place_of(x[i], low, scale);
    first[place >> BEZ_ORDER_LOOSE & (RADIX - 1)]++;
    second[place >> (BEZ_ORDER_LOOSE + DIGIT)]++;
  }
  for (uint32_t d = 0; d < RADIX; d++) most = second[d] > most ? second[d] : most;
  if (most > n / CROWDED) return NULL;
  add_up(first);
  add_up(second);
  for (uint64_t i = 0; i < n; i++) {
    uint32_t place = place_of(x[i], low, scale);
    room[first[place >> BEZ_ORDER_LOOSE & (RADIX - 1)]++] = (bez_keyed){place, (uint32_t)i};
  }
  for (uint64_t i = 0; i < n; i++) room[n + second[room[i].key >> (BEZ_ORDER_LOOSE + DIGIT)]++] = room[i];
  return room + n;
}

/* The upper half of ascending unsigned integers for ascending numbers; −0 equals 0. */
static uint32_t upper_half(double x) {
  double positive = x + 0.0;
  uint64_t bits;
  memcpy(&bits, &positive, sizeof bits);
  return (uint32_t)((bits >> 63 ? ~bits : bits | (uint64_t)1 << 63) >> 32);
}

static void count_digits(const bez_keyed *a, uint64_t n, uint32_t count[3][RADIX]) {
  memset(count, 0, sizeof(uint32_t[3][RADIX]));
  for (uint64_t i = 0; i < n; i++) {
    uint32_t key = a[i].key;
    count[0][key & (RADIX - 1)]++;
    count[1][key >> DIGIT & (RADIX - 1)]++;
    count[2][key >> 2 * DIGIT]++;
  }
}

/* Sorted by key; the result lies in the room returned. A digit that all keys share costs no pass. */
static bez_keyed *sort_by_bits(const double *x, uint64_t n, bez_keyed *room) {
  uint32_t count[3][RADIX];
  bez_keyed *a = room, *b = room + n;
  uint64_t seen = 0;
  for (uint64_t i = 0; i < n; i++)
    if (!isnan(x[i])) a[seen++] = (bez_keyed){upper_half(x[i]), (uint32_t)i};
  count_digits(a, seen, count);
  for (unsigned shift = 0; seen && shift < 3 * DIGIT; shift += DIGIT) {
    uint32_t *c = count[shift / DIGIT];
    if (c[a[0].key >> shift & (RADIX - 1)] == seen) continue;
    add_up(c);
    for (uint64_t i = 0; i < seen; i++) b[c[a[i].key >> shift & (RADIX - 1)]++] = a[i];
    bez_keyed *other = a;
    a = b;
    b = other;
  }
  return a;
}

bez_keyed *bez_order_rows(const double *x, uint64_t n, const bez_extent *extent, bez_keyed *room) {
  double scale = LAST / (extent->high - extent->low);
  bez_keyed *sorted = NULL;
  if (extent->seen == n && isfinite(extent->low) && scale > 0.0 && isfinite(scale))
    sorted = sort_by_place(x, n, extent->low, scale, room);
  return sorted ? sorted : sort_by_bits(x, n, room);
}

static inline bool above(const double *x, bez_keyed a, bez_keyed b) {
  return a.key != b.key ? a.key > b.key : x[a.row] > x[b.row];
}

static int by_value(const void *a, const void *b, void *column) {
  const bez_keyed *v = a, *w = b;
  return above(column, *v, *w) - above(column, *w, *v);
}

void bez_order_settle(const double *x, bez_keyed *run, uint64_t n) {
  bool sorted = true;
  for (uint64_t i = 1; i < n && sorted; i++) sorted = !above(x, run[i - 1], run[i]);
  if (sorted) return;
  if (n > FEW) {
    qsort_r(run, n, sizeof *run, by_value, (void *)x);
    return;
  }
  for (uint64_t i = 1; i < n; i++) {
    bez_keyed held = run[i];
    uint64_t k = i;
    for (; k > 0 && above(x, run[k - 1], held); k--) run[k] = run[k - 1];
    run[k] = held;
  }
}
