/* The body of the kernels, included once per instruction set and number type. The includer defines, and this
 * file undefines at its end,
 *   REAL, INT      the number type and the integer type of its size
 *   WIDTH          numbers per register
 *   KERNEL         the name of the function
 *   NAME(x)        a name of its own for each helper
 *   LESSER(a, b)   a < b ? a : b, per lane; GREATER(a, b) a > b ? a : b */
#include <stddef.h>
#include <string.h>

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

/* Sorts WIDTH coordinates of N rows into buf; *odd becomes NaN where a value is none or infinite (0 · x is 0 else). */
#define LOAD(i)                                                                                                        \
  V v##i = NAME(load)(rows[i] + at);                                                                                   \
  *odd += v##i * (REAL)0;
#define EXCHANGE(i, j)                                                                                                 \
  do {                                                                                                                 \
    V smaller = LESSER(v##i, v##j);                                                                                    \
    v##j = GREATER(v##i, v##j);                                                                                        \
    v##i = smaller;                                                                                                    \
  } while (0);
#define STORE(i) buf[i] = v##i;
#define SORTER(N)                                                                                                      \
  static void NAME(sort_##N)(const REAL *const *rows, size_t at, V *buf, V *odd) {                                     \
    BEZ_EACH_##N(LOAD) BEZ_NETWORK_##N(EXCHANGE) BEZ_EACH_##N(STORE)                                                   \
  }
BEZ_NETWORKS(SORTER)
#define SORTER_NAME(N) NAME(sort_##N),
static void (*const NAME(sorters)[])(const REAL *const *, size_t, V *, V *) = {BEZ_NETWORKS(SORTER_NAME)};

/* The same for more rows than registers. */
static void NAME(sort_many)(const bez_order *o, const REAL *const *rows, size_t at, V *buf, V *odd) {
  for (uint32_t i = 0; i < o->n; i++) {
    buf[i] = NAME(load)(rows[i] + at);
    *odd += buf[i] * (REAL)0;
  }
  for (uint32_t k = 0; k < o->n_pairs; k++) {
    V *a = &buf[o->pairs[k][0]], *b = &buf[o->pairs[k][1]], x = *a, y = *b;
    *a = LESSER(x, y);
    *b = GREATER(x, y);
  }
}

/* Mean of buf[lo … hi − 1], never outside [low, high] by rounding. */
INLINE V NAME(mean)(const V *buf, uint32_t lo, uint32_t hi, V low, V high) {
  REAL share = (REAL)1 / (REAL)(hi - lo);
  V sum = buf[lo] * share;
  for (uint32_t r = lo + 1; r < hi; r++) sum += buf[r] * share;
  sum = GREATER(sum, low);
  return LESSER(sum, high);
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

INLINE V NAME(step)(const bez_order *o, const REAL *const *rows, size_t at, V *buf, M *beyond, bool counted, V *odd) {
  V low, high;
  if (o->n <= BEZ_NETWORK_LARGEST)
    NAME(sorters)[o->n - 1](rows, at, buf, odd);
  else
    NAME(sort_many)(o, rows, at, buf, odd);
  V out = NAME(reduce)(o, buf, &low, &high);
  for (uint32_t i = 0; counted && i < o->n; i++) {
    V x = NAME(load)(rows[i] + at);
    beyond[i] -= (M)(x < low) | (M)(x > high);
  }
  return out;
}

bool KERNEL(const bez_order *o, const REAL *const *rows, size_t len, REAL *out, uint64_t *outside, void *scratch) {
  V *buf = scratch, *padded = buf + 2 * (size_t)o->n, odd = {0};
  M *beyond = (M *)(buf + o->n);
  const REAL **pad = (const REAL **)(padded + o->n);
  size_t at = 0;
  memset(beyond, 0, o->n * sizeof *beyond);
  for (; at + WIDTH <= len; at += WIDTH) {
    V v = NAME(step)(o, rows, at, buf, beyond, outside != NULL, &odd);
    memcpy(out + at, &v, sizeof v);
  }
  if (at < len) { /* zeros behind the end are inside every range */
    memset(padded, 0, o->n * sizeof *padded);
    for (uint32_t i = 0; i < o->n; i++) {
      memcpy(&padded[i], rows[i] + at, (len - at) * sizeof(REAL));
      pad[i] = (const REAL *)&padded[i];
    }
    V v = NAME(step)(o, pad, 0, buf, beyond, outside != NULL, &odd);
    memcpy(out + at, &v, (len - at) * sizeof(REAL));
  }
  for (uint32_t i = 0; outside && i < o->n; i++)
    for (unsigned l = 0; l < WIDTH; l++) outside[i] += (uint64_t)beyond[i][l];
  M wrong = ~(M)(odd == (V){0}); /* NaN equals nothing */
  bool finite = true;
  for (unsigned l = 0; l < WIDTH; l++) finite &= wrong[l] == 0;
  return finite;
}

#undef V
#undef M
#undef INLINE
#undef LOAD
#undef EXCHANGE
#undef STORE
#undef SORTER
#undef SORTER_NAME
#undef REAL
#undef INT
#undef WIDTH
#undef KERNEL
#undef NAME
#undef LESSER
#undef GREATER
