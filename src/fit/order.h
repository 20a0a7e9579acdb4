/* The rows of a column in the order of their numbers: a radix sort, for summaries that need every rank. */
#ifndef BEZ_FIT_ORDER_H
#define BEZ_FIT_ORDER_H

#include "bezoar/base.h"

/* A row, and an integer that ascends with its value; equal keys do not mean equal values. */
typedef struct bez_keyed {
  uint32_t key, row;
} bez_keyed;

/* What one pass over a column tells. */
typedef struct bez_extent {
  uint64_t seen;    /* numbers that are not NaN */
  double low, high; /* of them; low > high where there is none */
  double sum;       /* of them; eight sums side by side, so the order of adding is fixed */
} bez_extent;

bez_extent bez_column_extent(const double *x, uint64_t n);

#define BEZ_ORDER_LOOSE 9u

/* The extent->seen rows of x[0, n) that hold a number, by ascending key >> BEZ_ORDER_LOOSE; what these bits do not tell
 * apart is left to bez_order_settle. room: 2 · n entries of the caller; the answer lies in it. n < 2³². O(n). */
bez_keyed *bez_order_rows(const double *x, uint64_t n, const bez_extent *extent, bez_keyed *room);

/* Puts a run of rows in the order of their values, equal values in any order. */
void bez_order_settle(const double *x, bez_keyed *run, uint64_t n);

static inline bool bez_order_equal(const double *x, bez_keyed a, bez_keyed b) {
  return a.key == b.key && x[a.row] == x[b.row];
}

#endif
