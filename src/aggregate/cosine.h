/* Cosines between rows. */
#ifndef BEZ_AGGREGATE_COSINE_H
#define BEZ_AGGREGATE_COSINE_H

#include "aggregate/rows.h"

typedef struct bez_row_pair {
  uint32_t a, b;
} bez_row_pair;

/* Cosine from the squared lengths of two rows and their squared distance; 0 where one has no length. Digits are lost as
 * the lengths differ: false where too few are left. */
bool bez_cosine_of(double a, double b, double apart, double *cosine);

/* cosine[k] of each pair, from the products of their numbers, whatever their lengths; a pass of O(pairs · d). square:
 * the squared lengths of all rows. */
BEZ_MUST_USE bez_status bez_rows_cosine_pairs(bez_update_rows *rows, const bez_row_pair *pairs, size_t n_pairs,
                                              const double *square, double *cosine, bez_error *err);

/* cosine: N × N for the N = bez_rows_count() rows whose distances (bez_rows_distances) are given, 1 on the diagonal. */
BEZ_MUST_USE bez_status bez_rows_cosines(bez_update_rows *rows, const double *distance, double *cosine, bez_error *err);

#endif
