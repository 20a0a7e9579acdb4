/* The distinct numbers of a column with how often each occurs, and later the code each got. Dense where the numbers lie
 * close together (an array over the range), else sorted keys with a hash index. */
#ifndef BEZ_FORMAT_NUMBER_SET_H
#define BEZ_FORMAT_NUMBER_SET_H

#include "bezoar/base.h"

typedef struct bez_number_set {
  bool dense;
  int64_t lo;
  uint64_t n;      /* slots: the range where dense, else the distinct keys */
  uint32_t *slot;  /* n: rows, after bez_number_set_code the code */
  int64_t *keys;   /* sparse: ascending */
  uint32_t *index; /* sparse: hash table of slot + 1 */
  uint64_t mask;
} bez_number_set; /* zero-initialise */

/* Dense when [lo, hi] is no wider than a few times n_rows. */
bool bez_number_set_is_dense(int64_t lo, int64_t hi, uint64_t n_rows);
BEZ_MUST_USE bez_status bez_number_set_dense(bez_number_set *set, int64_t lo, int64_t hi, bez_error *err);
/* Sparse, from all numbers of all rows; `numbers` is sorted in place, `spare` is as large. */
BEZ_MUST_USE bez_status bez_number_set_sparse(bez_number_set *set, int64_t *numbers, int64_t *spare, uint64_t n,
                                              bez_error *err);
void bez_number_set_free(bez_number_set *set);

static inline uint64_t bez_number_hash(int64_t x) {
  uint64_t h = (uint64_t)x * 0x9e3779b97f4a7c15ull;
  return h ^ h >> 29;
}

/* The slot of a number that is in the set. */
static inline uint64_t bez_number_slot(const bez_number_set *set, int64_t x) {
  if (set->dense) return (uint64_t)x - (uint64_t)set->lo;
  for (uint64_t i = bez_number_hash(x) & set->mask;; i = (i + 1) & set->mask)
    if (set->keys[set->index[i] - 1] == x) return set->index[i] - 1;
}

static inline int64_t bez_number_at(const bez_number_set *set, uint64_t slot) {
  return set->dense ? (int64_t)((uint64_t)set->lo + slot) : set->keys[slot];
}

#endif
