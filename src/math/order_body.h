/* The body of the kernels, included once per instruction set and number type. The includer includes type_f32.h or
 * type_f64.h and defines, and this file undefines at its end,
 *   WIDTH          numbers per register
 *   KERNEL         the name of the function
 *   LESSER(a, b)   a < b ? a : b, per lane; GREATER(a, b) a > b ? a : b
 *   ANY_BEYOND(v)  whether some lane is above MOST, below −MOST or NaN; ANY_NAN(v); both unless the plain way will do
 *   INSIDE(count, x, low, high)   count, one more in each lane with low ≤ x ≤ high */
#include <math.h>
#include <stddef.h>
#include <string.h>

#include "math/distance.h"
#include "math/lanes.h"
#include "math/order.h"
#include "math/order_networks.h"

typedef REAL NAME(lanes) __attribute__((vector_size(WIDTH * sizeof(REAL))));
typedef INT NAME(masks) __attribute__((vector_size(WIDTH * sizeof(REAL))));
#define V NAME(lanes)
#define M NAME(masks)
#define INLINE static inline __attribute__((always_inline))

INLINE V NAME(load)(const REAL *at) {
  V v;
  memcpy(&v, at, sizeof v);
  return v;
}

INLINE V NAME(choose)(M mask, V yes, V no) {
  return (V)(((M)yes & mask) | ((M)no & ~mask));
}

#ifndef ANY_BEYOND
INLINE bool NAME(any)(M mask) {
  uint64_t part[sizeof mask / 8], all = 0;
  memcpy(part, &mask, sizeof mask);
  for (unsigned i = 0; i < sizeof mask / 8; i++) all |= part[i];
  return all != 0;
}
#define ANY_BEYOND(v) NAME(any)(~((M)((v) <= MOST) & (M)((v) >= -MOST)))
#define ANY_NAN(v) NAME(any)(~(M)((v) >= -(REAL)INFINITY))
#endif

/* What is wanted `ahead` bytes on is asked for now. */
#define ASK(row, at) __builtin_prefetch((const void *)((uintptr_t)((row) + (at)) + ahead))

/* Sorts WIDTH coordinates of N rows into buf; the sum of all is NaN where a value is, and only there or where
 * infinities of both signs meet (finite numbers overflow to one of them and stay there). */
#define LOAD(i)                                                                                                        \
  V v##i = NAME(load)(rows[i] + at);                                                                                   \
  ASK(rows[i], at);                                                                                                    \
  sum += v##i;
