/* Inside the tracks: lists of nearest thumbs and who fills them. */
#ifndef BEZ_FIT_TRACKS_INTERNAL_H
#define BEZ_FIT_TRACKS_INTERNAL_H

#include "fit/tracks.h"

#define BEZ_NEAR_K 5u

/* The nearest of one picture, best first: larger products, then lower rows. row UINT32_MAX: none yet. */
typedef struct bez_nearest {
  int32_t product[BEZ_NEAR_K];
  uint32_t row[BEZ_NEAR_K];
} bez_nearest;

/* Exact in 32 bits: the vectors have unit length, so that no partial sum passes UNIT². */
static inline int32_t bez_thumb_product(const int16_t *a, const int16_t *b) {
  int32_t sum = 0;
  for (unsigned d = 0; d < BEZ_TRACKS_DIM; d++) sum += (int32_t)a[d] * b[d];
  return sum;
}

/* Puts a row where it belongs; one that is listed already stays once. */
static inline void bez_nearest_offer(bez_nearest *list, int32_t product, uint32_t row) {
  unsigned at = BEZ_NEAR_K;
  while (at > 0 && (product > list->product[at - 1] || (product == list->product[at - 1] && row < list->row[at - 1])))
    at--;
  if (at == BEZ_NEAR_K || (at > 0 && list->row[at - 1] == row)) return;
  for (unsigned i = BEZ_NEAR_K - 1; i > at; i--) {
    list->product[i] = list->product[i - 1];
    list->row[i] = list->row[i - 1];
  }
  list->product[at] = product;
  list->row[at] = row;
}

BEZ_MUST_USE bez_status bez_tracks_near_exact(const bez_tracks *tracks, unsigned threads, bez_nearest *near,
                                              bez_error *err);
BEZ_MUST_USE bez_status bez_tracks_near_forest(const bez_tracks *tracks, uint64_t seed, unsigned threads,
                                               bez_nearest *near, bez_error *err);

#endif
