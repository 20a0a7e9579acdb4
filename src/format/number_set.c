/* Counting distinct numbers: an array over the range, or a radix sort. */
#include "format/number_set.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"

bool bez_number_set_is_dense(int64_t lo, int64_t hi, uint64_t n_rows) {
  uint64_t range = (uint64_t)hi - (uint64_t)lo;
  return range < (1u << 20) || range / 4 < n_rows;
}

bez_status bez_number_set_dense(bez_number_set *set, int64_t lo, int64_t hi, bez_error *err) {
  uint64_t n = (uint64_t)hi - (uint64_t)lo + 1;
  *set = (bez_number_set){.dense = true, .lo = lo, .n = n, .slot = calloc(n, sizeof *set->slot)};
  return set->slot ? BEZ_OK : bez_fail_memory(err, n * sizeof *set->slot);
}

/* Least significant byte first; bytes that are the same everywhere are passed over. Ascending as signed numbers. */
static int64_t *radix_sort(int64_t *a, int64_t *b, uint64_t n) {
  for (unsigned shift = 0; shift < 64; shift += 8) {
    uint64_t count[256] = {0}, at = 0;
    uint64_t flip = shift == 56 ? 0x80 : 0;
    for (uint64_t i = 0; i < n; i++) count[((uint64_t)a[i] >> shift & 255) ^ flip]++;
    if (count[((uint64_t)a[0] >> shift & 255) ^ flip] == n) continue;
    for (unsigned k = 0; k < 256; k++) {
      uint64_t here = count[k];
      count[k] = at;
      at += here;
    }
    for (uint64_t i = 0; i < n; i++) b[count[((uint64_t)a[i] >> shift & 255) ^ flip]++] = a[i];
    int64_t *swap = a;
    a = b;
    b = swap;
  }
  return a;
}

bez_status bez_number_set_sparse(bez_number_set *set, int64_t *numbers, int64_t *spare, uint64_t n, bez_error *err) {
  *set = (bez_number_set){0};
  if (n == 0) return BEZ_OK;
  int64_t *sorted = radix_sort(numbers, spare, n);
  uint64_t distinct = 1;
  for (uint64_t i = 1; i < n; i++) distinct += sorted[i] != sorted[i - 1];
  uint64_t slots = 64;
  while (slots < distinct * 2) slots *= 2;
  set->keys = malloc(distinct * sizeof *set->keys);
  set->slot = calloc(distinct, sizeof *set->slot);
  set->index = calloc(slots, sizeof *set->index);
  set->n = distinct;
  set->mask = slots - 1;
  if (!set->keys || !set->slot || !set->index) return bez_fail_memory(err, slots * sizeof *set->index);
  uint64_t k = 0;
  for (uint64_t i = 0; i < n; i++) {
    k += i && sorted[i] != sorted[i - 1];
    set->keys[k] = sorted[i];
    set->slot[k]++;
  }
  for (k = 0; k < distinct; k++) {
    uint64_t i = bez_number_hash(set->keys[k]) & set->mask;
    while (set->index[i]) i = (i + 1) & set->mask;
    set->index[i] = (uint32_t)k + 1;
  }
  return BEZ_OK;
}

void bez_number_set_free(bez_number_set *set) {
  free(set->slot);
  free(set->keys);
  free(set->index);
  *set = (bez_number_set){0};
}
