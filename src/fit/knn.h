/* Exact k nearest neighbours over mixed columns: squared Euclidean distance on numeric dimensions plus a weight for
 * each categorical one that differs (the overlap measure). Brute force, because it is exact for any data and the
 * kernel (math/near.h) runs at the speed of the arithmetic.
 *
 * Neighbours are ordered by (distance, index): the same bits for any number of threads and any instruction set. */
#ifndef BEZ_FIT_KNN_H
#define BEZ_FIT_KNN_H

#include "base/threads.h"

#define BEZ_KNN_MAX_K 64u
#define BEZ_KNN_NONE UINT32_MAX

typedef struct bez_points {
  uint32_t n;
  uint32_t n_num, n_cat;
  const float *num;        /* n × n_num, row major, finite */
  const uint32_t *cat;     /* n × n_cat, row major */
  const float *cat_weight; /* n_cat, ≥ 0 */
  bez_watch *watch;        /* of queries: asked during the search; may be NULL */
} bez_points;

/* The k nearest of `points` for every query. self: per query the index of the point that is the query itself and is
 * left out, BEZ_KNN_NONE for none; NULL for none at all. index and distance (squared) hold queries->n × k entries;
 * where fewer than k points exist the rest is BEZ_KNN_NONE at infinity. BEZ_USAGE where k is 0 or above
 * BEZ_KNN_MAX_K, or the shapes differ. O(points · queries · dimensions) time, one blocked copy of the points. */
BEZ_MUST_USE bez_status bez_knn_search(const bez_points *points, const bez_points *queries, const uint32_t *self,
                                       uint32_t k, unsigned threads, uint32_t cpu, uint32_t *index, float *distance,
                                       bez_error *err);

#endif