#define EXCHANGE(i, j)                                                                                                 \
  do {                                                                                                                 \
    V smaller = LESSER(v##i, v##j);                                                                                    \
    v##j = GREATER(v##i, v##j);                                                                                        \
    v##i = smaller;                                                                                                    \
  } while (0);
#define STORE(i) buf[i] = v##i;
#define SORTER(N)                                                                                                      \
  static V NAME(sort_##N)(const REAL *const *rows, size_t at, size_t ahead, V *buf) {                                  \
    V sum = {0};                                                                                                       \
    BEZ_EACH_##N(LOAD) BEZ_NETWORK_##N(EXCHANGE) BEZ_EACH_##N(STORE) return sum;                                       \
  }
BEZ_NETWORKS(SORTER)
#define SORTER_NAME(N) NAME(sort_##N),
static V (*const NAME(sorters)[])(const REAL *const *, size_t, size_t, V *) = {BEZ_NETWORKS(SORTER_NAME)};

/* A network's sum of values (sort_N) and its ends tell whether all are finite. */
INLINE bool NAME(odd_values)(V sum, V least, V most) {
  return ANY_NAN(sum) || ANY_BEYOND(least) || ANY_BEYOND(most);
}

/* Two sorted runs of sixteen: what is not stored, the compiler does not work out. */
#define RUN_LOAD(i) V v##i = (i) < 16 ? low[(i) % 16] : high[(i) % 16];
#define STORE_LOW(i)                                                                                                   \
  if ((i) < 16) low[(i) % 16] = v##i;
#define STORE_HIGH(i)                                                                                                  \
  if ((i) >= 16) high[(i) % 16] = v##i;
static void NAME(merge_both)(V *low, V *high) {
  BEZ_EACH_32(RUN_LOAD) BEZ_MERGE_16(EXCHANGE) BEZ_EACH_32(STORE_LOW) BEZ_EACH_32(STORE_HIGH)
}
static void NAME(merge_low)(V *low, const V *high) {
  BEZ_EACH_32(RUN_LOAD) BEZ_MERGE_16(EXCHANGE) BEZ_EACH_32(STORE_LOW)
}
static void NAME(merge_high)(const V *low, V *high) {
  BEZ_EACH_32(RUN_LOAD) BEZ_MERGE_16(EXCHANGE) BEZ_EACH_32(STORE_HIGH)
}

/* More rows than registers: runs of sixteen, the last one filled up from above. */
static void NAME(sort_many)(const bez_order *o, const REAL *const *rows, size_t at, V *buf, bool *odd) {
  for (uint32_t first = 0; first < o->n; first += BEZ_ORDER_RUN) {
    uint32_t count = o->n - first < BEZ_ORDER_RUN ? o->n - first : BEZ_ORDER_RUN;
    V sum = NAME(sorters)[count - 1](rows + first, at, o->ahead, buf + first);
    *odd |= NAME(odd_values)(sum, buf[first], buf[first + count - 1]);
  }
  for (uint32_t i = o->n; i < o->slots; i++) buf[i] = (V){0} + MOST;
  for (uint32_t k = 0; k < o->n_merges; k++) {
    const bez_order_merge m = o->merges[k];
    V *low = buf + (size_t)m.low * BEZ_ORDER_RUN, *high = buf + (size_t)m.high * BEZ_ORDER_RUN;
    if (m.keep_low && m.keep_high)
      NAME(merge_both)(low, high);
    else if (m.keep_low)
      NAME(merge_low)(low, high);
    else
      NAME(merge_high)(low, high);
  }
}

INLINE V NAME(sum_of)(const V *buf, uint32_t lo, uint32_t hi, REAL share) {
  V sum[2] = {{0}};
  uint32_t r = lo;
  for (; r + 2 <= hi; r += 2) { /* two sums side by side wait half as long for each other */
    sum[0] += buf[r] * share;
    sum[1] += buf[r + 1] * share;
  }
  if (r < hi) sum[0] += buf[r] * share;
  return sum[0] + sum[1];
}

/* Mean of buf[lo … hi − 1], never outside [low, high] by rounding. Where the sum overflows, the shares are summed. */
INLINE V NAME(mean)(const V *buf, uint32_t lo, uint32_t hi, V low, V high) {
  REAL share = (REAL)1 / (REAL)(hi - lo);
  V sum = NAME(sum_of)(buf, lo, hi, 1), mean = sum * share;
  if (ANY_BEYOND(sum)) mean = NAME(choose)((M)(sum > MOST) | (M)(sum < -MOST), NAME(sum_of)(buf, lo, hi, share), mean);
  mean = GREATER(mean, low);
  return LESSER(mean, high);
}

/* The `keep` values nearest to the median are neighbours in rank. From the lowest window on, each step drops the
 * lowest value for the next higher one where that lies nearer; the place of the dropped one is taken. low and high
 * become the ends of the window. */
INLINE void NAME(nearest)(V *buf, uint32_t n, uint32_t keep, V *low, V *high) {
  V median = buf[(n - 1) / 2] * (REAL).5 + buf[n / 2] * (REAL).5;
  M moving = ~(M){0};
  *low = buf[0];
  *high = buf[keep - 1];
  for (uint32_t j = 0; j + keep < n; j++) {
    V above = buf[j + keep], next = j + 1 < n ? buf[(j + 1) % keep] : above;
    moving &= median > buf[j % keep] * (REAL).5 + above * (REAL).5; /* rounds as the median does: ties stay ties */
    buf[j % keep] = NAME(choose)(moving, above, buf[j % keep]);
    if (keep == 1) next = above;
    *low = NAME(choose)(moving, next, *low);
    *high = NAME(choose)(moving, above, *high);
  }
}

INLINE V NAME(reduce)(const bez_order *o, V *buf, V *low, V *high) {
  if (o->kind == BEZ_ORDER_RANKS) {
    *low = buf[o->lo];
    *high = buf[o->hi - 1];
    return NAME(mean)(buf, o->lo, o->hi, *low, *high);
  }
  NAME(nearest)(buf, o->n, o->hi - o->lo, low, high);
  return NAME(mean)(buf, 0, o->hi - o->lo, *low, *high);
}

/* One vector of coordinates: the result and the range that was kept. */
INLINE V NAME(step)(const bez_order *o, const REAL *const *rows, size_t at, V *buf, V *low, V *high, bool *odd) {
  if (o->n <= BEZ_NETWORK_LARGEST) {
    V sum = NAME(sorters)[o->n - 1](rows, at, o->ahead, buf);
    *odd |= NAME(odd_values)(sum, buf[0], buf[o->n - 1]);
  } else {
    NAME(sort_many)(o, rows, at, buf, odd);
  }
  return NAME(reduce)(o, buf, low, high);
}

/* ---- groups of steps: each row is judged over a group at once ---------------------------------------------------- */

#define PARTS (LANES / WIDTH)
#define STEPS (BEZ_ORDER_GROUP / WIDTH)

typedef struct NAME(group) {
  V out[STEPS], low[STEPS], high[STEPS];
} NAME(group);

/* Counters and sums of a row, for the whole call. */
typedef struct NAME(tally) {
  M inside[PARTS];
  V square[PARTS];
} NAME(tally);

INLINE void NAME(judge)(const NAME(group) * g, const REAL *row, unsigned steps, NAME(tally) * tally) {
  NAME(tally) t = *tally;
#pragma GCC unroll 16
  for (unsigned s = 0; s < steps; s++) {
    V x = NAME(load)(row + s * WIDTH), d = x - g->out[s];
    t.inside[s % PARTS] = INSIDE(t.inside[s % PARTS], x, g->low[s], g->high[s]);
    t.square[s % PARTS] += d * d;
  }
  *tally = t;
}

INLINE void NAME(judge_all)(const NAME(group) * g, uint32_t n, const REAL *const *rows, size_t at, unsigned steps,
                            NAME(tally) * tally) {
  if (steps == STEPS)
    for (uint32_t i = 0; i < n; i++) NAME(judge)(g, rows[i] + at, STEPS, &tally[i]);
  else
    for (uint32_t i = 0; i < n; i++) NAME(judge)(g, rows[i] + at, steps, &tally[i]);
}

static void NAME(sentence)(const NAME(tally) * tally, uint32_t n, const REAL *const *rows, size_t len, const REAL *out,
                           size_t seen, const bez_order_judge *judge) {
  for (uint32_t i = 0; i < n; i++) {
    double square = TOTAL(tally[i].square);
    if (!(square > SQUARE_LOW && square < SQUARE_HIGH)) square = PAIR(rows[i], out, len);
    judge->outside[i] += seen - COUNT(tally[i].inside);
    judge->square[i] += square;
  }
}

bool KERNEL(const bez_order *o, const REAL *const *rows, size_t len, REAL *out, const bez_order_judge *judge,
            void *scratch) {
  NAME(tally) *tally = scratch;
  V *buf = (V *)(tally + o->n);
  REAL *padded = (REAL *)(buf + o->slots);
  const REAL **pad = (const REAL **)(padded + (size_t)o->n * BEZ_ORDER_GROUP);
  NAME(group) g;
  bool odd = false;
  size_t seen = 0;
  if (judge) memset(tally, 0, o->n * sizeof *tally);
  for (size_t at = 0; at < len; at += BEZ_ORDER_GROUP) {
    const REAL *const *from = rows;
    size_t rest = len - at, base = at;
    unsigned steps = rest < BEZ_ORDER_GROUP ? (unsigned)((rest + WIDTH - 1) / WIDTH) : STEPS;
    if (rest < BEZ_ORDER_GROUP) { /* zeros behind the end are inside every range */
      memset(padded, 0, (size_t)o->n * BEZ_ORDER_GROUP * sizeof(REAL));
      for (uint32_t i = 0; i < o->n; i++) {
        pad[i] = memcpy(padded + (size_t)i * BEZ_ORDER_GROUP, rows[i] + at, rest * sizeof(REAL));
      }
      from = pad;
      base = 0;
    }
    for (unsigned s = 0; s < steps; s++)
      g.out[s] = NAME(step)(o, from, base + s * WIDTH, buf, &g.low[s], &g.high[s], &odd);
    memcpy(out + at, g.out, (rest < BEZ_ORDER_GROUP ? rest : BEZ_ORDER_GROUP) * sizeof(REAL));
    if (judge) NAME(judge_all)(&g, o->n, from, base, steps, tally);
    seen += steps * WIDTH;
  }
  if (judge) NAME(sentence)(tally, o->n, rows, len, out, seen, judge);
  return !odd;
}

#undef V
#undef M
#undef PARTS
#undef STEPS
#undef ASK
#undef INLINE
#undef LOAD
#undef EXCHANGE
#undef STORE
#undef RUN_LOAD
#undef STORE_LOW
#undef STORE_HIGH
#undef SORTER
#undef SORTER_NAME
#undef WIDTH
#undef KERNEL
#undef LESSER
#undef GREATER
#undef INSIDE
#undef ANY_BEYOND
#undef ANY_NAN
#include "math/type_end.h"
